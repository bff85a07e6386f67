"""What waits for a place is an entry of one's own that has none; a row that slipped in all the same stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from comity import clock
from comity.config import worker
from comity.config.database import Database
from comity.config.doctor import sequencer_finding
from comity.kernel.ledger import sequence
from comity.kernel.ledger.append import append
from comity.kernel.work.node import Node
from tests.ledger.conftest import an_entry

Conn = psycopg.Connection[Any]


@pytest.fixture
def sequencer(database: Database) -> Iterator[Conn]:
    with psycopg.connect(database.sequencer_url, autocommit=True) as conn:
        yield conn
        sequence.again(conn)
        drain_all(conn)


@contextmanager
def superuser(database: Database) -> Iterator[Conn]:
    """A superuser whose statements fire no trigger and check no reference: what a bug or an intruder may leave."""
    with psycopg.connect(database.superuser_url, autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")
        yield conn


def drain_all(conn: Conn) -> list[UUID]:
    aside: list[UUID] = []
    while (placed := sequence.place(conn, clock.now())) and (placed.entries or placed.aside):
        aside += placed.aside
    return aside


def placed(conn: Conn, entry: UUID) -> bool:
    return conn.execute("select 1 from comity.sequence where entry = %s", (entry,)).fetchone() is not None


WRITTEN = {
    "an entry that has its place": "insert into comity.pending (entry) values (%(placed)s)",
    "an entry that does not exist": "insert into comity.pending (entry) values (%(absent)s)",
    "another's entry": "insert into comity.pending (entry) values (%(theirs)s)",
    "one that waits already": "insert into comity.pending (entry) values (%(waits)s)",
    "with a place in time": "insert into comity.pending (entry, placed_at) values (%(carried)s, '1999-01-01')",
    "with a reason": "insert into comity.pending (entry, reason) values (%(carried)s, 'x')",
    "with a leaf": "insert into comity.pending (entry, leaf) values (%(carried)s, '\\x00')",
    "in another's name": "insert into comity.pending (entry, agency) values (%(carried)s, 'cpd')",
}


@pytest.mark.parametrize("what", WRITTEN)
def test_the_app_role_queues_nothing_but_its_own_entries_without_a_place(
    bare: Node, database: Database, sequencer: Conn, log: Any, agency: str, what: str
) -> None:
    known = {"placed": log().id, "absent": uuid4(), "waits": uuid4(), "carried": uuid4()}
    drain_all(sequencer)
    known["waits"] = log().id
    with bare.transaction(f"{agency}-other") as (conn, _):
        theirs = an_entry(f"{agency}-other")
        append(conn, [theirs])
        within_reach = (f"{agency}-other", agency)
        conn.execute(
            "insert into comity.agreement values (%s, 'x', %s, '{}', '2000-01-01', '2100-01-01')", within_reach
        )
    with superuser(database) as conn:
        conn.execute("delete from comity.pending where entry = %s", (theirs.id,))
        known |= {"theirs": theirs.id, "carried": log().id}
        conn.execute("delete from comity.pending where entry = %s", (known["carried"],))
    refused = psycopg.errors.InsufficientPrivilege, psycopg.errors.IntegrityError, psycopg.errors.UndefinedColumn
    with pytest.raises(refused), bare.transaction(agency) as (conn, _):
        conn.execute(WRITTEN[what], known)
    assert drain_all(sequencer) == []
    with superuser(database) as conn:  # whatever was tried, the two that were taken out of the queue get their place
        for entry in (theirs.id, known["carried"]):
            conn.execute("insert into comity.pending (entry) values (%s)", (entry,))
    assert drain_all(sequencer) == []


def test_an_agency_that_is_kept_elsewhere_asks_for_no_place_here(
    bare: Node, database: Database, sequencer: Conn, log: Any, agency: str
) -> None:
    carried = log().id
    with superuser(database) as conn:
        conn.execute("delete from comity.pending where entry = %s", (carried,))
        conn.execute("insert into comity.agency (id, title, elsewhere) values (%s, 'Far away', true)", (agency,))
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), bare.transaction(agency) as (conn, _):
            conn.execute("insert into comity.pending (entry) values (%s)", (carried,))
    finally:
        with superuser(database) as conn:
            conn.execute("delete from comity.agency where id = %s", (agency,))
            conn.execute("insert into comity.pending (entry) values (%s)", (carried,))


def test_the_worker_tells_the_same_line_once_a_minute_and_again_after_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(worker, "_told", {})
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    for seconds, line, told in ((0, "a", 1), (30, "a", 0), (30, "b", 1), (61, "a", 1), (62, "a", 0)):
        now[0] = seconds
        worker._tell(line)
        assert capsys.readouterr().err.count(f"worker: {line}\n") == told


def test_a_row_that_cannot_have_a_place_is_set_aside_named_and_stops_nobody(
    bare: Node, database: Database, sequencer: Conn, log: Any
) -> None:
    before = log()
    drain_all(sequencer)
    absent = uuid4()
    with superuser(database) as conn:
        conn.execute("insert into comity.pending (entry) values (%s), (%s)", (before.id, absent))
    after = [log() for _ in range(3)]
    assert set(drain_all(sequencer)) == {before.id, absent}
    assert all(placed(sequencer, one.id) for one in after)
    assert bare.lag()["set_aside"] == 2 and bare.lag()["pending"] == 0
    held = {entry: reason for entry, reason, _ in sequence.set_aside(sequencer)}
    assert held == {before.id: "placed_before", absent: "unknown_entry"}
    finding = sequencer_finding(database)
    assert not finding.ok and str(absent) in finding.detail and "unknown_entry" in finding.detail
    with superuser(database) as conn:
        conn.execute("delete from comity.pending where entry = any(%s)", ([before.id, absent],))
    assert sequencer_finding(database).ok


def test_an_error_that_one_row_causes_is_found_by_halves_and_the_row_is_tried_again_later(
    database: Database, sequencer: Conn, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody foresaw this one: the table itself refuses a single entry of a lot."""
    drain_all(sequencer)
    written = [log() for _ in range(64)]
    bad, lots = written[40], []
    placing = sequence.place
    monkeypatch.setattr(sequence, "place", lambda *given: lots.append(given) or placing(*given))
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(
            f"""create function comity.refuses() returns trigger language plpgsql as $$ begin
                  if new.entry = '{bad.id}' then raise exception 'poisoned'; end if; return new; end $$;
                create trigger poisoned before insert on comity.sequence for each row
                  execute function comity.refuses()"""
        )
        try:
            assert drain_all(sequencer) == [bad.id]
            assert {given[2] for given in lots if len(given) > 2} >= {1, 4, 9, 19, 39}, "by halves, not one by one"
            assert sum(len(given) == 2 for given in lots) < 12
            assert [placed(sequencer, one.id) for one in written] == [one is not bad for one in written]
        finally:
            owner.execute("drop trigger poisoned on comity.sequence; drop function comity.refuses()")
    assert sequence.set_aside(sequencer)[0][1] == "P0001"
    assert sequence.again(sequencer) == 1 and drain_all(sequencer) == []
    assert placed(sequencer, bad.id)


def test_what_is_the_whole_lots_trouble_sets_nothing_aside(database: Database, sequencer: Conn, log: Any) -> None:
    one = log()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("revoke insert on comity.sequence from comity_sequencer")
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sequence.place(sequencer, clock.now())
        finally:
            owner.execute("grant insert on comity.sequence to comity_sequencer")
    assert sequence.set_aside(sequencer) == []
    assert drain_all(sequencer) == [] and placed(sequencer, one.id)
