"""Judges a record's fields and links against its type, all faults at once.

The quick way is one compiled validator for each state, codes and what is required included. Only when it refuses are
faults gathered one by one, and those of unchanged old values forgiven: a newer rule does not judge them (ratcheting).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from comity.errors import Fault
from comity.kernel.types import schema
from comity.kernel.types.catalogue import Field, Link, Type
from comity.kernel.types.definition import DID_YOU_MEAN, MOST_NAMED, nearest
from comity.kernel.types.language import called, called_in, with_name
from comity.kernel.types.lifecycle import answers, named_steps
from comity.kernel.types.record_schema import object_schema
from comity.sentences import Given, Sentence, Text, joined, known, say

FEW = 12
"""So many codes are all named where one is not known."""

FORMS = frozenset(("date", "date-time", "decimal", "uuid", "agency"))
"""The forms of a text of which a sentence says how it is written."""
LINES = (
    "limit", "pattern", "options", "expected_value", "types", "format", "multiple_of", "property", "unexpected",
)  # fmt: skip
"""Where the validator says what it wanted: a member of its error."""
TYPE_NAMES = frozenset(("string", "number", "integer", "boolean", "array", "object", "null"))


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
            said = say("input_refused.is_not_set_by", name=called(of.fields[name]), act=called_in(named_steps(of), act))
            yield Fault("input_refused", f"fields.{name}", said, _given_with(of, name))


def _given_with(of: Type, name: str) -> Text:
    steps = named_steps(of)
    setting = with_name(steps, (one for one in steps if name in _sets(of, one)))
    if not setting:
        return say("input_refused.no_act_of_this_agency.fix")
    return say("input_refused.it_is_given_with.fix", setting=setting)


def _gathered(
    of: Type, before: Mapping[str, Any] | None, after: Mapping[str, Any], state: str, act: str
) -> Iterator[Fault]:
    old = before or {}
    for name, value in after.items():
        if name in old and _same(old[name], value):
            continue
        one = of.fields.get(name)
        if one is None:
            said = say("unknown_field.has_no_field", title=called(of), name=name)
            yield Fault("unknown_field", f"fields.{name}", said, nearest(name, of.fields))
            continue
        yield from _value(of, one, value)
    yield from _absent(of, of.fields, old if before is not None else None, after, state, act)


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
            form = str(getattr(error.kind, "format", "")) if code == "format" else ""
            fix = say(f"format.{form}.fix") if form in FORMS else say("value.correct.fix")
            yield Fault(code, path, refused(code, error), fix)
    if one.values is None or seen:
        return
    for place, code in enumerate(value) if isinstance(value, list) else [(-1, value)]:
        if code not in one.values:
            path = f"fields.{one.name}" + (f".{place}" if place >= 0 else "")
            yield Fault(
                "code_unknown",
                path,
                say("code_unknown.is_not_code_of", code=code, codes=one.codes),
                _among(str(code), one.values),
            )


def _among(code: str, known: Iterable[str]) -> Text:
    """The nearest code, and all of them where they are few: what is near in spelling may be far in meaning."""
    codes, said = list(known), nearest(code, known)
    near = isinstance(said, Sentence) and said.key == DID_YOU_MEAN
    return joined((said, say("code_unknown.codes_are", codes=codes)), "space") if near and len(codes) <= FEW else said


def refused(code: str, error: jsonschema_rs.ValidationError) -> Text:
    """What JSON Schema refuses, and where it draws the line; what has no sentence of ours, in the validator's words."""
    key = f"{code}.refused"
    if not known(key):
        return Given(_cut(error.message, 200))
    line = next((one for name in LINES if (one := getattr(error.kind, name, None)) is not None), "")
    return say(key, value=_cut(_shown(error.instance)), line=_line(line))


def _line(line: Any) -> Text:
    """Where the line is drawn: kinds of values by their names, several values with `or`."""
    if isinstance(line, list | tuple):
        parts = [say(f"type.{one}") if one in TYPE_NAMES else Given(_plain(one)) for one in line[:MOST_NAMED]]
        return joined(parts, "or")
    return Given(_cut(_plain(line)))


def _shown(value: Any) -> str:
    """A value as JSON has it, so that 5 and "5" are told apart."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _shown(value)


def _cut(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 44]} ... {text[-40:]}"


def _absent(
    of: Type,
    parts: Mapping[str, Field] | Mapping[str, Link],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    state: str,
    act: str,
) -> Iterator[Fault]:
    """What the state requires and is not there. Where the state stays, what was absent before may stay absent."""
    kind, same = "fields" if parts is of.fields else "links", stays(of, act)
    for name, one in parts.items():
        if state in one.required_in and not is_there(after.get(name)):
            if same and before is not None and not is_there(before.get(name)):
                continue
            said = say("required.is_required_in_state", label=called(one), state=called_in(of.states, state), name=name)
            yield Fault("required", f"{kind}.{name}", said)


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
            said = say("unknown_link.has_no_link", title=called(of), name=name)
            faults.append(Fault("unknown_link", f"links.{name}", said, nearest(name, of.links)))
        elif one is not None and not one.many and len(targets) > 1 and len(targets) > len((before or {}).get(name, ())):
            fix = (
                say("link_not_many.unlink_other_first.fix")
                if (before or {}).get(name)
                else say("link_not_many.give_one_id.fix")
            )
            said = say("link_not_many.points_at_one_record", name=called(one))
            faults.append(Fault("link_not_many", f"links.{name}", said, fix))
    return faults + list(_absent(of, of.links, before, _filled(after), state, act))


def _filled(links: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    return {name: list(targets) for name, targets in links.items()}
