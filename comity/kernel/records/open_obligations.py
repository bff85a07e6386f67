"""What is owed on an agency's records now: found by what its definitions declare to be obligations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.owing import owing
from comity.kernel.work.node import Work

OWING = """from jsonb_to_recordset({kinds}) as k (type text, link text, open jsonb, about text, owed_by text)
      join comity.record r on r.agency = comity.me() and r.core_type = k.type and k.open ? r.core_state
      join comity.link l on l.record = r.id and l.name = k.link"""
"""The open obligations of the transaction's agency, `l.target` what each hangs on; `kinds` is SQL for what `owing` of
its types says."""
OPEN = OWING.format(kinds="%(kinds)s")


def kinds(catalogue: Catalogue) -> Jsonb:
    """What the definitions say are obligations, for a statement with OWING."""
    return Jsonb(owing(catalogue.types.values()))


def open_on(work: Work, record: UUID) -> list[dict[str, Any]]:
    """The obligations of the own agency that hang on a record and are open, as conditions read them."""
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"select r.id::text, r.fields {OPEN} where l.target = %(target)s order by r.entered_at, r.id",
        {"kinds": kinds(work.catalogue), "target": record},
    )
    return [{"id": row["id"], **row["fields"]} for row in rows]


def subjects_owing(work: Work) -> list[UUID]:
    """The records of this agency on which obligations are open."""
    rows = work.conn.execute(f"select distinct l.target {OPEN}", {"kinds": kinds(work.catalogue)})
    return [row[0] for row in rows]


def say_owing(work: Work) -> None:
    """Leave with an agency, installed before this was kept, what its definitions say is owed: `waiting` reads it."""
    work.conn.execute(
        "update comity.agency set owing = %s where id = comity.me() and owing is null", (kinds(work.catalogue),)
    )
