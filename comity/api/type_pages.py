"""A type as a caller may read it: its fields, links, states, acts and answers, and its JSON Schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from comity.kernel.types.catalogue import Act, Answer, Catalogue, Field, Link, State, Type
from comity.kernel.types.language import worded
from comity.kernel.types.lifecycle import answers
from comity.kernel.types.override import REASON
from comity.kernel.types.record_schema import object_schema


def listed(of: Type) -> dict[str, Any]:
    """A type as one line of the list."""
    return {
        "type": of.name,
        "title": of.title,
        "core": of.core_name,
        "two_sided": of.offer is not None,
        "term": of.term,
    }


def described(catalogue: Catalogue, of: Type) -> dict[str, Any]:
    """The whole of a type, as the agency of the catalogue sees it."""

    offer, obligation = of.offer, of.obligation
    return {
        **listed(of),
        "number": of.number,
        "groups": {name: group.title for name, group in of.groups.items()},
        "fields": {name: _field(one) for name, one in of.fields.items()},
        "links": {name: _link(one) for name, one in of.links.items()},
        "states": {name: _state(one) for name, one in of.states.items()},
        "acts": {name: _act(one) for name, one in of.acts.items()},
        "answers": {name: _answer(one) for name, one in offer.answers.items()} if offer else {},
        "ends": {name: _answer(one) for name, one in answers(offer).items() if name not in offer.answers}
        if offer
        else {},
        "caption": list(of.caption),
        "featured": list(of.featured),
        "marks": {name: catalogue.marks[name].title for name in sorted(of.handling) if name in catalogue.marks},
        "expires": offer.expires if offer else None,
        "counterparty": of.counterparty,
        "handling": sorted(of.handling),
        "obligation": {**asdict(obligation), "open": sorted(obligation.open)} if obligation else None,
        "forbid": dict(of.forbid),
        "schema": object_schema(of),
    }


def _state(one: State) -> dict[str, Any]:
    return {
        "label": worded(one),
        "core": one.core,
        "initial": one.initial,
        "final": one.final,
        "in_error": one.in_error,
    }


def _field(one: Field) -> dict[str, Any]:
    out: dict[str, Any] = {
        "label": worded(one),
        "group": one.group,
        "class": one.cls,
        "required": one.required,
        "find": one.find,
        "layer": one.owner_layer,
    }
    optional = {"term": one.term, "codes": one.codes, "unit": one.unit, "required_from": one.required_from}
    out |= {name: value for name, value in optional.items() if value}
    if one.values is not None:
        out["values"] = {name: code.title for name, code in one.values.items()}
    return out


def _link(one: Link) -> dict[str, Any]:
    return {
        "to": list(one.to), "many": one.many, "label": worded(one), "term": one.term,
        "where": one.shape.as_json() if one.shape else {},
    }  # fmt: skip


def _act(one: Act) -> dict[str, Any]:
    return {
        "label": worded(one),
        "conditions": _conditions(one),
        "from": sorted(one.from_),
        "to": one.to,
        "by": sorted(one.by),
        "needs": list(one.needs),
        "sets": list(one.sets),
        "creates": one.creates,
        "overrides": {
            rule.code: {"by": sorted(rule.override.by), "needs": REASON, "raises": rule.override.raises}
            for rule in one.guards
            if rule.override
        },
    }


def _answer(one: Answer) -> dict[str, Any]:
    return {
        "label": worded(one), "conditions": _conditions(one), "from": sorted(one.from_), "to": one.to,
        "by": sorted(one.by), "needs": list(one.needs), "sets": list(one.sets),
    }  # fmt: skip


def _conditions(one: Act | Answer) -> list[dict[str, str]]:
    """What the definition says of its conditions, those that have words."""
    return [{"code": rule.code, "message": rule.message, "fix": rule.fix} for rule in one.guards if rule.message]
