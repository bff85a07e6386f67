"""JSON as a record may hold it: what two programs could read differently is refused, each with its own code.

Refused: NaN, Infinity and numbers too large for a double (json_nan), a key twice in one object (json_duplicate_key),
U+0000 (json_nul), half of a surrogate pair (json_surrogate), nesting over 64 (json_depth), integers beyond 2^53 - 1
either way (json_integer: RFC 8785 canonical form cannot hold them), and what is no JSON at all (json_syntax).
The ordinary body is read once by the C scanner; only a body under suspicion is read again, slowly, to name each fault.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from comity.errors import Fault, Problem
from comity.sentences import Text, say

DEPTH = 64
INTEGER = 2**53 - 1
_DIGITS = len(str(INTEGER))
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # an unclosed one runs to the end: one pass, always
_TOKEN = re.compile(_STRING.pattern + r"|[\[\]{}]", re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Suspect(Exception):
    """The quick reading met something to refuse; it cannot say where."""


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Stands, in the second reading, where a value cannot."""

    code: str
    message: Text


@dataclass(frozen=True, slots=True)
class _Members:
    """An object with its keys as written, doubles included."""

    pairs: list[tuple[str, Any]]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Suspect
    return found


def _integer(text: str) -> int:
    if len(text) < _DIGITS:
        return int(text)
    if len(text) > _DIGITS + 1 or abs(value := int(text)) > INTEGER:
        raise _Suspect
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Suspect
    return value


def _refuse(_: str) -> Any:
    raise _Suspect


def _wrong_integer(text: str) -> int | _Wrong:
    try:
        return _integer(text)
    except _Suspect:
        return _Wrong("json_integer", say("json_integer.is_beyond", integer=_short(text)))


def _wrong_float(text: str) -> float | _Wrong:
    try:
        return _float(text)
    except _Suspect:
        return _Wrong("json_nan", say("json_nan.is_too_large", number=_short(text)))


def _wrong_constant(text: str) -> _Wrong:
    return _Wrong("json_nan", say("json_nan.is_no_number", text=text))


_quick = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_refuse)
_slow = json.JSONDecoder(
    object_pairs_hook=_Members, parse_int=_wrong_integer, parse_float=_wrong_float, parse_constant=_wrong_constant
)


def loads(text: bytes | str) -> Any:
    """The value of a JSON text (bytes: UTF-8, a byte order mark is passed over).

    Raises Problem json_refused with every fault found, each with the path of the value (`fields.title`, `items[3]`).
    """
    body = text if isinstance(text, str) else _decode(text)
    if body[:1] == "\ufeff":
        body = body[1:]
    if faults := list(_text_faults(body)):
        raise refusal(faults)
    try:
        value = _quick.decode(body)
    except _Suspect:
        raise refusal(_faults(_slow.decode, body)) from None
    except json.JSONDecodeError as error:
        raise refusal([_syntax(error)]) from None
    if "\\u" in body and _any_text_fault(value):
        raise refusal(_faults(_slow.decode, body))
    return value


