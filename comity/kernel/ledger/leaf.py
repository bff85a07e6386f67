"""The bytes of an entry, as docs/adr/0001-the-bytes-of-an-entry.md fixes them. Pure: needs no database and no key.

header      canonical JSON of the entry's envelope; nothing personal stands in it
commitment  SHA-256 over algorithm, path, 16 salt bytes and the canonical value of one content item
leaf        RFC 6962 leaf hash over the header and the sorted commitments
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

FIELD = b"comity-field-v1\x00"
ENTRY = b"comity-entry-v1\x00"
SALT = 16
ID = 16
HASH = 32


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


HEADER = (
    "entry", "agency", "record", "type", "type_version", "kind", "act", "actor",
    "occurred_at", "entered_at", "version", "state_from", "state_to", "refers",
)  # fmt: skip
