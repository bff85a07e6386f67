"""A change about to be written: one entry, with what it does to its record, to an offer and to what was reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from comity import names
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.fold import Folded, Header, step
from comity.kernel.types.catalogue import Type
from comity.kernel.work import on_behalf
from comity.kernel.work.node import Work


@dataclass(frozen=True, slots=True)
class OfferMove:
    """What an entry does to an offer's row. The caller has locked the row.

    `state` None: it stays. `answer`: what the answerer says, and then the entry is the answer. `settles`: the entry is
    the offerer's own that names the answer, or ends the offer. `closes` says which grants end: none, the receiver's,
    all, or all but that on the offered record itself.
    """

    offer: UUID
    state: str | None = None
    ends: bool = False
    answer: Mapping[str, Any] | None = None
    settles: bool = False
    closes: str = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an institution says of an entry that was reported of it: the entry, and `confirmed` or `disputed`."""

    reported: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry with what it does to its record. `before` is the state that was read; version 0 means a new record.

    `after` follows from both and is folded once, when the change is made. `digest` is what the idempotency key was
    used for. A change of another's record (an answer, a verdict) has no row of its own: `projected` is False and only
    the ledger, the offer and the report move.
    """

    entry: Entry
    type: Type
    before: Folded
    key: str | None = None
    digest: bytes = b""
    offer: Mapping[str, Any] | None = None
    shares: Sequence[Mapping[str, Any]] = ()
    move: OfferMove | None = None
    verdict: Verdict | None = None
    projected: bool = True
    after: Folded = field(init=False, compare=False)

    def __post_init__(self) -> None:
        e = self.entry
        after = replace(self.before, state=e.state_to)
        if self.projected:
            header = Header(e.version, e.type, e.type_version, e.state_to, str(e.actor))
            after = step(self.before, header, e.content)
        object.__setattr__(self, "after", after)

    def saying(self, items: Mapping[str, Any], *, refers: UUID | None = None) -> Change:
        """The same change whose entry says these items as well, and names another entry where one is given."""
        entry = replace(self.entry, content={**self.entry.content, **items}, refers=refers or self.entry.refers)
        return replace(self, entry=entry)


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to a record, as its entry's header says it: the kind of entry, the act, where the record comes to.

    `occurred_at` None: now. `refers`: the entry that this one answers, settles or follows. `state_from`: where it comes
    from, if not from the record's own state: an answer moves an offer.
    """

    kind: str
    act: str
    state_to: str
    occurred_at: datetime | None = None
    refers: UUID | None = None
    state_from: str | None = None


def changed(
    work: Work, of: Type, before: Folded, record: UUID, done: Step, content: Mapping[str, Any]
) -> Change:  # fmt: skip
    """The change that an act of this work makes to a record of the own agency; one on behalf says so."""
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.name, type_version=work.version, kind=done.kind,
        act=done.act, actor=UUID(work.actor.member), occurred_at=done.occurred_at or work.now, entered_at=work.now,
        version=before.version + 1, state_from=done.state_from or before.state, state_to=done.state_to,
        content={**content, **on_behalf.item(work.actor)}, refers=done.refers,
    )  # fmt: skip
    return Change(entry, of, before)


def about_anothers(
    work: Work, of: Type, before: Folded, record: UUID, done: Step, content: Mapping[str, Any]
) -> Change:  # fmt: skip
    """The own entry about another agency's record, such as an answer: it moves no record of one's own.

    Its versions count what this agency has entered about the record. `before` is the record as its owner's row says.
    """
    row = work.conn.execute(
        "select coalesce(max(version), 0) from comity.entry where record = %s and agency = %s", (record, work.agency)
    ).fetchone()
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.core_name, type_version=work.version,
        kind=done.kind, act=done.act, actor=UUID(work.actor.member), occurred_at=done.occurred_at or work.now,
        entered_at=work.now, version=(row[0] if row else 0) + 1,
        state_from=done.state_from or before.state, state_to=done.state_to, content=dict(content), refers=done.refers,
    )  # fmt: skip
    return Change(entry, of, before, projected=False)
