"""Followers: the one way to derive anything from entries.

A view moves its place in the same transaction as its rows and can be rebuilt from nothing. An effect has an outbox
(sharing/outbox) unique on (follower, entry, target): a target is done once, is resumed after a crash, and is never
rebuilt. Both run for one agency at a time, with its rights only.
"""

from __future__ import annotations

from typing import Any

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
