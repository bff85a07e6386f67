"""Turns written definitions into frozen pieces of the catalogue. What refers to what is judged later, in `finish`.

`from_` of an act holds the states as written; `EVERY` stands for a missing `from`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from comity.kernel.types import comparison, schema
from comity.kernel.types.catalogue import Act, Answer, Code, Field, Grants, Group, Link, OfferRule, Several, State
from comity.kernel.types.conditions import read_guards, refuse_overrides
from comity.kernel.types.definition import (
    Faults,
    Form,
    Kind,
    Node,
    is_any,
    is_flag,
    is_map,
    is_names,
    is_text,
    nearest,
)
from comity.kernel.types.duration import read_duration
from comity.kernel.types.link_shape import read_shape
from comity.kernel.types.obligation import Obligation, read_obligation
from comity.kernel.types.part import Part, What, kind_of_part, spoken_of
from comity.kernel.types.ties import Ties, read_ties
from comity.sentences import say

EVERY = frozenset(("*",))
MAX_GROUPS = 8
CLASSES = frozenset(("ordinary", "locked", "source"))
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
RESERVED = frozenset(("attach", "erase", "expired", "inherit", "withdrawn"))
"""How the kernel names its own entries about a record, beside `enter` and `amend`: no act or answer is called so."""

FIELD_KEYS: Mapping[str, Kind] = {
    **dict.fromkeys(schema.KEYWORDS, is_any), "codes": is_any, "label": is_text, "term": is_text, "group": is_text,
    "find": is_flag, "required": is_flag, "required_from": is_text, "class": is_text, "effective": is_flag,
    "party": is_flag, "counterparty": is_flag, "unit": is_text, "observed": is_flag, "input": is_flag,
    "retype": is_flag, "fixed": is_flag,
}  # fmt: skip
LINK_KEYS: Mapping[str, Kind] = {
    "to": is_names, "many": is_flag, "term": is_text, "label": is_text, "required": is_flag, "required_from": is_text,
    "inherit": is_flag, "fills": is_names, "serial": is_flag, "fixed": is_flag, "where": is_map,
}  # fmt: skip
STATE_KEYS: Mapping[str, Kind] = {
    "initial": is_flag, "final": is_flag, "in_error": is_flag, "within": is_text, "label": is_text, "term": is_text,
}  # fmt: skip
_DONE: Mapping[str, Kind] = {
    "by": is_names, "from": is_names, "to": is_text, "needs": is_names, "sets": is_names, "guard": is_any,
    "guards": is_any, "not_by": is_names, "label": is_text, "term": is_text, "follows": is_map, "conditions": is_map,
}  # fmt: skip
ACT_KEYS: Mapping[str, Kind] = {
    **_DONE, "creates": is_text, "package": is_text, "profile": is_text, "owes": is_text,
    "lifts": is_names,
}  # fmt: skip
ANSWER_KEYS: Mapping[str, Kind] = {**_DONE, "ends": is_flag}
OFFER_KEYS: Mapping[str, Kind] = {
    "expires": is_text, "answers": is_map, "withdrawn": is_map, "expired": is_map, "grants": is_map,
    "to_several": is_map,
}  # fmt: skip
SEVERAL_KEYS: Mapping[str, Kind] = {"needs": is_any, "counts": is_names}
TYPE_KEYS: Mapping[str, Kind] = {
    "type": is_text, "title": is_text, "term": is_text, "number": is_text, "title_field": is_text, "groups": is_map,
    "handling": is_names, "deconflict": is_any,
    "deconflict_when": is_map, "fields": is_map, "links": is_map, "states": is_map, "acts": is_map,
    "offer": is_map, "description": is_text, "ties": is_map, "document": is_flag,
    "obligation": is_map, "replaced_by": is_text, "replaces": is_text, "caption": is_names, "featured": is_names,
}  # fmt: skip
LAYER_KEYS: Mapping[str, Kind] = {**TYPE_KEYS, "extends": is_text, "forbid": is_any}


@dataclass(slots=True)
class Draft:
    """A type while the layers are laid over one another. `edits` are the layers' changes to a field's codes;
    `earlier` holds (field or link, the required_from that a layer replaced, where)."""

    name: str
    source: str
    owner_layer: str
    core_name: str
    title: str = ""
    term: str = ""
    number: str | None = None
    number_source: str = ""
    title_field: str | None = None
    groups: dict[str, Group] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    acts: dict[str, Act] = field(default_factory=dict)
    offer: OfferRule | None = None
    deconflict: list[comparison.Rule] = field(default_factory=list)
    deconflict_when: dict[str, frozenset[str]] = field(default_factory=dict)
    ties: Ties | None = None
    obligation: Obligation | None = None
    replaced_by: str = ""
    replaces: str = ""
    document: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    featured: tuple[str, ...] = ()
    layers: list[str] = field(default_factory=list)
    handling: frozenset[str] = frozenset()
    forbid: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    edits: dict[str, list[tuple[str, Node]]] = field(default_factory=dict)
    earlier: list[tuple[str, str, str]] = field(default_factory=list)

    def copy(self, name: str, source: str, layer: str) -> Draft:
        """The start of a type derived from this one."""
        return replace(
            self, name=name, source=source, owner_layer=layer, groups=dict(self.groups), fields=dict(self.fields),
            links=dict(self.links), states=dict(self.states), acts=dict(self.acts), deconflict=list(self.deconflict),
            forbid=dict(self.forbid), labels=dict(self.labels), earlier=list(self.earlier), layers=list(self.layers),
            edits={key: list(value) for key, value in self.edits.items()},
        )  # fmt: skip


def read_type(form: Form, layer: str, faults: Faults) -> Draft:
    """A whole type from its file, in the core or as a layer's own."""
    name = form.text("type")
    draft = Draft(name=name, source=str(form.at("type")), owner_layer=layer, core_name=name)
    draft.title = form.text("title", name)
    if "title" not in form:
        faults.add("wrong_kind", form.source, say("wrong_kind.has_no_title", name=name))
    read_head(draft, form, faults)
    draft.ties = read_ties(form.get("ties"), faults)
    draft.obligation = read_obligation(form.get("obligation"), faults)
    draft.replaced_by, draft.replaces = form.text("replaced_by"), form.text("replaces")
    draft.document = ("base", *(name for name in draft.groups if name != "base")) if form.plain("document") else ()
    for key, node in form.items("deconflict_when"):
        if not is_names(node.plain()):
            faults.add("wrong_kind", node.source, say("wrong_kind.deconflict_when_of", key=key))
            continue
        draft.deconflict_when[key] = frozenset([node.value] if isinstance(node.value, str) else node.plain())
    for key, node in form.items("fields"):
        if named(key, node, faults, "field"):
            draft.fields[key] = read_field(key, node, layer, faults)
    for key, node in form.items("links"):
        if named(key, node, faults, "link"):
            draft.links[key] = read_link(key, node, layer, faults)
    for key, node in form.items("states"):
        if named(key, node, faults, "state"):
            draft.states[key] = read_state(key, node, faults)
    for key, node in form.items("acts"):
        if named(key, node, faults, "act"):
            draft.acts[key] = read_act(key, node, layer, faults)
    offer = form.get("offer")
    if offer is not None:
        draft.offer = read_offer(offer, faults)
    return draft


