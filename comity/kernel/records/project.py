"""Record rows and what hangs on them, as entries make them. The one place that writes them (a test holds that)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from comity.kernel.ledger.columns import array, columns
from comity.kernel.ledger.fold import Folded
from comity.kernel.work.change import Change, Row, row_of, terms_of
from comity.kernel.work.node import Conn

_COLUMNS = """id, agency, type, core_type, number, title, state, core_state, version, type_version, fields, links,
    files, field_marks, marks, assigned, parties, entered_by, on_behalf, entered_at, changed_at"""
# The given columns as arrays of one value a row: JSON as text, and the three lists of a record as array literals.
_GIVEN = """unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::int[], %s::int[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
    as t (id, agency, type, core_type, number, title, state, core_state, version, type_version, fields, links, files,
          field_marks, marks, assigned, parties, entered_by, on_behalf, entered_at, at)"""
_ENTERED = f"""entered as (insert into comity.record ({_COLUMNS})
select id, agency, type, core_type, number, title, state, core_state, version, type_version, fields, links, files,
    field_marks, marks::text[], assigned::text[], parties::text[], entered_by, on_behalf, entered_at, at
    from {_GIVEN})"""
_LINKED = """linked as (insert into comity.link (record, name, target, agency, type)
select * from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[]))"""
_FOUND_BY = """found_by as (insert into comity.term (record, agency, type, field, grp, token, whole)
select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[])
    on conflict do nothing)"""
_UPDATE = f"""update comity.record r set number = t.number, title = t.title, state = t.state,
    core_state = t.core_state, version = t.version, type_version = t.type_version, fields = t.fields, links = t.links,
    files = t.files, field_marks = t.field_marks, marks = t.marks::text[], assigned = t.assigned::text[],
    parties = t.parties::text[], changed_at = t.at from {_GIVEN} where r.id = t.id"""
# One row as values and not as arrays: for those a plan is kept, an array is planned each time.
_KINDS = ("id uuid", "agency text", "type text", "core_type text", "number text", "title text", "state text",
          "core_state text", "version int", "type_version int", "fields jsonb", "links jsonb", "files jsonb",
          "field_marks jsonb", "marks text", "assigned text", "parties text", "entered_by text", "on_behalf text",
          "entered_at timestamptz", "at timestamptz")  # fmt: skip
_ONE = f"(select {', '.join('%s::{1} as {0}'.format(*one.split()) for one in _KINDS)}) t"
_UPDATE_ONE = _UPDATE.replace(_GIVEN, _ONE)
_CLEARED = """with unlinked as (delete from comity.link where record = any(%s::uuid[]))
delete from comity.term where record = any(%s::uuid[])"""


def records(conn: Conn, changes: Sequence[Change]) -> None:
    """Write the rows, links and search terms of changed records of the own agency, in the caller's transaction.

    A record that stands twice among the changes is written as the last of them left it. Links and terms are written
    where they are not those that the record had before.
    """
    first = {one.entry.record: one for one in reversed(changes)}
    last = {one.entry.record: one for one in changes}
    entered = {one.entry.record for one in changes if not one.before.version}
    rows = {
        record: Row(record, one.entry.agency, one.type, one.after, one.entry.entered_at, one.entry.entered_at)
        for record, one in last.items()
    }
    moved = [record for record in rows if record not in entered]
    anew = [record for record in moved if _hangs_otherwise(rows[record], first[record].before)]
    _update(conn, [rows[record] for record in moved], [rows[record] for record in anew])
    _insert(
        conn, [row for record, row in rows.items() if record in entered],
        [row for record, row in rows.items() if record in entered or record in anew],
    )  # fmt: skip


def _update(conn: Conn, moved: Sequence[Row], anew: Sequence[Row]) -> None:
    """Bring rows up to date, and take away the links and terms of those that get others."""
    if len(moved) == 1:
        conn.execute(_UPDATE_ONE, _values(moved[0]))
    elif moved:
        conn.execute(_UPDATE, columns([_values(one) for one in moved]))
    if anew:
        records = array([one.record for one in anew])
        conn.execute(_CLEARED, (records, records))


def refolded(conn: Conn, row: Row) -> None:
    """Write a record anew whose entries say less than before."""
    _update(conn, [row], [row])
    _insert(conn, [], [row])


def arrived(conn: Conn, rows: Sequence[Row]) -> None:
    """Write the rows, links and search terms of records that came with their log; there is at least one."""
    _insert(conn, rows, rows)


def carried(conn: Conn, row: Row) -> None:
    """Write a record of an agency that is kept elsewhere, as its entries that came make it."""
    known = conn.execute("select 1 from comity.record where id = %s and agency = comity.me()", (row.record,)).fetchone()
    if known is None:
        _insert(conn, [row], [row])
    else:
        refolded(conn, row)


def _hangs_otherwise(row: Row, before: Folded) -> bool:
    """Whether a record's links or search terms are not those that it had; another definition may read it otherwise."""
    after, of = row.after, row.type
    return (
        (before.type, before.type_version) != (after.type, after.type_version)
        or before.links != after.links
        or set(terms_of(of, before)) != set(terms_of(of, after))
    )


def _insert(conn: Conn, entered: Sequence[Row], hanging: Sequence[Row]) -> None:
    """Insert the rows of entered records, and the links and terms of `hanging`: one statement, none for nothing."""
    links = [
        (one.record, name, UUID(target), one.agency, one.type.name)
        for one in hanging
        for name, ids in one.after.links.items()
        for target in ids
    ]
    terms = [
        (one.record, one.agency, one.type.name, *term)
        for one in hanging
        for term in dict.fromkeys(terms_of(one.type, one.after))
    ]
    parts = {_ENTERED: [_values(one) for one in entered], _LINKED: links, _FOUND_BY: terms}
    given = {part: rows for part, rows in parts.items() if rows}
    if given:
        statement = f"with {', '.join(given)} select"
        conn.execute(statement, [one for rows in given.values() for one in columns(rows)])


def _values(one: Row) -> tuple[Any, ...]:
    """A record's row in the order of _GIVEN."""
    row = row_of(one.type, one.after)
    return (
        one.record, one.agency, row["type"], row["core_type"], row["number"], row["title"], row["state"],
        row["core_state"], row["version"], row["type_version"],
        *(orjson.dumps(row[name].obj).decode() for name in ("fields", "links", "files", "field_marks")),
        *(array(row[name]) for name in ("marks", "assigned", "parties")), row["entered_by"], row["on_behalf"],
        one.entered_at, one.at,
    )  # fmt: skip