def element(buffer: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at `start` of a longer text, and where it ends.

    Raises Problem json_refused, whose extra `end` is where the refused value ends; without `end`, no value could be
    made out there: it goes on past the buffer, or it is not JSON.
    """
    try:
        value, end = _quick.raw_decode(buffer, start)
    except _Suspect:
        _, end = _slow.raw_decode(buffer, start)
        raise refusal(_faults(lambda part: _slow.raw_decode(part)[0], buffer[start:end]), end=end) from None
    except RecursionError:
        raise refusal([_fault("json_depth", "", say("json_depth.value_nests_deeper_than", depth=DEPTH))]) from None
    except json.JSONDecodeError as error:
        raise refusal([_syntax(error)]) from None
    part = buffer[start:end]
    if faults := list(_text_faults(part)):
        raise refusal(faults, end=end)
    if "\\u" in part and _any_text_fault(value):
        raise refusal(_faults(lambda text: _slow.raw_decode(text)[0], part), end=end)
    return value, end


def span(buffer: str, start: int) -> int | None:
    """Where the object or array that begins at `start` ends, by its brackets alone; None when it does not end here."""
    depth = 0
    for token in _TOKEN.finditer(buffer, start):
        mark = buffer[token.start()]
        if mark == '"':
            continue
        depth += 1 if mark in "[{" else -1
        if depth <= 0:
            return token.end()
    return None


def refusal(faults: list[Fault], **extra: Any) -> Problem:
    return Problem("json_refused", faults[0].message, faults=faults, fix=faults[0].fix, **extra)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        try:
            loose = raw.decode(errors="surrogatepass")
        except UnicodeDecodeError:
            at = f"byte {error.start}"
            raise refusal([_fault("json_syntax", "", say("json_syntax.text_is_not_utf_8", at=at))]) from None
        found = _SURROGATE.search(loose)
        at = _place(loose, found.start() if found else 0)
        raise refusal([_fault("json_surrogate", "", say("json_surrogate.half_of_pair_at", at=at))]) from None


def _text_faults(body: str) -> Iterator[Fault]:
    if (at := body.find("\0")) >= 0:
        yield _fault("json_nul", "", say("json_nul.u_0000_at", place=_place(body, at)))
    if not body.isascii() and (found := _SURROGATE.search(body)):
        yield _fault(
            "json_surrogate", "", say("json_surrogate.half_of_surrogate_pair_at", place=_place(body, found.start()))
        )
    if body.count("[") + body.count("{") > DEPTH and _depth(body) > DEPTH:
        yield _fault("json_depth", "", say("json_depth.text_nests_deeper_than", depth=DEPTH))


def _depth(body: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", body)):
        if bracket in "[{":
            depth += 1
            if depth > deepest:
                deepest = depth
        else:
            depth -= 1
    return deepest


def _any_text_fault(value: Any) -> bool:
    """Whether a string or a key holds U+0000 or half of a surrogate pair."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\0" in one or (not one.isascii() and _SURROGATE.search(one)):
                return True
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _faults(read: Callable[[str], Any], body: str) -> list[Fault]:
    try:
        found = list(_walk(read(body), ""))
    except json.JSONDecodeError as error:  # the quick reading stopped before it came to this
        return [_syntax(error)]
    return found[:100] or [_fault("json_syntax", "", say("json_syntax.text_could_not_be_read"))]


def _walk(value: Any, path: str) -> Iterator[Fault]:
    if isinstance(value, _Wrong):
        yield _fault(value.code, path, value.message)
    elif isinstance(value, str):
        if "\0" in value:
            yield _fault("json_nul", path, say("json_nul.text_holds_u_0000"))
        if _SURROGATE.search(value):
            yield _fault("json_surrogate", path, say("json_surrogate.text_holds_half_of_surrogate"))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _walk(one, f"{path}[{index}]")
    elif isinstance(value, _Members):
        seen: set[str] = set()
        for key, one in value.pairs:
            shown = _short(key.encode("ascii", "backslashreplace").decode().replace("\0", "\\u0000"))
            here = f"{path}.{shown}" if path else shown
            if "\0" in key or _SURROGATE.search(key):
                yield _fault(
                    "json_nul" if "\0" in key else "json_surrogate", here, say("strict_json.key_holds_what_no_text")
                )
            if key in seen:
                yield _fault("json_duplicate_key", here, say("json_duplicate_key.key_stands_twice_in_one", shown=shown))
            seen.add(key)
            yield from _walk(one, here)


def _syntax(error: json.JSONDecodeError) -> Fault:
    at = f"line {error.lineno} column {error.colno}"
    return _fault("json_syntax", at, say("json_syntax.this_is_not_json_at", msg=error.msg, at=at))


def _fault(code: str, path: str, message: Text) -> Fault:
    return Fault(code, path, message, say(f"{code}.fix", depth=DEPTH))


def _place(body: str, at: int) -> str:
    line = body.count("\n", 0, at) + 1
    return f"line {line} column {at - body.rfind(chr(10), 0, at)}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