def named(name: str, node: Node, faults: Faults, what: str) -> bool:
    """Whether a part has a good name and is not null; a fault when not."""
    if not NAME.match(name):
        faults.add("bad_name", node.source, say("bad_name.is_none", what=kind_of_part(what), name=name))
        return False
    if node.value is None and what == "field":
        faults.add("wrong_kind", node.source, say("wrong_kind.is_empty", what=kind_of_part(what), name=name))
        return False
    if (what in ("act", "answer") and name in RESERVED) or (what == "answer" and name in ("enter", "amend")):
        said = say("name_reserved.is_what_kernel_calls_entry", name=name)
        fix = say("name_reserved.call_otherwise_such_as_it.fix", what=kind_of_part(what), name=name)
        faults.add_new("name_reserved", node.source, said, fix)
    return True


def read_head(draft: Draft, form: Form, faults: Faults) -> None:
    """What stands once in a type, of a core type or laid over it: groups and marks are added, words replaced."""
    draft.term = form.text("term", draft.term)
    draft.number = form.text("number") or draft.number
    draft.number_source = str(form.at("number")) if "number" in form else draft.number_source
    draft.title_field = form.text("title_field") or draft.title_field
    draft.caption = form.names("caption") or draft.caption
    draft.featured = form.names("featured") or draft.featured
    draft.labels.update(form.labels)
    draft.handling |= set(form.names("handling"))
    for key, node in form.items("groups"):
        draft.groups[key] = _group(key, node, draft.groups.get(key) or Group(key, key), faults)
    if "groups" in form and len({"base", *draft.groups}) > MAX_GROUPS:
        said = say("too_many_groups.has_more_than_groups_base", name=draft.name, max_groups=MAX_GROUPS)
        faults.add("too_many_groups", form.at("groups"), said, say("too_many_groups.put_fields_that_are_shared.fix"))
    draft.deconflict += comparison.read_rules(form.get("deconflict"), faults)


def _group(name: str, node: Node, before: Group, faults: Faults) -> Group:
    """A group by its title alone, or by a mapping with its labels, which leaves the title of a lower layer."""
    if isinstance(node.value, str):
        return Group(name, node.value, before.labels)
    form = Form(node, faults, Part("group", name), {"title": is_text})
    return Group(name, form.text("title", before.title), {**before.labels, **form.labels})


