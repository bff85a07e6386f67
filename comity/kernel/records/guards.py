"""The conditions of an act: sentences in CEL about the record and its history, and guard functions of the pillars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from comity import clock
from comity.errors import Fault, Problem
from comity.extensions import Outcome
from comity.kernel.duties import enforced_on_act
from comity.kernel.ledger.fold import Folded
from comity.kernel.policy.actor import acting_roles
from comity.kernel.records import overrides
from comity.kernel.records.open_obligations import open_on
from comity.kernel.records.proposal import Proposal
from comity.kernel.types import expression
from comity.kernel.types.catalogue import Act, Answer, GuardRule, Type
from comity.kernel.types.language import called, called_in
from comity.kernel.types.lifecycle import named_steps
from comity.kernel.types.link_shape import LinkShape
from comity.kernel.types.link_shape_types import fits
from comity.kernel.work.change import Change, parties_of
from comity.kernel.work.facts import FactGraph
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, subjects
from comity.kernel.work.visibility import readable_fields
from comity.sentences import say


def faults(work: Work, asked: Proposal, change: Change) -> list[Fault]:
    """What the conditions refuse, all at once: the law that is enforced on the act, and the rule's own conditions.

    One that errs refuses with `guard_error` and the missing path. The record is judged as the change would leave it.
    """
    left = _left(asked, change)
    calculated = _Calculated(work, replace(left, core_state=asked.subject.core_state), asked)
    found = enforced_on_act.faults(work, asked.rule.name, left, calculated)
    judged = set(calculated.outcomes)
    found += _unfitting(work, asked)
    overridden: list[str] = []
    variables: dict[str, Any] | None = None
    for rule in asked.rule.guards:
        if rule.extension:
            found += [] if rule.extension in judged else _extension(rule, calculated)
            overridden += [rule.code] if rule.extension in calculated.decided else []
            continue
        variables = variables if variables is not None else variables_of(work, asked, change.after)
        refusal = sentence(work, rule, variables)
        if refusal and rule.override and refusal[0].code == rule.code in asked.words.override:
            overridden.append(rule.code)
        else:
            found += refusal
    return found + overrides.needless(asked, overridden)


def shaped(asked: Proposal) -> dict[str, Sequence[str]]:
    """The links of the proposal that ask of a target what it is. An amendment that names again what is linked already
    does not set it."""
    held = asked.before.links if asked.action == "amend" else {}
    given = {name: [one for one in ids if one not in held.get(name, ())] for name, ids in asked.links.items()}
    links = asked.of.links
    return {name: ids for name, ids in given.items() if ids and name in links and links[name].shape}


def _unfitting(work: Work, asked: Proposal) -> list[Fault]:
    """The targets that are not what their links take. One of which the actor may not read what is asked does not fit;
    one that the same batch enters is judged as it is entered."""
    given = shaped(asked)
    seen = subjects(work, sorted({one for ids in given.values() for one in ids})) if given else {}
    found = []
    for name, ids in given.items():
        shape = asked.of.links[name].shape
        if shape is not None and not all(_fits(work, asked, shape, one, seen) for one in ids):
            said = shape.message or say("guards.link_takes_another_record", name=called(asked.of.links[name]))
            fix = shape.fix or say("guards.link_one_that_fits.fix", said=shape.said())
            found.append(Fault(shape.code, f"links.{name}", said, fix))
    return found


def _fits(work: Work, asked: Proposal, shape: LinkShape, record: str, seen: Mapping[str, Subject]) -> bool:
    if record in seen:
        target = seen[record]
        of = work.type_of(target.agency, target.type_name, target.core_type)
        return fits(shape, of, readable_fields(work, of, target)[0], target.core_state)
    new = asked.batch.own.get(record)
    return new is not None and fits(shape, new, asked.batch.drafted[record], new.core_state(new.initial))


def _left(asked: Proposal, change: Change) -> Subject:
    """The record as the change would leave it."""
    of, after = asked.of, change.after
    parties = frozenset(parties_of(of, after)) if asked.new else asked.subject.parties
    return replace(asked.subject, folded=after, core_state=of.core_state(after.state), parties=parties)


def sentence(work: Work, rule: GuardRule, variables: Mapping[str, Any]) -> list[Fault]:
    """What a condition in CEL refuses, given what it may read."""
    assert rule.guard is not None
    try:
        asked = rule.applies is None or expression.evaluate(rule.applies, variables)
        held = not asked or expression.evaluate(rule.guard, variables)
    except expression.GuardError as error:
        path = getattr(error, "path", "") or rule.source
        said = say("guard_error.of_condition", condition=rule.text, error=error.detail)
        return [Fault("guard_error", path, said, say("guards.give_what_condition_reads_or.fix"))]
    if held:
        return []
    fix = overrides.refused(work, rule, rule.fix)
    return [Fault(rule.code, rule.source, rule.message or say("guards.not_met", text=rule.text), fix)]


def _extension(rule: GuardRule, calculated: _Calculated) -> list[Fault]:
    try:
        found = calculated(rule.extension or "").refused
    except KeyError:
        return [Fault("guard_error", rule.source, say("guard_error.there_is_no_calculation", extension=rule.extension))]
    return [Fault(one.code, one.about_label, one.message, one.fix) for one in found]


class _Calculated:
    """What the calculations find of the record, each asked once, whoever names it: its type, or a rule between acts.

    What one leaves for a person to decide is told with who may, or, where the act overrides it, is `decided`.
    """

    def __init__(self, work: Work, subject: Subject, asked: Proposal) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.decided: set[str] = set()
        self._work, self._subject, self._asked = work, subject, asked

    def __call__(self, name: str) -> Outcome:
        if name not in self.outcomes:
            calculation = self._work.node.extensions.calculations[name]
            facts = FactGraph(self._work, self._subject, born=self._subject.folded.version > 1)
            self.outcomes[name] = self._left(name, calculation(facts))
        return self.outcomes[name]

    def _left(self, name: str, outcome: Outcome) -> Outcome:
        rule = next((one for one in self._asked.rule.guards if one.extension == name and one.override), None)
        if rule is None or not any(one.severity == "decides" for one in outcome.missing):
            return outcome
        if rule.code in self._asked.words.override:
            self.decided.add(name)
            return outcome.decided
        said = [
            replace(one, fix=overrides.refused(self._work, rule, one.fix)) if one.severity == "decides" else one
            for one in outcome.missing
        ]
        return replace(outcome, missing=said)


def variables_of(work: Work, asked: Proposal, after: Folded) -> dict[str, Any]:
    """What a sentence may read; what costs a statement, only where one of the rule's sentences names it."""
    of, record = asked.of, asked.subject.id
    texts = " ".join(text for one in asked.rule.guards for text in one.sentences)
    linked: dict[str, list[dict[str, Any]]] = {}
    if "linked" in texts:
        ids = [target for targets in after.links.values() for target in targets]
        seen = {target: _shown(work, one) for target, one in subjects(work, ids).items()}
        linked = {name: [seen[target] for target in after.links.get(name, ()) if target in seen] for name in of.links}
    return {
        "record": dict(after.fields),
        "state": of.core_state(of.initial if asked.new else asked.before.state),
        "links": {name: list(after.links.get(name, ())) for name in of.links},
        "linked": linked,
        "input": dict(after.fields) if asked.new else asked.given,
        "reason": asked.words.reason or "",
        "actor": {"agency": work.actor.institution, "member": work.actor.member, "roles": _roles(work)},
        "history": done(work, record) if "history" in texts else {},
        "open_obligations": open_on(work, record) if "open_obligations" in texts else [],
        "today": clock.today(work.catalogue.definition.zone).isoformat(),
    }


