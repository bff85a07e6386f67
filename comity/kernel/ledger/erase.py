"""Erasing content under an order: the only way any of it goes. The entry, its leaf and its commitments stay."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.entry import SALT
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: the entry and how many of its items went."""

    entry: UUID
    items: int


def erase(conn: Connection[Any], entry: UUID, *, order: UUID, paths: Collection[str] | None = None) -> Erased:
    """Erase an entry's content, or only the items at `paths`, under the order's own entry.

    That is one of kind `erase` in the same log whose `refers` is the erased entry.

    The transaction must act for the agency that owns both. Raises ValueError when the entry has no content or no such
    item; the database refuses without an order.
    """
    row = conn.execute("select content, salts from comity.entry_content where entry = %s", (entry,)).fetchone()
    if row is None:
        raise ValueError(say("invalid.entry_has_no_content"))
    content, salts = json.loads(row[0]), row[1]
    names = ordered(content)
    if paths is None:
        conn.execute("select comity.erase(%s, %s, null, null)", (entry, order))
        return Erased(entry, len(names))
    missing = set(paths) - set(names)
    if missing:
        raise ValueError(say("invalid.entry_has_no_item", item=sorted(missing)[0]))
    kept = [at for at, name in enumerate(names) if name not in paths]
    remaining = canonical({names[at]: content[names[at]] for at in kept})
    conn.execute(
        "select comity.erase(%s, %s, %s, %s)",
        (entry, order, remaining, b"".join(salts[SALT * at : SALT * (at + 1)] for at in kept)),
    )
    return Erased(entry, len(names) - len(kept))
