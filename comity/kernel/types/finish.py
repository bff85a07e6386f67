"""Makes a type of a draft: what one part says of another is looked up, states are expanded, and all is frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from comity import names
from comity.kernel.types import lifecycle, reading
from comity.kernel.types.catalogue import Act, Answer, Code, CodeList, Field, Group, Link, Mark, OfferRule, State, Type
from comity.kernel.types.comparison import Rule
from comity.kernel.types.definition import Faults, Form, Node, is_map, is_names, nearest
from comity.kernel.types.layers import known_name
from comity.kernel.types.part import Part, What, spoken_of
from comity.kernel.types.reading import EVERY, Draft
from comity.kernel.types.ties import Ties
from comity.sentences import say

Done = TypeVar("Done", Act, Answer)


@dataclass(frozen=True, slots=True)
class _Course:
    """The states of a type, where its records begin, and the moves that lead on."""

    states: Mapping[str, State]
    initial: str
    onward: list[lifecycle.Edge]


def finish(
    draft: Draft, types: Collection[str], lists: Mapping[str, CodeList], marks: Mapping[str, Mark], faults: Faults
) -> Type:
    """The frozen type. `types` are the names of all types, which links and acts may refer to."""
    groups = {"base": Group("base", "Base"), **draft.groups}
    caption = _shown(draft, draft.caption, "caption", faults)
    states, initial = _states(draft, faults)
    acts = {name: _done(draft, one, states, initial, faults) for name, one in draft.acts.items()}
    for act in acts.values():
        for key, named in (("creates", act.creates), ("owes", act.owes), ("profile", act.profile)):
            _known(named, types, "type_unknown", act.source, Part("of", key, act.name), faults)
        for mark in sorted(act.lifts):
            _known(mark, marks, "mark_unknown", act.source, Part("of", "lifts", act.name), faults)
    offer = _offer(draft, groups, states, initial, faults)
    moves = lifecycle.edges(acts.values(), offer, states)
    course = _Course(states, initial, lifecycle.forward(initial, moves))
    fields = {n: _field(draft, one, groups, lists, course, faults) for n, one in draft.fields.items()}
    links: dict[str, Link] = {}
    for name, link in draft.links.items():
        for to in link.to:
            _known(to, (*types, "member", "any"), "type_unknown", link.source, Part("link", name), faults)
        required = _required(draft, link, course, faults)
        fills = [_field_name(draft, one, link.source, Part("of", "fills", name), faults) or one for one in link.fills]
        links[name] = replace(link, required_in=required, fills=tuple(fills))
    for mark in sorted(draft.handling):
        _known(mark, marks, "mark_unknown", draft.source, Part("of", "handling", draft.name), faults)
    _numbers(draft, faults)
    title = _field_name(draft, draft.title_field, draft.source, "title_field", faults)
    return Type(
        name=draft.name, title=draft.title, term=draft.term, number=draft.number,
        title_field=title, groups=groups,
        fields=fields, links=links, states=states, initial=initial, acts=acts, offer=offer,
        deconflict=tuple(_collision(draft, one, states, faults) for one in draft.deconflict),
        deconflict_when={
            _field_name(draft, name, draft.source, "deconflict_when", faults) or name: values
            for name, values in draft.deconflict_when.items()
        },
        handling=draft.handling, core_name=draft.core_name, forbid=draft.forbid, owner_layer=draft.owner_layer,
        labels=draft.labels, source=draft.source, ties=_ties(draft, states, faults),
        document=draft.document, layers=tuple(draft.layers), obligation=draft.obligation,
        replaced_by=_replacing(draft, draft.replaced_by, {**draft.links, **draft.fields}, "replaced_by", faults),
        replaces=_replacing(draft, draft.replaces, draft.links, "replaces", faults),
        caption=caption or ((title,) if title else ()),
        featured=_shown(draft, draft.featured, "featured", faults) or _featured({**fields, **links}, initial, title),
    )  # fmt: skip


def _collision(draft: Draft, rule: Rule, states: Mapping[str, State], faults: Faults) -> Rule:
    named = [
        tuple(_field_name(draft, one, draft.source, "deconflict", faults) or one for one in row)
        for row in (rule.fields, rule.during)
    ]
    for state in sorted(rule.while_):
        _known(state, states, "state_unknown", draft.source, "deconflict", faults)
    return replace(rule, fields=named[0], during=named[1])


def _ties(draft: Draft, states: Mapping[str, State], faults: Faults) -> Ties | None:
    if draft.ties is None:
        return None
    for end in draft.ties.ends:
        _known(end, draft.links, "field_unknown", draft.source, "ties", faults)
    for state in sorted(draft.ties.live):
        _known(state, states, "state_unknown", draft.source, "ties", faults)
    for name in (*draft.ties.apart, *draft.ties.certain):
        _field_name(draft, name, draft.source, "ties", faults)
    return draft.ties


def _replacing(draft: Draft, name: str, parts: Collection[str], key: str, faults: Faults) -> str:
    """The part of the type by which what was entered in error and what replaces it find each other."""
    if name:
        _known(name, parts, "field_unknown", draft.source, Part("of", key, draft.name), faults)
        if not any(one.in_error for one in draft.states.values()):
            said = say("state_unknown.says_what_replaces_record_and", name=draft.name)
            faults.add("state_unknown", draft.source, said, say("state_unknown.mark_state_in_error_true.fix", key=key))
    return name


FEATURED = 4
"""Fields and links that are featured where a type does not say which."""


def _shown(draft: Draft, named: Collection[str], key: str, faults: Faults) -> tuple[str, ...]:
    """The full names of the fields and links that a type names as its caption or featured."""
    parts: dict[str, Field | Link] = {**draft.fields, **draft.links}
    out = []
    for name in named:
        full = known_name(name, parts)
        if full is None:
            said = say("field_unknown.of_names_no_field_or", key=key, name=draft.name, name2=name)
            faults.add("field_unknown", draft.source, said, nearest(name, parts))
        else:
            out.append(full)
    return tuple(out)


def _featured(parts: Mapping[str, Field | Link], initial: str, title: str | None) -> tuple[str, ...]:
    """What one looks at first where nobody said: what each record has from the beginning, its title apart."""
    return tuple(name for name, one in parts.items() if initial in one.required_in and name != title)[:FEATURED]


def _known(name: str | None, known: Collection[str], code: str, source: str, what: What, faults: Faults) -> None:
    if name is not None and name not in known:
        said = say("finish.names_which_is_not_defined", what=spoken_of(what), name=name)
        faults.add(code, source, said, nearest(name, known))


def _field_name(draft: Draft, name: str | None, source: str, what: What, faults: Faults) -> str | None:
    if name is None:
        return None
    full = known_name(name, draft.fields)
    if full is None:
        faults.add(
            "field_unknown",
            source,
            say("field_unknown.names_no_field_of", what=spoken_of(what), name=draft.name, name2=name),
            nearest(name, draft.fields),
        )
    return full


def _numbers(draft: Draft, faults: Faults) -> None:
    for said in names.number_faults(draft.number) if draft.number else ():
        fix = say("number_pattern.write_for_example.fix")
        faults.add(
            "number_pattern", draft.number_source, say("number_pattern.number_of", name=draft.name, said=said), fix
        )
    ours = [name for name, one in draft.fields.items() if one.counterparty]
    if draft.offer is not None and len(ours) != 1:
        said = say("offer_counterparty.is_offered_to_fields_exactly", name=draft.name, count=len(ours))
        faults.add(
            "offer_counterparty", draft.source, said, say("offer_counterparty.mark_one_agency_field_counterparty.fix")
        )
    elif draft.offer is not None:
        several = draft.fields[ours[0]].schema.get("type") == "array"
        if several is not (draft.offer.to_several is not None):
            key = "offer_counterparty.names_several" if several else "offer_counterparty.names_one"
            said = say(key, ours=ours[0])
            fix = say("offer_counterparty.write_to_several_under_offer.fix")
            faults.add("offer_counterparty", draft.source, said, fix)
    elif draft.offer is None and ours:
        said = say("offer_counterparty.has_counterparty_and_no_offer", name=draft.name)
        faults.add(
            "offer_counterparty",
            draft.fields[ours[0]].source,
            said,
            say("offer_counterparty.write_party_true_or_add.fix"),
        )


def _states(draft: Draft, faults: Faults) -> tuple[dict[str, State], str]:
    """States with their divisions, and the state in which a record starts."""
    homes = [one for one in draft.states.values() if one.core == one.name]
    for one in draft.states.values():
        if one.core not in draft.states:
            known = nearest(one.core, [home.name for home in homes])
            faults.add(
                "state_outside_core",
                one.source,
                say("state_outside_core.state_lies_within_no_state", name=one.name, core=one.core),
                known,
            )
    starts = [one for one in homes if one.initial]
    if not starts:
        faults.add("no_initial_state", draft.source, say("no_initial_state.has_no_initial_state", name=draft.name))
    for extra in starts[1:]:
        said = say("several_initial_states.also_starts_in", name=draft.name, extra_name=extra.name)
        faults.add(
            "several_initial_states", extra.source, said, say("several_initial_states.keep_one_initial_true.fix")
        )
    out: dict[str, State] = {}
    for one in draft.states.values():
        inside = [sub for sub in draft.states.values() if sub.core == one.name and sub.name != one.name]
        first = [sub for sub in inside if sub.initial]
        for extra in first[1:]:
            said = say("several_initial_states.also_starts_in", name=draft.name, extra_name=extra.name)
            faults.add(
                "several_initial_states", extra.source, said, say("several_initial_states.keep_one_initial_true.fix")
            )
        entry = (first or inside or [one])[0].name
        out[one.name] = replace(one, divided=bool(inside), entry=entry, initial=one.initial and not inside)
    start = out.get(starts[0].name) if starts else None
    initial = start.entry if start else ""
    if initial:
        out[initial] = replace(out[initial], initial=True)
    return out, initial


def _from(draft: Draft, one: Act | Answer, states: Mapping[str, State], default: Iterable[str]) -> frozenset[str]:
    """The states an act comes from: sub-states with their core state, and a divided state with its entry."""
    written = frozenset(default) if one.from_ == EVERY else one.from_
    out = set(written)
    for name, state in states.items():
        if state.core in written or (state.divided and state.entry in written):
            out.add(name)
    return frozenset(out)


def _done(
    draft: Draft,
    one: Done,
    states: Mapping[str, State],
    initial: str,
    faults: Faults,
    default: Iterable[str] | None = None,
) -> Done:
    """An act or answer with its states and names resolved."""
    if default is None:
        default = [] if one.name == "enter" else [name for name, state in states.items() if not state.final]
    came: list[str] = [] if one.from_ == EVERY else sorted(one.from_)
    for name in (*came, *([one.to] if one.to else [])):
        if name not in states:
            said = say("state_unknown.of_names_unknown_state", name=one.name, draft_name=draft.name, name2=name)
            faults.add("state_unknown", one.source, said, nearest(name, states))
    acts = {*draft.acts, *lifecycle.answers(draft.offer), "enter"}
    for other in one.not_by:
        if other not in draft.forbid:
            _known(other, acts, "act_unknown", one.source, Part("of", "not_by", one.name), faults)
    parts: dict[str, Field | Link] = {**draft.fields, **draft.links}
    needs: list[str] = []
    for need in one.needs:
        full = need if need == "reason" else known_name(need, parts)
        if full is None:
            said = say("field_unknown.needs_which_has_not", name=one.name, need=need, draft_name=draft.name)
            faults.add("field_unknown", one.source, said, nearest(need, [*parts, "reason"]))
        needs.append(full or need)
    sets = tuple(
        known_name(name, draft.links)
        or _field_name(draft, name, one.source, Part("of", "sets", one.name), faults)
        or name
        for name in one.sets
    )
    for name in one.follows:
        if name not in draft.links or not draft.links[name].serial:
            serial = [link for link, is_ in draft.links.items() if is_.serial]
            said = say("field_unknown.follows_which_is_no_serial", name=one.name, name2=name, draft_name=draft.name)
            faults.add("field_unknown", one.source, said, nearest(name, serial))
    return replace(one, from_=_from(draft, one, states, default), needs=tuple(needs), sets=sets)


def _offer(
    draft: Draft, groups: Mapping[str, Group], states: Mapping[str, State], initial: str, faults: Faults
) -> OfferRule | None:
    """Answers, withdrawal and expiry come from the initial state unless they say otherwise."""
    rule = draft.offer
    if rule is None:
        return None
    made = {
        name: _done(draft, one, states, initial, faults, [initial] if initial else [])
        for name, one in lifecycle.answers(rule).items()
    }
    for name in sorted(rule.to_several.counts if rule.to_several else ()):
        _known(name, rule.answers, "act_unknown", rule.source, Part("of", "to_several", draft.name), faults)
    for group in rule.grants.groups:
        _known(group, groups, "group_unknown", rule.source, Part("of", "grants", draft.name), faults)
    links = {known_name(name, draft.links) or name: granted for name, granted in rule.grants.links.items()}
    for name in links:
        _known(name, draft.links, "field_unknown", rule.source, Part("of", "grants", draft.name), faults)
    return replace(
        rule,
        answers={name: made[name] for name in rule.answers},
        withdrawn=made["withdrawn"] if rule.withdrawn else None,
        expired=made["expired"] if rule.expired else None,
        grants=replace(rule.grants, links=links),
    )


def _field(
    draft: Draft, one: Field, groups: Mapping[str, Group], lists: Mapping[str, CodeList], course: _Course,
    faults: Faults,
) -> Field:  # fmt: skip
    _known(one.group, groups, "group_unknown", one.source, Part("of", "group", one.name), faults)
    values = None
    if one.codes is not None:
        _known(one.codes, lists, "codes_unknown", one.source, Part("of", "codes", one.name), faults)
        found = lists.get(one.codes)
        values = dict(found.values) if found else {}
        for _, node in draft.edits.get(one.name, ()):
            values = edited(values, node, Part("of", "codes", one.name), faults)
    required = _required(draft, one, course, faults)
    label = one.label or one.name.rsplit(":", 1)[-1].replace("_", " ").capitalize()
    return replace(one, values=values, required_in=required, label=label)


def edited(values: Mapping[str, Code], node: Node, what: What, faults: Faults) -> dict[str, Code]:
    """A layer's `allow` and `add` over a list of codes: only codes of the list, and new ones as kinds of the core's."""
    form = Form(node, faults, what, {"allow": is_names, "add": is_map})
    out = dict(values)
    if "allow" in form:
        for name in form.names("allow"):
            _known(name, values, "code_unknown", str(form.at("allow")), what, faults)
        out = {name: values[name] for name in form.names("allow") if name in values}
    add = form.get("add")
    for name, code in reading.read_codes(add, faults, parent=True).items() if add else ():
        source = str(add.at(name)) if add else ""
        if code.parent not in values:
            said = say("code_parent_unknown.code_is_kind_of_which", name=name, parent=code.parent)
            faults.add("code_parent_unknown", source, said, nearest(code.parent, values))
        elif name in values:
            faults.add("layer_changes_code", source, say("layer_changes_code.code_is_core_s", name=name))
        else:
            out[name] = replace(code, parent=values[code.parent].parent)
    return out


def _required(draft: Draft, one: Field | Link, course: _Course, faults: Faults) -> frozenset[str]:
    """All states in which a field or link must be there, by every layer that says so."""
    states, onward = course.states, course.onward
    written = [(one.required_from, one.source)] if one.required_from else []
    asked = frozenset(states) if one.required else frozenset()
    for state, source in written:
        _known(state, states, "state_unknown", source, Part("of", "required_from", one.name), faults)
        asked |= _from_on(state, states, onward)
    for name, state, source in draft.earlier:
        if name == one.name:
            before = _from_on(state, states, onward)
            if not before <= asked:
                said = say("layer_loosens_required.is_required_from_in_core", name=name, state=state)
                faults.add(
                    "layer_loosens_required",
                    source,
                    said,
                    say("layer_loosens_required.name_or_earlier_state.fix", state=state),
                )
            asked |= before
    return asked


def _from_on(state: str, states: Mapping[str, State], onward: list[lifecycle.Edge]) -> frozenset[str]:
    inside = [name for name, one in states.items() if name == state or one.core == state]
    seen = lifecycle.reached(inside, onward)
    return seen | {name for name, one in states.items() if one.divided and one.entry in seen}
