"""What an answer of the clocks says, in the words of the cases: last day, days used and excluded, state.

The words of the cases are the practitioners' (`clock_names.yml`: which clock of the product theirs is). How many days
are used and excluded by the day asked no answer of the product says in one number; they are counted off its working, as
a reader does: the intervals that it names, the day on which it began, the day asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from comity.kernel.duties.clocks import Dues
from comity.kernel.law import counting
from comity.kernel.law.due import Due

_NAMED = Path(__file__).parent / "clock_names.yml"
NAMES: Mapping[str, Sequence[str]] = yaml.safe_load(_NAMED.read_text("utf-8"))["clocks"]
DAY = timedelta(days=1)
UNTOLD = ("not_started", "none")
"""States in which no answer speaks of the clock."""


class Unread(Exception):
    """The clocks do not say what is right."""


@dataclass(frozen=True)
class Said:
    """The lines that an answer has on one clock; more than one where the product keeps it for each of several."""

    clock: str
    lines: Sequence[Mapping[str, Any]]

    def check(self, wanted: Mapping[str, Any]) -> None:
        """Raises Unread with the first that is said otherwise. `state` may be one of several that come to the same."""
        if not self.lines:
            if wanted.get("state") not in UNTOLD:
                raise Unread(f"no clock {self.clock} is shown")
            return
        for line in self.lines:
            for name, value in wanted.items():
                if (value not in line[name]) if name == "state" else (str(value) != str(line[name])):
                    shown = " or ".join(line[name]) if name == "state" else line[name]
                    raise Unread(f"{name} is {shown} and not {value}")


def said_of(answer: Dues, clock: str, of: Sequence[str], zone: ZoneInfo) -> Said:
    """The lines on a clock, of these records where it is kept for each."""
    if clock not in NAMES:
        raise Unread(f"clock_names.yml knows no clock {clock}")
    found = [one for one in answer.dues if one.rule in NAMES[clock] and (not of or one.each in ("", *of))]
    return Said(clock, [_line(one, answer.at.astimezone(zone), zone) for one in found])


def _line(one: Due, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    last = one.due.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if isinstance(one.due, datetime) else one.due
    used, excluded, still = _days(one, at.date(), zone)
    return {"due": last, "used_days": used, "excluded_days": excluded, "state": _states(one, still)}


def _days(one: Due, asked: date, zone: ZoneInfo) -> tuple[int | None, int | None, bool]:
    """Used, excluded, and whether the day asked is excluded. None where no days are counted."""
    if one.kind == "measure":
        return int(one.answer.split()[0]), None, False
    rule = next((counting.RULES[step.rule] for step in one.working if step.rule in counting.RULES), None)
    if rule is None or rule.unit != "day" or one.started is None:
        return None, None, False
    begun = _day(one.started, zone)
    first = begun if rule.first else begun + DAY
    last = min(asked, _day(one.stopped, zone)) if one.stopped is not None else asked
    away = counting.days_of(
        (step.day - DAY * (step.days - 1), step.day)
        for step in one.working
        if step.rule == "excluded" and isinstance(step.day, date) and step.days
    )
    excluded = sum(first <= day <= last for day in away)
    return (last - first).days + 1 - excluded, excluded, asked in away


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def _states(one: Due, still: bool) -> tuple[str, ...]:
    """The cases' words for where it stands. Where the law sets no number, that it runs and that a person decides how
    long is too long are the same."""
    if one.due is None and any(made.code == "no_fixed_time" for made in one.decisions):
        return "person_decides", "running"
    if one.state == "undecided":
        return ("person_decides",)
    if one.state == "stopped":
        return ("ended_in_time",)
    if one.state == "expired":
        over = one.stopped is not None and (not one.stage or one.settled)
        return ("ended_late",) if over else ("run_out",)
    return ("standing_still",) if still else ("running",)


__all__ = ["NAMES", "Said", "Unread", "said_of"]
