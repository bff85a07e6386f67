"""What is given on the command line: fields by `--set`, whole documents by `--file`, links by id or number."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from comity.clock import parse_days, parse_instant, parse_when
from comity.errors import Fault, Problem
from comity.sentences import Given, Text, joined, reason, say

if TYPE_CHECKING:
    from comity.cli.session import Session
    from comity.kernel.types.catalogue import Type

DOCUMENT = frozenset(
    {"type", "fields", "links", "unlink", "marks", "field_marks", "reason", "occurred_at", "late_cause", "override"}
)
_FILE_LIMIT = 1 << 20
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Input:
    """The fields and links of one command; `more` is what else a document said, such as its reason."""

    fields: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    unlink: dict[str, list[str]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def gather(
    session: Session,
    of: Type | None,
    *,
    file: str | None,
    sets: Sequence[str] = (),
    unset: Sequence[str] = (),
    links: Sequence[str] = (),
    unlink: Sequence[str] = (),
) -> Input:
    """All that was given, the document first and the options over it. Raises Problem `request_invalid`."""
    held = document(file) if file else {}
    fields = dict(held.pop("fields", {}))
    for text in sets:
        name, value = pair(text, "--set")
        name = full_name(of, name)
        fields[name] = typed(value, of.fields[name].schema if of and name in of.fields else {})
    fields |= dict.fromkeys((full_name(of, name) for name in unset), None)
    joined = _links(session, of, held.pop("links", {}), links, "--link")
    parted = _links(session, of, held.pop("unlink", {}), unlink, "--unlink")
    if "override" in held and not (
        isinstance(held["override"], list) and all(isinstance(one, str) for one in held["override"])
    ):
        raise Problem("request_invalid", say("request_invalid.override_is_list_of_codes"))
    if isinstance(held.get("occurred_at"), str):
        held["occurred_at"] = instant(held["occurred_at"], "occurred_at")
    return Input(fields, joined, parted, held)


def document(file: str) -> dict[str, Any]:
    """A JSON or YAML file, or `-` for standard input: a whole document, or nothing but fields."""
    held = read_data(file)
    if not isinstance(held, dict):
        raise Problem("request_invalid", say("request_invalid.is_not_mapping_of_fields", file=file))
    return dict(held) if "fields" in held and set(held) <= DOCUMENT else {"fields": held}


def read_data(file: str) -> Any:
    try:
        raw = sys.stdin.buffer.read(_FILE_LIMIT + 1) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Problem(
            "request_invalid", say("request_invalid.cannot_be_read", file=file, strerror=error.strerror)
        ) from None
    if len(raw) > _FILE_LIMIT:
        raise Problem("body_too_large", say("body_too_large.is_larger_than_bytes", file=file, file_limit=_FILE_LIMIT))
    if file.endswith(".json") or raw.lstrip()[:1] in (b"{", b"["):
        from comity.formats.strict_json import loads

        return loads(raw)
    from comity.kernel.types.definition import yaml_text

    try:
        return yaml_text(file, raw.decode("utf-8")).plain()
    except UnicodeDecodeError:
        raise Problem("request_invalid", say("request_invalid.is_not_utf_8", file=file)) from None


def typed(text: str, schema: Mapping[str, Any]) -> Any:
    """The text as the field's type wants it; where it does not fit, the text itself, for the shape to refuse."""
    kinds = _kinds(schema)
    if not kinds or kinds == {"string"}:
        return text
    from comity.formats.strict_json import loads

    try:
        value = loads(text.encode("utf-8"))
    except Problem:
        value = text
    if "array" in kinds and not isinstance(value, list):
        return [part.strip() for part in text.split(",")] if isinstance(value, str) else [value]
    if isinstance(value, str) or ("string" in kinds and not isinstance(value, dict | list)):
        return text
    return value


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type")
    found = {kind} if isinstance(kind, str) else set(kind or ())
    for part in schema.get("allOf", ()):
        found |= _kinds(part)
    return found - {"null"}


def full_name(of: Type | None, name: str) -> str:
    """A field or link of the agency's own layer may be named without its prefix, where that is clear."""
    if of is None or name in of.fields or name in of.links or ":" in name:
        return name
    own = [one for one in (*of.fields, *of.links) if one.partition(":")[2] == name]
    return own[0] if len(own) == 1 else name


def _links(
    session: Session, of: Type | None, held: Mapping[str, Any], given: Sequence[str], option: str
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    pairs = [(name, one) for name, many in held.items() for one in (many if isinstance(many, list) else [many])]
    pairs += [pair(text, option) for text in given]
    for name, reference in pairs:
        name = full_name(of, name)
        link = of.links.get(name) if of else None
        member = link is not None and link.to == ("member",)
        found.setdefault(name, []).append(
            _member(session, str(reference)) if member else session.record(str(reference))
        )
    return found


def _member(session: Session, reference: str) -> str:
    """A member of the own agency, by id or name."""
    try:
        return str(UUID(reference))
    except ValueError:
        pass
    from comity.kernel.policy.tokens import members

    lines = [one.as_json() for one in members(session.node, session.actor, agency=session.actor.agency)]
    fitting = [one["id"] for one in lines if reference.casefold() in one["name"].casefold()]
    if len(fitting) != 1:
        named = {"agency": session.actor.agency, "reference": reference}
        if fitting:
            raise Problem("not_found", say("not_found.several_members_are_called", **named))
        raise Problem("not_found", say("not_found.no_member_is_called", **named))
    return str(fitting[0])


def pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        fault = Fault("wrong_kind", option, say("wrong_kind.is_not_name_value", text=text))
        raise Problem("request_invalid", say("request_invalid.option_is_not_understood"), faults=[fault])
    return name.strip(), value


def day(text: str | None, option: str) -> date | None:
    """A day such as 2026-11-22; None when not given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fault = Fault("format", option, say("format.is_no_day", text=text))
        raise Problem("invalid", say("invalid.is_not_day", option=option), faults=[fault]) from None


def instant(text: str | None, option: str) -> datetime | None:
    return read(parse_instant, text, option, say("cli.input_instant"), "2026-11-22T09:30:00-05:00")


def when(text: str | None, option: str) -> date | datetime | None:
    return read(parse_when, text, option, say("cli.input_day_or_instant"), "2026-11-22", "2026-11-22T09:30:00-05:00")


def days(text: str | None, option: str) -> int | None:
    return read(parse_days, text, option, say("cli.input_days"), "30d", "2w")


def read(parse: Callable[[str], Read], text: str | None, option: str, what: Text, *such: str) -> Read | None:
    """What an option says; None when it is not given. Problem `request_invalid` with how to write it."""
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        fix = say("wrong_kind.write_as.fix", what=what, such=joined(map(Given, such), "or"))
        fault = Fault("wrong_kind", option, reason(error), fix)
        raise Problem(
            "request_invalid", say("request_invalid.named_option_is_not_understood", option=option), faults=[fault]
        ) from None
