"""Joints: what one institution is given to do, and which act of another is that it was done. Dated rules, from YAML.

    rule: us-federal.orders
    joints:
      released:
        title: Whoever is ordered released is released
        given: { type: .., states: [acknowledged], when: "given.duty == 'release'" }   # one duty for each such record,
                                                                # or with each: <array field> for each value of it
        owed_by: addressee                                      # a field of the given, `agency` (its own) or `each`
        done:                                                   # any one of
          - { type: .., link: authority, at: [self, order], states: [completed] }   # what points at it, or at what it
                                                                # points at itself; same: { field: each } narrows
          - { path: [authority], type: .., when: "done.kind == 'x'" }               # what it points at, link by link
          - { self: [executed] }                                # its own state
        within: PT24H                                           # time to do it; `by: execute_by` a field with the end
        about:                                                  # of one matter: where any of these agrees it is, where
          - { given: [intake.person], done: [person], tie: registry.identity_claim }   # one differs, none agrees not;
                                                                # of: [type] narrows to what is found of that type
        door: { acts: [complete], code: .., link: authority, message: .., fix: .. }    # refused there already
        message: .., fix: .., citation: .., verified: read | secondary | GK | local
        label_hi: .., message_hi: .., fix_hi: ..                # the title and the rest in another language

`never` in place of `done` lists what must not be there. `calculation: pillar.function` in place of both: a pillar's
function judges the given record, at its act (a `door` then says which acts and which link) and for what was known when
it came into its state. Conditions are CEL over `given`, `done` and `each`: of a record its fields, `state`, `type`,
`agency`, `links` (ids by name) and `days` (of each time the day it is there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from comity.kernel.law.dated import Reader, Rule, Span, span
from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, Form, Node, is_flag, is_map, is_names, is_text, is_words, nearest
from comity.kernel.types.expression import Guard, compile_guard, guard_text
from comity.kernel.types.part import Part
from comity.sentences import UNWORDED, Worded, say

KNOWN = frozenset(("given", "done", "each"))
_GIVEN = {"type": is_names, "states": is_names, "each": is_text, "when": is_text}
_DONE = {
    "self": is_names, "type": is_names, "link": is_text, "at": is_names, "path": is_names, "same": is_map,
    "states": is_names, "when": is_text, "known": is_flag,
}  # fmt: skip
_ABOUT = {"given": is_names, "done": is_names, "of": is_names, "tie": is_text}
_DOOR = {"acts": is_names, "code": is_text, "link": is_text, "message": is_words, "fix": is_words}
_JOINT = {
    "title": is_text, "given": is_map, "owed_by": is_text, "done": lambda v: isinstance(v, list | dict),
    "never": lambda v: isinstance(v, list | dict), "within": is_text, "legal_days": is_flag, "by": is_text,
    "about": lambda v: isinstance(v, list), "calculation": is_text, "door": is_map, "message": is_words,
    "fix": is_words,
    "beside": is_map,  # of older versions, which had conditions where there is a calculation now
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class When:
    """Which records give a duty. No `states`: every state."""

    types: tuple[str, ...]
    states: frozenset[str] = frozenset()
    each: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """A way to find what was done. `own`: by the given's own state; `path`: by its links; else by what points at it.

    `known`: that such a record of the addressee's points at the offer that was given, and nothing of it, is known to
    the agency that gave, which so judges it too.
    """

    own: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()
    link: str = ""
    at: tuple[str, ...] = ("self",)
    path: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    states: frozenset[str] = frozenset()
    when: str = ""
    known: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """Paths of links, dotted, from the given and from what was found: they lead to the same, or `tie` claims that they
    do. With a tie two ends differ only when they are records of the institution of the given: others keep their own.
    `of`: the types of what was found that it is asked of; empty: all."""

    given: tuple[str, ...]
    done: tuple[str, ...]
    tie: str = ""
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The acts on the given that are refused, under `code` and about the link, while the joint does not hold for it.

    Of a calculation the code, the message and the fix are those of what it finds.
    """

    acts: tuple[str, ...]
    code: str
    link: str
    message: Worded
    fix: Worded


