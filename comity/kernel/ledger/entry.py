"""An entry: the immutable fact that an act happened, with its outcome; and its bytes (ADR 0001). Needs no database.

header      canonical JSON of the entry's envelope; nothing personal stands in it
commitment  SHA-256 over algorithm, path, 16 salt bytes and the canonical value of one content item
leaf        RFC 6962 leaf hash over the header and the sorted commitments
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import show_instant
from comity.kernel.ledger.canonical import canonical, ordered

FIELD = b"comity-field-v1\x00"
ENTRY = b"comity-entry-v1\x00"
SALT = 16
ID = 16
HASH = 32
HEADER = (
    "entry", "agency", "record", "type", "type_version", "kind", "act", "actor",
    "occurred_at", "entered_at", "version", "state_from", "state_to", "refers",
)  # fmt: skip

VERDICTS = ("confirm", "dispute")
NOTE = "note"
"""The kind by which the system of an offer's receiver says that its log has the offer's end (ledger/offer_side)."""
ABOUT_ANOTHERS = ("answer", *VERDICTS, NOTE)
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


def commitment(entry: bytes, path: str, salt: bytes, value: bytes) -> bytes:
    """32 bytes that commit to one item. `value` is canonical; `salt` is 16 random bytes, else ValueError.

    `entry` are the 16 bytes of the entry's id: another entry cannot borrow the commitment and claim to have known.
    """
    if len(salt) != SALT or len(entry) != ID:
        raise ValueError("a salt and an entry's id have 16 bytes each")
    name = path.encode("utf-8")
    return hashlib.sha256(b"".join((FIELD, entry, struct.pack(">H", len(name)), name, salt, value))).digest()


def leaf_data(header: bytes, commitments: Iterable[bytes]) -> bytes:
    """What the leaf hash is taken over: the header and the commitments in ascending order of their bytes."""
    ordered = sorted(commitments)
    if any(len(one) != HASH for one in ordered):
        raise ValueError("a commitment has 32 bytes")
    return b"".join((ENTRY, struct.pack(">I", len(header)), header, struct.pack(">I", len(ordered)), *ordered))


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, section 2.1: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def check_item(entry: bytes, path: str, salt: bytes, value: bytes, commitments: Iterable[bytes]) -> bool:
    """Whether one shown item belongs to an entry of which only the id and the commitments are known."""
    return commitment(entry, path, salt, value) in set(commitments)


def header_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope, in the spelling that is hashed: ids and instants as text. `row` holds them already as text."""
    return {"v": 1, **{name: row[name] for name in HEADER}}
