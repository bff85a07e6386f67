"""One question put to one clock: the events that count, the facts they tell, the calendar, and the working so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from comity.kernel.law.calendars import Calendar
from comity.kernel.law.clock_rules import Book, ClockRule, Version
from comity.kernel.law.due import Decision, Event, Step, Undecided, instant_of, shown
from comity.kernel.types.expression import Guard, GuardError, compile_guard, evaluate
from comity.sentences import Text, Worded, say


@lru_cache(maxsize=2048)
def compiled(text: str, source: str) -> Guard:
    """A condition ready to be asked: rules are few and are asked often."""
    return compile_guard(text, source)


NO_CALENDAR = Calendar("utc", Worded("No calendar"), "UTC", weekend=frozenset())


class ClockQuestion:
    """What a reckoning knows. `begun` and `origin` are when the clock began and by which event, `after` on which record
    the clock ran whose end began it; see reckon."""

    def __init__(
        self, book: Book, rule: ClockRule, events: Sequence[Event], at: datetime, settings: Mapping[str, Any]
    ) -> None:
        self.book, self.rule, self.at, self.settings = book, rule, at, settings
        self.facts: dict[str, Any] = {}
        for one in events:
            self.facts.update(one.fields)
        court = self.facts.get("court")
        named = court if court in book.calendars else rule.calendar or book.default_calendar
        self.calendar = book.calendars.get(str(named), NO_CALENDAR)
        self.today = self.day(at)
        self.events = [one for one in events if one.known is not None or self.day(one.at) <= self.today]
        self.steps: list[Step] = []
        self.decisions: list[Decision] = []
        self.begun: date | datetime | None = None
        self.origin: Event | None = None
        self.after = ""

    def day(self, value: date | datetime) -> date:
        """The calendar day in the zone of the court: legal days count there."""
        return value.astimezone(self.calendar.tz).date() if isinstance(value, datetime) else value

    def instant(self, value: date | datetime) -> datetime:
        return instant_of(value, self.calendar)

    def come(self, event: Event) -> bool:
        """Whether it has happened by now: a day fixed for the future is known, and has not come."""
        return self.instant(event.at) <= self.at

    def note(
        self, rule: str, said: Text, *, days: int | None = None, day: date | datetime | None = None, citation: str = ""
    ) -> None:
        self.steps.append(Step(rule, said, days, day, citation))

    def decide(self, code: str, message: Text) -> None:
        one = Decision(code, message)
        if one not in self.decisions:
            self.decisions.append(one)

    def meets(self, text: str, event: Event, version: Version) -> bool:
        try:
            return not text or self.holds(version, text, event)
        except Undecided:
            self.origin = event
            raise

    def holds(self, version: Version, text: str, event: Event | None = None) -> bool:
        """A condition over what is known. What is not known cannot be assumed: Undecided, a person must decide."""
        record = dict(self.facts)
        for name, one in version.parameters.items():
            value = self.settings.get(name, one.value)
            if value is not None:
                record[name] = value
        given = {
            "record": record, "input": dict(event.fields) if event else {}, "today": self.today.isoformat(),
            "history": {one.name: {"at": shown(one.at), "day": self.day(one.at).isoformat()} for one in self.events},
        }  # fmt: skip
        try:
            return evaluate(compiled(text, self.rule.code), given)
        except GuardError as error:
            name = error.path.rpartition(".")[2]
            if name in version.parameters:
                said = say("parameter_undecided.not_chosen", note=version.parameters[name].note, name=name)
                raise Undecided("parameter_undecided", said) from None
            raise Undecided("fact_missing", say("fact_missing.answer_depends", name=self.book.word(name))) from None
