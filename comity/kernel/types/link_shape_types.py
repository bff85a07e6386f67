"""The shapes of links beside the types that they point at: what fits, and what a shape names that is nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comity.kernel.types.catalogue import CodeList, Field, Link, Type
from comity.kernel.types.definition import Faults, nearest
from comity.kernel.types.link_shape import LinkShape
from comity.kernel.types.part import Part, What, spoken_of
from comity.sentences import joined, say

_KINDS: Mapping[str, type] = {"string": str, "boolean": bool, "integer": int}


def fits(shape: LinkShape, target: Type, shown: Mapping[str, Any], state: str) -> bool:
    """Whether a record of the type `target` fits, of which these fields are shown, in this core state. What is masked
    does not fit; a code of a layer counts as the core code that it is a kind of."""
    return (not shape.states or state in shape.states) and all(
        name in shown and name in target.fields and _is_one(target.fields[name], shown[name], allowed)
        for name, allowed in shape.fields.items()
    )


def _is_one(one: Field, value: Any, allowed: tuple[Any, ...]) -> bool:
    return value in allowed or (isinstance(value, str) and one.core_code(value) in allowed)


def check_shapes(types: Mapping[str, Type], lists: Mapping[str, CodeList], faults: Faults) -> None:
    """field_unknown, code_unknown, state_unknown, wrong_kind: at the line of the `where`."""
    for of in types.values():
        for link in of.links.values():
            if link.shape is not None:
                _check(of, link, link.shape, types, lists, faults)


def _check(
    of: Type, link: Link, shape: LinkShape, types: Mapping[str, Type], lists: Mapping[str, CodeList], faults: Faults
) -> None:
    targets = [types[name] for name in link.to if name in types]
    if {"any", "member"} & set(link.to):
        said = say("wrong_kind.link_of_points_at_of", name=link.name, of_name=of.name, to=", ".join(link.to))
        faults.add("wrong_kind", shape.source, said, say("wrong_kind.name_types_under_to_or.fix"))
        return
    for target in targets:
        for name, allowed in shape.fields.items():
            one = target.fields.get(name)
            if one is None:
                said = say("state_unknown.where_of_has_no_field", name=link.name, target_name=target.name, name2=name)
                faults.add("field_unknown", shape.source, said, nearest(name, target.fields))
            else:
                _values(Part("of", "where", link.name), one, allowed, lists, shape, faults)
        _states(link, target, shape, faults)
    known = {state.core for target in targets for state in target.states.values()}
    for state in sorted(shape.states - known if targets else ()):
        said = say(
            "state_unknown.where_of_have_no_core",
            name=link.name,
            targets=joined((one.name for one in targets), "and"),
            state=state,
        )
        faults.add("state_unknown", shape.source, said, nearest(state, known))


def _states(link: Link, target: Type, shape: LinkShape, faults: Faults) -> None:
    known = {state.core for state in target.states.values()}
    if shape.states and not shape.states & known:
        said = say(
            "state_unknown.where_of_is_never_in",
            name=link.name,
            target_name=target.name,
            states=", ".join(sorted(shape.states)),
        )
        faults.add(
            "state_unknown",
            shape.source,
            said,
            say("state_unknown.its_core_states_are.fix", known=", ".join(sorted(known))),
        )


def _values(
    what: What, one: Field, allowed: tuple[Any, ...], lists: Mapping[str, CodeList], shape: LinkShape, faults: Faults
) -> None:
    """A code is one of the list, also where an agency does not use it; any other value is of the field's own kind."""
    known = {**(lists[one.codes].values if one.codes in lists else {}), **(one.values or {})} if one.codes else None
    enum = one.schema.get("enum") if known is None else list(known)
    kind = _KINDS.get(str(one.schema.get("type")))
    for value in allowed:
        if enum is not None and value not in enum:
            faults.add(
                "code_unknown",
                shape.source,
                say("code_unknown.is_never", what=spoken_of(what), name=one.name, value=value),
                nearest(str(value), enum),
            )
        elif kind is None or type(value) is not kind:
            said = say("wrong_kind.cannot_be", what=spoken_of(what), name=one.name, value=value)
            faults.add("wrong_kind", shape.source, said, say("wrong_kind.ask_for_text_whole_number.fix"))
