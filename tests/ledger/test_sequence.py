"""Every entry gets one place, none is missed, and an entry that saw another stands behind it."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest

from comity import clock
from comity.config.database import Database
from comity.kernel.ledger import sequence
from comity.kernel.ledger.append import append
from comity.kernel.work.node import Node
from tests.ledger.conftest import an_entry
from tests.patience import PATIENCE
from tests.speeds.sizes import size

Conn = psycopg.Connection[Any]


@pytest.fixture
def sequencer(database: Database) -> Iterator[Conn]:
    with psycopg.connect(database.sequencer_url, autocommit=True) as conn:
        yield conn


def drain_all(conn: Conn, limit: int = 5_000) -> int:
    placed = 0
    while batch := sequence.drain(conn, clock.now(), limit):
        placed += batch
    return placed


def gapless(conn: Conn) -> dict[UUID, int]:
    """Every place of the stream and of each agency's log is there once; the entries with their place in the stream."""
    rows = conn.execute("select place, agency, agency_place, entry from comity.sequence order by place").fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    own: dict[str, list[int]] = {}
    for _, agency, place, _ in rows:
        own.setdefault(agency, []).append(place)
    assert all(places == list(range(1, len(places) + 1)) for places in own.values())
    found = {row[3]: row[0] for row in rows}
    assert len(found) == len(rows)
    return found


def begun(database: Database, agency: str) -> Conn:
    """A connection of a writer in an open transaction that acts for an agency."""
    conn = psycopg.connect(database.app_url)
    conn.execute("select * from comity.begin(%s, null)", (agency,))
    return conn


def test_entries_of_many_agencies_get_gapless_places_in_batches(bare: Node, agency: str, sequencer: Conn) -> None:
    drain_all(sequencer)
    wanted = []
    for at in range(12):
        one = f"{agency}{at % 3}"
        entries = [an_entry(one) for _ in range(3)]
        with bare.transaction(one) as (conn, _):
            append(conn, entries)
        wanted += [entry.id for entry in entries]
    assert sequence.drain(sequencer, clock.now(), limit=5) == 5
    assert drain_all(sequencer, limit=5) == 31
    places = gapless(sequencer)
    ours = [places[one] for one in wanted]
    assert ours == sorted(ours) == list(range(ours[0], ours[0] + 36))


def test_an_entry_that_commits_late_is_found_by_the_next_drain(
    database: Database, bare: Node, agency: str, sequencer: Conn
) -> None:
    late, early = an_entry(agency), an_entry(agency)
    slow = begun(database, agency)
    append(slow, [late])
    with bare.transaction(agency) as (conn, _):
        append(conn, [early])
    drain_all(sequencer)
    assert early.id in gapless(sequencer) and late.id not in gapless(sequencer)
    slow.commit()
    slow.close()
    drain_all(sequencer)
    places = gapless(sequencer)
    assert places[late.id] > places[early.id]


def test_an_entry_that_is_rolled_back_leaves_no_gap(database: Database, log: Any, agency: str, sequencer: Conn) -> None:
    slow = begun(database, agency)
    lost = an_entry(agency)
    append(slow, [lost])
    log()
    slow.rollback()
    slow.close()
    log()
    drain_all(sequencer)
    assert lost.id not in gapless(sequencer)


@pytest.mark.parametrize("seed", range(size(small=4, deep=40)))
def test_an_entry_that_saw_another_stands_behind_it(
    database: Database, agency: str, sequencer: Conn, seed: int
) -> None:
    """Five writers in interleaved transactions; each appends after it has looked at what was there."""
    chance = random.Random(seed)
    open_now: list[Conn] = []
    saw: dict[UUID, set[UUID]] = {}
    for _ in range(size(small=100, deep=300)):
        what = chance.random()
        if what < 0.25 and len(open_now) < 5:
            open_now.append(begun(database, agency))
        elif what < 0.65 and open_now:
            conn = chance.choice(open_now)
            seen = {row[0] for row in conn.execute("select id from comity.entry where agency = %s", (agency,))}
            made = an_entry(agency)
            append(conn, [made])
            saw[made.id] = seen
        elif what < 0.85 and open_now:
            conn = open_now.pop(chance.randrange(len(open_now)))
            conn.commit()
            conn.close()
        else:
            sequence.drain(sequencer, clock.now(), limit=chance.choice([1, 2, 100]))
    for conn in open_now:
        conn.commit()
        conn.close()
    drain_all(sequencer)
    places = gapless(sequencer)
    assert len(saw) > 10 and any(saw.values())
    for entry, seen in saw.items():
        assert all(places[other] < places[entry] for other in seen)


