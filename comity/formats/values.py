"""From what stands in a foreign cell to what a record holds: text, whole numbers, decimals, truth, days, instants.

Each converter is a function of one value and raises ValueRefused with a code. Nothing is guessed: a local time that
the clocks skipped or passed twice is refused unless the caller says how to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from comity.clock import show_instant
from comity.formats.rows import CellError, Formula
from comity.sentences import NOTHING, Sentence, Text, say

Converter = Callable[[Any], Any]
KINDS = ("text", "integer", "decimal", "boolean", "date", "instant")
FOLDS = ("earlier", "later")
GAPS = ("forward",)
_INTEGER = re.compile(r"[+-]?[0-9]{1,17}\Z")
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,30})(\.[0-9]{1,30})?\Z")
_BOUND = 2**53 - 1
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


class ValueRefused(Exception):
    """A value that cannot be what the mapping says it is."""

    def __init__(self, code: str, reason: Text, fix: Text = NOTHING) -> None:
        self.code, self.reason = code, reason
        self.fix = fix or (reason.fix if isinstance(reason, Sentence) else NOTHING)
        super().__init__(f"{code}: {reason}")


def text(value: Any) -> str:
    """Any single value as the text a person would read in the cell."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Formula):
        raise ValueRefused("cell_formula", say("cell_formula.cell_holds_formula"))
    if isinstance(value, CellError):
        raise ValueRefused("cell_error", say("cell_error.cell_shows", text=value.text))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise ValueRefused("value_not_single", say("value_not_single.list_or_object_stands_where"))


def integer(value: Any) -> int:
    found = text(value).strip()
    if not _INTEGER.match(found) or abs(number := int(found)) > _BOUND:
        raise ValueRefused("not_an_integer", say("not_an_integer.this_is_not_whole_number"))
    return number


def decimal(value: Any) -> str:
    """A decimal string as written, without a plus sign: trailing zeros say how exactly it was measured."""
    found = _DECIMAL.match(text(value).strip())
    if not found:
        raise ValueRefused("not_a_decimal", say("not_a_decimal.this_is_not_decimal_number"))
    sign, whole, part = found.groups("")
    return f"{'-' if sign == '-' else ''}{whole.lstrip('0') or '0'}{part}"


def boolean(value: Any) -> bool:
    found = text(value).strip().lower()
    if found in _TRUE:
        return True
    if found in _FALSE:
        return False
    raise ValueRefused("not_a_boolean", say("not_a_boolean.this_is_neither_true_nor"))


def day(pattern: str) -> Converter:
    """A converter to a calendar day as ISO text. `pattern` as of strptime; empty means ISO 8601."""

    def convert(value: Any) -> str:
        if isinstance(value, datetime):
            return value.date().isoformat()
        if isinstance(value, date):
            return value.isoformat()
        found = text(value).strip()
        try:
            if not pattern:
                return date.fromisoformat(found).isoformat()
            return datetime.strptime(found, pattern).date().isoformat()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            raise ValueRefused(
                "not_a_date", say("not_a_date.this_is_not_day_written", pattern=pattern or "YYYY-MM-DD")
            ) from None

    return convert


def instant(pattern: str, zone: str, fold: str = "", gap: str = "") -> Converter:
    """A converter to an instant in UTC. A value without a zone of its own is local time in `zone` (IANA name).

    `fold`: which of two instants a time means that the clocks passed twice: `earlier` or `later`; empty refuses it
    (time_ambiguous). `gap`: `forward` reads a time that the clocks skipped with the offset before the change; empty
    refuses it (time_does_not_exist).
    """
    here = ZoneInfo(zone) if zone else None

    def convert(value: Any) -> datetime:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            raise ValueRefused("not_an_instant", say("not_an_instant.this_is_day_without_time"))
        else:
            try:
                moment = _parsed(text(value).strip(), pattern)
            except ValueError:
                shape = pattern or "2026-11-22T09:30:00-05:00"
                raise ValueRefused(
                    "not_an_instant", say("not_an_instant.this_is_not_time_written", shape=shape)
                ) from None
        try:
            return _local(moment, here, fold, gap).astimezone(UTC)
        except OverflowError:
            raise ValueRefused("not_an_instant", say("not_an_instant.this_time_is_out_of")) from None

    return convert


@lru_cache(maxsize=1024)  # one column often fills two fields
def _parsed(found: str, pattern: str) -> datetime:
    """A time as written, with its zone where it says one."""
    return datetime.strptime(found, pattern) if pattern else datetime.fromisoformat(found)  # noqa: DTZ007


def instant_text(convert: Converter) -> Converter:
    """The same instant as the text that a record holds (RFC 3339, UTC, microseconds)."""
    return lambda value: show_instant(convert(value))


def _local(moment: datetime, zone: ZoneInfo | None, fold: str, gap: str) -> datetime:
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise ValueRefused("zone_missing", say("zone_missing.time_says_no_zone"))
    first = moment.replace(tzinfo=zone, fold=0)
    before, after = first.utcoffset(), first.replace(fold=1).utcoffset()
    if before == after:
        return first
    # with the two offsets apart the time stands at a change of clocks: twice when they go back, never when forward
    twice = (before or timedelta()) > (after or timedelta())
    if twice and not fold:
        raise ValueRefused("time_ambiguous", say("time_ambiguous.clocks_of_passed_this_time", key=zone.key))
    if not twice and not gap:
        raise ValueRefused("time_does_not_exist", say("time_does_not_exist.clocks_of_skipped_this_time", key=zone.key))
    return first.replace(fold=1) if twice and fold == "later" else first
