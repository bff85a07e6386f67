"""What does not count and what lengthens a period: intervals with their own ends and proof, orders of extension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from comity.clock import read_when
from comity.kernel.law import counting
from comity.kernel.law.calendars import DAY
from comity.kernel.law.clock_question import ClockQuestion, worded
from comity.kernel.law.clock_rules import Exclusion, Extension, Version
from comity.kernel.law.counting import Period
from comity.kernel.law.due import Event, Undecided
from comity.names import counted


def spells(
    of: ClockQuestion, version: Version, names: Sequence[str] | None = None
) -> Iterator[tuple[Exclusion, datetime, datetime]]:
    """Each interval that applies, from its opening to its closing; one still open runs to the instant asked about."""
    for name in version.exclude if names is None else names:
        for rule in of.book.exclusions[name]:
            for event in of.events:
                if event.name not in rule.opens or not of.come(event):
                    continue
                if rule.requires and not _granted(of, version, rule, event):
                    continue
                ends = read_when(event.fields.get(rule.until)) if rule.until else None
                ends = ends or _closing(of, rule, event)
                if ends is None:
                    said = f"{rule.code} {rule.title}: open since {of.day(event.at)}"
                    of.note("open" if version.kind == "measure" else "paused", said, citation=_cited(rule))
                begins = of.instant(event.at)
                yield rule, begins, max(begins, of.instant(ends) if ends is not None else of.at)


def _cited(rule: Exclusion) -> str:
    return f"{rule.citation} ({rule.verified})"


def _granted(of: ClockQuestion, version: Version, rule: Exclusion, event: Event) -> bool:
    """Whether the proof that the interval needs is there. Not known, it does not count and a person is told."""
    try:
        if of.holds(version, rule.requires, event):
            return True
        of.note("not excluded", f"{rule.code} {rule.title}: its condition is not met", citation=_cited(rule))
    except Undecided as undecided:
        said = f"{rule.code} {rule.title} from {of.day(event.at)}: {undecided.decision.message}; not excluded"
        of.decide("exclusion_undecided", said)
    return False


def _closing(of: ClockQuestion, rule: Exclusion, event: Event) -> date | datetime | None:
    key = event.fields.get(rule.key) if rule.key else None
    for one in of.events:
        if one.name not in rule.closes or not of.come(one) or (key is not None and one.fields.get(rule.key) != key):
            continue
        exact = isinstance(one.at, datetime) and isinstance(event.at, datetime)
        if (exact and of.instant(one.at) >= of.instant(event.at)) or (not exact and of.day(one.at) >= of.day(event.at)):
            return one.at
    return None


def excluded_days(of: ClockQuestion, version: Version) -> frozenset[date]:
    """The days that do not count: the union over all intervals, so that overlapping ones count once."""
    held: list[tuple[date, date]] = []
    for rule, begins, ends in spells(of, version):
        first, last = of.day(begins), of.day(ends)
        if rule.ends in ("last", "neither"):
            first += DAY
        if rule.ends in ("first", "neither"):
            last -= DAY
        last = _limited(of, rule, first, last)
        if first <= last:
            held.append((first, last))
            said = f"{rule.code} {rule.title}: {first} to {last}"
            of.note("excluded", said, days=(last - first).days + 1, day=last, citation=_cited(rule))
    found = counting.days_of(held)
    twice = sum((last - first).days + 1 for first, last in held) - len(found)
    if twice:
        said = f"{counted(twice, 'day')} in more than one interval, counted once"
        of.note("union", said, days=len(found))
    return found


def _limited(of: ClockQuestion, rule: Exclusion, first: date, last: date) -> date:
    if rule.at_most is None:
        return last
    limit = counting.add_months(first, rule.at_most.months) + timedelta(days=rule.at_most.days) - DAY
    if last <= limit:
        return last
    if rule.over == "decide":
        rest = rule.note or "whether the rest is excluded is not settled"
        of.decide("exclusion_over_limit", f"{rule.code} {rule.title} ran past {limit}: {rest}")
    of.note("limit", f"{rule.code}: at most {rule.at_most}, to {limit}", day=limit, citation=_cited(rule))
    return limit


def further(
    of: ClockQuestion, version: Version, rule: Extension, event: Event, period: Period, by: datetime
) -> tuple[Period, date | datetime | None] | None:
    """What one order of extension makes of a period that ends `by`: a longer period, or the day it names; None when it
    has no effect."""
    name = worded(event.name)
    if rule.requires and not of.holds(version, rule.requires, event):
        of.note("no extension", f"{name}: its condition is not met", citation=rule.citation)
        return None
    if rule.in_time and of.instant(event.at) >= by:
        said = f"{name} on {of.day(event.at)} came after the period had ended"
        of.note("too late", said, citation=rule.citation)
        if rule.late == "decide":
            of.decide("extension_after_expiry", said)
        return None
    if rule.until:
        return period, _stated(of, rule, event)
    added = rule.period or Period()
    if rule.field:
        days = event.fields.get(rule.field)
        if not isinstance(days, int) or isinstance(days, bool):
            raise Undecided("fact_missing", f"{name} says no number of days in {worded(rule.field)}")
        added = Period(days=days)
    if rule.at_most is not None and added.days > rule.at_most.days:
        of.decide("extension_over_limit", f"{name} gives {added}, the law allows {rule.at_most}")
        added = rule.at_most
    of.note("extended", f"{name}: {added} more", days=added.days or None, citation=rule.citation)
    return period.plus(added), None


def _stated(of: ClockQuestion, rule: Extension, event: Event) -> date | datetime:
    """The day that an order of extension names, at most as far from the start as the law allows."""
    name = worded(event.name)
    day = read_when(event.fields.get(rule.until))
    if day is None:
        raise Undecided("fact_missing", f"{name} names no day in {worded(rule.until)}")
    if rule.at_most is not None and of.begun is not None:
        most = counting.add_months(of.day(of.begun), rule.at_most.months) + timedelta(days=rule.at_most.days)
        if of.day(day) > most:
            of.decide("extension_over_limit", f"{name} to {of.day(day)} is past {most}, the most that the law allows")
            day = most
    of.note("extended", f"{name}: to {of.told(day)}", day=day, citation=rule.citation)
    return day