def test_two_workers_at_once_place_every_entry_once(
    database: Database, bare: Node, agency: str, sequencer: Conn
) -> None:
    wanted: list[UUID] = []
    rounds = size(small=25, deep=500)
    written = threading.Event()

    def write() -> None:
        for _ in range(rounds):
            made = [an_entry(agency) for _ in range(4)]
            with bare.transaction(agency) as (conn, _):
                append(conn, made)
            wanted.extend(one.id for one in made)
        written.set()

    def work() -> None:
        with psycopg.connect(database.sequencer_url, autocommit=True) as conn:
            while sequence.drain(conn, clock.now(), limit=3) or not written.is_set():
                pass

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(one) for one in (work, work, write)]:
            done.result(5 * PATIENCE)
    drain_all(sequencer)
    places = gapless(sequencer)
    ours = [places[one] for one in wanted]
    assert len(ours) == 4 * rounds and ours == sorted(ours)


def test_a_drain_names_the_agencies_whose_logs_grew(log: Any, sequencer: Conn) -> None:
    drain_all(sequencer)
    assert sequence.place(sequencer, clock.now()) == sequence.Placed()
    first = log()
    log()
    assert sequence.place(sequencer, clock.now()) == sequence.Placed((first.agency,), 2)


def test_a_second_worker_waits_until_the_first_has_placed_its_batch(
    database: Database, log: Any, sequencer: Conn
) -> None:
    drain_all(sequencer)
    first = log()
    with psycopg.connect(database.sequencer_url) as half, ThreadPoolExecutor(1) as pool:
        sequence.drain(half, clock.now())
        half.execute("select pg_advisory_xact_lock(%s)", (sequence.LOCK,))
        second = log()
        waiting = pool.submit(sequence.drain, sequencer, clock.now())
        time.sleep(0.2)
        assert not waiting.done()
        half.commit()
        assert waiting.result(PATIENCE) == 1
    places = gapless(sequencer)
    assert places[second.id] == places[first.id] + 1


HALF = """
import sys, time, psycopg
from comity import clock
from comity.kernel.ledger import sequence
conn = psycopg.connect(sys.argv[1])
conn.execute("select pg_advisory_xact_lock(%s)", (sequence.LOCK,))
placed = conn.execute(sequence._DRAIN, {"limit": 5, "now": clock.now(), "wake": sequence.WAKE}).fetchone()[1]
print(placed, flush=True)
time.sleep(60)
"""
WHOLE = """
import sys, psycopg
from comity import clock
from comity.kernel.ledger import sequence
conn = psycopg.connect(sys.argv[1], autocommit=True)
print("ready", flush=True)
while True:
    sequence.drain(conn, clock.now(), limit=1)
"""


def started(program: str, database: Database) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, database.sequencer_url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(PATIENCE)
    assert process.stdout is not None
    process.stdout.close()


def test_a_worker_killed_in_the_middle_of_a_drain_has_placed_nothing(
    database: Database, log: Any, sequencer: Conn
) -> None:
    drain_all(sequencer)
    wanted = [log().id for _ in range(8)]
    process, placed = started(HALF, database)
    assert placed == "5"
    assert not set(wanted) & set(gapless(sequencer))
    ended(process)
    drain_all(sequencer)
    places = gapless(sequencer)
    assert [places[one] for one in wanted] == sorted(places[one] for one in wanted)


def test_workers_killed_at_any_moment_lose_and_double_nothing(database: Database, log: Any, sequencer: Conn) -> None:
    drain_all(sequencer)
    chance = random.Random(7)
    wanted = []
    for _ in range(size(small=4, deep=60)):
        process, ready = started(WHOLE, database)
        assert ready == "ready"
        wanted += [log().id for _ in range(chance.randrange(20, 60))]
        time.sleep(chance.random() * 0.05)
        ended(process)
    drain_all(sequencer)
    places = gapless(sequencer)
    ours = [places[one] for one in wanted]
    assert ours == sorted(ours)
    pending = sequencer.execute("select count(*) from comity.pending").fetchone()
    assert pending == (0,)
