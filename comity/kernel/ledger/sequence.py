"""Giving entries their place: a gapless one in the agency's log and one in the node's stream.

The pending table is drained by delete and insert in one transaction, in order of its serial. Whose an entry is and its
leaf are read from the entry itself. An entry that saw another was inserted after that one had committed, so it has the
larger serial and stands behind it in every drain that sees both; one that commits late is found by the next drain. No
long transaction stalls it and none is missed. An entry that arrives with its agency from elsewhere keeps the instant at
which it had its place there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection

LOCK = 4_801_001
WAKE = "comity_sequenced"
LOT = 5_000

SET_ASIDE = psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException
"""What one row alone can cause: the row is found by halves and set aside. Any other error is the whole lot's."""

_DRAIN = """
with picked as materialized (
    select p.serial, p.entry, p.placed_at, e.agency, e.leaf, e.id is null as unknown, s.entry is not null as placed
      from (select serial, entry, placed_at from comity.pending where reason = '' order by serial limit %(limit)s) p
      left join comity.entry e on e.id = p.entry
      left join comity.sequence s on s.entry = p.entry
), aside as (
    update comity.pending p set reason = case when picked.unknown then 'unknown_entry' else 'placed_before' end
      from picked where p.serial = picked.serial and (picked.unknown or picked.placed) returning p.entry
), drained as (
    delete from comity.pending p using picked
     where p.serial = picked.serial and not picked.unknown and not picked.placed
    returning p.serial, picked.agency, p.entry, picked.leaf, p.placed_at
), tail as (
    select coalesce(max(place), 0) as place from comity.sequence
), own as (
    select grown.agency, (select max(s.agency_place) from comity.sequence s where s.agency = grown.agency) as place
      from (select distinct agency from drained) grown
), placed as (
insert into comity.sequence (place, agency, agency_place, entry, leaf, sequenced_at)
select tail.place + row_number() over (order by d.serial), d.agency,
       coalesce(own.place, 0) + row_number() over (partition by d.agency order by d.serial), d.entry, d.leaf,
       coalesce(d.placed_at, %(now)s)
  from drained d cross join tail left join own using (agency)
returning agency
) select coalesce(array_agg(distinct agency), '{}'), count(*), (select coalesce(array_agg(entry), '{}') from aside),
         case when count(*) > 0 then pg_notify(%(wake)s, '') end from placed
"""


class Placed(NamedTuple):
    """What one drain placed: the agencies whose logs grew, by how many entries, and which entries were set aside."""

    agencies: Sequence[str] = ()
    entries: int = 0
    aside: Sequence[UUID] = ()


def place(conn: Connection[Any], now: datetime, limit: int = LOT) -> Placed:
    """Place up to `limit` pending entries. `conn` is the sequencer role's; one drain runs at a time.

    Commits; in one round trip. Wakes listeners once a batch, because NOTIFY serialises commits. An entry that cannot
    have a place is set aside with the reason, and stops no other.
    """
    try:
        with conn.pipeline(), conn.transaction():
            conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
            drained = conn.execute(_DRAIN, {"limit": limit, "now": now, "wake": WAKE})
        return _placed(drained.fetchone())
    except SET_ASIDE:
        return place(conn, now, limit // 2) if limit > 1 else _place_or_set_aside(conn, now)


def _place_or_set_aside(conn: Connection[Any], now: datetime) -> Placed:
    """The first that waits gets its place or is set aside: it is tried and marked under one lock."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        try:
            with conn.transaction():
                return _placed(conn.execute(_DRAIN, {"limit": 1, "now": now, "wake": WAKE}).fetchone())
        except SET_ASIDE as error:
            rows = conn.execute(
                """update comity.pending set reason = %s
                    where serial = (select min(serial) from comity.pending where reason = '') returning entry""",
                (error.sqlstate or type(error).__name__,),
            ).fetchall()
            return Placed(aside=tuple(row[0] for row in rows))


def _placed(row: Any) -> Placed:
    return Placed(tuple(row[0]), row[1], tuple(row[2])) if row else Placed()


def drain(conn: Connection[Any], now: datetime, limit: int = LOT) -> int:
    """The same; answers how many were placed or set aside: while it is above 0, more may wait."""
    placed = place(conn, now, limit)
    return placed.entries + len(placed.aside)


def again(conn: Connection[Any]) -> int:
    """Let what was set aside wait for its turn once more, as a worker does when it begins; how many."""
    return conn.execute("update comity.pending set reason = '' where reason <> ''").rowcount


def set_aside(conn: Connection[Any], limit: int = 100) -> list[tuple[UUID, str, datetime]]:
    """What was set aside, oldest first: the entry, the reason, and since when it waits. For the sequencer's role."""
    return conn.execute(
        "select entry, reason, appended_at from comity.pending where reason <> '' order by serial limit %s", (limit,)
    ).fetchall()