@dataclass(frozen=True, slots=True)
class ObligationRule:
    """One version of a joint. `never`: what `ways` find must not be there. `calculation`: judged by it, not by ways."""

    title: Worded
    given: When
    owed_by: str
    ways: tuple[Fulfilment, ...]
    never: bool = False
    within: Span | None = None
    legal_days: bool = False
    by: str = ""
    message: Worded = UNWORDED
    fix: Worded = UNWORDED
    about: tuple[About, ...] = ()
    door: Enforcement | None = None
    calculation: str = ""


ObligationRules = Mapping[str, Rule[ObligationRule]]


@lru_cache(maxsize=2048)
def condition(text: str) -> Guard:
    return compile_guard(text, "joint", KNOWN)


def _obligation_rule(form: Form, name: str, faults: Faults) -> ObligationRule:
    given = form.get("given")
    never = "never" in form
    calculation = form.text("calculation")
    written = None if calculation else form.get("never" if never else "done")
    if given is None or (written is None and not calculation) or (never and "done" in form):
        fix = say("wrong_kind.write_given_and_one_of.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.joint_does_not_say_what", name=name), fix)
    if "beside" in form and not calculation:
        fix = say("unknown_key.write_calculation_of_pillar_and.fix")
        faults.add("unknown_key", form.at("beside"), say("unknown_key.joint_has_conditions_beside_it", name=name), fix)
    for key in ("title", "message"):
        if not form.text(key):
            faults.add("wrong_kind", form.source, say("wrong_kind.joint_has_no", name=name, key=key))
    return ObligationRule(
        title=form.titled(name),
        given=_given(given, name, faults) if given is not None else When(()),
        owed_by=form.text("owed_by", "agency"),
        ways=_ways(written, name, faults),
        never=never,
        within=span(form, "within", faults),
        legal_days=form.plain("legal_days", False),
        by=form.text("by"),
        message=form.worded("message"),
        fix=form.worded("fix"),
        about=() if calculation else _about(form, name, faults),
        door=_enforcement(form, name, faults),
        calculation=calculation,
    )


def _ways(node: Node | None, name: str, faults: Faults) -> tuple[Fulfilment, ...]:
    ways = (node.value if node.is_list else (node,)) if node is not None else ()
    return tuple(_way(one, name, faults) for one in ways)


def _about(form: Form, name: str, faults: Faults) -> tuple[About, ...]:
    found = []
    written = form.get("about")
    for node in written.value if written is not None else ():
        one = Form(node, faults, Part("about_of", name), _ABOUT)
        if not one.names("given") or not one.names("done"):
            faults.add("wrong_kind", node.source, say("wrong_kind.about_of_has_not_both", name=name))
        found.append(About(one.names("given"), one.names("done"), one.text("tie"), one.names("of")))
    return tuple(found)


def _enforcement(form: Form, name: str, faults: Faults) -> Enforcement | None:
    node = form.get("door")
    if node is None:
        return None
    one = Form(node, faults, Part("door_of", name), _DOOR)
    for key in ("acts", "link") if form.text("calculation") else _DOOR:
        if key not in one:
            faults.add("wrong_kind", node.source, say("wrong_kind.door_of_has_no", name=name, key=key))
    return Enforcement(one.names("acts"), one.text("code"), one.text("link"), one.worded("message"), one.worded("fix"))


def _given(node: Node, name: str, faults: Faults) -> When:
    form = Form(node, faults, Part("given_of", name), _GIVEN)
    if not form.names("type"):
        faults.add("wrong_kind", node.source, say("wrong_kind.given_of_has_no_type", name=name))
    return When(
        form.names("type"), frozenset(form.names("states")), form.text("each"), guard_text(form, "when", faults, KNOWN)
    )


