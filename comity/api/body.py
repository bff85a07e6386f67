"""How requests come in: bodies with a limit, strict JSON, and only the members that an operation knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, TypeVar, cast
from uuid import UUID

from django.http import HttpRequest

from comity.clock import parse_days, parse_instant, parse_when
from comity.errors import Fault, Problem
from comity.formats.strict_json import loads
from comity.sentences import Given, Text, joined, reason, say

JSON_LIMIT = 1 << 20
BATCH_LIMIT = 16 << 20
KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
_PART = 1 << 16
Read = TypeVar("Read")
_KINDS = {
    dict: "wrong_kind.must_be_object", list: "wrong_kind.must_be_list", str: "wrong_kind.must_be_text",
    int: "wrong_kind.must_be_whole_number", bool: "wrong_kind.must_be_true_or_false",
}  # fmt: skip


def declared_length(request: HttpRequest) -> int:
    """How long the body says it is, in bytes. A body of unknown length is refused: Problem `length_required`."""
    text = request.META.get("CONTENT_LENGTH") or ""
    if not text:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise Problem("length_required", fix=say("length_required.send_content_length_instead_of.fix"))
        return 0
    if not text.isascii() or not text.isdigit():
        raise Problem("request_invalid", say("request_invalid.content_length_is_not_number"))
    return int(text)


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The whole body, never more than `limit` bytes of it."""
    length = declared_length(request)
    if length > limit:
        raise Problem("body_too_large", say("body_too_large.body_has_bytes_and_at", length=length, limit=limit))
    return b"".join(parts(cast(BinaryIO, request), length))


