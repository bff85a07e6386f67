"""The only place that asks the time. Everything else is handed an instant, so that a test or a replay can set it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_fixed: datetime | None = None


def now() -> datetime:
    """The present instant, aware, in UTC, cut to microseconds (what PostgreSQL keeps)."""
    return _fixed if _fixed is not None else datetime.now(UTC)


def today(zone: str) -> date:
    """The present calendar day in an agency's zone (IANA name): legal days count there, not in UTC."""
    return now().astimezone(ZoneInfo(zone)).date()


def monotonic() -> float:
    """Seconds on a clock that never goes back, for measuring durations only."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Sleep; here because only this module touches time."""
    time.sleep(seconds)


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
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError("the instant needs a zone, as in 2026-11-22T09:30:00-05:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the instant lies outside the years 1 to 9999 of UTC") from None


def show_instant(value: datetime) -> str:
    """RFC 3339 in UTC, four digits of year, microseconds: one spelling for one instant, because it is hashed."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
