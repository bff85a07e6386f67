"""Lays a layer's file over a type. A layer adds or narrows; what would loosen is refused where it is written.

What is checked here against the core holds by construction as well: shapes are `allOf(core, layer)`, guards are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comity.kernel.types import reading, schema
from comity.kernel.types.catalogue import Field, Link
from comity.kernel.types.definition import Faults, Form, Node, nearest
from comity.kernel.types.layer_acts import KEEP_CORE, lay_act, lay_forbidden, lay_offer, loosens
from comity.kernel.types.link_shape import narrowed, read_shape
from comity.kernel.types.part import Part
from comity.kernel.types.reading import Draft
from comity.sentences import say

_KEPT = ("group", "effective", "party", "counterparty", "input", "observed")


def lay(draft: Draft, form: Form, layer: str, faults: Faults) -> None:
    """Changes `draft` by one layer's file. `layer` is the agency's or jurisdiction's name."""
    draft.title = form.text("title", draft.title)
    draft.layers.append(layer)
    if "deconflict_when" in form:
        said = say("layer_loosens_field.which_records_of_are_deconflicted", name=draft.name)
        loosens(faults, form.at("deconflict_when"), said)
    if "ties" in form:
        loosens(faults, form.at("ties"), say("layer_loosens_field.what_ties_is_core_s", name=draft.name))
    for key in ("obligation", "replaced_by", "replaces"):
        if key in form:
            faults.add(
                "layer_changes_act",
                form.at(key),
                say("layer_changes_act.of_is_core_s", key=key, name=draft.name),
                KEEP_CORE,
            )
    if form.plain("document") and not draft.document:
        said = say("layer_loosens_field.is_no_document_in_core", name=draft.name)
        loosens(faults, form.at("document"), said)
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
        lay_act(draft, key, node, layer, faults)
    offer = form.get("offer")
    if offer is not None:
        lay_offer(draft, offer, faults)
    lay_forbidden(draft, form, faults)


def known_name(name: str, parts: Mapping[str, Any]) -> str | None:
    """The full name of a part that is there, written in full (`atf:nibin_lead`) or plainly (`nibin_lead`)."""
    if name in parts:
        return name
    return next((one for one in reversed(list(parts)) if one.endswith(f":{name}")), None)


def _field(draft: Draft, name: str, node: Node, layer: str, faults: Faults) -> None:
    known = known_name(name, draft.fields)
    if known is not None and node.value is None:
        faults.add("layer_removes_field", node.source, say("layer_removes_field.field_cannot_be_removed", name=name))
    elif known is not None:
        draft.fields[known] = _narrow_field(draft, draft.fields[known], node, layer, faults)
    elif reading.named(name, node, faults, "field"):
        full = f"{layer}:{name}"
        new = reading.read_field(name, node, layer, faults)
        if new.counterparty:
            faults.add("layer_loosens_field", node.source, say("layer_loosens_field.cannot_be_counterparty", name=name))
        draft.fields[full] = replace(new, name=full)


