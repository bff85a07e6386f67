"""Reckons one clock from what happened: when it is due, how that was counted, and what only a person can decide.

Pure: a rule, a list of events, the instant at which it is asked. Only what was known by then counts, under the version
of the law that then governed, so the same question about a past day has the same answer for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from comity.clock import read_when
from comity.kernel.law import counting
from comity.kernel.law.calendars import DAY
from comity.kernel.law.clock_question import NO_CALENDAR, ClockQuestion
from comity.kernel.law.clock_rules import Anchor, Book, Case, Version
from comity.kernel.law.clock_stages import stage as stage_of
from comity.kernel.law.counting import Counted, Counting, Period
from comity.kernel.law.due import Decision, Due, Event, Step, Undecided, instant_of
from comity.kernel.law.exclusions import excluded_days, further, spells
from comity.sentences import NOTHING, Text, joined, say

When = date | datetime


def calculate_all(
    book: Book, events: Sequence[Event], at: datetime, *, settings: Mapping[str, Any] | None = None
) -> list[Due]:
    """Every clock of the book that these events have started, the soonest first, those without a day last."""
    return soonest([due for code in book.rules for due in calculate(book, code, events, at, settings=settings)], at)


def soonest(dues: Iterable[Due], at: datetime) -> list[Due]:
    return sorted(dues, key=lambda one: (one.by is None, one.by or at, one.rule))


def calculate(
    book: Book,
    code: str,
    events: Sequence[Event],
    at: datetime,
    *,
    settings: Mapping[str, Any] | None = None,
    only: Collection[str] = (),
) -> list[Due]:
    """The dues of one clock, one for each value of the rule's `each` field; none when nothing has started it.

    `settings` chooses what the law leaves open, by parameter name, over the rule's own choice. `only` are the values of
    `each` that are asked for; all without it.
    """
    rule = book.rules[code]
    known = sorted((one for one in events if _known(one, at)), key=lambda one: instant_of(one.at, NO_CALENDAR))
    if not rule.each:
        made = _Calculation(book, rule, known, at, settings or {}).due()
        return [made] if made else []
    keys = dict.fromkeys(str(one.fields[rule.each]) for one in known if one.fields.get(rule.each) is not None)
    dues = []
    for key in [one for one in keys if not only or one in only]:
        mine = [one for one in known if one.fields.get(rule.each) is None or str(one.fields[rule.each]) == key]
        made = _Calculation(book, rule, mine, at, settings or {}).due()
        dues += [replace(made, each=key)] if made else []
    return dues


def _known(event: Event, at: datetime) -> bool:
    if event.known is not None:
        return event.known <= at
    return event.at <= at if isinstance(event.at, datetime) else event.at <= at.date() + DAY


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Where a calculation ends: the state, and what there is of the rest."""

    state: str
    due: When | None = None
    by: datetime | None = None
    kept: bool | None = None
    answer: Text = NOTHING
    stopped: Event | None = None
    stage: str = ""


