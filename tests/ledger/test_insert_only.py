"""What happened cannot be changed by any role; content goes under an order that names it, and not otherwise."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comity.config.database import Database
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.erase import erase
from comity.kernel.ledger.verify import check_entry, items_erased
from comity.kernel.portability.rebuild import as_text
from comity.kernel.work.node import Node
from tests.ledger.conftest import an_entry

CHANGES = [
    "update comity.entry set act = 'other' where id = %(entry)s",
    "delete from comity.entry where id = %(entry)s",
    "update comity.entry_content set content = '{}' where entry = %(entry)s",
    "delete from comity.entry_content where entry = %(entry)s",
    "truncate comity.entry cascade",
    "truncate comity.entry_content",
    "truncate comity.sequence",
    "truncate comity.layer",
]


@pytest.mark.parametrize("role", ["app_url", "owner_url", "superuser_url"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_role_changes_what_happened(database: Database, log: Any, agency: str, role: str, change: str) -> None:
    made = log({"set/title": "A"})
    with psycopg.connect(getattr(database, role)) as conn:
        conn.execute("select * from comity.begin(%s, null)", (agency,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(change, {"entry": made.id})


def test_an_agency_cannot_append_to_anothers_log(bare: Node, agency: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), bare.transaction(agency) as (conn, _):
        append(conn, [an_entry("somebody-else")])


def test_a_second_entry_of_one_version_is_refused_and_nothing_of_it_stays(bare: Node, log: Any, agency: str) -> None:
    first = log({"set/title": "A"})
    second = an_entry(agency, {"set/title": "B"}, record=first.record)
    with pytest.raises(psycopg.errors.UniqueViolation), bare.transaction(agency) as (conn, _):
        append(conn, [an_entry(agency), second])
    assert stored(bare, second) is None


def stored(bare: Node, entry: Entry) -> dict[str, Any] | None:
    with bare.transaction(entry.agency) as (conn, _):
        cur = conn.cursor(row_factory=psycopg.rows.dict_row)
        row = cur.execute(
            """select e.*, c.content, c.salts from comity.entry e left join comity.entry_content c on c.entry = e.id
                where e.id = %s""",
            (entry.id,),
        ).fetchone()
        return as_text(row) if row else None


def test_what_is_stored_is_what_the_leaf_commits_to(bare: Node, log: Any) -> None:
    made = log({"set/title": "अर्जुन", "set/table": {"\U0001f600": 1, "\uff5e": 2}, "reason": "\x01"})
    row = stored(bare, made)
    assert row is not None and check_entry(row) == [] and items_erased(row) == 0


def test_an_order_erases_one_item_and_leaf_and_rest_stay(bare: Node, log: Any, agency: str) -> None:
    made = log({"set/name": "Meera", "set/role": "witness", "reason": "r"})
    order = log(kind="erase", refers=made.id)
    before = stored(bare, made)
    with bare.transaction(agency) as (conn, _):
        assert erase(conn, made.id, order=order.id, paths=["set/name"]).items == 1
    after = stored(bare, made)
    assert before and after and after["leaf"] == before["leaf"] and after["commitments"] == before["commitments"]
    assert after["content"] == b'{"reason":"r","set/role":"witness"}'
    assert check_entry(after) == [] and items_erased(after) == 1


def test_an_order_erases_everything(bare: Node, log: Any, agency: str) -> None:
    made = log({"set/name": "Meera"})
    order = log(kind="erase", refers=made.id)
    with bare.transaction(agency) as (conn, _):
        erase(conn, made.id, order=order.id)
    after = stored(bare, made)
    assert after and after["content"] is None and check_entry(after) == [] and items_erased(after) == 1
    with pytest.raises(ValueError, match="no content"), bare.transaction(agency) as (conn, _):
        erase(conn, made.id, order=order.id)


def test_an_item_that_is_not_there_cannot_be_erased(bare: Node, log: Any, agency: str) -> None:
    made = log({"set/name": "Meera"})
    order = log(kind="erase", refers=made.id)
    with pytest.raises(ValueError, match="set/nobody"), bare.transaction(agency) as (conn, _):
        erase(conn, made.id, order=order.id, paths=["set/nobody"])


def test_without_an_order_for_this_very_entry_nothing_is_erased(bare: Node, log: Any, agency: str) -> None:
    made, other = log({"set/name": "Meera"}), log({"set/name": "Arjun"})
    orders = [log(kind="erase", refers=other.id), log(kind="act", refers=made.id), made, an_entry(agency)]
    for order in orders:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), bare.transaction(agency) as (conn, _):
            erase(conn, made.id, order=order.id)
    row = stored(bare, made)
    assert row and items_erased(row) == 0


def test_an_order_of_another_agency_erases_nothing(bare: Node, log: Any, agency: str) -> None:
    made = log({"set/name": "Meera"})
    stranger = f"b-{uuid4().hex[:8]}"
    order = an_entry(stranger, kind="erase", refers=made.id)
    with bare.transaction(stranger) as (conn, _):
        append(conn, [order])
    with pytest.raises(psycopg.errors.InsufficientPrivilege), bare.transaction(agency) as (conn, _):
        conn.execute("select comity.erase(%s, %s, null, null)", (made.id, order.id))
    with bare.transaction(stranger) as (conn, _):
        conn.execute("select comity.erase(%s, %s, null, null)", (made.id, order.id))
    row = stored(bare, made)
    assert row and items_erased(row) == 0
