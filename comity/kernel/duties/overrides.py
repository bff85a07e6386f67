"""The entries that overrode a condition, read from the logs of those whose records they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import show_instant
from comity.kernel.ledger import items
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, loaded


@dataclass(frozen=True, slots=True)
class Overriding:
    """One entry that overrode conditions, by their codes; the reason where the reader sees the whole record."""

    entry: str
    record: str
    act: str
    entered_at: datetime
    codes: tuple[str, ...]
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry, "act": self.act, "entered_at": show_instant(self.entered_at),
            "codes": list(self.codes), "reason": self.reason,
        }  # fmt: skip


def overriding_entries(work: Work, shown: Iterable[tuple[Subject, bool]]) -> list[Overriding]:
    """The owners' entries up to the version that is shown, oldest first; `shown` says whether the whole is."""
    held = {one.id: (one, whole) for one, whole in shown}
    rows = work.conn.execute(
        """select e.id, e.record, e.agency, e.version, e.act, e.entered_at, c.content
             from comity.entry e join comity.entry_content c on c.entry = e.id
            where e.record = any(%s) and position(%s in c.content) > 0
            order by e.entered_at, e.version""",
        (list(held), items.OVERRIDE_BYTES),
    )
    out = []
    for entry, record, agency, version, act, entered, content in rows:
        one, whole = held[record]
        told = loaded(content) or {}
        codes = items.overridden(told) if agency == one.agency and version <= one.folded.version else ()
        if codes:
            reason = items.text(told, items.REASON) if whole else ""
            out.append(Overriding(str(entry), str(record), act, entered, codes, reason))
    return out


def overridden(work: Work, page: Sequence[Subject]) -> dict[UUID, list[str]]:
    """record -> the codes of all conditions that were overridden on it."""
    out: dict[UUID, set[str]] = {one.id: set() for one in page}
    for entry in overriding_entries(work, [(one, False) for one in page]):
        out[UUID(entry.record)].update(entry.codes)
    return {record: sorted(codes) for record, codes in out.items()}
