"""Where a right that accrues at the end of a period stands: each event moves it, in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from comity.kernel.law.clock_question import ClockQuestion
from comity.kernel.law.clock_rules import Version
from comity.kernel.law.due import Event
from comity.sentences import say


def stage(of: ClockQuestion, version: Version, stop: Event | None, by: datetime) -> str:
    """Where the right that accrues at the end of the period stands: each event moves it, in order."""
    if of.at < by or (stop is not None and of.instant(stop.at) < by):
        return ""
    here = version.first_stage
    after = sorted(
        (one for one in of.events if of.come(one) and of.instant(one.at) >= by), key=lambda one: _turn(of, one)
    )
    for one in (one for one in of.events if of.come(one) and of.instant(one.at) < by):
        if any(one.name in move.on and here in move.from_ for move in version.moves):
            of.decide("acted_early", say("acted_early.on", name=of.book.word(one.name), day=of.day(one.at)))
    _same_day(of, version, after)
    said = say("clock.stage_from", stage=of.book.word(here), day=of.day(by))
    of.note("stage", said, day=by, citation=version.citation)
    for one in after:
        move = next((m for m in version.moves if one.name in m.on and here in m.from_), None)
        if move is None:
            continue
        if move.decide is not None:
            of.decide(move.decide.code, move.decide.message)
        here = move.stage
        said = say("clock.stage_by", stage=of.book.word(here), name=of.book.word(one.name), at=one.at)
        of.note("stage", said, day=one.at)
    return here


def _turn(of: ClockQuestion, one: Event) -> tuple[datetime, datetime]:
    """Which of two events came first: people state the minute; within it, the one that was known first."""
    at = of.instant(one.at)
    return at.replace(second=0, microsecond=0), one.known or at


def _same_day(of: ClockQuestion, version: Version, after: Iterable[Event]) -> None:
    """Two acts of one day without their hours: which came first decides the right, so a person must."""
    names = {name for move in version.moves for name in move.on if version.first_stage in move.from_}
    seen: dict[date, Event] = {}
    for one in (one for one in after if one.name in names):
        other = seen.setdefault(of.day(one.at), one)
        exact = isinstance(one.at, datetime) and isinstance(other.at, datetime)
        if other.name != one.name and not exact:
            both = {"name": of.book.word(other.name), "other": of.book.word(one.name)}
            of.decide("same_day_order", say("same_day_order.which_came_first", **both, day=of.day(one.at)))
