"""Lays a layer's file over a type. A layer adds or narrows; what would loosen is refused where it is written.

What is checked here against the core holds by construction as well: shapes are `allOf(core, layer)`, guards are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from comity.kernel.types import conditions, reading, schema
from comity.kernel.types.catalogue import Act, Answer, Field, Link, OfferRule
from comity.kernel.types.conditions import read_guards, refuse_overrides
from comity.kernel.types.definition import Faults, Form, Node, Source, is_names, is_text, nearest
from comity.kernel.types.link_shape import narrowed, read_shape
from comity.kernel.types.reading import EVERY, Draft

_KEPT = ("group", "effective", "party", "counterparty", "input", "observed")
_KEEP_CORE = "leave the core's value; a layer only adds or narrows"
Done = TypeVar("Done", Act, Answer)


def lay(draft: Draft, form: Form, layer: str, faults: Faults) -> None:
    """Changes `draft` by one layer's file. `layer` is the agency's or jurisdiction's name."""
    draft.title = form.text("title", draft.title)
    draft.layers.append(layer)
    if "deconflict_when" in form:
        said = f"which records of {draft.name} are deconflicted is the core's"
        faults.add("layer_loosens_field", form.at("deconflict_when"), said, _KEEP_CORE)
    if "ties" in form:
        faults.add("layer_loosens_field", form.at("ties"), f"what {draft.name} ties is the core's", _KEEP_CORE)
    for key in ("obligation", "replaced_by", "replaces"):
        if key in form:
            faults.add("layer_changes_act", form.at(key), f"{key} of {draft.name} is the core's", _KEEP_CORE)
    if form.plain("document") and not draft.document:
        said = f"{draft.name} is no document in the core: it is not shown by being named as one"
        faults.add("layer_loosens_field", form.at("document"), said, _KEEP_CORE)
    elif "document" in form and not form.plain("document"):
        draft.document = ()
    reading.read_head(draft, form, faults)
    for key, node in form.items("states"):
        _state(draft, key, node, faults)
    for key, node in form.items("fields"):
        _field(draft, key, node, layer, faults)
    for key, node in form.items("links"):
        _link(draft, key, node, layer, faults)
    for key, node in form.items("acts"):
        _act(draft, key, node, layer, faults)
    offer = form.get("offer")
    if offer is not None:
        _offer(draft, offer, faults)
    _forbid(draft, form, faults)


def known_name(name: str, parts: Mapping[str, Any]) -> str | None:
    """The full name of a part that is there, written in full (`atf:nibin_lead`) or plainly (`nibin_lead`)."""
    if name in parts:
        return name
    return next((one for one in reversed(list(parts)) if one.endswith(f":{name}")), None)


def _field(draft: Draft, name: str, node: Node, layer: str, faults: Faults) -> None:
    known = known_name(name, draft.fields)
    if known is not None and node.value is None:
        faults.add("layer_removes_field", node.source, f"field {name} cannot be removed", "leave it out of this file")
    elif known is not None:
        draft.fields[known] = _narrow_field(draft, draft.fields[known], node, layer, faults)
    elif reading.named(name, node, faults, "field"):
        full = f"{layer}:{name}"
        new = reading.read_field(name, node, layer, faults)
        if new.counterparty:
            faults.add(
                "layer_loosens_field", node.source, f"{name} cannot be a counterparty", "the core's type names it"
            )
        draft.fields[full] = replace(new, name=full)


