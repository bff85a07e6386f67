"""Followers: the one way to derive anything from entries.

A view moves its place in the same transaction as its rows and can be rebuilt from nothing. An effect has an outbox
unique on (follower, entry, target): a target is done once, is resumed after a crash, and is never rebuilt. Both run for
one agency at a time, with its rights only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

Conn = Connection[Any]


def place_of(conn: Conn, name: str, agency: str) -> int:
    """Where a follower stands in the stream, its row locked until the transaction ends; 0 at first."""
    conn.execute("insert into comity.follower (name, agency) values (%s, %s) on conflict do nothing", (name, agency))
    row = conn.execute(
        "select place from comity.follower where name = %s and agency = %s for update", (name, agency)
    ).fetchone()
    return int(row[0]) if row else 0


def move(conn: Conn, name: str, agency: str, place: int) -> None:
    """Move a follower in the same transaction as the rows that it wrote."""
    conn.execute("update comity.follower set place = %s where name = %s and agency = %s", (place, name, agency))


def owe(conn: Conn, follower: str, agency: str, targets: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Put (entry, target) pairs into the outbox; those that are there already stay as they are."""
    if targets:
        conn.execute(
            """insert into comity.outbox (follower, entry, target, agency, changed_at)
               select %s, entry, target, %s, %s from unnest(%s::uuid[], %s::text[]) as t (entry, target)
               on conflict do nothing""",
            (follower, agency, now, [entry for entry, _ in targets], [target for _, target in targets]),
        )


def due(conn: Conn, follower: str, agency: str, limit: int = 200) -> list[tuple[UUID, str]]:
    """What an effect still owes, locked so that a second worker passes by."""
    return conn.execute(
        """select entry, target from comity.outbox where agency = %s and follower = %s and state = 'due'
            order by changed_at, entry limit %s for update skip locked""",
        (agency, follower, limit),
    ).fetchall()


def done(conn: Conn, follower: str, entry: UUID, target: str, now: datetime, *, error: str = "") -> None:
    """Mark a target done, in the transaction of its effect, or count a failure: after eight it is a dead letter."""
    conn.execute(
        """update comity.outbox set attempts = attempts + 1, error = %(error)s, changed_at = %(now)s,
               state = case when %(error)s = '' then 'done' when attempts >= 7 then 'dead' else 'due' end
            where follower = %(follower)s and entry = %(entry)s and target = %(target)s""",
        {"error": error[:500], "now": now, "follower": follower, "entry": entry, "target": target},
    )
