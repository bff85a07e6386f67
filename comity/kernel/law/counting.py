"""How a law counts time: one named rule for each way, never a bare "+ n days". Pure: dates, a calendar, excluded days.

Each `Counting` says whether the first day counts, whether days off are skipped, and what becomes of a last day that is
no working day. `FRCrP`, `FRCP`, `FRAP` are the federal rules; the sources stand in the sentence of each, with its mark.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from comity.kernel.law.calendars import DAY, Calendar
from comity.sentences import NOTHING, Text, joined, say

Roll = Literal["next", "previous", "none", "undecided"]
FARTHEST = 200 * 366


@dataclass(frozen=True, slots=True)
class Counting:
    """`key` is the sentence that says how, with its source; `unit` is what is counted. `first`: the day of the event is
    day 1. `skip`: only working days count. `roll`: where a last day (or hour) that is no working one goes; `undecided`:
    no rule says, so a person must. `back`: counted backward from the event."""

    name: str
    key: str
    verified: str
    unit: Literal["day", "hour"] = "day"
    first: bool = False
    skip: bool = False
    roll: Roll = "none"
    back: bool = False

    @property
    def cited(self) -> Text:
        return say("clock.cited", citation=say(self.key), verified=self.verified)


RULES: dict[str, Counting] = {
    one.name: one
    for one in (
        Counting("us.days", "counting.us_days", "read", roll="next"),
        Counting("us.hours", "counting.us_hours", "read", unit="hour", roll="next"),
        Counting("us.backward", "counting.us_backward", "read", roll="previous", back=True),
        Counting("us.skip", "counting.us_skip", "read", skip=True),
        Counting("us.never_roll", "counting.us_never_roll", "secondary", unit="hour"),
        Counting("us.agency", "counting.us_agency", "GK", roll="undecided"),
        Counting("us.agency_back", "counting.us_agency_back", "GK", roll="undecided", back=True),
        Counting("us.agency_hours", "counting.us_agency_hours", "GK", unit="hour"),
        Counting("in.days", "counting.in_days", "secondary"),
        Counting("in.closed", "counting.in_closed", "secondary", roll="next"),
        Counting("in.limitation", "counting.in_limitation", "read", roll="next"),
        Counting("in.remand", "counting.in_remand", "secondary", first=True),
        Counting("in.arrest_hours", "counting.in_arrest_hours", "read", unit="hour"),
        Counting("in.hours", "counting.in_hours", "GK", unit="hour"),
        Counting("in.back", "counting.in_back", "GK", back=True),
        Counting("ew.custody", "counting.ew_custody", "read", roll="previous"),
        Counting("plain", "counting.plain", "GK"),
        Counting("plain_hours", "counting.plain_hours", "GK", unit="hour"),
    )
}
INACCESSIBLE, SERVICE, LAST_MOMENT = "counting.inaccessible", "counting.service", "counting.last_moment"
"""What the rules of computing say of three more cases, as keys of the catalogue."""
ADDS_THREE = frozenset(("mail", "clerk", "other_agreed"))
ADDS_NONE = frozenset(("electronic", "hand", "court_system"))


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time. Only one unit is usual; `months` is calendar months, `years` twelve of them."""

    days: int = 0
    hours: int = 0
    months: int = 0

    def plus(self, other: Period) -> Period:
        return Period(self.days + other.days, self.hours + other.hours, self.months + other.months)

    def words(self) -> Text:
        """The length as it is said: 2 years and 1 month."""
        years, months = divmod(self.months, 12)
        held = [
            *((say("period.years", count=years),) if years else ()),
            *((say("period.months", count=months),) if months else ()),
            *((say("period.days", count=self.days),) if self.days else ()),
            *((say("period.hours", count=self.hours),) if self.hours else ()),
        ]
        return joined(held, "and") if held else say("period.days", count=0)