def _narrow_field(draft: Draft, core: Field, node: Node, layer: str, faults: Faults) -> Field:
    before = len(faults.found)
    form = Form(node, faults, f"field {core.name}", reading.FIELD_KEYS)
    schema.check(node, schema.KEYWORDS, faults, f"field {core.name}")
    written = {key: one.plain() for key, one in node.items() if key in schema.KEYWORDS}
    if len(faults.found) == before:
        for key, said in schema.loosened(core.schema, written):
            faults.add("layer_loosens_field", form.at(key), f"field {core.name}: {said}", _KEEP_CORE)
    for key in _KEPT:
        if key in form and form.plain(key) != getattr(core, key):
            faults.add("layer_loosens_field", form.at(key), f"{key} of field {core.name} is the core's", _KEEP_CORE)
    if form.plain("find") is True and not core.find:
        faults.add("layer_loosens_field", form.at("find"), f"the core does not search {core.name}", _KEEP_CORE)
    if form.plain("fixed") is False and core.fixed:
        faults.add("layer_loosens_field", form.at("fixed"), f"{core.name} is set once in the core", _KEEP_CORE)
    if form.plain("required") is False and core.required:
        fix = "leave it out: what the core requires stays required"
        faults.add("layer_loosens_required", form.at("required"), f"field {core.name} is required", fix)
    cls = form.text("class", core.cls)
    if cls not in reading.CLASSES:
        faults.add("class_unknown", form.at("class"), f"class {cls!r}", nearest(cls, reading.CLASSES))
    elif core.cls != "ordinary" and cls != core.cls:
        faults.add("layer_loosens_field", form.at("class"), f"class of {core.name} is {core.cls}", _KEEP_CORE)
    codes = form.get("codes")
    if codes is not None and codes.value != core.codes:
        if not codes.is_map or core.codes is None:
            fix = "write codes: { allow: [...], add: {...} }" if core.codes else _KEEP_CORE
            faults.add("layer_loosens_field", form.at("codes"), f"codes of {core.name} cannot be replaced", fix)
        else:
            draft.edits.setdefault(core.name, []).append((layer, codes))
    if core.required_from and "required_from" in form:
        draft.earlier.append((core.name, core.required_from, str(form.at("required_from"))))
    return replace(
        core, schema=schema.narrowed(core.schema, written), label=form.text("label", core.label),
        labels={**core.labels, **form.labels}, term=form.text("term", core.term), find=form.plain("find", core.find),
        required=core.required or form.plain("required", False),
        required_from=form.text("required_from") or core.required_from, cls=cls, unit=form.text("unit") or core.unit,
        retype=form.plain("retype", core.retype), fixed=core.fixed or form.plain("fixed", False),
        source=str(form.source),
    )  # fmt: skip


def _link(draft: Draft, name: str, node: Node, layer: str, faults: Faults) -> None:
    known = known_name(name, draft.links)
    if known is None:
        if node.value is not None and reading.named(name, node, faults, "link"):
            full = f"{layer}:{name}"
            draft.links[full] = replace(reading.read_link(name, node, layer, faults), name=full)
        return
    if node.value is None:
        faults.add("layer_removes_field", node.source, f"link {name} cannot be removed", "leave it out of this file")
        return
    core = draft.links[known]
    form = Form(node, faults, f"link {name}", reading.LINK_KEYS)
    to = form.names("to") or core.to
    if "any" not in core.to and not set(to) <= set(core.to):
        fix = f"only {', '.join(core.to)}"
        faults.add("layer_loosens_field", form.at("to"), f"link {name} points at more than the core's", fix)
    if form.plain("many") is True and not core.many:
        faults.add("layer_loosens_field", form.at("many"), f"link {name} is single in the core", _KEEP_CORE)
    if form.plain("inherit") is False and core.inherit:
        faults.add("layer_loosens_field", form.at("inherit"), f"link {name} passes marks on", _KEEP_CORE)
    if form.plain("serial") is False and core.serial:
        faults.add("layer_loosens_field", form.at("serial"), f"acts take turns on link {name}", _KEEP_CORE)
    if form.plain("fixed") is False and core.fixed:
        faults.add("layer_loosens_field", form.at("fixed"), f"link {name} is set once in the core", _KEEP_CORE)
    if form.plain("required") is False and core.required:
        faults.add("layer_loosens_required", form.at("required"), f"link {name} is required", _KEEP_CORE)
    if core.required_from and "required_from" in form:
        draft.earlier.append((known, core.required_from, str(form.at("required_from"))))
    draft.links[known] = Link(
        name=known, to=to, many=form.plain("many", core.many), term=form.text("term", core.term),
        label=form.text("label", core.label), labels={**core.labels, **form.labels},
        required=core.required or form.plain("required", False),
        required_from=form.text("required_from") or core.required_from,
        inherit=core.inherit or form.plain("inherit", False), fills=core.fills or form.names("fills"),
        serial=core.serial or form.plain("serial", False), fixed=core.fixed or form.plain("fixed", False),
        shape=narrowed(core.shape, read_shape(form.get("where"), faults, of_layer=True), faults),
        owner_layer=core.owner_layer, source=str(form.source),
    )  # fmt: skip


