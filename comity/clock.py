"""The only place that asks the time. Everything else is handed an instant, so that a test or a replay can set it."""

from __future__ import annotations

import re
import time as ticks
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from comity.sentences import Text, say

_fixed: datetime | None = None


def now() -> datetime:
    """The present instant, aware, in UTC, cut to microseconds (what PostgreSQL keeps)."""
    return _fixed if _fixed is not None else datetime.now(UTC)


def today(zone: str) -> date:
    """The present calendar day in an agency's zone (IANA name): legal days count there, not in UTC."""
    return now().astimezone(ZoneInfo(zone)).date()


def monotonic() -> float:
    """Seconds on a clock that never goes back, for measuring durations only."""
    return ticks.monotonic()


def pause(seconds: float) -> None:
    """Sleep; here because only this module touches time."""
    ticks.sleep(seconds)


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Hold the clock at an instant, for replays at a past date and for tests. Not for threads that share the clock."""
    global _fixed
    before, _fixed = _fixed, instant
    try:
        yield
    finally:
        _fixed = before


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant with its zone. Raises ValueError when the zone is missing: a bare time is ambiguous."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(say("clock.is_no_instant", text=text)) from None
    if value.tzinfo is None:
        raise ValueError(say("clock.instant_needs_zone"))
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(say("clock.instant_lies_outside")) from None


def days_of(fields: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """Of each field that is an instant as written in the records, the day (YYYY-MM-DD) that it is in a zone."""
    out = {}
    for name, value in fields.items():
        if isinstance(value, str) and value[10:11] == "T":
            with suppress(ValueError, OverflowError):
                out[name] = parse_instant(value).astimezone(zone).date().isoformat()
    return out


def parse_when(text: str) -> date | datetime:
    """A day such as 2026-11-22, or an instant with its zone. Raises ValueError for what is neither."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else parse_instant(text)
    except ValueError as error:
        if error.args and isinstance(error.args[0], Text):
            raise
        raise ValueError(say("clock.is_no_day_and_no_instant", text=text)) from None


def read_when(value: Any) -> date | datetime | None:
    """A day or an instant as a record holds it: ISO text, its letters large or small. None for what is neither."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value.upper())
    except ValueError:
        return None


def parse_days(text: str) -> int:
    """A number of days: 30d, 30, 2w or P30D, at most 9999. Raises ValueError."""
    found = re.fullmatch(r"[Pp]?(\d{1,4})([DdWw]?)", text, re.ASCII)
    if found is None:
        raise ValueError(say("clock.is_no_number_of_days", text=text))
    return int(found[1]) * (7 if found[2] in ("w", "W") else 1)


def end_of_day(day: date, zone: str) -> datetime:
    """The last instant of a calendar day in a zone. Raises OverflowError for the last day there is."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC) - timedelta(microseconds=1)


def show_instant(value: datetime) -> str:
    """RFC 3339 in UTC, four digits of year, microseconds: one spelling for one instant, because it is hashed."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
