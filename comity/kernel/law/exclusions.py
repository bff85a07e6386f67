"""What does not count and what lengthens a period: intervals with their own ends and proof, orders of extension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from comity.clock import read_when
from comity.kernel.law import counting
from comity.kernel.law.calendars import DAY
from comity.kernel.law.clock_question import ClockQuestion
from comity.kernel.law.clock_rules import Exclusion, Extension, Version
from comity.kernel.law.counting import Period
from comity.kernel.law.due import Event, Undecided
from comity.sentences import Text, say


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
                    said = say("clock.interval_open", code=rule.code, title=rule.title, day=of.day(event.at))
                    of.note("open" if version.kind == "measure" else "paused", said, citation=_cited(rule))
                begins = of.instant(event.at)
                yield rule, begins, max(begins, of.instant(ends) if ends is not None else of.at)


def _cited(rule: Exclusion) -> Text:
    return say("clock.cited", citation=rule.citation, verified=rule.verified)


def _granted(of: ClockQuestion, version: Version, rule: Exclusion, event: Event) -> bool:
    """Whether the proof that the interval needs is there. Not known, it does not count and a person is told."""
    try:
        if of.holds(version, rule.requires, event):
            return True
        said = say("clock.interval_not_met", code=rule.code, title=rule.title)
        of.note("not excluded", said, citation=_cited(rule))
    except Undecided as undecided:
        why = undecided.decision.message
        said = say("exclusion_undecided.not_excluded", code=rule.code, title=rule.title, day=of.day(event.at), why=why)
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
            said = say("clock.interval", code=rule.code, title=rule.title, first=first, last=last)
            of.note("excluded", said, days=(last - first).days + 1, day=last, citation=_cited(rule))
    found = counting.days_of(held)
    twice = sum((last - first).days + 1 for first, last in held) - len(found)
    if twice:
        said = say("clock.counted_once", days=Period(days=twice).words())
        of.note("union", said, days=len(found))
    return found


def _limited(of: ClockQuestion, rule: Exclusion, first: date, last: date) -> date:
    if rule.at_most is None:
        return last
    limit = counting.add_months(first, rule.at_most.months) + timedelta(days=rule.at_most.days) - DAY
    if last <= limit:
        return last
    if rule.over == "decide":
        rest = rule.note or say("exclusion_over_limit.not_settled")
        said = say("exclusion_over_limit.ran_past", code=rule.code, title=rule.title, limit=limit, rest=rest)
        of.decide("exclusion_over_limit", said)
    said = say("clock.interval_at_most", code=rule.code, period=rule.at_most.words(), day=limit)
    of.note("limit", said, day=limit, citation=_cited(rule))
    return limit


def further(
    of: ClockQuestion, version: Version, rule: Extension, event: Event, period: Period, by: datetime
) -> tuple[Period, date | datetime | None] | None:
    """What one order of extension makes of a period that ends `by`: a longer period, or the day it names; None when it
    has no effect."""
    name = of.book.word(event.name)
    if rule.requires and not of.holds(version, rule.requires, event):
        of.note("no extension", say("clock.extension_not_met", name=name), citation=rule.citation)
        return None
    if rule.in_time and of.instant(event.at) >= by:
        said = say("extension_after_expiry.came_after", name=name, day=of.day(event.at))
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
            said = say("fact_missing.no_number_of_days", name=name, field=of.book.word(rule.field))
            raise Undecided("fact_missing", said)
        added = Period(days=days)
    if rule.at_most is not None and added.days > rule.at_most.days:
        most = rule.at_most.words()
        of.decide("extension_over_limit", say("extension_over_limit.gives", name=name, added=added.words(), most=most))
        added = rule.at_most
    said = say("clock.extended", name=name, period=added.words())
    of.note("extended", said, days=added.days or None, citation=rule.citation)
    return period.plus(added), None


def _stated(of: ClockQuestion, rule: Extension, event: Event) -> date | datetime:
    """The day that an order of extension names, at most as far from the start as the law allows."""
    name = of.book.word(event.name)
    day = read_when(event.fields.get(rule.until))
    if day is None:
        said = say("fact_missing.names_no_day", name=name, field=of.book.word(rule.until))
        raise Undecided("fact_missing", said)
    if rule.at_most is not None and of.begun is not None:
        most = counting.add_months(of.day(of.begun), rule.at_most.months) + timedelta(days=rule.at_most.days)
        if of.day(day) > most:
            said = say("extension_over_limit.is_past", name=name, day=of.day(day), most=most)
            of.decide("extension_over_limit", said)
            day = most
    of.note("extended", say("clock.extended_to", name=name, day=day), day=day, citation=rule.citation)
    return day
