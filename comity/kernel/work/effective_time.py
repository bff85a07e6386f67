"""When an act happened: as it is told, or as the field of the type says that dates its entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from comity.errors import Fault
from comity.kernel.law.due import read_when
from comity.kernel.types.catalogue import Type
from comity.kernel.work.node import Work

AHEAD = timedelta(minutes=5)
_DAY = timedelta(days=1)


def occurred_at(
    work: Work, of: Type, fields: Mapping[str, Any], given: datetime | None
) -> tuple[datetime | None, list[Fault]]:
    """When the act happened: by the type's effective field where given, a day at its start in the agency's zone.

    Both may be told where they say the same: the same instant, or an instant of that day. None: now.
    """
    name = of.effective_field
    told = read_when(fields.get(name)) if name else None
    if told is None or (isinstance(told, datetime) and told.tzinfo is None):
        return given, [_ahead("occurred_at")] if given is not None and given > work.now + AHEAD else []
    path, zone = f"fields.{name}", ZoneInfo(work.catalogue.definition.zone)
    try:
        if given is not None and not _same(told, given, zone):
            said = f"{name} says when it happened, and occurred_at says another time"
            return given, [Fault("occurred_at_differs", "occurred_at", said, "leave occurred_at out")]
        if is_ahead(told, work.now, zone):
            return given, [_ahead(path)]
        if given is not None:
            return given, [_ahead("occurred_at")] if given > work.now + AHEAD else []
        begun = (told if isinstance(told, datetime) else datetime.combine(told, time(), zone)).astimezone(zone)
        return begun if begun <= work.now else None, []
    except OverflowError:
        return None, [Fault("format", path, "it lies outside the years 1 to 9999", "correct it")]


def is_ahead(told: date | datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a moment is yet to come: an instant beyond what clocks differ by, a day later than tomorrow."""
    if isinstance(told, datetime):
        return told > now + AHEAD
    return datetime.combine(told, time(), zone) - now >= _DAY


def _same(told: date | datetime, given: datetime, zone: ZoneInfo) -> bool:
    return given == told if isinstance(told, datetime) else given.astimezone(zone).date() == told


def _ahead(path: str) -> Fault:
    return Fault("occurred_in_future", path, "an act is entered when it has happened", "correct the time")
