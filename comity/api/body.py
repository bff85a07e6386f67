"""How requests come in: bodies with a limit, strict JSON, and only the members that an operation knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, BinaryIO, TypeVar, cast
from uuid import UUID

from django.http import HttpRequest

from comity.clock import parse_days, parse_instant, parse_when
from comity.errors import Fault, Problem
from comity.formats.strict_json import loads

JSON_LIMIT = 1 << 20
BATCH_LIMIT = 16 << 20
KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
_PART = 1 << 16
Read = TypeVar("Read")
_WORDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number", bool: "true or false"}


def declared_length(request: HttpRequest) -> int:
    """How long the body says it is, in bytes. A body of unknown length is refused: Problem `length_required`."""
    text = request.META.get("CONTENT_LENGTH") or ""
    if not text:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise Problem("length_required", fix="send Content-Length instead of a chunked body")
        return 0
    if not text.isascii() or not text.isdigit():
        raise Problem("request_invalid", "Content-Length is not a number")
    return int(text)


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The whole body, never more than `limit` bytes of it."""
    length = declared_length(request)
    if length > limit:
        raise Problem("body_too_large", f"the body has {length} bytes and at most {limit} are read here")
    return b"".join(parts(cast(BinaryIO, request), length))


def parts(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Exactly `length` bytes of the stream. A body that ends early is refused, not kept."""
    left = length
    while left:
        part = stream.read(min(left, _PART))
        if not part:
            raise Problem("request_invalid", f"the body ended {left} bytes early", fix="send it again")
        left -= len(part)
        yield part


class Upload:
    """A file on its way in, as the kernel reads it: `read(n)`; ends with an error if the sender does."""

    def __init__(self, request: HttpRequest, limit: int) -> None:
        self.length = declared_length(request)
        if self.length > limit:
            raise Problem("body_too_large", f"the file has {self.length} bytes and at most {limit} are taken")
        self._left = self.length
        self._stream = cast(BinaryIO, request)

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return b""
        part = self._stream.read(self._left if size < 0 else min(size, self._left))
        if not part:
            raise Problem("request_invalid", f"the file ended {self._left} bytes early", fix="send it again")
        self._left -= len(part)
        return part


def read_object(request: HttpRequest, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object."""
    raw = read_body(request, limit)
    if not raw:
        return {}
    kind = (request.META.get("CONTENT_TYPE") or "").split(";", 1)[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(
            "media_type_unsupported", "the body must be application/json", fix="send Content-Type: application/json"
        )
    value = loads(raw)
    if not isinstance(value, dict):
        raise Problem("request_invalid", "the body must be a JSON object")
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
            fix = f"did you mean {near[0]}?" if near else f"known here: {', '.join(kinds)}"
            faults.append(Fault("unknown_key", at, "no such member here", fix))
        elif value is not None:
            try:
                taken[name] = _of_kind(value, kinds[name])
            except ValueError as error:
                faults.append(Fault("wrong_kind", at, str(error)))
    if faults:
        raise Problem("request_invalid", "the body does not fit this operation", faults=faults)
    return taken


def _of_kind(value: Any, kind: type) -> Any:
    if kind is datetime:
        if not isinstance(value, str):
            raise ValueError("must be an instant, as in 2026-11-22T09:30:00-05:00")
        return parse_instant(value)
    if kind is UUID:
        if not isinstance(value, str):
            raise ValueError("must be an id")
        return UUID(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"must be {_WORDS.get(kind, kind.__name__)}")
    return value


def idempotency_key(request: HttpRequest) -> str | None:
    """The `Idempotency-Key` header: 1 to 200 visible ASCII characters."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and KEY.fullmatch(key) is None:
        raise Problem("request_invalid", "Idempotency-Key must be 1 to 200 visible ASCII characters without spaces")
    return key


def id_of(text: str) -> str:
    """An id from an address, in its one spelling. What is no id is not found."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem("not_found") from None


def query(request: HttpRequest, *known: str, others: bool = False) -> dict[str, str]:
    """The query parameters, each at most once; unknown ones are refused unless `others` are filters."""
    found: dict[str, str] = {}
    faults = []
    for name, values in request.GET.lists():
        if name not in known and not others:
            faults.append(Fault("unknown_key", f"?{name}", "no such parameter", f"known here: {', '.join(known)}"))
        elif len(values) != 1:
            faults.append(Fault("repeated", f"?{name}", "given more than once"))
        elif "\0" in values[0]:
            faults.append(Fault("wrong_kind", f"?{name}", "contains U+0000"))
        else:
            found[name] = str(values[0])
    if faults:
        raise Problem("request_invalid", "the address's parameters do not fit", faults=faults)
    return found


def instant(text: str | None, name: str) -> datetime | None:
    return _read(parse_instant, text, name, "an instant", "2026-11-22T09:30:00-05:00")


def when(text: str | None, name: str) -> date | datetime | None:
    return _read(parse_when, text, name, "a day or an instant", "2026-11-22 or 2026-11-22T09:30:00-05:00")


def day(text: str | None, name: str) -> date | None:
    return _read(date.fromisoformat, text, name, "a day", "2026-11-22")


def days(text: str | None, name: str) -> int | None:
    return _read(parse_days, text, name, "a number of days", "30d or 2w")


def _read(parse: Callable[[str], Read], text: str | None, name: str, what: str, such: str) -> Read | None:
    """What a parameter says; None when it is not given. Problem `request_invalid` with how to write it."""
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        fault = Fault("wrong_kind", f"?{name}", str(error), f"write {what} as {such}")
        raise Problem("request_invalid", f"{what} is not understood", faults=[fault]) from None


def whole(text: str | None, name: str, *, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        fault = Fault("wrong_kind", f"?{name}", f"must be a whole number from {least} to {most}")
        raise Problem("request_invalid", "the number is not understood", faults=[fault])
    return int(text)


def truth(text: str | None, name: str) -> bool:
    if text in (None, "false", "0"):
        return False
    if text in ("true", "1", ""):
        return True
    fault = Fault("wrong_kind", f"?{name}", "must be true or false")
    raise Problem("request_invalid", "the parameter is not understood", faults=[fault])
