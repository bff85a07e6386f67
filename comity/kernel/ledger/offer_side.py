"""One side's row of an offer, as the entries that this side has make it (ADR 0019). Pure, in any order of them.

The receiver's log orders: what stands first in it, the answer or the note of the offerer's end, is the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import parse_instant
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import NOTE, Entry

OFFERED, WITHDRAWING = "offered", "withdrawing"
ENDINGS = ("withdrawn", "expired")
"""The acts by which an offerer's entry ends its offer."""
NOTED = "end_noted"
"""The act of the entry by which a receiver's log has such an end."""


@dataclass(frozen=True, slots=True)
class OfferSide:
    """A row of comity.offer: `agency` is whose it is. `ends`: its grant is over. `ended_entry`: the offerer's own end
    of it, `ended_as` its act; `noted_entry`: the receiver's log has that end before any answer."""

    agency: str
    id: UUID
    from_agency: str
    to_agency: str
    type: str
    label: str
    offered_at: datetime
    expires_at: datetime | None
    offer_entry: UUID
    state: str = OFFERED
    ends: bool = False
    seen_at: datetime | None = None
    answered_at: datetime | None = None
    answer_entry: UUID | None = None
    settled_entry: UUID | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    ended_entry: UUID | None = None
    ended_as: str = ""
    noted_entry: UUID | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> OfferSide:
        """From a row that may have other columns besides."""
        return cls(**{name: row[name] for name in COLUMNS})

    @property
    def other(self) -> str:
        """The agency on the other side; the same one where it reports an outsider's offer to itself."""
        return self.to_agency if self.agency == self.from_agency else self.from_agency

    def timely(self, entry: Entry) -> bool:
        """Whether an answer came before the offer's time was over."""
        return self.expires_at is None or entry.entered_at < self.expires_at


COLUMNS = tuple(one.name for one in fields(OfferSide))
MOVING = (
    "state", "ends", "seen_at", "answered_at", "answer_entry", "settled_entry", "answer", "ended_entry", "ended_as",
    "noted_entry",
)  # fmt: skip
"""The columns that entries move after the offer was made."""


def made(agency: str, entry: Entry, to: str, label: str) -> OfferSide:
    """The row that an offer's own entry makes at the side of `agency`. `to`: the receiver, one of several perhaps."""
    until = entry.content[items.OFFER]["expires_at"]
    return OfferSide(
        agency, entry.record, entry.agency, to, entry.type, label, entry.entered_at,
        parse_instant(until) if until else None, entry.id,
    )  # fmt: skip


def take(side: OfferSide, entry: Entry, *, grant_ends: bool = False, alone: bool = False) -> OfferSide:
    """The row after an entry about the offer. One that is known already, or comes too late, changes nothing.

    `grant_ends`: of an answer, whether its rule says so. `alone`: of the offerer's end, that no receiver is waited for.
    """
    if entry.kind == "answer" and entry.agency in (side.to_agency, side.from_agency):
        return _answered(side, entry, grant_ends=grant_ends)
    if entry.kind == NOTE and entry.agency == side.to_agency:
        return _noted(side, entry)
    if entry.agency != side.from_agency:
        return side
    if entry.kind == "act" and entry.act in ENDINGS:
        return _ended(side, entry, alone=alone)
    if entry.kind == "settle" and side.agency == side.from_agency and side.settled_entry is None:
        return replace(side, settled_entry=entry.id)
    return side


def _answered(side: OfferSide, entry: Entry, *, grant_ends: bool) -> OfferSide:
    if side.answer_entry is not None or side.noted_entry is not None or not side.timely(entry):
        return side
    reason = items.text(entry.content, items.REASON)
    said = {**items.answered(entry.content), **({"reason": reason} if reason else {})}
    return replace(
        side, state=entry.act, ends=side.ends or grant_ends, answer=said, answer_entry=entry.id,
        answered_at=entry.entered_at, seen_at=side.seen_at or entry.entered_at,
        settled_entry=entry.id if entry.agency == side.from_agency else side.settled_entry,
    )  # fmt: skip


def _ended(side: OfferSide, entry: Entry, *, alone: bool) -> OfferSide:
    if side.ended_entry is not None:
        return side
    ended = replace(side, ended_entry=entry.id, ended_as=entry.act, ends=side.ends or entry.refers is None)
    if side.answer_entry is not None:
        return ended
    known = alone or side.noted_entry is not None or side.agency == side.to_agency
    return replace(ended, state=entry.act if known else WITHDRAWING, answered_at=entry.entered_at)


def _noted(side: OfferSide, entry: Entry) -> OfferSide:
    if side.answer_entry is not None or side.noted_entry is not None:
        return side
    return replace(side, noted_entry=entry.id, state=side.ended_as or side.state)


def project(side: OfferSide, entries: Iterable[Entry], grant_ends: Mapping[str, bool]) -> OfferSide:
    """The row that these entries make of a new one, whatever order they come in: each log in its own order.

    `grant_ends`: of each answer that the type has, whether it ends the grant.
    """
    order = {side.to_agency: 0, side.from_agency: 1}
    for one in sorted(entries, key=lambda one: (order.get(one.agency, 2), one.version)):
        side = take(side, one, grant_ends=grant_ends.get(one.act, False))
    return side