def _state(draft: Draft, name: str, node: Node, faults: Faults) -> None:
    core = draft.states.get(name)
    if core is not None and node.value is None:
        faults.add(
            "layer_removes_state", node.source, f"state {name} cannot be removed", "forbid the acts that lead to it"
        )
        return
    if not reading.named(name, node, faults, "state"):
        return
    new = reading.read_state(name, node, faults)
    if core is not None:
        if new.initial or new.final or new.in_error or new.core not in (name, core.core):
            said = f"initial, final, in_error and within of state {name} are the core's"
            faults.add("layer_changes_state", node.source, said, "put sub-states within it instead")
        draft.states[name] = replace(core, label=new.label or core.label, labels={**core.labels, **new.labels})
        return
    parent = draft.states.get(new.core)
    if new.core == name or parent is None:
        fix = nearest(new.core, {one.core for one in draft.states.values()}) if new.core != name else "add within:"
        faults.add("state_outside_core", node.source, f"state {name} lies within no core state", fix)
        return
    home = draft.states[parent.core]
    if new.initial and not home.initial:
        faults.add("layer_changes_state", node.source, f"{home.name} is not initial in the core", "remove initial")
        return
    if new.final != home.final and new.final:
        faults.add("layer_changes_state", node.source, f"{home.name} is not final in the core", "remove final")
        return
    if new.in_error and not home.in_error:
        said = f"{home.name} does not mean in the core that a record was entered in error"
        faults.add("layer_changes_state", node.source, said, "remove in_error")
        return
    draft.states[name] = replace(new, core=home.name, final=home.final, in_error=home.in_error)


def outside(draft: Draft, states: frozenset[str], names: frozenset[str]) -> frozenset[str]:
    """The known states among `names` that lie outside `states`, a sub-state being inside its core state. `EVERY`: all
    unfinished ones. Unknown names are left to `finish`."""
    if states == EVERY:
        states = frozenset(name for name, one in draft.states.items() if not one.final)
    return frozenset(
        name for name in names & draft.states.keys() if name not in states and draft.states[name].core not in states
    )


def _act(draft: Draft, name: str, node: Node, layer: str, faults: Faults) -> None:
    core = draft.acts.get(name)
    if node.value is None:
        faults.add("layer_removes_act", node.source, f"act {name} cannot be removed", "name it under forbid, with why")
    elif core is not None:
        draft.acts[name] = _narrow_act(draft, core, node, faults)
    elif reading.named(name, node, faults, "act"):
        draft.acts[name] = _new_act(draft, reading.read_act(name, node, layer, faults), layer, faults)


def _narrow_act(draft: Draft, core: Act, node: Node, faults: Faults) -> Act:
    form = Form(node, faults, f"act {core.name}", reading.ACT_KEYS, nullable=("guard", "guards", "needs"))
    for key in ("creates", "package", "profile", "owes"):
        if key in form and getattr(core, key) not in (None, form.text(key)):
            faults.add("layer_changes_act", form.at(key), f"{key} of act {core.name} is the core's", _KEEP_CORE)
    _lifts_nothing(core.name, "lifts" in form, form.at("lifts"), faults)
    narrowed = _narrow_done(draft, core, form, faults)
    return replace(
        narrowed, creates=core.creates or form.text("creates") or None,
        package=core.package or form.text("package") or None,
        profile=core.profile or form.text("profile") or None, owes=core.owes or form.text("owes") or None,
    )  # fmt: skip


