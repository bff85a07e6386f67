"""Judges a record's fields and links against its type, all faults at once.

The quick way is one compiled validator for each state, codes and what is required included. Only when it refuses are
faults gathered one by one, and those of unchanged old values forgiven: a newer rule does not judge them (ratcheting).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from comity.errors import Fault
from comity.kernel.types import schema
from comity.kernel.types.catalogue import Field, Type
from comity.kernel.types.definition import nearest
from comity.kernel.types.lifecycle import answers
from comity.kernel.types.record_schema import object_schema

FEW = 12
"""So many codes are all named where one is not known."""

_FIXES: Mapping[str, str] = {
    "date": "write it as 2026-11-22",
    "date-time": "write it as 2026-11-22T14:05:00Z or 2026-11-22T09:05:00-05:00: T and Z large, seconds 00 to 59",
    "decimal": "write a plain decimal as text, such as 12.50", "uuid": "name a record by its id",
    "agency": "name an agency by its id, such as atf",
}  # fmt: skip


def judge(
    of: Type,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    state: str,
    supplied: Collection[str] | None,
    act: str,
) -> list[Fault]:
    """What is wrong with `after`, the whole field map once `act` is done and the record stands in `state`.

    `before` is the field map as it was (None on entry); `supplied` the fields this act gives (None: those that
    changed). None counts as absent; so do blank text and an empty list where something is required.
    Paths are `fields.<name>`.
    """
    given = changed(before, after) if supplied is None else supplied
    faults = list(_inputs(of, given, act)) if _input_names(of) else []
    if _quick(of, state).is_valid(after):
        return faults
    held = {name: value for name, value in after.items() if value is not None}
    return faults + list(_gathered(of, before, held, state, act))


def prepare(of: Type) -> None:
    """Compiles the validator that entering a record will use. Raises jsonschema_rs.ValidationError."""
    _quick(of, of.initial)


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> set[str]:
    """The names whose value is not what it was, unset ones included."""
    old = before or {}
    return {name for name in old.keys() | after.keys() if old.get(name) != after.get(name)}


def _quick(of: Type, state: str) -> Any:
    """The compiled validator for a state. A race compiles it twice, which harms nobody."""
    try:
        return of.memo[state]
    except KeyError:
        whole = object_schema(of)
        whole["required"] = [name for name, one in of.fields.items() if state in one.required_in]
        for name in whole["required"]:
            whole["properties"][name] = {
                "allOf": [whole["properties"][name], {"minLength": 1, "pattern": r"\S", "minItems": 1}]
            }
        of.memo[state] = schema.validator(whole)
        return of.memo[state]


def _single(of: Type, one: Field) -> Any:
    key = f"field {one.name}"
    if key not in of.memo:
        of.memo[key] = schema.validator(one.schema)
    return of.memo[key]


def _input_names(of: Type) -> frozenset[str]:
    found = of.memo.get("inputs")
    if found is None:
        found = of.memo["inputs"] = frozenset(name for name, one in of.fields.items() if one.input)
    return frozenset(found)


def _sets(of: Type, act: str) -> tuple[str, ...]:
    done = of.acts.get(act) or answers(of.offer).get(act)
    return done.sets if done else ()


def _inputs(of: Type, given: Collection[str], act: str) -> Iterator[Fault]:
    for name in sorted(_input_names(of) & set(given)):
        if name not in _sets(of, act):
            setting = [key for key in (*of.acts, *answers(of.offer)) if name in _sets(of, key)]
            fix = f"it is given with {', '.join(setting) or 'no act of this agency'}"
            yield Fault("input_refused", f"fields.{name}", f"{name} is not set by {act}", fix)


def _gathered(
    of: Type, before: Mapping[str, Any] | None, after: Mapping[str, Any], state: str, act: str
) -> Iterator[Fault]:
    old = before or {}
    for name, value in after.items():
        if name in old and _same(old[name], value):
            continue
        one = of.fields.get(name)
        if one is None:
            said = f"{of.title} has no field {name}"
            yield Fault("unknown_field", f"fields.{name}", said, nearest(name, of.fields))
            continue
        yield from _value(of, one, value)
    yield from _absent(of.fields, old if before is not None else None, after, state, stays(of, act), "fields")


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and true differ."""
    return bool(one == other) and type(one) is type(other)


