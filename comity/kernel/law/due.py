"""What happened, and what follows: events, the working of a clock, and its outcome. Plain and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from comity.kernel.law.calendars import Calendar
from comity.sentences import NOTHING, UNWORDED, Text, Worded


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `at` is a day or an aware instant; `known` when it was entered (None: at once)."""

    name: str
    at: date | datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    known: datetime | None = None
    record: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the working. `days` is how many the step counted, added or left out; `day` where it led."""

    rule: str
    said: Text
    days: int | None = None
    day: date | datetime | None = None
    citation: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "said": self.said,
            "days": self.days,
            "day": shown(self.day),
            "citation": self.citation,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person must decide, by a code that never changes. A normal outcome, not an error."""

    code: str
    message: Text

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Due:
    """One clock on one thing. `due` is a day, or an instant for hours; `by` the instant after which it is too late.

    `state`: running, stopped (by its event), expired, undecided (a person must decide before there is a day). `kept`:
    whether the law was kept, None while open. `record`: the one whose event started it; `settled`: the right that
    accrued at its end has come as far as it can.
    """

    rule: str
    title: Worded
    kind: str
    state: str
    due: date | datetime | None = None
    by: datetime | None = None
    stage: str = ""
    answer: Text = NOTHING
    started: date | datetime | None = None
    stopped: date | datetime | None = None
    kept: bool | None = None
    paused: bool = False
    working: tuple[Step, ...] = ()
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[tuple[date, Text], ...] = ()
    consequence: Worded = UNWORDED
    limit: Worded = UNWORDED
    citation: str = ""
    verified: str = ""
    law_from: date | None = None
    dated: str = ""
    each: str = ""
    owed_by: Worded = UNWORDED
    record: str = ""
    settled: bool = False

    @property
    def standing(self) -> str:
        """Where it stands for whoever has to act: what was stopped is done, in time or not; a term that ended without
        that has lapsed; a bar that is over leaves it permitted; what is no period is answered."""
        if self.stopped is not None or self.settled:
            return "done"
        if self.state == "expired":
            return {"deadline": "overdue", "term": "lapsed"}.get(self.kind, "permitted")
        return "answered" if self.state == "running" and self.due is None else self.state

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule, "title": self.title, "kind": self.kind, "state": self.state,
            "standing": self.standing, "due": shown(self.due),
            "by": shown(self.by), "stage": self.stage, "answer": self.answer, "started": shown(self.started),
            "stopped": shown(self.stopped), "kept": self.kept, "paused": self.paused,
            "working": [one.as_json() for one in self.working],
            "decisions": [one.as_json() for one in self.decisions],
            "warnings": [{"day": shown(day), "said": said} for day, said in self.warnings],
            "consequence": self.consequence, "limit": self.limit, "citation": self.citation,
            "verified": self.verified, "law_from": shown(self.law_from), "dated": self.dated, "each": self.each,
            "owed_by": self.owed_by, "record": self.record,
        }  # fmt: skip


def shown(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def instant_of(value: date | datetime, calendar: Calendar) -> datetime:
    """The instant of an event; a bare day is its first moment in the calendar's zone."""
    return value if isinstance(value, datetime) else datetime.combine(value, time(), calendar.tz)


class Undecided(Exception):
    """Raised within a reckoning where only a person can go on."""

    def __init__(self, code: str, message: Text) -> None:
        self.decision = Decision(code, message)