def _way(node: Node, name: str, faults: Faults) -> Fulfilment:
    form = Form(node, faults, Part("done_of", name), _DONE)
    by_link, by_path, own = form.text("link"), form.names("path"), form.names("self")
    if sum(map(bool, (by_link, by_path, own))) != 1 or (by_link and not form.names("type")):
        fix = say("wrong_kind.write_self_states_or_type.fix")
        faults.add("wrong_kind", node.source, say("wrong_kind.done_of_says_not_how", name=name), fix)
    return Fulfilment(
        own=frozenset(own), types=form.names("type"), link=by_link, at=form.names("at") or ("self",), path=by_path,
        same={key: str(one) for key, one in form.plain("same", {}).items()}, states=frozenset(form.names("states")),
        when=guard_text(form, "when", faults, KNOWN), known=form.plain("known", False),
    )  # fmt: skip


OBLIGATION_RULES = Reader("joints", "joint", _JOINT, _obligation_rule)


def check_obligation_rules(
    joints: ObligationRules, types: Mapping[str, Type], homes: frozenset[str], faults: Faults
) -> None:
    """Names of types, states, fields and links that are nowhere. A type of a pillar that is not there is passed over:
    the joint sleeps until it is installed."""
    for rule in joints.values():
        for law in rule.versions:
            one = law.said
            known = known_types(one.given.types, types, homes, rule.source, faults)
            _states(one.given.states, known, rule.source, faults)
            for name in (one.given.each, one.by):
                _named(name, known, rule.source, faults)
            _named("" if one.owed_by in ("agency", "each") else one.owed_by, known, rule.source, faults)
            _linked({path.partition(".")[0] for about in one.about for path in about.given}, known, rule.source, faults)
            known_types(tuple(about.tie for about in one.about if about.tie), types, homes, rule.source, faults)
            if one.door is not None:
                _linked({one.door.link}, known, rule.source, faults)
                _acts(one.door.acts, known, rule.source, faults)
            for about in one.about:
                known_types(about.of, types, homes, rule.source, faults)
            for way in one.ways:
                _states(way.own, known, rule.source, faults)
                _linked({path.partition(".")[0] for path in way.at} - {"self"}, known, rule.source, faults)
                _linked({*way.path[:1]}, known, rule.source, faults)
                there = known_types(way.types, types, homes, rule.source, faults)
                _states(way.states, there, rule.source, faults)
                _linked({way.link} - {""}, there, rule.source, faults)


def known_types(
    names: tuple[str, ...], types: Mapping[str, Type], homes: frozenset[str], source: str, faults: Faults
) -> list[Type]:
    """The types that are there; `type_unknown` for one whose home is and that is not."""
    for name in names:
        if name not in types and name.partition(".")[0] in homes:
            faults.add("type_unknown", source, say("type_unknown.there_is_no_type", name=name), nearest(name, types))
    return [types[name] for name in names if name in types]


def _states(names: frozenset[str], types: list[Type], source: str, faults: Faults) -> None:
    known = {state for of in types for state in of.states}
    for name in sorted(names - known if types else ()):
        faults.add(
            "state_unknown",
            source,
            say("state_unknown.has_no_state", of=types[0].name, state=name),
            nearest(name, known),
        )


def _named(name: str, types: list[Type], source: str, faults: Faults) -> None:
    if name and types and not any(name in of.fields for of in types):
        known = [one for of in types for one in of.fields]
        faults.add(
            "field_unknown",
            source,
            say("field_unknown.has_no_field", of=types[0].name, field=name),
            nearest(name, known),
        )


def _linked(names: set[str], types: list[Type], source: str, faults: Faults) -> None:
    known = {link for of in types for link in of.links}
    for name in sorted(names - known if types else ()):
        faults.add(
            "link_unknown",
            source,
            say("link_unknown.has_no_link", of=types[0].name, link=name),
            nearest(name, known),
        )


def _acts(names: tuple[str, ...], types: list[Type], source: str, faults: Faults) -> None:
    known = {act for of in types for act in of.acts}
    for name in sorted({*names} - known if types else ()):
        faults.add(
            "act_unknown", source, say("act_unknown.has_no_act", of=types[0].name, act=name), nearest(name, known)
        )