def stays(of: Type, act: str) -> bool:
    """Whether an act leaves the state as it is; `enter` does not."""
    done = of.acts.get(act) or answers(of.offer).get(act)
    return act != "enter" and (done is None or done.to is None)


def code_of(error: jsonschema_rs.ValidationError) -> str:
    """The code of what JSON Schema refuses: the keyword that did, as `max_length`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", str(error.kind.name)).lower()


def _value(of: Type, one: Field, value: Any) -> Iterator[Fault]:
    seen = set()
    for error in _single(of, one).iter_errors(value):
        path = ".".join(["fields", one.name, *map(str, error.instance_path)])
        code = code_of(error)
        if (code, path) not in seen:
            seen.add((code, path))
            fix = _FIXES.get(str(getattr(error.kind, "format", "")), "") if code == "format" else ""
            yield Fault(code, path, _said(error.message), fix or "correct the value")
    if one.values is None or seen:
        return
    for place, code in enumerate(value) if isinstance(value, list) else [(-1, value)]:
        if code not in one.values:
            path = f"fields.{one.name}" + (f".{place}" if place >= 0 else "")
            yield Fault("code_unknown", path, f"{code!r} is not a code of {one.codes}", _among(str(code), one.values))


def _among(code: str, known: Iterable[str]) -> str:
    """The nearest code, and all of them where they are few: what is near in spelling may be far in meaning."""
    codes, said = list(known), nearest(code, known)
    few = said.startswith("did you mean") and len(codes) <= FEW
    return f"{said} The codes are {', '.join(codes)}" if few else said


def _said(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:120]} ... {message[-70:]}"


def _absent(
    parts: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    state: str,
    stays: bool,
    kind: str,
) -> Iterator[Fault]:
    """What the state requires and is not there. Where the state stays, what was absent before may stay absent."""
    for name, one in parts.items():
        if state in one.required_in and not is_there(after.get(name)):
            if stays and before is not None and not is_there(before.get(name)):
                continue
            label = one.label or name
            yield Fault("required", f"{kind}.{name}", f"{label} is required in the state {state}", f"give {name}")


def is_there(value: Any) -> bool:
    """Whether a value says anything: null, blank text and an empty list do not."""
    return bool(value.strip()) if isinstance(value, str) else value is not None and value != [] and value != ()


def judge_links(
    of: Type,
    *,
    before: Mapping[str, Collection[str]] | None,
    after: Mapping[str, Collection[str]],
    state: str,
    act: str,
) -> list[Fault]:
    """What is wrong with the links once `act` is done: unknown names, several where one may stand, missing ones.

    `before` None: the record is new. Paths are `links.<name>`. Whether the targets exist and fit is the caller's
    (records/links, `Link.accepts`).
    """
    faults = []
    for name, targets in after.items():
        one = of.links.get(name)
        if one is None and targets and (before is None or name not in before):
            said = f"{of.title} has no link {name}"
            faults.append(Fault("unknown_link", f"links.{name}", said, nearest(name, of.links)))
        elif one is not None and not one.many and len(targets) > 1 and len(targets) > len((before or {}).get(name, ())):
            fix = "unlink the other first" if (before or {}).get(name) else "give one id"
            faults.append(Fault("link_not_many", f"links.{name}", f"{name} points at one record", fix))
    return faults + list(_absent(of.links, before, _filled(after), state, stays(of, act), "links"))


def _filled(links: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    return {name: list(targets) for name, targets in links.items()}
