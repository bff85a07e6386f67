"""An entry: the immutable fact that an act happened, with its outcome. Building one needs no database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import show_instant
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.leaf import HASH, SALT, commitment, header_fields, leaf_data, leaf_hash

VERDICTS = ("confirm", "dispute")
ABOUT_ANOTHERS = ("answer", *VERDICTS)
"""Kinds of entries that may stand in the log of somebody else than the owner of the record they are about."""
ERASE = "erase"
"""The kind of an order of erasure. Its items hold in the place of the entry that it `refers` to (ledger/fold)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened. `content` maps item paths to values:

    set/FIELD value · unset/FIELD true · link/NAME/ID true · unlink/NAME/ID true · number text ·
    mark/NAME true · field_mark/FIELD list · file/ID {name, media_type, size, digest} · reason text · cause text ·
    authority text · corrects entry id · answer/FIELD value (an answerer's own entry) · offer {...} · share/ID {...} ·
    behalf {agency, document}: the act is that agency's, as this one reports it

    Only ids, times, type, act and states stand in the header: it holds no name, number, reason or file name.
    `state_from` is empty for the first entry of a record; `refers` names the entry that this one answers or settles.
    """

    id: UUID
    agency: str
    record: UUID
    type: str
    type_version: int
    kind: str
    act: str
    actor: UUID
    occurred_at: datetime
    entered_at: datetime
    version: int
    state_from: str
    state_to: str
    content: Mapping[str, Any] = field(default_factory=dict)
    refers: UUID | None = None

    def header(self) -> bytes:
        """The canonical bytes of the envelope."""
        return canonical(
            header_fields(
                {
                    "entry": str(self.id),
                    "agency": self.agency,
                    "record": str(self.record),
                    "type": self.type,
                    "type_version": self.type_version,
                    "kind": self.kind,
                    "act": self.act,
                    "actor": str(self.actor),
                    "occurred_at": show_instant(self.occurred_at),
                    "entered_at": show_instant(self.entered_at),
                    "version": self.version,
                    "state_from": self.state_from,
                    "state_to": self.state_to,
                    "refers": str(self.refers) if self.refers else None,
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with the bytes that are stored and hashed. Salts stand in the order of the content's paths.

    `content` is None only for one that arrives from elsewhere and whose content was erased there.
    """

    entry: Entry
    content: bytes | None
    salts: bytes
    commitments: bytes
    leaf: bytes


def seal_bytes(entry: Entry, salts: bytes | None = None) -> Sealed:
    """Compute an entry's stored bytes. `salts` is given only to check an entry again; new ones are random."""
    paths = ordered(entry.content)
    salts = salts if salts is not None else os.urandom(SALT * len(paths))
    values = [canonical(entry.content[path]) for path in paths]
    commitments = sorted(
        commitment(entry.id.bytes, path, salts[SALT * i : SALT * (i + 1)], values[i]) for i, path in enumerate(paths)
    )
    leaf = leaf_hash(leaf_data(entry.header(), commitments))
    inner = b",".join(canonical(path) + b":" + value for path, value in zip(paths, values, strict=True))
    return Sealed(entry, b"{" + inner + b"}", salts, b"".join(commitments), leaf)


def split(commitments: bytes) -> list[bytes]:
    """The 32-byte commitments of an entry, from the bytes in which they are stored."""
    return [commitments[at : at + HASH] for at in range(0, len(commitments), HASH)]
