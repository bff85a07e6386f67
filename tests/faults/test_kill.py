"""`kill -9` of the worker, the writer and PostgreSQL at any moment: what was acknowledged is there, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from comity.config import loader, paths, worker
from comity.config.database import Database, open_database
from comity.config.settings import Settings, settings
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.records.install import install
from comity.kernel.work.node import Node
from tests.config import server
from tests.faults.writer import AGENCY
from tests.patience import PATIENCE, eventually
from tests.speeds.sizes import size

ROOT = Path(__file__).parents[2]
COUNT = size(small=700, deep=20_000)
ROUNDS = size(small=1, deep=8)
MAIN = "from comity.config.main import main; main()"


def descendants(of: int, what: str) -> list[int]:
    """The processes below `of` whose command line holds `what`."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            pid = int(folder.name)
            parents[pid] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            commands[pid] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    below, found = {of}, []
    for _ in range(6):
        below |= {pid for pid, parent in parents.items() if parent in below}
    for pid in below - {of}:
        if what in commands.get(pid, ""):
            found.append(pid)
    return found


def killed(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def environment(home: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return {**clean, "COMITY_HOME": str(home), "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "seed"), size(small=[("india", 11)], deep=[("india", 11), *(("us", seed) for seed in range(11, 19))])
)
def test_the_demo_ends_well_though_its_worker_is_killed_again_and_again(tmp_path: Path, story: str, seed: int) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-c", MAIN, "demo", story, "--no-serve", "--json"],
        env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    chance, kills = random.Random(seed), 0
    try:
        while demo.poll() is None:
            for pid in descendants(demo.pid, "comity.config.worker"):
                if kills < 8:
                    time.sleep(chance.uniform(0.0, 1.2))
                    killed(pid)
                    kills += 1
            time.sleep(0.1)
        out, errors = demo.communicate()
    finally:
        demo.kill()
    assert demo.returncode == 0, errors[-2000:]
    told = json.loads(out)
    assert kills >= 3, "there was something to kill"
    assert told["rebuild_equal"] is True and told["facts_retyped"] == 0
    assert len(told["steps"]) >= {"us": 27, "india": 15}[story]
    server.nothing_left(tmp_path / "demo")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Database, Node, str]]:
    """A server of its own, to be killed, with one agency and a token of its attorney."""
    chosen = settings({"COMITY_HOME": str(tmp_path_factory.mktemp("faults"))})
    with open_database(chosen) as database:
        database.keep()
        node = loader.node_on(chosen, database, 4)
        install(
            node, tokens.operator(), agency=AGENCY, core=loader.core_files(),
            jurisdiction=read_folder(paths.jurisdictions() / "us-federal"), own=read_folder(paths.agencies() / AGENCY),
        )  # fmt: skip
        token = tokens.admit(node, AGENCY, "A. Feldman", ["attorney"]).token
        yield chosen, database, node, token
        node.close()


def begun(home: Path, *program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *program], env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=ROOT,
    )  # fmt: skip


def heard(process: subprocess.Popen[str], lines: list[str]) -> threading.Thread:
    """Collect what a program prints until it ends; half a line, of one that was killed, is no acknowledgement."""

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):
                lines.append(line.strip())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_every_acknowledged_receipt_is_there_once_whatever_was_killed(
    house: tuple[Settings, Database, Node, str],
) -> None:
    chosen, database, node, token = house
    chance = random.Random(5)
    lines: list[str] = []
    follower = begun(chosen.home, "comity.config.worker")

    def postgres() -> None:
        killed(server.postmaster(chosen.home))

    def backend() -> None:
        with psycopg.connect(database.superuser_url, autocommit=True) as conn:
            rows = conn.execute("select pid from pg_stat_activity where usename = 'comity_app' limit 1").fetchall()
        for (pid,) in rows:
            killed(pid)

    def sequencer() -> None:
        nonlocal follower
        follower.kill()
        follower.wait(PATIENCE)
        follower = begun(chosen.home, "comity.config.worker")

    for harm in (postgres, sequencer, backend, None, postgres) * ROUNDS:
        writer = begun(chosen.home, "tests.faults.writer", str(COUNT), token)
        listening = heard(writer, lines)
        before = len(lines)
        eventually(lambda writer=writer, before=before: len(lines) > before + 10 or writer.poll() is not None)
        time.sleep(chance.uniform(0.0, 0.25))
        if harm is not None:
            with suppress(psycopg.OperationalError):
                harm()
            time.sleep(chance.uniform(0.1, 0.6))
        writer.kill()
        writer.wait(PATIENCE)
        listening.join(PATIENCE)
    last = begun(chosen.home, "tests.faults.writer", str(COUNT), token)
    listening = heard(last, lines)
    assert last.wait(20 * PATIENCE) == 0
    listening.join(PATIENCE)
    follower.kill()
    follower.wait(PATIENCE)

    acknowledged: dict[str, set[tuple[str, str]]] = {}
    for line in lines:
        kind, key, *rest = line.split(" ", 2)
        assert kind == "ack", line
        record, entry = rest[0].split()
        acknowledged.setdefault(key, set()).add((record, entry))
    assert len(acknowledged) == COUNT
    assert all(len(found) == 1 for found in acknowledged.values()), "a repetition got the first receipt"
    assert len(lines) > COUNT, "some were asked for more than once"

    eventually(lambda: _answers(node))
    worker.inline(node, database.sequencer_url)
    with node.transaction(AGENCY) as (conn, _):
        stored = {(str(record), str(entry)) for record, entry in conn.execute(
            """select r.id, e.id from comity.record r join comity.entry e on e.record = r.id
                where r.type = 'registry.place'"""
        )}  # fmt: skip
        places = [row[0] for row in conn.execute(
            "select agency_place from comity.sequence where agency = comity.me() order by agency_place")]  # fmt: skip
        entries = conn.execute("select count(*) from comity.entry where agency = comity.me()").fetchone()
        numbers = conn.execute("select count(distinct number), count(*) from comity.record").fetchone()
    assert stored == {one for found in acknowledged.values() for one in found}, "nothing lost, nothing doubled"
    assert entries == (len(places),) and places == list(range(1, len(places) + 1))
    assert numbers == (COUNT, COUNT)
    found = rebuild.run(node)
    assert found.equal, found.differences[:5]


def _answers(node: Node) -> bool:
    with suppress(Problem):
        node.lag()
        return True
    return False


def test_while_the_database_is_away_the_refusal_says_so_and_nothing_else(
    house: tuple[Settings, Database, Node, str],
) -> None:
    chosen, _, node, _ = house
    refusals = []
    killed(server.postmaster(chosen.home))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            node.lag()
        except Problem as problem:
            refusals.append(problem.code)
        else:
            if refusals:
                break
        time.sleep(0.02)
    assert set(refusals) == {"unavailable"}
    assert _answers(node)