def read_field(name: str, node: Node, layer: str, faults: Faults) -> Field:
    form = Form(node, faults, Part("field", name), FIELD_KEYS)
    schema.check(node, schema.KEYWORDS, faults, Part("field", name))
    written = {key: one.plain() for key, one in node.items() if key in schema.KEYWORDS}
    codes = form.plain("codes")
    if codes is not None and not isinstance(codes, str):
        faults.add("wrong_kind", form.at("codes"), say("wrong_kind.codes_of_new_field", name=name))
        codes = None
    if not written.keys() & {"type", "enum", "const", "anyOf", "oneOf"}:
        if codes:
            written = {"type": "string", **written}
        else:
            faults.add("field_without_type", form.source, say("field_without_type.field_has_no_type", name=name))
    cls = form.text("class", "ordinary")
    if cls not in CLASSES:
        faults.add(
            "class_unknown",
            form.at("class"),
            say("class_unknown.class_of_field", cls=cls, name=name),
            nearest(cls, CLASSES),
        )
    return Field(
        name=name, schema=written, group=form.text("group", "base"), term=form.text("term"), label=form.text("label"),
        labels=form.labels, codes=codes, find=form.plain("find", False), required=form.plain("required", False),
        required_from=form.text("required_from") or None, cls=cls, effective=form.plain("effective", False),
        party=form.plain("party", False), counterparty=form.plain("counterparty", False),
        unit=form.text("unit") or None, observed=form.plain("observed", False), input=form.plain("input", False),
        retype=form.plain("retype", True), fixed=form.plain("fixed", False), owner_layer=layer, source=str(node.source),
    )  # fmt: skip


def read_link(name: str, node: Node, layer: str, faults: Faults) -> Link:
    form = Form(node, faults, Part("link", name), LINK_KEYS)
    if "to" not in form:
        faults.add("wrong_kind", form.source, say("wrong_kind.link_points_nowhere", name=name))
    return Link(
        name=name, to=form.names("to"), many=form.plain("many", False), term=form.text("term"),
        label=form.text("label"), labels=form.labels, required=form.plain("required", False),
        required_from=form.text("required_from") or None, inherit=form.plain("inherit", False),
        fills=form.names("fills"), serial=form.plain("serial", False), fixed=form.plain("fixed", False),
        shape=read_shape(form.get("where"), faults), owner_layer=layer, source=str(node.source),
    )  # fmt: skip


def read_state(name: str, node: Node, faults: Faults) -> State:
    """`core` is the written `within`, or the state itself."""
    form = Form(node, faults, Part("state", name), STATE_KEYS)
    return State(
        name=name, core=form.text("within", name), initial=form.plain("initial", False),
        final=form.plain("final", False), in_error=form.plain("in_error", False), label=form.text("label"),
        labels=form.labels, source=str(node.source),
    )  # fmt: skip


def read_act(name: str, node: Node, layer: str, faults: Faults) -> Act:
    form = Form(node, faults, Part("act", name), ACT_KEYS)
    if name == "enter" and ("from" in form or "to" in form):
        faults.add("wrong_kind", form.source, say("wrong_kind.enter_has_neither_from_nor"))
    if not form.names("by"):
        faults.add("act_nobody_may", form.source, say("act_nobody_may.act_names_no_role", name=name))
    return Act(
        name=name, from_=frozenset(form.names("from")) if "from" in form else EVERY, to=form.text("to") or None,
        by=frozenset(form.names("by")), needs=form.names("needs"), sets=form.names("sets"),
        guards=read_guards(form, faults), not_by=form.names("not_by"), creates=form.text("creates") or None,
        package=form.text("package") or None, profile=form.text("profile") or None, owes=form.text("owes") or None,
        lifts=frozenset(form.names("lifts")), follows=read_follows(form, faults),
        label=form.text("label"), labels=form.labels, owner_layer=layer, source=str(node.source),
    )  # fmt: skip


def read_answer(name: str, node: Node, faults: Faults, *, by: bool = True) -> Answer:
    form = Form(node, faults, Part("answer", name), ANSWER_KEYS)
    if by and not form.names("by"):
        faults.add("offer_nobody_answers", form.source, say("offer_nobody_answers.answer_names_no_role", name=name))
    if not form.text("to"):
        faults.add("wrong_kind", form.source, say("wrong_kind.answer_leads_to_no_state", name=name))
    guards = read_guards(form, faults)
    refuse_overrides(guards, Part("the_answer", name), faults)
    return Answer(
        name=name, to=form.text("to"), by=frozenset(form.names("by")),
        from_=frozenset(form.names("from")) if "from" in form else EVERY, needs=form.names("needs"),
        sets=form.names("sets"), guards=guards, not_by=form.names("not_by"),
        ends=form.plain("ends", name in ("withdrawn", "expired")), follows=read_follows(form, faults),
        label=form.text("label"), labels=form.labels,
        source=str(node.source),
    )  # fmt: skip


