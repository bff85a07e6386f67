"""Joints at the door: what reconciling would list as a difference for good is refused before it is written.

A joint with a `door` names the acts that are refused while it does not hold for the record as they would leave it. It
reads the same ways as `reconcile`, so the two never say different things of one record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from comity import clock
from comity.errors import Fault
from comity.extensions import Missing, Outcome
from comity.kernel.duties.obligation_walk import Walk, obligation_rules_for
from comity.kernel.law.dated import Law, Rule
from comity.kernel.law.obligation_rules import ObligationRule, condition
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.expression import GuardError, evaluate
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject
from comity.sentences import say


def faults(work: Work, act: str, subject: Subject, calculated: Callable[[str], Outcome]) -> list[Fault]:
    """What the joints in force refuse of an act; `subject` is the record as the act would leave it, and `calculated`
    answers for it what a calculation finds.

    A joint whose types are not all installed refuses nothing: what lets go may be what cannot be recorded here.
    """
    found, today = [], clock.today(work.catalogue.definition.zone)
    for rule in enforced(work.catalogue, act, subject.core_type):
        law = rule.on(today)
        if law is not None and _stands(work.catalogue, law.said, act, subject.core_type):
            joint = law.said
            if joint.calculation:
                found += [_found(law, subject, one) for one in calculated(joint.calculation).refused]
            else:
                found += _judged(work, rule.name, law, subject)
    return found


def _found(law: Law[ObligationRule], subject: Subject, one: Missing) -> Fault:
    """What a calculation finds of the record itself, with the law of the joint; of another, under that one's name."""
    door = law.said.door
    assert door is not None
    if one.about != str(subject.id):
        return Fault(one.code, one.about_label, one.message, one.fix)
    citation = one.citation or law.citation
    return Fault(
        one.code,
        f"links.{door.link}",
        say("refusal.with_its_law", message=one.message, citation=citation) if citation else one.message,
        one.fix,
    )


@lru_cache(maxsize=4096)
def enforced(catalogue: Catalogue, act: str, core_type: str) -> tuple[Rule[ObligationRule], ...]:
    """The joints of which some version is enforced on this act of a type."""
    return tuple(
        rule
        for rule in obligation_rules_for(catalogue).values()
        if any(_stands(catalogue, law.said, act, core_type) for law in rule.versions)
    )


def _stands(catalogue: Catalogue, joint: ObligationRule, act: str, core_type: str) -> bool:
    if joint.door is None or act not in joint.door.acts or core_type not in joint.given.types:
        return False
    return all(name in catalogue.types for way in joint.ways for name in way.types)


def _judged(work: Work, name: str, law: Law[ObligationRule], subject: Subject) -> list[Fault]:
    joint, door = law.said, law.said.door
    assert door is not None
    walk = Walk(work, work.now, None)
    told = walk.told(subject, work.now)
    try:
        for each in walk.each(joint, told):
            asked = {"given": told, "done": {}, "each": each}
            if joint.given.when and not evaluate(condition(joint.given.when), asked):
                continue
            if bool(walk.found(joint, subject, told, each, walk.ways(joint, [subject]))) is joint.never:
                said = (
                    say("refusal.with_its_law", message=door.message, citation=law.citation)
                    if law.citation
                    else door.message
                )
                return [Fault(door.code, f"links.{door.link}", said, door.fix)]
    except GuardError as error:
        fix = say("guard_error.give_what_condition_reads_or.fix")
        return [
            Fault("guard_error", f"links.{door.link}", say("guard_error.of_joint", name=name, error=error.detail), fix)
        ]
    return []
