"""Court calendars as data: which days are no working day, in which zone, and when a clerk's office closes.

    rule: us-federal.calendar
    calendars:
      us: { title: .., zone: America/New_York, weekend: [saturday, sunday], holidays: [{name: .., month: 1, day: 1}] }
      cacd: { extends: us, zone: America/Los_Angeles, holidays: [{name: .., month: 3, day: 31, forward_only: true}] }

A holiday is a fixed day (`month`, `day`), a weekday of a month (`month`, `weekday`, `nth`, -1 = last), or one `on`.
`forward_only`: it counts only for periods measured after an event (a State's holiday, FRCrP 45(a)(6)(C)).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from comity.kernel.types.definition import Faults, Form, Node, is_flag, is_map, is_names, is_text, nearest
from comity.kernel.types.part import Part
from comity.sentences import NOTHING, Text, Worded, say

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = timedelta(days=1)
_WEEKDAY = (
    "weekday.monday", "weekday.tuesday", "weekday.wednesday", "weekday.thursday", "weekday.friday", "weekday.saturday",
    "weekday.sunday",
)  # fmt: skip
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")


@dataclass(frozen=True, slots=True)
class Holiday:
    """`since` and `until` bound the days on which it is one; None is open."""

    name: Worded
    on: date | None = None
    month: int = 0
    day: int = 0
    weekday: int | None = None
    nth: int = 0
    since: date | None = None
    until: date | None = None
    forward_only: bool = False

    def falls(self, year: int) -> date | None:
        """The day of this year on which it falls, before it is moved; None when it has none."""
        if self.on is not None:
            found: date | None = self.on if self.on.year == year else None
        elif self.weekday is not None:
            found = nth_weekday(year, self.month, self.weekday, self.nth)
        else:
            found = date(year, self.month, self.day) if self.day <= monthrange(year, self.month)[1] else None
        if found is None or (self.since and found < self.since) or (self.until and found > self.until):
            return None
        return found


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    """The nth such weekday of a month; -1 is the last. None when the month has no nth."""
    length = monthrange(year, month)[1]
    if nth > 0:
        day = 1 + (weekday - date(year, month, 1).weekday()) % 7 + 7 * (nth - 1)
        return date(year, month, day) if day <= length else None
    last = date(year, month, length)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """`moves` says where a holiday on a weekend day is kept too, as weekday -> days to add (sunday: 1, saturday: -1).

    Outside `covers` nothing is known, and whoever counts must say so. `closes`: when the office closes, local time.
    """

    name: str
    title: Worded
    zone: str
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: tuple[Holiday, ...] = ()
    moves: Mapping[int, int] = field(default_factory=dict)
    closes: time | None = None
    covers: tuple[date | None, date | None] = (None, None)
    memo: dict[tuple[int, bool], dict[date, Text]] = field(default_factory=dict, repr=False)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def known(self, day: date) -> bool:
        """Whether the calendar says anything about this day."""
        first, last = self.covers
        return not ((first and day < first) or (last and day > last))

    def off(self, day: date, *, backward: bool = False) -> Text:
        """Why the day is no working day: the holiday's or the weekend day's name; empty when it is one."""
        held = self._year(day.year, backward).get(day)
        if held:
            return held
        return say(_WEEKDAY[day.weekday()]) if day.weekday() in self.weekend else NOTHING

    def _year(self, year: int, backward: bool) -> dict[date, Text]:
        known = self.memo.get((year, backward))
        if known is None:
            known = {}
            for near in (year - 1, year, year + 1):  # New Year's Day on a Saturday may be kept in the year before
                for one in self.holidays:
                    day = one.falls(near)
                    if day is None or (backward and one.forward_only):
                        continue
                    known.setdefault(day, one.name)
                    move = self.moves.get(day.weekday())
                    if move and one.on is None:
                        known.setdefault(day + timedelta(days=move), say("clock.observed", holiday=one.name))
            self.memo[year, backward] = known
        return known


HOLIDAY_KEYS = {
    "name": is_text, "on": is_text, "month": lambda v: isinstance(v, int) and 1 <= v <= 12,
    "day": lambda v: isinstance(v, int) and 1 <= v <= 31, "weekday": lambda v: v in WEEKDAYS,
    "nth": lambda v: v in (-1, 1, 2, 3, 4, 5), "since": is_text, "until": is_text, "forward_only": is_flag,
    "note": is_text,
}  # fmt: skip
CALENDAR_KEYS = {
    "title": is_text, "extends": is_text, "zone": is_text, "weekend": is_names,
    "holidays": lambda v: isinstance(v, list), "moves": is_map, "closes": is_text, "covers": is_map, "note": is_text,
    "citation": is_text, "verified": is_text,
}  # fmt: skip


def read_calendars(node: Node, faults: Faults, *, base: Mapping[str, Calendar] | None = None) -> dict[str, Calendar]:
    """The calendars of one rule file; each may extend one written above it, or one of `base`."""
    found: dict[str, Calendar] = dict(base or {})
    written = node.get("calendars")
    mine: dict[str, Calendar] = {}
    for name, one in written.items() if written else ():
        made = _calendar(name, one, found, faults)
        if made is not None:
            found[name] = mine[name] = made
    return mine


def _calendar(name: str, node: Node, known: Mapping[str, Calendar], faults: Faults) -> Calendar | None:
    form = Form(node, faults, Part("calendar", name), CALENDAR_KEYS)
    parent = form.text("extends")
    if parent and parent not in known:
        faults.add(
            "calendar_unknown",
            form.at("extends"),
            say("calendar_unknown.there_is_no_calendar", parent=parent),
            nearest(parent, known),
        )
        return None
    old = known.get(parent) or Calendar(name, Worded(name), "UTC")
    zone = form.text("zone", old.zone)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        faults.add("zone_unknown", form.at("zone"), say("zone_unknown.calendar_has_no_such_zone", zone=zone))
        zone = "UTC"
    weekend = old.weekend
    if "weekend" in form:
        weekend = frozenset(WEEKDAYS.index(one) for one in form.names("weekend") if one in WEEKDAYS)
    rows = form.get("holidays")
    own = [_holiday(one, faults) for one in (rows.value if rows is not None and rows.is_list else ())]
    covers = old.covers
    if "covers" in form:
        said = form.plain("covers")
        covers = (
            read_day(said.get("from"), form, "covers", faults),
            read_day(said.get("until"), form, "covers", faults),
        )
    closes = old.closes
    if "closes" in form:
        text = form.text("closes")
        if not _CLOCK.match(text):
            faults.add("wrong_kind", form.at("closes"), say("wrong_kind.closes_of", text=text, name=name))
        else:
            closes = time.fromisoformat(text)
    return replace(
        old, name=name, title=form.titled(name), zone=zone, weekend=weekend, closes=closes, covers=covers,
        holidays=(*old.holidays, *(one for one in own if one is not None)), memo={},
        moves=_moves(form, faults) if "moves" in form else old.moves,
    )  # fmt: skip


def _moves(form: Form, faults: Faults) -> dict[int, int]:
    out: dict[int, int] = {}
    for day, to in form.plain("moves").items():
        if day not in WEEKDAYS or to not in WEEKDAYS:
            faults.add("wrong_kind", form.at("moves"), say("wrong_kind.moves", day=day, to=to))
            continue
        apart = (WEEKDAYS.index(to) - WEEKDAYS.index(day)) % 7
        out[WEEKDAYS.index(day)] = apart if apart <= 3 else apart - 7
    return out


def _holiday(node: Node, faults: Faults) -> Holiday | None:
    form = Form(node, faults, Part("holiday"), HOLIDAY_KEYS)
    on = read_day(form.plain("on"), form, "on", faults)
    weekday = form.text("weekday")
    whole = on is not None or ("month" in form and ("day" in form or (weekday and "nth" in form)))
    if not whole or "name" not in form:
        fix = say("wrong_kind.name_and_one_of_on.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.holiday_does_not_say_when"), fix)
        return None
    return Holiday(
        name=Worded(form.text("name"), form.labels), on=on, month=form.plain("month", 0), day=form.plain("day", 0),
        weekday=WEEKDAYS.index(weekday) if weekday else None, nth=form.plain("nth", 0),
        since=read_day(form.plain("since"), form, "since", faults),
        until=read_day(form.plain("until"), form, "until", faults), forward_only=form.plain("forward_only", False),
    )  # fmt: skip


def read_day(value: Any, form: Form, key: str, faults: Faults) -> date | None:
    """An ISO day, or None when none is written; a fault when it is no day."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        faults.add("wrong_kind", form.at(key), say("wrong_kind.is_no_day", day=value))
        return None