class _Calculation(ClockQuestion):
    """One clock of one thing. Gathers its working as it goes; Undecided where a person must decide."""

    def due(self) -> Due | None:
        try:
            version = self.version()
        except Undecided as undecided:
            return self.undecided(self.rule.versions[0], undecided.decision)
        if version is None or self.begun is None:
            return None
        try:
            if version.applies and not self.holds(version, version.applies):
                return None
            return self.counted(version)
        except Undecided as undecided:
            return self.undecided(version, undecided.decision)

    # Which law, from when

    def version(self) -> Version | None:
        """The version that governs; the start by that version is kept in `begun`."""
        started = [(one, day) for one in self.rule.versions if (day := self.start(one)) is not None]
        if not started:
            return None
        now = next((one for one, _ in started if one.in_force(self.today)), None)
        then = next(((one, day) for one, day in started if one.in_force(self.day(day))), None)
        self.begun = then[1] if then else started[0][1]
        if self.rule.transition == "now":
            then = next(((one, day) for one, day in started if one is now), None)
        elif self.rule.transition == "decide" and then is not None and now is not None and then[0] is not now:
            raise Undecided("law_changed", say("law_changed.while_it_ran", day=now.from_ or ""))
        if then is None:
            day = self.today if self.rule.transition == "now" else self.day(self.begun)
            raise Undecided("law_not_known", say("law_not_known.in_force_on", day=day))
        self.begun = self.start(then[0])
        return then[0]

    def start(self, version: Version) -> When | None:
        found = self.anchor(version.start, version)
        for one in version.restart:
            first = self.origin
            again = self.anchor(replace(one, pick="last"), version)
            if again is not None and found is not None and self.instant(again) > self.instant(found):
                found = again
            else:
                self.origin = first
        return found

    def anchor(self, anchor: Anchor, version: Version) -> When | None:
        found: When | None = None
        if anchor.latest or anchor.earliest:
            parts = [(one, self.anchor(one, version), self.origin) for one in (*anchor.latest, *anchor.earliest)]
            if anchor.latest and any(day is None and not one.optional for one, day, _ in parts):
                return None
            there = [(day, origin) for _, day, origin in parts if day is not None]
            pick = max if anchor.latest else min
            if there:
                found, self.origin = pick(there, key=lambda one: self.instant(one[0]))
        elif anchor.due:
            dues = calculate(self.book, anchor.due, self.events, self.at, settings=self.settings)
            day = dues[0].due if dues and dues[0].state != "undecided" else None
            found = day if day is not None and self.instant(day) <= self.at else None
            self.after = dues[0].record if found is not None else ""
        else:
            held = [one for one in self.events if one.name in anchor.events and self.meets(anchor.when, one, version)]
            if held:
                self.origin = held[0] if anchor.pick == "first" else held[-1]
                found = read_when(self.origin.fields.get(anchor.field)) if anchor.field else self.origin.at
        if found is not None and anchor.plus is not None:
            if anchor.plus.hours and isinstance(found, datetime):
                return found + timedelta(hours=anchor.plus.hours)
            return counting.add_months(self.day(found), anchor.plus.months) + timedelta(days=anchor.plus.days)
        return found

    # Counting

    def counted(self, version: Version) -> Due | None:
        assert self.begun is not None
        what = self.book.word(self.origin.name) if self.origin else say("clock.begun")
        said = say("clock.happened", what=what, at=self.begun)
        self.note("start", said, day=self.begun, citation=version.citation)
        for one in version.decide:
            if not one.when or self.holds(version, one.when):
                if not one.still:
                    raise Undecided(one.code, one.message)
                self.decide(one.code, one.message)
        if version.kind == "measure":
            return self.measured(version)
        case = next((one for one in version.cases if not one.when or self.holds(version, one.when)), None)
        if case is None:
            return None
        if case.answer:
            self.note("answer", case.title or case.answer, citation=case.citation or version.citation)
            return self.made(version, _Outcome("running", answer=case.answer))
        if case.forthwith:
            return self.forthwith(version, case)
        return self.judged(version, *self.end(version, case))

    def end(self, version: Version, case: Case) -> tuple[When, datetime]:
        """The last day or hour, with every extension, and the instant at which it is over."""
        period, excluded, stated = Period(), frozenset[date](), False
        if case.until:
            fixed = read_when(self.facts.get(case.until))
            if fixed is None:
                raise Undecided("fact_missing", say("fact_missing.day_itself", name=self.book.word(case.until)))
            said = say("clock.stated", day=fixed)
            self.note("fixed", said, day=fixed, citation=case.citation or version.citation)
            due, by, stated = fixed, self.over(version, fixed), True
        else:
            period, excluded = self.period(case), excluded_days(self, version)
            due, by = self.run(version, case, period, excluded)
        used: dict[int, int] = {}
        for event in self.events:
            for place, rule in enumerate(version.extend):
                spent = bool(rule.times) and used.get(place, 0) >= rule.times
                if event.name not in rule.events or spent or not self.come(event):
                    continue
                longer = further(self, version, rule, event, period, by)
                if longer is None:
                    continue
                used[place] = used.get(place, 0) + 1
                period, day = longer
                if day is not None:
                    due, by, stated = day, self.over(version, day), True
                elif not stated:
                    due, by = self.run(version, case, period, excluded)
        return due, by

    def period(self, case: Case) -> Period:
        if not case.of:
            return case.period or Period()
        value = self.facts.get(case.of)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Undecided("fact_missing", say("fact_missing.period_is_part", name=self.book.word(case.of)))
        months, rest = divmod(round(value * 12) * case.part[0], case.part[1])
        if rest:
            self.decide("fraction_of_month", say("fraction_of_month.left_out", part=f"{rest}/{case.part[1]}"))
        part, length = f"{case.part[0]}/{case.part[1]}", Period(months=months)
        said = say("clock.part", part=part, years=value, period=length.words())
        self.note("part", said, citation=case.citation)
        return length

    def run(self, version: Version, case: Case, period: Period, excluded: frozenset[date]) -> tuple[When, datetime]:
        assert self.begun is not None
        rule, citation = counting.RULES[version.count], case.citation or version.citation
        if rule.unit == "hour":
            if not isinstance(self.begun, datetime):
                raise Undecided("hour_missing", say("hour_missing.law_counts_hours"))
            away = [(one, two) for _, one, two in spells(self, version)]
            hours = counting.last_hour(rule, self.begun, period, self.calendar, away)
            said = say("clock.counted", period=period.words(), start=self.begun, last=hours.plain)
            self.note(rule.name, said, day=hours.plain, citation=citation)
            self.moved(rule, hours.moved, hours.last)
            return hours.last, hours.last
        start = self.day(self.begun)
        counted = counting.last_day(rule, start, period, self.calendar, excluded)
        told = {"period": period.words(), "start": start, "last": counted.plain}
        said = say("clock.counted_back", **told) if rule.back else say("clock.counted", **told)
        said = said if period != Period() else say("clock.same_day", day=counted.plain)
        self.note(rule.name, said, days=period.days or None, day=counted.plain, citation=citation)
        self.moved(rule, counted.moved, counted.last)
        if counted.open:
            off = say("agency_rule_unknown.is_day_off", day=counted.plain, why=counted.open)
            self.decide("agency_rule_unknown", off)
        counted = self.after_count(version, rule, counted)
        if not self.calendar.known(counted.last) and (rule.roll != "none" or rule.skip):
            said = say("calendar_ends.does_not_reach", calendar=self.calendar.title, day=counted.last)
            raise Undecided("calendar_ends", said)
        return counted.last, self.over(version, counted.last)

    def moved(self, rule: Counting, moved: Sequence[tuple[date, Text]], to: When) -> None:
        if moved:
            days = joined([say("clock.day_off", day=day, why=why) for day, why in moved], "comma")
            said = say("clock.moved", days=days, day=to)
            self.note(rule.name, said, days=len(moved), day=to, citation=rule.cited)

    def after_count(self, version: Version, rule: Counting, counted: Counted) -> Counted:
        """us.service and us.inaccessible: what comes after the period itself has been counted."""
        how = self.facts.get("served_by")
        if version.service and how in counting.ADDS_THREE:
            counted = counting.served(counted, self.calendar)
            said = say("clock.served", how=how, day=counted.last)
            self.note("us.service", said, days=3, day=counted.last, citation=say(counting.SERVICE))
        elif version.service and how is not None and how not in counting.ADDS_NONE:
            self.decide("service_unknown", say("service_unknown.adds_days", how=how))
        closed = {self.day(one.at) for one in self.events if one.name == "clerk_inaccessible"}
        if rule.name == "us.days" and counted.last in closed:
            last, moved = counting.accessible(counted.last, self.calendar, closed)
            said = say("clock.inaccessible", day=last)
            self.note("us.inaccessible", said, days=len(moved), day=last, citation=say(counting.INACCESSIBLE))
            counted = replace(counted, last=last)
        return counted

    def over(self, version: Version, day: When) -> datetime:
        """The instant at which a last day is over: us.last_moment for filings, else the end of the day."""
        if isinstance(day, datetime):
            return day
        if version.filing and self.facts.get("filed_on_paper"):
            closes = counting.closing(day, self.calendar)
            if closes is not None:
                said = say("clock.on_paper", at=closes)
                self.note("us.last_moment", said, day=closes, citation=say(counting.LAST_MOMENT))
                return closes
            self.decide("closing_hour_unknown", say("closing_hour_unknown.on", day=day))
        return counting.end_of(day, self.calendar)

    # Outcome

    def measured(self, version: Version) -> Due:
        assert self.begun is not None
        until = self.stop(version)
        last = self.day(until.at) if until else self.today
        first = self.day(self.begun)
        held = [(self.day(one), self.day(two)) for _, one, two in spells(self, version, (version.measure,))]
        days = counting.days_of((max(one, first), min(two, last)) for one, two in held if one <= last and two >= first)
        total = Period(days=len(days)).words()
        said = say("clock.sum", days=total)
        self.note("sum", said, days=len(days), day=last, citation=version.citation)
        return self.made(version, _Outcome("stopped" if until else "running", answer=total, stopped=until))

    def forthwith(self, version: Version, case: Case) -> Due:
        """The law sets no number: how long is too long is for a person."""
        assert self.begun is not None
        stop = self.stop(version)
        ran = (self.day(stop.at if stop else self.today) - self.day(self.begun)).days
        how = case.title if case.title not in ("", self.rule.title) else say("clock.no_number")
        took = {"how": how, "days": Period(days=ran).words()}
        said = say("clock.it_took", **took) if stop else say("clock.so_far", **took)
        self.note("forthwith", said, days=ran, citation=case.citation or version.citation)
        self.decide("no_fixed_time", say("no_fixed_time.too_long"))
        return self.made(version, _Outcome("stopped" if stop else "undecided", stopped=stop))

    def judged(self, version: Version, due: When, by: datetime) -> Due:
        stop = self.stop(version)
        early = version.kind == "not_before"
        threshold = self.instant(due) if early else by
        state, kept = "running", None
        if version.kind == "term":
            ended = stop is not None and self.instant(stop.at) < by
            state = "stopped" if ended else "expired" if self.at >= by else "running"
        elif stop is not None:
            kept = self.instant(stop.at) >= threshold if early else self.instant(stop.at) < by
            state = "stopped" if kept or early else "expired"
        elif self.at >= threshold:
            state, kept = "expired", None if early else False
        stage = stage_of(self, version, stop, by) if version.first_stage else ""
        return self.made(version, _Outcome(state, due=due, by=by, kept=kept, stopped=stop, stage=stage))

    def stop(self, version: Version) -> Event | None:
        """The first stopping event that has come; for a period counted backward, one before the start counts too."""
        if self.begun is None:
            return None
        back = counting.RULES[version.count].back or version.early
        begun = self.instant(self.begun).replace(second=0, microsecond=0)
        for one in self.events:
            if one.name not in version.stop or one is self.origin or not self.come(one):
                continue
            exact = isinstance(one.at, datetime) and isinstance(self.begun, datetime)
            after = self.instant(one.at) >= begun if exact else self.day(one.at) >= self.day(self.begun)
            if back or after:
                return one
        return None

    def undecided(self, version: Version, decision: Decision) -> Due:
        self.decide(decision.code, decision.message)
        done = (one for one in self.events if one.name in version.stop and self.come(one))
        stop = self.stop(version) if self.begun is not None else next(done, None)
        self.note("person", say("clock.person_decides", message=decision.message))
        return self.made(version, _Outcome("stopped" if stop and version.kind != "term" else "undecided", stopped=stop))

    def made(self, version: Version, end: _Outcome) -> Due:
        stage = end.stage
        return Due(
            rule=self.rule.code, title=self.rule.title, kind=version.kind, state=end.state, due=end.due, by=end.by,
            stage=stage, answer=end.answer, started=self.begun, stopped=end.stopped.at if end.stopped else None,
            kept=end.kept,
            paused=any(one.rule == "paused" for one in self.steps), working=tuple(self.steps),
            decisions=tuple(self.decisions), warnings=self.warned(version), consequence=version.consequence,
            limit=version.limit, citation=version.citation, verified=version.verified, law_from=version.from_,
            dated=version.dated, owed_by=self.rule.owed_by,
            record=self.origin.record if self.origin else self.after,
            settled=bool(stage) and not any(stage in move.from_ for move in version.moves),
        )  # fmt: skip

    def warned(self, version: Version) -> tuple[tuple[date, Text], ...]:
        """Days on which another text or a cautious reader would already call it due."""
        if self.begun is None:
            return ()
        rule, start = counting.RULES[version.count], self.day(self.begun)
        found = []
        for one in version.warn:
            try:
                if one.period and (not one.when or self.holds(version, one.when)):
                    day = counting.last_day(rule, start, one.period, self.calendar).plain
                    found.append((day, say("clock.cited", citation=one.title, verified=one.citation)))
            except Undecided:
                continue
        return tuple(found)


__all__ = ["Event", "Step", "calculate", "calculate_all"]
