"""What is due on a record: its own acts and those of the records around it, read under the reader's rights, as events.

The law is that of the record's owner. What the reader may not see is no event, so a clock that it would have started
is not there; nothing is guessed from a hidden value. Asked about a past instant, only what was entered by then counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from comity import clock
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records.events import disclosed, events_of, neighbourhoods
from comity.kernel.records.node import Node, Work
from comity.kernel.records.subject import find_subject
from comity.kernel.types.book import book_for
from comity.kernel.types.due import Due, Event
from comity.kernel.types.reckon import reckon_all

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
        subject = find_subject(work, record)
        whose = subject.institution
        law = work.catalogue if whose == work.agency else node.catalogue_of(work.conn, whose)
        book, settings = book_for(law)
        asked = asked_about(work, at)
        around = neighbourhoods(work, [subject], book)[subject.id]
        events = [event for many in events_of(work, around, book, asked).values() for event in many]
        dues = reckon_all(book, events, asked, settings=settings)
        disclosed(work, around)
        kept = {one.each for one in dues}
        named = {str(one.id): one.title or one.folded.number or "" for one in around if str(one.id) in kept}
        return Dues(str(subject.id), asked, law.jurisdiction, tuple(dues), tuple(events), len(around), named)


def asked_about(work: Work, at: date | datetime | None) -> datetime:
    """The instant that is asked about: now, when none is named. Problem `request_invalid` for a year without a law."""
    if at is None:
        return work.now
    if not YEARS[0] <= at.year <= YEARS[1]:
        fault = Fault("wrong_kind", "at", f"the year {at.year}", f"ask about the years {YEARS[0]} to {YEARS[1]}")
        raise Problem("request_invalid", "No law is known for that year", faults=[fault])
    return at if isinstance(at, datetime) else clock.end_of_day(at, work.catalogue.definition.zone)
