"""Leaving from the command line, and closing behind oneself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comity import clock
from comity.cli import credentials
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.portability.leave import Left, leave
from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from tests.leaving.conftest import Elsewhere, Kept
from tests.world import World, day, refused

CASE = {"title": "Under way", "program": "firearms", "opened": day(2)}
ROOT = Path(__file__).parents[2]
BOSS = ("--as", "atf", "--seat", "administrator")


def comity(home: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, at a home."""
    done = subprocess.run(
        [sys.executable, "-c", "from comity.config.main import main; main()", *arguments],
        env={**os.environ, "COMITY_HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


def shown(home: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(comity(home, *arguments, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def boss(world: World, kept: Kept) -> str:
    """The administrator's seat, kept in the home as `member redeem` keeps it."""
    name = world.seat("atf", "administrator")
    one = world.issued[name]
    credentials.remember(world.node.home, agency=one.agency, member=one.member, name=one.name, token=one.token)
    return name


@contextmanager
def reopened(world: World, agency: str) -> Iterator[None]:
    try:
        yield
    finally:
        tokens.suspend_agency(world.node, tokens.operator(), agency, reason="the test is over", lift=True)


def test_from_one_home_to_another_by_commands_alone(
    world: World, kept: Kept, boss: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    here, there = world.node.home, elsewhere().node.home
    folder, receipt = tmp_path / "atf", tmp_path / "receipt.json"
    world.enter("atf_agent", "investigation.case", CASE)  # no worker runs: the command gives it its place
    receipt.write_text(json.dumps(kept.case.as_json()), "utf-8")
    with reopened(world, "atf"):
        told = comity(here, "leave", *BOSS, "--to", str(folder), "--close")
        assert "not encrypted" in told.stderr and "it has left" in told.stdout
        assert shown(here, "find", "investigation.case", *BOSS, code=1)["code"] == "agency_suspended"
        reasons = "select convert_from(content, 'UTF8') from comity.entry_content where agency = 'node'"
        assert '"reason":"left"' in str(world.rows("node", reasons))
        assert world.read("dea_supervisor", kept.offered.record).state == "agreed", "what was shared stays shared"
        waiting = [one.record for one in inbox(world.node, world.seats["dea_supervisor"])]
        assert kept.silent.record in waiting, "and what nobody answered stays visible as silent"
        assert rebuild.run(world.node).equal
    whole = comity(there, "leave", "verify", str(folder), "--receipt", str(receipt), "--entry", kept.erased.entry)
    root = re.search(r"root +([0-9a-f]{64})", whole.stdout)
    assert root and f"receipt  {kept.case.entry} is at place" in whole.stdout
    assert shown(there, "leave", "import", str(folder), "--dry-run")["dry_run"] is True
    came = comity(there, "leave", "import", str(folder))
    invitation = re.search(r"comity (member invite atf --name \"([^\"]+)\" --role administrator)", came.stdout)
    assert root[1] in came.stdout and invitation
    assert "nothing to do" in comity(there, "leave", "import", str(folder)).stdout
    assert shown(there, "rebuild")["equal"] is True
    code = shown(there, "member", "invite", "atf", "--name", invitation[2], "--role", "administrator")["code"]
    comity(there, "member", "redeem", code)
    again = shown(there, "leave", "--as", "atf", "--to", str(tmp_path / "again"))
    assert again["holds"] and (again["root"], again["entries"]) == (root[1], shown(there, "leave", "verify",
                                                                                  str(folder))["entries"])  # fmt: skip


def test_a_folder_that_does_not_hold_says_so_and_exits_1(copy: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "home"
    assert shown(nowhere, "leave", "verify", str(copy))["holds"] is True
    assert not nowhere.exists(), "verifying needs no home and no database"
    (copy / "LEFT_BEHIND.txt").write_text("Nothing.\n", "utf-8")
    said = comity(nowhere, "leave", "verify", str(copy), code=1).stdout
    assert "does not hold" in said and "LEFT_BEHIND.txt is not what the manifest says" in said
    assert shown(nowhere, "leave", "verify", str(tmp_path / "absent"), code=1)["holds"] is False
    (copy / "receipt").write_text("{}", "utf-8")
    found = shown(nowhere, "leave", "verify", str(copy), "--receipt", str(copy / "receipt"), code=2)
    assert found["code"] == "request_invalid"
    assert shown(nowhere, "leave", *BOSS, code=2)["code"] == "request_invalid", "where to must be said"


def test_verifying_needs_neither_a_database_driver_nor_django(left: Left) -> None:
    program = """
import sys
for name in ("psycopg", "psycopg_pool", "django", "cryptography", "cedarpy"):
    sys.modules[name] = None
from pathlib import Path
from comity.kernel.ledger.departure_check import check
print(check(Path(sys.argv[1])).faults)
"""
    done = subprocess.run([sys.executable, "-c", program, str(left.folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_page_is_enough_for_a_verifier_of_ones_own(left: Left, copy: Path) -> None:
    """The program of docs/leaving.md, run as it stands there: it needs Python alone and none of our code."""
    page = (ROOT / "docs" / "leaving.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert "comity." not in program
    run = [sys.executable, "-I", "-c", program]
    done = subprocess.run([*run, str(left.folder)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, [str(left.checked.entries), left.checked.root]), done.stderr
    for spoil in ("Straw", '"act":"enter"'):
        text = (left.folder / "log.jsonl").read_text("utf-8")
        assert spoil in text
        (copy / "log.jsonl").write_text(text.replace(spoil, spoil[:-2] + "x" + spoil[-1], 1), "utf-8")
        done = subprocess.run([*run, str(copy)], capture_output=True, text=True)
        assert done.returncode == 1 and "AssertionError" in done.stderr, spoil


def test_what_has_no_place_is_waited_for_and_then_refused(world: World, boss: str, tmp_path: Path) -> None:
    world.follow()
    made = world.enter("atf_agent", "investigation.case", CASE)
    actor = world.seats[boss]
    refusal = refused(leave, world.node, actor, tmp_path / "atf", close=True, patience=0.2)
    assert refusal.code == "not_settled" and not list(tmp_path.iterdir())
    assert world.read("atf_agent", made.record), "it is not closed"
    late = threading.Timer(0.5, world.follow)
    late.start()
    assert leave(world.node, actor, tmp_path / "atf").checked.faults == []
    late.join()
    assert made.entry in (tmp_path / "atf" / "log.jsonl").read_text("utf-8")


def test_a_mark_of_anothers_record_is_waited_for(world: World, boss: str, tmp_path: Path) -> None:
    fields = {"incident_number": "JK-1", "offense_code": "143A", "victim_count": 1}
    incident = world.enter("cpd_records", "investigation.incident", fields)
    world.enter("atf_agent", "registry.document", {"kind": "other", "title": "N"}, links={"about": [incident.record]})
    world.follow()
    world.amend("cpd_records", incident.record, marks=["privileged"])
    refusal = refused(leave, world.node, world.seats[boss], tmp_path / "atf", patience=0.2)
    assert (refusal.code, refusal.detail[:40]) == ("not_settled", "0 entries have no place yet, 1 answers o")
    world.follow()


def test_nothing_is_entered_behind_a_closed_agency(world: World, boss: str, tmp_path: Path) -> None:
    """An act that began before the closing and commits during it is in the folder; one after it is refused."""
    world.follow()
    begun, go_on, entered = threading.Event(), threading.Event(), []
    agent = world.seats["atf_agent"]

    def slowly() -> None:
        with world.node.work(agent):
            begun.set()
            go_on.wait(20)
            entered.append(
                enter(world.node, world.seats["dea_agent"], "registry.person", {"role": "subject", "name": "X"})
            )

    # The transaction of an agent that has begun: it holds nothing, and may still write.
    slow = threading.Thread(target=slowly)
    slow.start()
    assert begun.wait(10)
    with reopened(world, "atf"):
        refusal = refused(leave, world.node, world.seats[boss], tmp_path / "early", close=True, patience=0.5)
        assert refusal.code == "not_settled" and "under way" in refusal.detail
    clock.pause(0.2)
    go_on.set()
    slow.join()
    assert entered and not (tmp_path / "early").exists()
    with reopened(world, "atf"):
        done = leave(world.node, world.seats[boss], tmp_path / "atf", close=True)
        assert refused(world.enter, "atf_agent", "investigation.case", CASE).code == "agency_suspended"
        assert world.rows("atf", "select count(*) from comity.entry where agency = 'atf'") == [(done.checked.entries,)]


def test_a_log_that_was_altered_is_given_as_it_is_and_told(world: World, kept: Kept, boss: str, tmp_path: Path) -> None:
    """The agency gets what there is, with the fault in words; it is not closed."""
    world.follow()
    change = (
        "update comity.entry_content set content = convert_to(replace(convert_from(content, 'UTF8'), %s, %s), 'UTF8')"
    )
    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(f"{change} where entry = %s", ("Straw", "Fair!", kept.case.entry))
        try:
            refusal = refused(leave, world.node, world.seats[boss], tmp_path / "atf", close=True)
        finally:
            conn.execute(f"{change} where entry = %s", ("Fair!", "Straw", kept.case.entry))
    assert refusal.code == "folder_refused" and "not what was committed to" in str(refusal.faults)
    assert (tmp_path / "atf" / "log.jsonl").exists() and world.read("atf_agent", kept.case.record)


def test_a_damaged_file_is_no_reason_to_lose_it_silently(world: World, kept: Kept, boss: str, tmp_path: Path) -> None:
    ((stored,),) = world.rows("atf", "select stored from comity.file where id = %s", kept.file)
    path = world.node.home / "files" / "atf" / stored
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    try:
        assert refused(leave, world.node, world.seats[boss], tmp_path / "atf").code == "file_damaged"
    finally:
        path.write_bytes(whole)
    assert list(tmp_path.iterdir()) == []