def add_months(day: date, months: int) -> date:
    """The day of the same number `months` later (or earlier); the month's last day when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Counted:
    """The last day of a period. `plain` is where it ended before it was moved; `moved` names the days passed over.
    `open`: it ends on a day off and no rule says whether it moves."""

    last: date
    plain: date
    moved: tuple[tuple[date, Text], ...] = ()
    open: Text = NOTHING


def last_day(
    rule: Counting, start: date, period: Period, calendar: Calendar, excluded: Collection[date] = frozenset()
) -> Counted:
    """The last day of `period` from the event's day `start`. Excluded days do not count, however often they are named.

    An excluded last day is never the end: the next counted day is. Periods of months first go to the day of the same
    number, then on by one counted day for each excluded day within.
    """
    if rule.back:
        plain = add_months(start, -period.months) - timedelta(days=period.days)
    elif rule.skip:
        plain = _count(start, period.days, lambda day: day not in excluded and not calendar.off(day), first=rule.first)
    elif period.months:
        plain = add_months(start, period.months) + timedelta(days=period.days - (1 if rule.first else 0))
        first = start if rule.first else start + DAY
        owed = sum(first <= day <= plain for day in excluded)
        plain = _count(plain, owed, lambda day: day not in excluded, first=False)
    else:
        plain = _count(start, period.days, lambda day: day not in excluded, first=rule.first)
    if rule.roll == "none":
        return Counted(plain, plain)
    back = rule.back or rule.roll == "previous"
    why = calendar.off(plain, backward=rule.back)
    if rule.roll == "undecided":
        return Counted(plain, plain, open=why)
    last, moved = _rolled(plain, calendar, -1 if back else 1, backward=rule.back, excluded=excluded)
    return Counted(last, plain, moved)


def _count(start: date, days: int, counts: Callable[[date], bool], *, first: bool) -> date:
    """The day on which the count of counted days reaches `days`; with none to count, the start."""
    day = start
    left = days - (1 if first and counts(day) else 0) if days else 0
    for _ in range(FARTHEST):
        if left <= 0:
            return day
        day += DAY
        left -= 1 if counts(day) else 0
    raise OverflowError("the period never ends")


def _rolled(
    day: date, calendar: Calendar, step: int, *, backward: bool, excluded: Collection[date] = frozenset()
) -> tuple[date, tuple[tuple[date, Text], ...]]:
    moved: list[tuple[date, Text]] = []
    while (off := calendar.off(day, backward=backward)) or day in excluded:
        if len(moved) == 400:
            break
        why = off or say("clock.day_excluded")
        moved.append((day, why))
        day += timedelta(days=step)
    return day, tuple(moved)


def accessible(day: date, calendar: Calendar, closed: Collection[date]) -> tuple[date, tuple[tuple[date, Text], ...]]:
    """us.inaccessible: the first accessible day that is no Saturday, Sunday or legal holiday, when `day` is not."""
    moved: list[tuple[date, Text]] = []
    while (day in closed or (moved and calendar.off(day))) and len(moved) < 400:
        moved.append((day, say("clock.office_inaccessible") if day in closed else calendar.off(day)))
        day += DAY
    return day, tuple(moved)


def served(counted: Counted, calendar: Calendar, days: int = 3) -> Counted:
    """us.service: the days added after the period would otherwise expire, then moved to a working day.

    The period is taken to expire on its day as moved (us.days), so the three days run from there.
    """
    plain = counted.last + timedelta(days=days)
    last, moved = _rolled(plain, calendar, 1, backward=False)
    return Counted(last, plain, moved)


@dataclass(frozen=True, slots=True)
class CountedHours:
    last: datetime
    plain: datetime
    moved: tuple[tuple[date, Text], ...] = ()


def last_hour(
    rule: Counting, start: datetime, period: Period, calendar: Calendar,
    excluded: Sequence[tuple[datetime, datetime]] = (),
) -> CountedHours:  # fmt: skip
    """The end of a period of hours: elapsed hours, so a change of the clocks neither adds nor takes one.

    `excluded` are intervals that do not count (a journey); overlapping ones count once. Ending on a day off, with roll
    `next`, it goes to the same local hour of the next working day.
    """
    end = start.astimezone(UTC) + timedelta(hours=period.hours, days=period.days)
    for begins, ends in merged(excluded):
        begins, ends = max(begins.astimezone(UTC), start.astimezone(UTC)), ends.astimezone(UTC)
        if begins < end and ends > begins:
            end += ends - begins
    local = end.astimezone(calendar.tz)
    if rule.roll != "next":
        return CountedHours(local, local)
    day, moved = _rolled(local.date(), calendar, 1, backward=False)
    if not moved:
        return CountedHours(local, local)
    return CountedHours(datetime.combine(day, local.timetz().replace(tzinfo=None), calendar.tz), local, moved)


def merged(spells: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The union of intervals, in order, overlapping and touching ones joined."""
    out: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(spells):
        if out and begins <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], ends))
        elif ends > begins:
            out.append((begins, ends))
    return out


def days_of(spells: Iterable[tuple[date, date]]) -> frozenset[date]:
    """The days of closed intervals [first, last]: a set, so that a day in several counts once."""
    return frozenset(first + timedelta(days=step) for first, last in spells for step in range((last - first).days + 1))


def end_of(day: date, calendar: Calendar) -> datetime:
    """The instant at which the day is over in the calendar's zone: midnight, the first moment of the next day."""
    return datetime.combine(day + DAY, time(), calendar.tz)


def closing(day: date, calendar: Calendar) -> datetime | None:
    """The clerk's closing hour of the day; None when the calendar does not say it."""
    return datetime.combine(day, calendar.closes, calendar.tz) if calendar.closes else None
