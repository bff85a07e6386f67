"""Escalation: who is told when what was offered stays unanswered, or what was answered is not carried out. From YAML.

    rule: us-federal.escalation
    escalations:
      order_not_acknowledged:
        title: An order is not acknowledged        # label_hi: in another language
        type: court.order_service
        states: [acknowledged]                 # after the answer: still in one of these; left out: not answered yet
        unless: { type: .., link: .., states: [..] }   # nobody is told while such a record of theirs points at it
        when: "given.duty == 'release'"        # CEL over the record's fields, as `given`
        steps:
          - { after: PT4H, at: addressee, roles: [supervisor] }    # lifecycle roles of that side
          - { after: P1D, at: offerer, roles: [clerk] }
        legal_days: true                       # days off at the addressee do not count
        citation: .., verified: read | secondary | GK | local

The law is the offerer's, in the version in force on the day of the offer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from comity.kernel.law.dated import Reader, Rule, Span, span
from comity.kernel.law.obligation_rules import KNOWN, known_types
from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, Form, Node, is_flag, is_map, is_names, is_text, nearest
from comity.kernel.types.expression import guard_text
from comity.kernel.types.part import Part
from comity.sentences import Worded, say

ADDRESSEE, OFFERER = "addressee", "offerer"
_RULE = {
    "title": is_text, "type": is_text, "states": is_names, "when": is_text, "legal_days": is_flag,
    "steps": lambda value: isinstance(value, list) and bool(value), "unless": is_map,
}  # fmt: skip
_UNLESS = {"type": is_text, "link": is_text, "states": is_names}
_STEP = {"after": is_text, "at": lambda value: value in (ADDRESSEE, OFFERER), "roles": is_names}


@dataclass(frozen=True, slots=True)
class Step:
    """Who is told, how long after the silence began."""

    after: Span
    at: str
    roles: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Backing:
    """A record of the addressee's in one of these states whose link points at what it answered."""

    type: str
    link: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Escalation:
    """One version. No `states`: while the offer is unanswered."""

    title: Worded
    type: str
    states: frozenset[str]
    when: str
    steps: tuple[Step, ...]
    legal_days: bool = False
    unless: Backing | None = None


Escalations = Mapping[str, Rule[Escalation]]


def _escalation(form: Form, name: str, faults: Faults) -> Escalation:
    listed = form.get("steps")
    if not form.text("title") or not form.text("type") or listed is None:
        fix = say("wrong_kind.write_title_type_and_steps.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.escalation_does_not_say_who", name=name), fix)
    return Escalation(
        title=form.titled(name), type=form.text("type"), states=frozenset(form.names("states")),
        when=guard_text(form, "when", faults, KNOWN),
        steps=tuple(_step(one, name, faults) for one in (listed.value if listed is not None else ())),
        legal_days=form.plain("legal_days", False), unless=_unless(form, name, faults),
    )  # fmt: skip


def _unless(form: Form, name: str, faults: Faults) -> Backing | None:
    node = form.get("unless")
    if node is None:
        return None
    one = Form(node, faults, Part("unless_of", name), _UNLESS)
    if any(key not in one for key in _UNLESS) or not form.names("states"):
        fix = say("wrong_kind.write_unless_beside_states_of.fix")
        faults.add("wrong_kind", node.source, say("wrong_kind.unless_of_says_not_what", name=name), fix)
    return Backing(one.text("type"), one.text("link"), one.names("states"))


def _step(node: Node, name: str, faults: Faults) -> Step:
    form = Form(node, faults, Part("step_of", name), _STEP)
    if not form.text("after") or not form.text("at") or not form.names("roles"):
        fix = say("wrong_kind.write.fix")
        faults.add("wrong_kind", node.source, say("wrong_kind.step_of_says_not_after", name=name), fix)
    return Step(span(form, "after", faults) or Span(), form.text("at"), form.names("roles"), str(node.source))


ESCALATIONS = Reader("escalations", "escalation", _RULE, _escalation)


def check_escalations(
    found: Escalations, types: Mapping[str, Type], roles: Collection[str], homes: frozenset[str], faults: Faults
) -> None:
    """Names of types, states and lifecycle roles that are nowhere; a type that is not offered to anybody cannot be
    left unanswered."""
    for rule in found.values():
        for law in rule.versions:
            for of in known_types((law.said.type,), types, homes, rule.source, faults):
                if of.offer is None:
                    said = say("type_not_offered.is_offered_to_nobody", name=of.name)
                    faults.add("type_not_offered", rule.source, said, say("type_not_offered.name_type_with_offer.fix"))
                for step in law.said.steps:
                    for role in (one for one in step.roles if one not in roles):
                        fix = nearest(role, roles)
                        faults.add(
                            "lifecycle_role_unknown",
                            step.source,
                            say("lifecycle_role_unknown.is_no_lifecycle_role", role=role),
                            fix,
                        )
                for state in sorted(law.said.states - of.states.keys()):
                    fix = nearest(state, of.states)
                    faults.add(
                        "state_unknown", rule.source, say("state_unknown.has_no_state", of=of.name, state=state), fix
                    )
            if law.said.unless is not None:
                _check_backing(law.said.unless, types, homes, rule.source, faults)


def _check_backing(one: Backing, types: Mapping[str, Type], homes: frozenset[str], source: str, faults: Faults) -> None:
    for of in known_types((one.type,), types, homes, source, faults):
        if one.link not in of.links:
            faults.add(
                "link_unknown",
                source,
                say("link_unknown.has_no_link", of=of.name, link=one.link),
                nearest(one.link, of.links),
            )
        for state in sorted({*one.states} - of.states.keys()):
            faults.add(
                "state_unknown",
                source,
                say("state_unknown.has_no_state", of=of.name, state=state),
                nearest(state, of.states),
            )
