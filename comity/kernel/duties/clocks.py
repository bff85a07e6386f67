"""What is due on a record: the clocks of its matter, from the acts of all its records, read under the reader's rights.

The law of a clock is that of the owner of the record on which it stands, as in an office's list (agenda.py). What the
reader may not see is no event, so a clock that it would have started is not there; nothing is guessed from a hidden
value. Asked about a past instant, only what was entered by then counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from comity import clock
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.duties.case_graph import matters
from comity.kernel.duties.clock_events import disclosed, events_of
from comity.kernel.law.clock_book import book_for
from comity.kernel.law.clock_calculation import calculate_all, soonest
from comity.kernel.law.clock_starts import starts
from comity.kernel.law.due import Due, Event
from comity.kernel.policy.actor import Actor
from comity.kernel.work.node import Node, Work
from comity.kernel.work.subject import Subject, find_subject
from comity.sentences import say

YEARS = (1000, 9000)


@dataclass(frozen=True, slots=True)
class Dues:
    """The clocks of a record at an instant. `events` is what they were reckoned from, out of `seen` records; `named`
    are those for which a clock is kept (`each`), by title or number."""

    record: str
    at: datetime
    jurisdiction: str
    dues: tuple[Due, ...]
    events: tuple[Event, ...]
    seen: int
    named: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "at": show_instant(self.at), "jurisdiction": self.jurisdiction,
            "records_read": self.seen, "events": len(self.events), "named": dict(self.named),
            "dues": [one.as_json() for one in self.dues],
        }  # fmt: skip


def due(node: Node, actor: Actor, record: str, *, at: date | datetime | None = None) -> Dues:
    """Every clock that runs, stopped, expired or needs a person, the soonest first. Problem `not_found`.

    `at`: as it would have been answered then, by what was known then under the law then in force; a day means its end
    in the agency's zone. Reading others' records for it is disclosed to their owners before the answer goes out.
    """
    with node.work(actor) as work:
        return dues_of(work, find_subject(work, record), asked_about(work, at))


def dues_of(work: Work, subject: Subject, asked: datetime) -> Dues:
    """What `due` answers of a record that was read, within a transaction that is open, and disclosed as by it."""
    own = subject.institution
    law = work.definitions(own)
    dues: list[Due] = []
    told: dict[UUID, list[Event]] = {}
    around: dict[UUID, Subject] = {subject.id: subject}
    for matter in matters(work, [subject], book_for(law)[0])[subject.id]:
        around |= {one.id: one for one in matter.records}
        for whose in sorted({own, *(one.institution for one in matter.records if _may_start(work, one))}):
            book, settings = book_for(work.definitions(whose))
            events = events_of(work, matter.records, book, asked)
            told |= {id: many for id, many in events.items() if many}
            known = [event for one in matter.records for event in events.get(one.id, ())]
            standing = {"": own} | {str(one.id): one.institution for one in matter.records}
            found = calculate_all(book, known, asked, settings=settings)
            dues += [matter.told(one) for one in found if standing[one.record] == whose]
    kept = {one.each for one in dues}
    named = {str(one.id): one.title or one.folded.number or "" for one in around.values() if str(one.id) in kept}
    disclosed(work, [one for id, one in around.items() if id in told or str(id) in named or one is subject])
    happened = tuple(chain.from_iterable(told.values()))
    return Dues(str(subject.id), asked, law.jurisdiction, tuple(soonest(dues, asked)), happened, len(around), named)


def _may_start(work: Work, one: Subject) -> bool:
    law = work.definitions(one.institution)
    return one.type_name in starts(law, book_for(law)[0])


def asked_about(work: Work, at: date | datetime | None) -> datetime:
    """The instant that is asked about: now, when none is named. Problem `request_invalid` for a year without a law."""
    if at is None:
        return work.now
    if not YEARS[0] <= at.year <= YEARS[1]:
        fault = Fault("wrong_kind", "at", say("wrong_kind.year", year=at.year, years=YEARS[0], years2=YEARS[1]))
        raise Problem("request_invalid", say("request_invalid.no_law_is_known_for"), faults=[fault])
    return at if isinstance(at, datetime) else clock.end_of_day(at, work.catalogue.definition.zone)