def read_follows(form: Form, faults: Faults) -> dict[str, frozenset[str]]:
    """link -> the states of its target from which this act follows by itself."""
    out: dict[str, frozenset[str]] = {}
    for key, one in form.items("follows"):
        if is_names(one.plain()):
            out[key] = frozenset([one.value] if isinstance(one.value, str) else one.plain())
        else:
            faults.add("wrong_kind", one.source, say("wrong_kind.follows_of_link", key=key))
    return out


def read_offer(node: Node, faults: Faults) -> OfferRule:
    form = Form(node, faults, "offer", OFFER_KEYS)
    withdrawn, expired = form.get("withdrawn"), form.get("expired")
    return OfferRule(
        answers={
            key: read_answer(key, one, faults)
            for key, one in form.items("answers")
            if named(key, one, faults, "answer")
        },
        withdrawn=read_answer("withdrawn", withdrawn, faults) if withdrawn else None,
        expired=read_answer("expired", expired, faults, by=False) if expired else None,
        expires=read_expires(form, faults),
        grants=read_grants(form.get("grants"), faults),
        to_several=read_several(form.get("to_several"), faults),
        source=str(node.source),
    )


def read_several(node: Node | None, faults: Faults) -> Several | None:
    if node is None or node.value is None:
        return None
    form = Form(node, faults, "to_several", SEVERAL_KEYS)
    needs, counts = form.plain("needs"), form.plain("counts")
    if needs not in ("all", "any") and (type(needs) is not int or needs < 1):
        faults.add("wrong_kind", form.at("needs"), say("wrong_kind.is_no_number_of_answers", needs=needs))
        return None
    if not counts:
        faults.add("wrong_kind", form.at("counts"), say("wrong_kind.which_answers_count_is_not"))
        return None
    return Several(str(needs), frozenset([counts] if isinstance(counts, str) else counts))


def read_expires(form: Form, faults: Faults) -> str | None:
    expires = form.text("expires") or None
    if expires and read_duration(expires) in (None, (0, 0)):
        said = say("wrong_kind.is_no_time_for_answer", expires=expires)
        faults.add_new("wrong_kind", form.at("expires"), said, say("wrong_kind.write_p14d_or_pt48h.fix"))
    return expires


def read_grants(node: Node | None, faults: Faults) -> Grants:
    if node is None:
        return Grants()
    form = Form(node, faults, "grants", {"groups": is_names, "links": is_map})
    links: dict[str, tuple[str, ...]] = {}
    for key, one in form.items("links"):
        if is_names(one.plain()):
            links[key] = (one.value,) if isinstance(one.value, str) else tuple(one.plain())
        else:
            faults.add("wrong_kind", one.source, say("wrong_kind.grants_of_link", key=key))
    return Grants(form.names("groups") or ("base",), links)


def labelled(values: Mapping[str, Code], node: Node, what: What, faults: Faults) -> dict[str, Code]:
    """The codes of a list of a lower layer with the labels in other languages that this layer gives them."""
    out = dict(values)
    for name, one in node.items():
        if name not in values:
            faults.add(
                "code_unknown",
                node.at(name),
                say("code_unknown.has_no_code", what=spoken_of(what), name=name),
                nearest(name, values),
            )
        else:
            form = Form(one, faults, Part("code", name), {})
            out[name] = replace(values[name], labels={**values[name].labels, **form.labels})
    return out


def read_codes(node: Node, faults: Faults, *, parent: bool) -> dict[str, Code]:
    """The values of a list or of an `add`. `parent`: each must say `is:` which core code it is a kind of."""
    out: dict[str, Code] = {}
    for name, one in node.items():
        if isinstance(one.value, str) and not parent:
            out[name] = Code(name, one.value, parent=name)
            continue
        if parent and not one.is_map:
            faults.add(
                "code_without_parent", node.at(name), say("code_without_parent.code_names_no_core_code", name=name)
            )
            continue
        form = Form(one, faults, Part("code", name), dict.fromkeys(("title", "term", "is", "label"), is_text))
        is_ = form.text("is")
        if parent and not is_:
            faults.add(
                "code_without_parent", node.at(name), say("code_without_parent.code_names_no_core_code", name=name)
            )
            continue
        title = form.text("title") or form.text("label") or name.replace("_", " ").capitalize()
        out[name] = Code(name, title, form.text("term"), is_ or name, form.labels)
    return out
