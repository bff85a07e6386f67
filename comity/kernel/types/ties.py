"""Ties: a type whose records claim that two others are of one thing, or of two. Certain claims chain.

    ties: { ends: [person, same_as], apart: { relation: [different] }, certain: { weight: [100] }, live: [claimed] }

`apart` and `certain` name fields and the values (core codes) that make a claim one of difference, or certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comity.kernel.types.definition import Faults, Form, Node, is_map, is_names
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Ties:
    ends: tuple[str, str]
    live: frozenset[str]
    apart: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    certain: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def is_apart(self, fields: Mapping[str, Any]) -> bool:
        return _holds(self.apart, fields)

    def is_certain(self, fields: Mapping[str, Any]) -> bool:
        return _holds(self.certain, fields)


def _holds(wanted: Mapping[str, tuple[Any, ...]], fields: Mapping[str, Any]) -> bool:
    return bool(wanted) and all(fields.get(name) in values for name, values in wanted.items())


def read_ties(node: Node | None, faults: Faults) -> Ties | None:
    if node is None:
        return None
    form = Form(node, faults, "ties", {"ends": is_names, "live": is_names, "apart": is_map, "certain": is_map})
    ends = form.names("ends")
    if len(ends) != 2 or not form.names("live"):
        faults.add("wrong_kind", node.source, say("wrong_kind.ties_have_two_ends_and"))
        return None
    return Ties((ends[0], ends[1]), frozenset(form.names("live")), _values(form, "apart"), _values(form, "certain"))


def _values(form: Form, key: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(one.plain()) if one.is_list else (one.plain(),) for name, one in form.items(key)}
