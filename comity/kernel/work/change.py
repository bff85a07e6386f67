"""A change about to be written: one entry, with what it does to its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comity import names
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.fold import Folded, step
from comity.kernel.types.catalogue import Type
from comity.kernel.work import on_behalf
from comity.kernel.work.node import Work


@dataclass(frozen=True, slots=True)
class Change:
    """One entry with what it does to its record. `before` is the state that was read; version 0 means a new record.

    `after` follows from both and is folded once, when the change is made. `digest` is what the idempotency key was
    used for. A change of another's record (an answer) has no `type` row of its own: `projected` is False and only the
    ledger and the offer move.
    """

    entry: Entry
    type: Type
    before: Folded
    key: str | None = None
    digest: bytes = b""
    offer: Mapping[str, Any] | None = None
    shares: Sequence[Mapping[str, Any]] = ()
    projected: bool = True
    after: Folded = field(init=False, compare=False)

    def __post_init__(self) -> None:
        e = self.entry
        after = step(
            self.before, version=e.version, type=e.type, type_version=e.type_version, state_to=e.state_to,
            actor=str(e.actor), content=e.content,
        )  # fmt: skip
        object.__setattr__(self, "after", after)


def changed(
    work: Work,
    of: Type,
    before: Folded,
    *,
    record: UUID,
    kind: str,
    act: str,
    content: Mapping[str, Any],
    state_to: str,
    occurred_at: datetime | None = None,
    refers: UUID | None = None,
    key: str | None = None,
    digest: bytes = b"",
) -> Change:
    """The change that an act of this work makes to a record of the own agency; one on behalf says so."""
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.name, type_version=work.version, kind=kind,
        act=act, actor=UUID(work.actor.member), occurred_at=occurred_at or work.now, entered_at=work.now,
        version=before.version + 1, state_from=before.state, state_to=state_to,
        content={**content, **on_behalf.item(work.actor)}, refers=refers,
    )  # fmt: skip
    return Change(entry, of, before, key, digest)