def _shown(work: Work, one: Subject) -> dict[str, Any]:
    """A linked record as the actor sees it: a condition is no way to guess what is masked."""
    fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
    return {
        **fields, "id": str(one.id), "type": one.core_type, "state": one.core_state,
        "number": one.folded.number or "", "agency": one.institution, "owner": one.agency,
    }  # fmt: skip


def _roles(work: Work) -> list[str]:
    """The roles in which the actor acts: on behalf of another those for it, else its own."""
    if work.actor.behalf is None:
        known = work.catalogue.roles
        return sorted(name for name in work.actor.roles if name not in known or not known[name].for_)
    held = acting_roles(work.actor, work.catalogue)
    return sorted(held.union(*(work.catalogue.roles[role].is_ for role in held)))


def done(work: Work, record: UUID) -> dict[str, dict[str, str]]:
    """Who last did each act on the record, and when."""
    rows = work.conn.execute(
        """select act, actor::text, entered_at from comity.entry
            where record = %s and agency = %s order by version""",
        (record, work.agency),
    )
    return {act: {"by": by, "at": clock.show_instant(at)} for act, by, at in rows}


def refuse_same_member(work: Work, of: Type, record: UUID, rule: Act | Answer) -> None:
    """An act with `not_by` wants another member than the one who did the named acts on this record.

    Who of the reporter's members typed an act on behalf says nothing about who did it: that is not judged.
    """
    if not rule.not_by or work.actor.behalf:
        return
    row = work.conn.execute(
        "select act from comity.entry where record = %s and agency = %s and act = any(%s) and actor = %s limit 1",
        (record, work.agency, list(rule.not_by), UUID(work.actor.member)),
    ).fetchone()
    if row:
        done = called_in(named_steps(of), row[0])
        raise Problem("same_member", say("same_member.must_be_done_by_another", what=called(rule), done=done))
