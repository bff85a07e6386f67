"""The JSON Schema part of a field: which keywords may be written, what a layer may not loosen, and compiling.

Patterns run in a linear-time engine (no look-around, no back-references). No `$ref`: nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import jsonschema_rs

from comity.clock import parse_instant
from comity.kernel.types.definition import Faults, Node, Source, nearest
from comity.kernel.types.part import Part, What, spoken_of
from comity.names import AGENCY
from comity.sentences import NOTHING, Text, say

TYPES = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
LEAST = frozenset(("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties", "minContains"))
MOST = frozenset(("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "maxContains"))
INSIDE = frozenset(("items", "not", "contains", "additionalProperties", "if", "then", "else", "propertyNames"))
SEVERAL = frozenset(("anyOf", "oneOf", "allOf", "prefixItems"))
PLAIN = frozenset(
    ("type", "format", "pattern", "enum", "const", "multipleOf", "uniqueItems", "properties", "description", "examples",
     "title", "dependentRequired")
)  # fmt: skip
KEYWORDS = PLAIN | LEAST | MOST | INSIDE | SEVERAL
NESTED = KEYWORDS | {"required"}
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9])\Z"
)
_ENDS = frozenset(("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"))


def is_day(text: str) -> bool:
    """A day of the calendar, as 2026-11-22."""
    return _DAY.match(text) is not None and _reads(date.fromisoformat, text)


def is_instant(text: str) -> bool:
    """An instant in the spelling that every reader here reads: RFC 3339, large T and Z, no leap second. None lies on
    the first or the last two days of the calendar, since not every zone could tell its day."""
    return _INSTANT.match(text) is not None and text[:10] not in _ENDS and _reads(parse_instant, text)


def _reads(reader: Callable[[str], object], text: str) -> bool:
    try:
        reader(text)
    except ValueError:
        return False
    return True


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "decimal": lambda text: _DECIMAL.match(text) is not None,
    "agency": lambda text: AGENCY.match(text) is not None,
    "date": is_day,
    "date-time": is_instant,
}
KNOWN_FORMATS = frozenset(FORMATS) | {
    "time", "duration", "uuid", "email", "uri", "ipv4", "ipv6", "hostname",
}  # fmt: skip


def validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A compiled validator: formats checked, patterns linear, no network. Raises jsonschema_rs.ValidationError."""
    return jsonschema_rs.Draft202012Validator(
        dict(schema),
        validate_formats=True,
        formats=dict(FORMATS),
        pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000),
        offline=True,
    )


def check(node: Node, keywords: frozenset[str], faults: Faults, what: What) -> None:
    """Faults of the JSON Schema keywords in `node`; other keys of the top level are the caller's to judge."""
    for key, one in node.items():
        if key in keywords:
            _keyword(key, one, node.at(key), faults, what)


def _nested(node: Node, faults: Faults, what: What) -> None:
    if isinstance(node.value, bool):
        return
    if not node.is_map:
        faults.add("schema_refused", node.source, say("schema_refused.must_be_schema", what=spoken_of(what)))
        return
    for key in node.value:
        if key not in NESTED:
            said = say("unknown_key.has_no_keyword", what=spoken_of(what), key=key)
            faults.add("unknown_key", node.at(key), said, nearest(key, NESTED))
    check(node, NESTED, faults, what)


def _keyword(key: str, one: Node, at: Source, faults: Faults, what: What) -> None:
    value = one.plain()
    if key in INSIDE:
        _nested(one, faults, Part("of", key, what))
    elif key in SEVERAL or key == "properties":
        parts: Iterator[Node] = iter(one.value) if one.is_list else (part for _, part in one.items())
        for part in parts:
            _nested(part, faults, Part("of", key, what))
    elif key == "format" and value not in KNOWN_FORMATS:
        faults.add(
            "unknown_format",
            at,
            say("unknown_format.has_unknown_format", what=spoken_of(what), value=value),
            nearest(str(value), KNOWN_FORMATS),
        )
    elif key == "pattern":
        refused = pattern_refused(value) if isinstance(value, str) else say("pattern_refused.is_text")
        if refused:
            faults.add("pattern_refused", at, say("pattern_refused.because", what=spoken_of(what), refused=refused))
    elif key == "type" and not set(value if isinstance(value, list) else [value]) <= TYPES:
        faults.add(
            "schema_refused",
            at,
            say("schema_refused.has_unknown_type", what=spoken_of(what), value=value),
            nearest(str(value), TYPES),
        )
    else:
        wrong = _refused(key, json.dumps(value))
        if wrong:
            faults.add("schema_refused", at, say("schema_refused.of", key=key, what=spoken_of(what), refused=wrong))


@lru_cache(maxsize=4096)
def _refused(key: str, value: str) -> str:
    try:
        validator({key: json.loads(value)})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        return str(error).splitlines()[0]
    return ""


@lru_cache(maxsize=4096)
def pattern_refused(pattern: str) -> Text:
    """Why a pattern cannot run in the linear-time engine; empty when it can."""
    if len(pattern) > 500:
        return say("pattern_refused.is_too_long", length=len(pattern))
    try:
        validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        return say("pattern_refused.in_linear_time_engine", error=str(error).splitlines()[0])
    return NOTHING


def loosened(core: Mapping[str, Any], layer: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    """Each keyword with which `layer` says more is allowed than `core` does, and how. (allOf would bar it anyway.)"""
    for key, value in layer.items():
        if key not in core:
            continue
        old = core[key]
        if key == "type" and not _types(value) <= _types(old):
            yield key, say("layer_loosens_field.where_core_has", key=key, value=str(value), old=str(old))
        elif key in MOST and value > old:
            yield key, say("layer_loosens_field.is_over", key=key, value=str(value), old=str(old))
        elif key in LEAST and value < old:
            yield key, say("layer_loosens_field.is_under", key=key, value=str(value), old=str(old))
        elif key == "enum" and any(one not in old for one in value):
            yield key, say("layer_loosens_field.enum_adds", values=str([one for one in value if one not in old]))
        elif (key in ("format", "const", "multipleOf") and value != old) or (
            key in ("uniqueItems", "additionalProperties") and old != value and value is not (key == "uniqueItems")
        ):
            yield key, say("layer_loosens_field.where_core_has", key=key, value=str(value), old=str(old))
        elif key == "items" and isinstance(old, dict) and isinstance(value, dict):
            yield from loosened(old, value)
        elif key == "properties":
            for name in value.keys() & old.keys():
                yield from loosened(old[name], value[name])


def _types(value: Any) -> set[str]:
    named = set(value) if isinstance(value, list) else {value}
    return named | {"integer"} if "number" in named else named


def narrowed(core: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    """The effective schema: the layer's words over the core's, and the core's whole schema as `allOf`."""
    if not layer:
        return core
    return {**core, **layer, "allOf": [*layer.get("allOf", ()), core]}
