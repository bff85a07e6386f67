"""The one place that inserts entries (a test holds that): entry, content and pending place in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from comity.kernel.ledger.columns import columns
from comity.kernel.ledger.entry import Entry, Sealed, seal_bytes

_APPEND = """
with given as (
    select * from unnest(
        %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::uuid[],
        %s::timestamptz[], %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::uuid[], %s::bytea[], %s::bytea[],
        %s::bytea[], %s::bytea[], %s::timestamptz[]
    ) with ordinality as t (id, agency, record, type, type_version, kind, act, actor, occurred_at, entered_at,
        version, state_from, state_to, refers, commitments, leaf, content, salts, placed_at, at)
), entered as (
    insert into comity.entry (id, agency, record, type, type_version, kind, act, actor, occurred_at, entered_at,
        version, state_from, state_to, refers, commitments, leaf)
    select id, agency, record, type, type_version, kind, act, actor, occurred_at, entered_at,
        version, state_from, state_to, refers, commitments, leaf from given
), kept as (
    insert into comity.entry_content (entry, agency, record, content, salts)
    select id, agency, record, content, salts from given where content is not null
)
insert into comity.pending (entry, placed_at)
select id, placed_at from given order by at
"""


def append(conn: Connection[Any], entries: Sequence[Entry]) -> list[Sealed]:
    """Append entries in their order, within the caller's transaction; they are `appended` once that commits.

    The transaction must act for the entries' agency: row-level security refuses another's log. A second entry with the
    same (agency, record, version) raises psycopg's UniqueViolation: somebody else moved the record first.
    """
    sealed = [seal_bytes(entry) for entry in entries]
    append_sealed(conn, sealed)
    return sealed


def append_carried(conn: Connection[Any], one: Sealed) -> None:
    """Keep an entry of a log that is kept on another node, as far as it is shown: it gets no place in this node's.

    The transaction acts for the entry's agency; the caller has checked that the bytes give the leaf.
    """
    e = one.entry
    conn.execute(
        """with entered as (
               insert into comity.entry (id, agency, record, type, type_version, kind, act, actor, occurred_at,
                   entered_at, version, state_from, state_to, refers, commitments, leaf)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s))
           insert into comity.entry_content (entry, agency, record, content, salts) values (%s, %s, %s, %s, %s)""",
        (
            e.id, e.agency, e.record, e.type, e.type_version, e.kind, e.act, e.actor, e.occurred_at, e.entered_at,
            e.version, e.state_from, e.state_to, e.refers, one.commitments, one.leaf, e.id, e.agency, e.record,
            one.content, one.salts,
        ),
    )  # fmt: skip


def show_more(conn: Connection[Any], one: Sealed) -> None:
    """More of such an entry's items have come, each proven like the first."""
    conn.execute(
        "update comity.entry_content set content = %s, salts = %s where entry = %s and agency = comity.me()",
        (one.content, one.salts, one.entry.id),
    )


def append_sealed(conn: Connection[Any], sealed: Sequence[Sealed], placed: Sequence[datetime | None] = ()) -> None:
    """Append entries whose bytes are there already: an arriving agency's own, in the order of its log.

    `placed` says when each had its place elsewhere, so that what was known at an instant stays what it was. The caller
    has checked that the bytes give the leaves.
    """
    rows = [
        (
            e.id, e.agency, e.record, e.type, e.type_version, e.kind, e.act, e.actor, e.occurred_at, e.entered_at,
            e.version, e.state_from, e.state_to, e.refers, s.commitments, s.leaf, s.content, s.salts, at,
        )
        for s, at in zip(sealed, placed or [None] * len(sealed), strict=True)
        for e in (s.entry,)
    ]  # fmt: skip
    conn.execute(_APPEND, columns(rows))