def _narrow_field(draft: Draft, core: Field, node: Node, layer: str, faults: Faults) -> Field:
    before = len(faults.found)
    form = Form(node, faults, Part("field", core.name), reading.FIELD_KEYS)
    schema.check(node, schema.KEYWORDS, faults, Part("field", core.name))
    written = {key: one.plain() for key, one in node.items() if key in schema.KEYWORDS}
    if len(faults.found) == before:
        for key, said in schema.loosened(core.schema, written):
            loosens(faults, form.at(key), say("layer_loosens_field.field", name=core.name, said=said))
    for key in _KEPT:
        if key in form and form.plain(key) != getattr(core, key):
            loosens(faults, form.at(key), say("layer_loosens_field.of_field_is_core_s", key=key, name=core.name))
    if form.plain("find") is True and not core.find:
        loosens(faults, form.at("find"), say("layer_loosens_field.core_does_not_search", name=core.name))
    if form.plain("fixed") is False and core.fixed:
        loosens(faults, form.at("fixed"), say("layer_loosens_field.is_set_once_in_core", name=core.name))
    if form.plain("required") is False and core.required:
        fix = say("layer_loosens_required.leave_it_out_what_core.fix")
        faults.add(
            "layer_loosens_required",
            form.at("required"),
            say("layer_loosens_required.field_is_required", name=core.name),
            fix,
        )
    cls = form.text("class", core.cls)
    if cls not in reading.CLASSES:
        faults.add(
            "class_unknown", form.at("class"), say("class_unknown.class", cls=cls), nearest(cls, reading.CLASSES)
        )
    elif core.cls != "ordinary" and cls != core.cls:
        loosens(faults, form.at("class"), say("layer_loosens_field.class_of_is", name=core.name, cls=core.cls))
    codes = form.get("codes")
    if codes is not None and codes.value != core.codes:
        if not codes.is_map or core.codes is None:
            fix = say("layer_loosens_field.write_codes.fix") if core.codes else KEEP_CORE
            faults.add(
                "layer_loosens_field",
                form.at("codes"),
                say("layer_loosens_field.codes_of_cannot_be_replaced", name=core.name),
                fix,
            )
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
        faults.add("layer_removes_field", node.source, say("layer_removes_field.link_cannot_be_removed", name=name))
        return
    core = draft.links[known]
    form = Form(node, faults, Part("link", name), reading.LINK_KEYS)
    to = form.names("to") or core.to
    if "any" not in core.to and not set(to) <= set(core.to):
        fix = say("layer_loosens_field.only.fix", to=", ".join(core.to))
        faults.add(
            "layer_loosens_field", form.at("to"), say("layer_loosens_field.link_points_at_more_than", name=name), fix
        )
    if form.plain("many") is True and not core.many:
        loosens(faults, form.at("many"), say("layer_loosens_field.link_is_single_in_core", name=name))
    if form.plain("inherit") is False and core.inherit:
        loosens(faults, form.at("inherit"), say("layer_loosens_field.link_passes_marks_on", name=name))
    if form.plain("serial") is False and core.serial:
        loosens(faults, form.at("serial"), say("layer_loosens_field.acts_take_turns_on_link", name=name))
    if form.plain("fixed") is False and core.fixed:
        loosens(faults, form.at("fixed"), say("layer_loosens_field.link_is_set_once_in", name=name))
    if form.plain("required") is False and core.required:
        faults.add(
            "layer_loosens_required",
            form.at("required"),
            say("layer_loosens_required.link_is_required", name=name),
            KEEP_CORE,
        )
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
        faults.add("layer_removes_state", node.source, say("layer_removes_state.state_cannot_be_removed", name=name))
        return
    if not reading.named(name, node, faults, "state"):
        return
    new = reading.read_state(name, node, faults)
    if core is not None:
        if new.initial or new.final or new.in_error or new.core not in (name, core.core):
            said = say("layer_changes_state.initial_final_in_error_and", name=name)
            faults.add(
                "layer_changes_state", node.source, said, say("layer_changes_state.put_sub_states_within_it.fix")
            )
        draft.states[name] = replace(core, label=new.label or core.label, labels={**core.labels, **new.labels})
        return
    parent = draft.states.get(new.core)
    if new.core == name or parent is None:
        fix = (
            nearest(new.core, {one.core for one in draft.states.values()})
            if new.core != name
            else say("state_outside_core.add_within.fix")
        )
        faults.add(
            "state_outside_core", node.source, say("state_outside_core.state_lies_within_no_core", name=name), fix
        )
        return
    home = draft.states[parent.core]
    if new.initial and not home.initial:
        faults.add(
            "layer_changes_state", node.source, say("layer_changes_state.is_not_initial_in_core", name=home.name)
        )
        return
    if new.final != home.final and new.final:
        faults.add("layer_changes_state", node.source, say("layer_changes_state.is_not_final_in_core", name=home.name))
        return
    if new.in_error and not home.in_error:
        said = say("layer_changes_state.does_not_mean_in_core", name=home.name)
        faults.add("layer_changes_state", node.source, said, say("layer_changes_state.remove_in_error.fix"))
        return
    draft.states[name] = replace(new, core=home.name, final=home.final, in_error=home.in_error)
