"""A database that an older version wrote is upgraded in place, and everything in it is as it was.

What is compared is meaning: leaves and bytes, what a rebuild and a reconciliation find, what a seat reads. Tables may
change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comity import clock
from comity.cli.app import run as command
from comity.config import worker
from comity.config.database import Database, migrate
from comity.config.main import services
from comity.config.settings import settings
from comity.kernel.ledger import sequence
from comity.kernel.policy.actor import Actor
from comity.kernel.records.act import act
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.views.read import read
from comity.kernel.work.node import NODE, Node
from tests.upgrade import outcome
from tests.upgrade.catalog import catalog
from tests.upgrade.conftest import FOLDER, RECORDED, NewDatabase, load
from tests.upgrade.keys import write_keys
from tests.world import node_on

pytestmark = pytest.mark.slow
WRITERS = {
    "us": ("atf", "S. Rivera", "usdc", "W. Petrov"),
    "india": ("in-police", "SI A. Kumari", "in-court", "R. Saxena"),
}
"""Who enters and acts anew, and who answers the offer that waited."""


@dataclass
class Upgraded:
    """A recorded database after the upgrade, a node on it, and what the recording says of it."""

    story: str
    node: Node
    database: Database
    expected: dict[str, Any]
    applied: list[str]

    def actor(self, agency: str, name: str) -> Actor:
        with self.node.transaction(agency) as (conn, _):
            row = conn.execute("select id::text from comity.member where name = %s", (name,)).fetchone()
        assert row is not None
        return outcome.actor(self.node, agency, row[0])

    def follow(self) -> None:
        with psycopg.connect(self.database.sequencer_url, autocommit=True) as conn:
            worker.once(self.node, conn)


@contextmanager
def opened(recorded: Path, database: Database, home: Path) -> Iterator[Upgraded]:
    """The recording loaded into an empty database and upgraded, with a node on it."""
    expected = json.loads((FOLDER / f"{recorded}.json").read_text("utf-8"))
    write_keys(home / "keys", expected["agencies"])
    load(database, recorded)
    applied = migrate(database)
    node = node_on(database, settings({"COMITY_HOME": str(home)}))
    try:
        yield Upgraded(recorded.name, node, database, expected, applied)
    finally:
        node.close()


@pytest.fixture(scope="module", params=RECORDED, ids=str)
def upgraded(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """To be read only."""
    with opened(request.param, new_database(), tmp_path_factory.mktemp("upgraded")) as found:
        yield found


def test_there_is_a_recorded_version() -> None:
    assert {one.name for one in RECORDED} >= {"us", "india"}


@pytest.mark.pg15
def test_everything_is_as_it_was(upgraded: Upgraded) -> None:
    expected = upgraded.expected
    assert upgraded.applied, "the recording is of an older version"
    found = outcome.outcome(upgraded.node, clock.parse_instant(expected["at"]), expected["readings"])
    assert sum(map(len, found["leaves"].values())) > 200
    assert found["leaves"] == expected["leaves"]
    assert found["bytes"] == expected["bytes"]
    assert found["sequence"] == expected["sequence"]
    assert found["rebuild"]["equal"] is True and found["rebuild"] == expected["rebuild"]
    assert found["reconcile"] == expected["reconcile"]
    assert found["records"] == expected["records"]
    for agency, types in expected["definitions"].items():
        assert set(found["definitions"][agency]) >= set(types), "the definitions in force still load"


def test_every_seat_reads_what_it_read(upgraded: Upgraded) -> None:
    readings = upgraded.expected["readings"]
    seen = {one["record"]: one["shown"] for one in readings if not isinstance(one["shown"], str)}
    refused = [one for one in readings if isinstance(one["shown"], str)]
    assert len(seen) >= 20 and len(refused) < len(readings) / 2
    with clock.at(clock.parse_instant(upgraded.expected["at"])):
        for one in readings:
            assert outcome.shown(upgraded.node, one) == one["shown"], one


@pytest.mark.pg15
def test_its_catalog_is_that_of_a_new_database(upgraded: Upgraded, new_database: NewDatabase) -> None:
    fresh = new_database()
    migrate(fresh)
    old, new = catalog(upgraded.database.superuser_url), catalog(fresh.superuser_url)
    assert len(new) > 1000
    assert (sorted(old - new), sorted(new - old)) == ([], [])
    assert migrate(upgraded.database) == []


def test_its_keys_open_what_was_kept(upgraded: Upgraded) -> None:
    for agency in upgraded.node.agencies():
        with upgraded.node.transaction(agency) as (conn, _):
            kept = conn.execute("select data_key from comity.file where agency = comity.me()").fetchall()
        assert all(len(upgraded.node.keys.unwrap(agency, bytes(one))) == 32 for (one,) in kept)


@pytest.mark.pg15
@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_work_goes_on(recorded: Path, new_database: NewDatabase, tmp_path: Path) -> None:
    """What waited for its place gets it, what waited for an answer is answered and settled, new records are entered."""
    with opened(recorded, new_database(), tmp_path) as upgraded:
        _work_on(upgraded)


def _work_on(upgraded: Upgraded) -> None:
    node, before = upgraded.node, upgraded.expected["sequence"]
    agency, name, answerer, clerk = WRITERS[upgraded.story]
    assert node.lag()["pending"] > 0, "an entry of the old version has no place yet"
    upgraded.follow()
    assert node.lag()["pending"] == 0

    writer = upgraded.actor(agency, name)
    persons = [enter(node, writer, "registry.person", {"role": "witness", "name": f"Invented {n}"}) for n in "AB"]
    fields = {"relation": "same", "basis": "document", "weight": 60}
    links = {"person": [persons[0].record], "same_as": [persons[1].record]}
    claim = enter(node, writer, "registry.identity_claim", fields, links=links)
    assert act(node, writer, claim.record, "dispute", reason="Not so").state == "disputed"
    with node.transaction(answerer) as (conn, _):
        waiting = conn.execute(
            "select id::text, from_agency from comity.offer where to_agency = comity.me() and state = 'offered'"
        ).fetchall()
    assert len(waiting) == 1
    ((offered, offerer),) = waiting
    now = clock.show_instant(clock.now())
    answer(node, upgraded.actor(answerer, clerk), offered, "filed", fields={"filed_at": now})
    upgraded.follow()
    with node.transaction(offerer) as (conn, _):
        row = conn.execute(
            "select state, settled_entry is not null from comity.offer where id = %s", (offered,)
        ).fetchone()
        settled = conn.execute("select state from comity.record where id = %s", (offered,)).fetchone()
    assert row == ("filed", True) and settled == ("filed",)
    assert read(node, writer, claim.record).state == "disputed"

    after = outcome.places(node)
    for one in [*node.agencies(), NODE]:
        assert after[one][: len(before[one])] == before[one], f"{one}: what had its place keeps it"
    assert len(after[agency]) >= len(before[agency]) + 5
    with psycopg.connect(upgraded.database.superuser_url) as conn:
        row = conn.execute("select count(*), min(place), max(place) from comity.sequence").fetchone()
    assert row is not None and row[1:] == (1, row[0]) and row[0] == sum(map(len, after.values()))
    assert outcome.rebuilt(node)["equal"] is True


@pytest.mark.parametrize("recorded", RECORDED[:1], ids=str)
def test_what_waited_is_taken_along_once_by_its_entry_and_what_would_stop_the_sequencer_is_not(
    recorded: Path, new_database: NewDatabase
) -> None:
    database = new_database()
    load(database, recorded)
    with psycopg.connect(database.superuser_url, autocommit=True) as conn:
        waited = {row[0] for row in conn.execute("select entry from comity.pending")}
        assert waited
        conn.execute("update comity.pending set leaf = '\\x00', agency = 'nobody'")
        conn.execute(
            """insert into comity.pending (agency, entry, leaf)
               select agency, entry, leaf from comity.pending
               union all (select agency, entry, leaf from comity.sequence limit 1)
               union all select 'cpd', gen_random_uuid(), '\\x00'"""
        )
    migrate(database)
    with psycopg.connect(database.sequencer_url, autocommit=True) as conn:
        taken = [row[0] for row in conn.execute("select entry from comity.pending")]
        assert sorted(taken) == sorted(waited)
        placed = sequence.place(conn, clock.now())
        assert (placed.entries, placed.aside) == (len(waited), ())


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_the_operator_upgrades_it_with_one_command(
    recorded: Path, new_database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    database = new_database()
    load(database, recorded)
    expected = json.loads((FOLDER / f"{recorded}.json").read_text("utf-8"))
    write_keys(tmp_path / "keys", expected["agencies"])
    for name, value in _environment(database, tmp_path).items():
        monkeypatch.setenv(name, value)

    def comity(*arguments: str) -> tuple[int, Any]:
        capfd.readouterr()
        code = command(services(), (*arguments, "--json"))
        return code, json.loads(capfd.readouterr().out)

    old = catalog(database.superuser_url)
    code, told = comity("upgrade", "--dry-run")
    assert code == 0 and told["migrations"] and catalog(database.superuser_url) == old
    code, done = comity("upgrade")
    assert code == 0 and done["migrations"] == told["migrations"]
    assert {one["agency"] for one in done["agencies"]} == set(expected["agencies"])
    assert {one["state"] for one in done["agencies"]} <= {"as shipped", "upgraded"}
    code, again = comity("upgrade")
    assert code == 0 and again["migrations"] == []
    assert {one["state"] for one in again["agencies"]} == {"as shipped"}
    code, found = comity("rebuild")
    assert code == 0 and found["equal"] is True

    with psycopg.connect(database.owner_url, autocommit=True) as conn:
        conn.execute("update comity.schema_state set revision = revision + 1")
    newer = catalog(database.superuser_url)
    for arguments in (("upgrade",), ("upgrade", "--dry-run"), ("rebuild",)):
        code, refused = comity(*arguments)
        assert code != 0 and refused["cause"] == "database_newer" and refused["fix"]
    assert catalog(database.superuser_url) == newer


def _environment(database: Database, home: Path) -> dict[str, str]:
    return {
        "COMITY_HOME": str(home), "DATABASE_URL": database.app_url, "DATABASE_ADMIN_URL": database.owner_url,
        "DATABASE_SEQUENCER_URL": database.sequencer_url,
    }  # fmt: skip
