"""Rules of order: an act comes after what it rests on, and is entered within its time. Dated rules, from YAML.

    rule: us-federal.sequence
    sequence:
      stay_after_its_warrant:
        title: Nobody is taken in before the warrant stands    # label_hi: in another language
        act: custody.intake.enter                      # type.act or type.answer; a list of them for one rule
        occurred: received_at                          # the field that says when it happened; else the entry's own time
        after: { link: authority, type: court.warrant, act: enter_on_docket }    # link: self is the record itself;
                                                       # field: in place of act: an instant or day that it states
        late_after: PT24H                              # or, or as well: entered later than that is late
        citation: .., verified: read | secondary | GK | local

What breaks a rule is refused without a late cause and, with one, taken and typed late under the rule's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.kernel.law.dated import Reader, Rule, Span, span
from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, Form, Node, is_map, is_names, is_text, nearest
from comity.kernel.types.lifecycle import answers
from comity.kernel.types.part import Part
from comity.sentences import Worded, say

SELF = "self"
_ORDER = {"title": is_text, "act": is_names, "occurred": is_text, "after": is_map, "late_after": is_text}
_AFTER = {"link": is_text, "type": is_names, "act": is_text, "field": is_text}


@dataclass(frozen=True, slots=True)
class After:
    """What must come first: an act on, or a field of, the records of these types that the link points at."""

    link: str
    types: tuple[str, ...]
    act: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One version of a rule of order. `acts` are `type.act`."""

    title: Worded
    acts: frozenset[str]
    occurred: str = ""
    after: After | None = None
    late_after: Span | None = None


Sequences = Mapping[str, Rule[Order]]


def _order(form: Form, name: str, faults: Faults) -> Order:
    if not form.text("title") or not form.names("act") or not ("after" in form or "late_after" in form):
        fix = say("wrong_kind.write_title_act_type_act.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.sequence_does_not_say_what", name=name), fix)
    node = form.get("after")
    return Order(
        title=form.titled(name), acts=frozenset(form.names("act")), occurred=form.text("occurred"),
        after=_after(node, name, faults) if node is not None else None, late_after=span(form, "late_after", faults),
    )  # fmt: skip


def _after(node: Node, name: str, faults: Faults) -> After:
    form = Form(node, faults, Part("after_of", name), _AFTER)
    if not form.text("link") or bool(form.text("act")) == bool(form.text("field")):
        faults.add("wrong_kind", node.source, say("wrong_kind.after_of_names_no_moment", name=name))
    return After(form.text("link"), form.names("type"), form.text("act"), form.text("field"))


SEQUENCES = Reader("sequence", "sequence", _ORDER, _order)


def check_sequences(found: Sequences, types: Mapping[str, Type], homes: frozenset[str], faults: Faults) -> None:
    """Names of types, acts, links and fields that are nowhere. What names a pillar that is not here sleeps."""
    for rule in found.values():
        for law in rule.versions:
            for act in sorted(law.said.acts):
                _check(law.said, act, rule.source, types, homes, faults)


def _check(one: Order, act: str, source: str, types: Mapping[str, Type], homes: frozenset[str], faults: Faults) -> None:
    name, _, verb = act.rpartition(".")
    of = types.get(name)
    if of is None:
        if name.partition(".")[0] in homes:
            faults.add("type_unknown", source, say("type_unknown.there_is_no_type", name=name), nearest(name, types))
        return
    there_are = {**of.acts, **answers(of.offer)}
    if verb not in there_are:
        faults.add("act_unknown", source, say("act_unknown.has_no_act", of=name, act=verb), nearest(verb, there_are))
    if one.occurred and one.occurred not in of.fields:
        faults.add(
            "field_unknown",
            source,
            say("field_unknown.has_no_field", of=name, field=one.occurred),
            nearest(one.occurred, of.fields),
        )
    if one.after is None:
        return
    if one.after.link != SELF and one.after.link not in of.links:
        faults.add(
            "link_unknown",
            source,
            say("link_unknown.has_no_link", of=name, link=one.after.link),
            nearest(one.after.link, of.links),
        )
    ahead = [of] if one.after.link == SELF else [types[two] for two in one.after.types if two in types]
    for two in one.after.types:
        if two not in types and two.partition(".")[0] in homes:
            faults.add("type_unknown", source, say("type_unknown.there_is_no_type", name=two), nearest(two, types))
    for there in ahead:
        if one.after.act and one.after.act not in there.acts:
            fix = nearest(one.after.act, there.acts)
            faults.add("act_unknown", source, say("act_unknown.has_no_act", of=there.name, act=one.after.act), fix)
        if one.after.field and one.after.field not in there.fields:
            fix = nearest(one.after.field, there.fields)
            faults.add(
                "field_unknown",
                source,
                say("field_unknown.has_no_field", of=there.name, field=one.after.field),
                fix,
            )