def _narrow_done(draft: Draft, core: Done, form: Form, faults: Faults) -> Done:
    """What acts and answers share: fewer roles, fewer states to come from, a nearer state to reach, more conditions."""
    name = core.name
    wider = frozenset(form.names("by")) - core.by
    if wider:
        fix = f"only roles among {', '.join(sorted(core.by)) or 'none'}"
        faults.add(
            "layer_widens_roles", form.at("by"), f"{', '.join(sorted(wider))} may not do {name} in the core", fix
        )
    from_ = frozenset(form.names("from")) if "from" in form else core.from_
    wider = outside(draft, core.from_, from_ - EVERY)
    if wider:
        said = f"{name} does not come from {', '.join(sorted(wider))} in the core"
        fix = "only the core's states and sub-states of them"
        faults.add("layer_widens_from", form.at("from"), said, fix)
    to = form.text("to") or core.to
    if to != core.to and (core.to is None or outside(draft, frozenset((core.to,)), frozenset((to or "",)))):
        said = f"{name} leads to {core.to or 'no other state'} in the core"
        faults.add("layer_changes_target", form.at("to"), said, "name it or a sub-state of it")
    if "follows" in form:
        faults.add("layer_changes_act", form.at("follows"), f"from what {name} follows is the core's", _KEEP_CORE)
    for key in ("guard", "guards", "needs", "not_by", "sets"):
        written = form.node.get(key)
        had = getattr(core, "guards" if key == "guard" else key)
        if written is not None and written.value in (None, ()) and had:
            faults.add("layer_drops_guard", form.at(key), f"{key} of {name} cannot be dropped", "leave the key out")
    _own_inputs(draft, name, set(form.names("sets")) - set(core.sets), form, faults)
    return replace(
        core, by=(frozenset(form.names("by")) or core.by), from_=from_, to=to,
        needs=_joined(core.needs, form.names("needs")), sets=_joined(core.sets, form.names("sets")),
        not_by=_joined(core.not_by, form.names("not_by")),
        guards=conditions.said_of(core.guards, form, faults) + read_guards(form, faults),
        source=str(form.source),
        label=form.text("label", core.label), labels={**core.labels, **form.labels},
    )  # fmt: skip


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _own_inputs(draft: Draft, act: str, sets: set[str], form: Form, faults: Faults) -> None:
    for name in sets:
        field = draft.fields.get(name)
        if field is not None and field.input:
            fix = "only the acts that the core names set it"
            faults.add("layer_widens_sets", form.at("sets"), f"{act} may not set the core's {name}", fix)


def _lifts_nothing(act: str, lifts: bool, source: Source | str, faults: Faults) -> None:
    if lifts:
        said = f"{act} would take a handling mark off another layer's record"
        faults.add("layer_changes_act", source, said, "only the type's own file says which act lifts a mark")


def _new_act(draft: Draft, act: Act, layer: str, faults: Faults) -> Act:
    _lifts_nothing(act.name, bool(act.lifts), act.source, faults)
    if act.name in ("enter", "amend"):
        said = f"the core lets nobody {act.name} {draft.name}"
        faults.add("layer_widens_roles", act.source, said, "remove it")
    from_ = act.from_ if act.from_ != EVERY else frozenset(n for n, one in draft.states.items() if not one.final)
    if act.to is not None and act.to in draft.states:
        home = draft.states[act.to].core
        crossed = sorted(one for one in from_ if one in draft.states and draft.states[one].core != home)
        if crossed:
            said = f"{act.name} leads from {', '.join(crossed)} to {act.to}, which is another core state"
            fix = "move within one core state, or narrow the core's own act"
            faults.add("layer_act_crosses_states", act.source, said, fix)
    for name in act.sets:
        field = draft.fields.get(name)
        if field is not None and field.input:
            faults.add("layer_widens_sets", act.source, f"{act.name} may not set the core's {name}", "leave it out")
    return replace(act, owner_layer=layer)


