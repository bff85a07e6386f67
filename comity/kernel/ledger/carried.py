"""An entry as one node carries it to another: a line of JSON that proves itself against its leaf (ADR 0019). Pure.

header        the envelope, as it is hashed
commitments   of all items, in hex and in order
leaf          in hex
content       the canonical JSON of the items that are shown; the others are there as commitments alone
salts         theirs, in hex, in the order of the content's paths
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from comity.clock import parse_instant
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.entry import HEADER, SALT, Entry, Sealed, header_fields, split
from comity.kernel.ledger.verify import check_entry

LONGEST = 1 << 20
"""Bytes of a line."""
_MEMBERS = {"header", "commitments", "leaf", "content", "salts"}


class Refused(Exception):
    """A line, or an entry, that is not taken. `code` is one of those of ADR 0019."""

    def __init__(self, code: str, entry: str = "") -> None:
        super().__init__(code)
        self.code, self.entry = code, entry


@dataclass(frozen=True, slots=True)
class Carried:
    """A line that was read and whose bytes give its leaf. `sealed` holds the shown items only."""

    sealed: Sealed
    line: bytes

    @property
    def entry(self) -> Entry:
        return self.sealed.entry


def line(row: Mapping[str, Any], shows: Callable[[str], bool]) -> bytes:
    """The line of an entry. `row` is in the spelling that is hashed, bytes as bytes; `shows` says of a path whether its
    item goes along. An entry without content goes as its commitments."""
    held = orjson.loads(row["content"]) if row["content"] is not None else {}
    salts = row["salts"] or b""
    shown = {
        path: (held[path], salts[SALT * at : SALT * (at + 1)]) for at, path in enumerate(ordered(held)) if shows(path)
    }
    return orjson.dumps({
        "header": header_fields(row), "commitments": [one.hex() for one in split(bytes(row["commitments"]))],
        "leaf": bytes(row["leaf"]).hex(),
        "content": canonical({path: value for path, (value, _) in shown.items()}).decode(),
        "salts": b"".join(shown[path][1] for path in ordered(shown)).hex(),
    })  # fmt: skip


def read(given: bytes) -> Carried:
    """Take a line apart and check it. Raises Refused: unreadable, leaf_differs."""
    if len(given) > LONGEST:
        raise Refused("unreadable")
    try:
        held = orjson.loads(given)
        header = held["header"]
        if set(held) != _MEMBERS or set(header) != {"v", *HEADER} or header["v"] != 1:
            raise Refused("unreadable")
        if not all(type(header[name]) is int for name in ("version", "type_version")) or header["version"] < 1:
            raise Refused("unreadable")
        row = {
            **header, "commitments": bytes.fromhex("".join(held["commitments"])), "leaf": bytes.fromhex(held["leaf"]),
            "content": held["content"].encode(), "salts": bytes.fromhex(held["salts"]),
        }  # fmt: skip
        faults, entry = check_entry(row), entry_of(row)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Refused("unreadable") from error
    if faults or canonical(header_fields(header)) != entry.header():
        raise Refused("leaf_differs", str(entry.id))
    return Carried(Sealed(entry, row["content"], row["salts"], row["commitments"], row["leaf"]), given)


def entry_of(row: Mapping[str, Any]) -> Entry:
    """The entry of a row in the spelling that is hashed, with the content that is there."""
    return Entry(
        id=UUID(row["entry"]), agency=row["agency"], record=UUID(row["record"]), type=row["type"],
        type_version=row["type_version"], kind=row["kind"], act=row["act"], actor=UUID(row["actor"]),
        occurred_at=parse_instant(row["occurred_at"]), entered_at=parse_instant(row["entered_at"]),
        version=row["version"], state_from=row["state_from"], state_to=row["state_to"],
        content=orjson.loads(row["content"]) if row["content"] is not None else {},
        refers=UUID(row["refers"]) if row["refers"] else None,
    )  # fmt: skip


def showing_more(one: Sealed, other: Sealed) -> Sealed:
    """What both show of the same entry, together."""
    items: dict[str, tuple[Any, bytes]] = {}
    for held in (one, other):
        content = orjson.loads(held.content or b"{}")
        for at, path in enumerate(ordered(content)):
            items[path] = (content[path], held.salts[SALT * at : SALT * (at + 1)])
    content = {path: value for path, (value, _) in items.items()}
    salts = b"".join(items[path][1] for path in ordered(items))
    return replace(one, entry=replace(one.entry, content=content), content=canonical(content), salts=salts)
