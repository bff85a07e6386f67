"""Giving entries their place: a gapless one in the agency's log and one in the node's stream.

The pending table is drained by delete and insert in one transaction, in order of its serial. An entry that saw another
was inserted after that one had committed, so it has the larger serial and stands behind it in every drain that sees
both; one that commits late is found by the next drain. No long transaction stalls it and none is missed. An entry that
arrives with its agency from elsewhere keeps the instant at which it had its place there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

LOCK = 4_801_001
WAKE = "comity_sequenced"
LOT = 5_000

_DRAIN = """
with drained as (
    delete from comity.pending where serial in (select serial from comity.pending order by serial limit %(limit)s)
    returning serial, agency, entry, leaf, placed_at
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
) select array_agg(distinct agency), count(*), pg_notify(%(wake)s, '') from placed having count(*) > 0
"""


class Placed(NamedTuple):
    """What one drain placed: the agencies whose logs grew, and by how many entries in all."""

    agencies: Sequence[str] = ()
    entries: int = 0


def place(conn: Connection[Any], now: datetime, limit: int = LOT) -> Placed:
    """Place up to `limit` pending entries. `conn` is the sequencer role's; one drain runs at a time.

    Commits; in one round trip. Wakes listeners once a batch, because NOTIFY serialises commits.
    """
    with conn.pipeline(), conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        drained = conn.execute(_DRAIN, {"limit": limit, "now": now, "wake": WAKE})
    row = drained.fetchone()
    return Placed(row[0], row[1]) if row else Placed()


def drain(conn: Connection[Any], now: datetime, limit: int = LOT) -> int:
    """The same; answers how many."""
    return place(conn, now, limit).entries