def _offer(draft: Draft, node: Node, faults: Faults) -> None:
    core = draft.offer
    if core is None:
        faults.add("layer_changes_act", node.source, f"{draft.name} is not two-sided in the core", "remove offer")
        return
    form = Form(node, faults, "offer", reading.OFFER_KEYS)
    answers = dict(core.answers)
    for name, one in form.items("answers"):
        if name not in answers:
            known = nearest(name, answers)
            faults.add("layer_changes_act", one.source, f"the core's offer has no answer {name}", known)
        elif one.value is None:
            faults.add("layer_removes_act", one.source, f"answer {name} cannot be removed", "leave it out")
        else:
            answers[name] = _narrow_answer(draft, answers[name], one, faults)
    withdrawn, grants = form.get("withdrawn"), form.get("grants")
    read = reading.read_grants(grants, faults) if grants else core.grants
    more = set(read.groups) - set(core.grants.groups)
    for name, groups in read.links.items():
        more |= {f"{name}.{group}" for group in set(groups) - set(core.grants.links.get(name, ()))}
    if more:
        said = f"the core's offer does not grant {', '.join(sorted(more))}"
        faults.add("layer_widens_grants", form.at("grants"), said, "grant the same or less")
    expired = _expired(core.expired, form, faults)
    if "to_several" in form:
        said = "how many answers an offer needs is the core's"
        faults.add("layer_changes_act", form.at("to_several"), said, "remove to_several")
    expires = reading.read_expires(form, faults) or core.expires
    draft.offer = OfferRule(
        answers=answers,
        withdrawn=_narrow_answer(draft, core.withdrawn, withdrawn, faults)
        if withdrawn and core.withdrawn
        else core.withdrawn,
        expired=expired, expires=expires, grants=read, to_several=core.to_several, source=core.source,
    )  # fmt: skip


def _expired(core: Answer | None, form: Form, faults: Faults) -> Answer | None:
    """How an offer expires is the core's; a layer says it in its own words."""
    node = form.get("expired")
    if node is None:
        return core
    said = Form(node, faults, "expired", {"label": is_text})
    if core is None:
        faults.add("layer_changes_act", form.at("expired"), "how an offer expires is the core's", "remove expired")
        return None
    return replace(core, label=said.text("label", core.label), labels={**core.labels, **said.labels})


def _narrow_answer(draft: Draft, core: Answer, node: Node, faults: Faults) -> Answer:
    form = Form(node, faults, f"answer {core.name}", reading.ANSWER_KEYS, nullable=("guard", "guards", "needs"))
    if "ends" in form and form.plain("ends") is False and core.ends:
        faults.add("layer_widens_grants", form.at("ends"), f"{core.name} ends the grant in the core", _KEEP_CORE)
    narrowed_ = replace(_narrow_done(draft, core, form, faults), ends=core.ends or form.plain("ends", False))
    refuse_overrides(narrowed_.guards, f"the answer {core.name}", faults)
    return narrowed_


def _forbid(draft: Draft, form: Form, faults: Faults) -> None:
    """`forbid`: a list of names, or names with why. Acts leave the type; `find.` names wait for the catalogue."""
    node = form.get("forbid")
    if node is None:
        return
    if node.is_map:
        written = {key: (one.value, one.source) for key, one in node.items()}
    elif is_names(node.plain()):
        written = dict.fromkeys(form.names("forbid"), ("", node.source))
    else:
        faults.add("wrong_kind", node.source, "forbid is a list of names, or names with a reason", "write [act]")
        return
    for name, (reason, source) in written.items():
        if reason and not is_text(reason):
            faults.add("wrong_kind", source, f"the reason to forbid {name} must be text", "write the citation")
        elif name in draft.acts:
            _bar(draft, draft.acts.pop(name))
        elif not name.startswith("find."):
            fix = nearest(name, draft.acts, "name an act of this type, or find.<type>.<field>")
            faults.add("act_unknown", source, f"{draft.name} has no act {name}", fix)
            continue
        draft.forbid[name] = str(reason or "")


def _bar(draft: Draft, act: Act) -> None:
    """Remembers the states that a forbidden act leaves and reaches: that they are cut off is the statute's doing."""
    for name, one in draft.states.items():
        if name == act.to or name in act.from_ or one.core in act.from_ or (act.from_ == EVERY and not one.final):
            draft.states[name] = replace(one, barred=True)
