"""What is derived into tables that the app role may not read, against the entries: collision keys and ties.

Both tables tell of every agency; their functions answer for the own one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from comity.errors import Problem
from comity.kernel.ledger.fold import Folded
from comity.kernel.records.deconfliction import collision_texts, tie_of
from comity.kernel.types.catalogue import Type
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Conn
from comity.sentences import Text, say


class DerivedTables:
    """Takes each record of an agency once, as its entries make it; what is left then belongs to no record."""

    def __init__(self, conn: Conn, keys: KeyRing) -> None:
        self._conn, self._keys = conn, keys
        self._keyed = {row[0] for row in conn.execute("select comity.own_collisions()")}
        self._ties = {row[0]: row[1:] for row in conn.execute("select * from comity.own_ties()")}

    def take(self, record: str, of: Type | None, state: Folded | None) -> Iterator[Text]:
        """What differs for a record. Without a type in force, or with erased content, it is passed over."""
        known = UUID(record)
        keyed, tie = known in self._keyed, self._ties.pop(known, None)
        self._keyed.discard(known)
        if of is None or state is None:
            return
        if keyed or of.deconflict:
            rows = self._conn.execute("select comity.own_collision_keys(%s)", (known,))
            if self._wanted(of, state) != {row[0] for row in rows}:
                yield say("rebuild.collision_keys_differ")
        if tie_of(of, state) != tie:
            yield say("rebuild.tie_differs")

    def left(self) -> Iterator[tuple[str, Text]]:
        yield from ((str(one), say("rebuild.collision_keys_of_no_record")) for one in sorted(self._keyed))
        yield from ((str(one), say("rebuild.tie_of_no_claim")) for one in sorted(self._ties))

    def _wanted(self, of: Type, state: Folded) -> set[bytes]:
        texts: list[str] = []
        with suppress(Problem):  # a window that was entered before windows were bounded has no keys
            texts = [text for text, _ in collision_texts(of, state)]
        return {self._keys.collision(text) for text in texts}