def parts(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Exactly `length` bytes of the stream. A body that ends early is refused, not kept."""
    left = length
    while left:
        part = stream.read(min(left, _PART))
        if not part:
            raise Problem("request_invalid", say("request_invalid.body_ended_bytes_early", left=left))
        left -= len(part)
        yield part


class Upload:
    """A file on its way in, as the kernel reads it: `read(n)`; ends with an error if the sender does."""

    def __init__(self, request: HttpRequest, limit: int) -> None:
        self.length = declared_length(request)
        if self.length > limit:
            raise Problem(
                "body_too_large", say("body_too_large.file_has_bytes_and_at", length=self.length, limit=limit)
            )
        self._left = self.length
        self._stream = cast(BinaryIO, request)

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        part = self._stream.read(self._left if size < 0 else min(size, self._left))
        if not part:
            raise Problem("request_invalid", say("request_invalid.file_ended_bytes_early", left=self._left))
        self._left -= len(part)
        return part


def read_object(request: HttpRequest, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object."""
    raw = read_body(request, limit)
    if not raw:
        return {}
    kind = (request.META.get("CONTENT_TYPE") or "").split(";", 1)[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem("media_type_unsupported", say("media_type_unsupported.body_must_be_application_json"))
    value = loads(raw)
    if not isinstance(value, dict):
        raise Problem("request_invalid", say("request_invalid.body_must_be_json_object"))
    return value


def members(body: Mapping[str, Any], path: str = "", /, **kinds: type) -> dict[str, Any]:
    """The members of `body` that are not null, each of the kind named for it. All faults at once: `request_invalid`.

    `datetime` wants an instant with its zone, `UUID` an id; both come back as such.
    """
    taken: dict[str, Any] = {}
    faults = []
    for name, value in body.items():
        at = f"{path}{name}"
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=1)
            fix = (
                say("unknown_key.did_you_mean.fix", near=near[0])
                if near
                else say("unknown_key.known_here.fix", kinds=", ".join(kinds))
            )
            faults.append(Fault("unknown_key", at, say("unknown_key.no_such_member_here"), fix))
        elif value is not None:
            try:
                taken[name] = _of_kind(value, kinds[name])
            except ValueError as error:
                faults.append(Fault("wrong_kind", at, reason(error)))
    if faults:
        raise Problem("request_invalid", say("request_invalid.body_does_not_fit_this"), faults=faults)
    return taken


def _of_kind(value: Any, kind: type) -> Any:
    if kind is datetime:
        if not isinstance(value, str):
            raise ValueError(say("wrong_kind.must_be_instant"))
        return parse_instant(value)
    if kind is UUID:
        if not isinstance(value, str):
            raise ValueError(say("wrong_kind.must_be_id"))
        try:
            return UUID(value)
        except ValueError:
            raise ValueError(say("wrong_kind.must_be_id")) from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(say(_KINDS[kind]))
    return value


def idempotency_key(request: HttpRequest) -> str | None:
    """The `Idempotency-Key` header: 1 to 200 visible ASCII characters."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and KEY.fullmatch(key) is None:
        raise Problem("request_invalid", say("request_invalid.idempotency_key_must_be_1"))
    return key


def id_of(text: str) -> str:
    """An id from an address, in its one spelling. What is no id is not found."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem("not_found") from None


def query(request: HttpRequest, *known: str, others: bool = False) -> dict[str, str]:
    """The query parameters, each at most once; unknown ones are refused unless `others` are filters. Every route takes
    the reader's `language`; it is among what is found where the route asks for it."""
    found: dict[str, str] = {}
    faults = []
    for name, values in request.GET.lists():
        if name == "language" and name not in known:
            continue
        if name not in known and not others:
            faults.append(
                Fault("unknown_key", f"?{name}", say("unknown_key.no_such_parameter", known=", ".join(known)))
            )
        elif len(values) != 1:
            faults.append(Fault("repeated", f"?{name}", say("repeated.given_more_than_once")))
        elif "\0" in values[0]:
            faults.append(Fault("wrong_kind", f"?{name}", say("wrong_kind.contains_u_0000")))
        else:
            found[name] = str(values[0])
    if faults:
        raise Problem("request_invalid", say("request_invalid.address_parameters_do_not_fit"), faults=faults)
    return found


_NOT_UNDERSTOOD = {
    "instant": ("request_invalid.instant_is_not_understood", "wrong_kind.write_instant_as.fix"),
    "when": ("request_invalid.when_is_not_understood", "wrong_kind.write_when_as.fix"),
    "day": ("request_invalid.day_is_not_understood", "wrong_kind.write_day_as.fix"),
    "days": ("request_invalid.days_is_not_understood", "wrong_kind.write_days_as.fix"),
}
"""What is said of a parameter of this kind that cannot be read, and how to write it."""


def instant(text: str | None, name: str) -> datetime | None:
    return _read(parse_instant, text, name, "instant", ("2026-11-22T09:30:00-05:00",))


def when(text: str | None, name: str) -> date | datetime | None:
    return _read(parse_when, text, name, "when", ("2026-11-22", "2026-11-22T09:30:00-05:00"))


def day(text: str | None, name: str) -> date | None:
    return _read(date.fromisoformat, text, name, "day", ("2026-11-22",))


def days(text: str | None, name: str) -> int | None:
    return _read(parse_days, text, name, "days", ("30d", "2w"))


def _read(parse: Callable[[str], Read], text: str | None, name: str, kind: str, such: Sequence[str]) -> Read | None:
    """What a parameter says; None when it is not given. Problem `request_invalid` with how to write it."""
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        understood, written = _NOT_UNDERSTOOD[kind]
        fault = Fault(
            "wrong_kind", f"?{name}", _unread(error, text or ""), say(written, such=joined(map(Given, such), "or"))
        )
        raise Problem("request_invalid", say(understood), faults=[fault]) from None


def _unread(error: ValueError, text: str) -> Text:
    return (
        error.args[0] if error.args and isinstance(error.args[0], Text) else say("wrong_kind.cannot_be_read", text=text)
    )


def whole(text: str | None, name: str, *, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        fault = Fault("wrong_kind", f"?{name}", say("wrong_kind.must_be_whole_number_from", least=least, most=most))
        raise Problem("request_invalid", say("request_invalid.number_is_not_understood"), faults=[fault])
    return int(text)


def truth(text: str | None, name: str) -> bool:
    if text in (None, "false", "0"):
        return False
    if text in ("true", "1", ""):
        return True
    fault = Fault("wrong_kind", f"?{name}", say("wrong_kind.must_be_true_or_false"))
    raise Problem("request_invalid", say("request_invalid.parameter_is_not_understood"), faults=[fault])
