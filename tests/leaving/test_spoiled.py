"""What an opponent could do to a folder, or a full disk or a kill to us: each is found, and nothing half done stays."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity.kernel.ledger import departure_check
from comity.kernel.ledger.departure_check import Held, check
from comity.kernel.policy import tokens
from comity.kernel.portability import arrive as arriving
from comity.kernel.portability.leave import Left, leave
from tests.leaving.conftest import Elsewhere, Kept
from tests.leaving.remade import remade
from tests.leaving.shipped import arrive
from tests.records.conftest import at_once
from tests.world import World, refused

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def empty(elsewhere: Elsewhere) -> World:
    """A home on which nothing is installed and, after every refusal, nothing is."""
    return elsewhere()


def lines(folder: Path, name: str = "log.jsonl") -> list[Any]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def put(folder: Path, found: list[Any], name: str = "log.jsonl") -> None:
    text = "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in found)
    (folder / name).write_text(text, "utf-8")


def removed(folder: Path, at: int) -> None:
    found = lines(folder)
    del found[at]
    put(folder, found)


def renumbered(folder: Path) -> None:
    found = lines(folder)
    for place, line in enumerate(found, 1):
        line["place"] = place
    put(folder, found)


def removed_and_counted_anew(folder: Path) -> None:
    removed(folder, 3)
    renumbered(folder)


def swapped(folder: Path) -> None:
    found = lines(folder)
    found[4], found[5] = found[5], found[4]
    put(folder, found)


def swapped_and_counted_anew(folder: Path) -> None:
    swapped(folder)
    renumbered(folder)


def repeated(folder: Path) -> None:
    found = lines(folder)
    put(folder, [*found, found[-1]])
    renumbered(folder)


def edited(**changes: Any) -> Spoil:
    """The first entry of a case, with something of it changed; `header_X` changes the header."""

    def spoil(folder: Path) -> None:
        found = lines(folder)
        line = next(one for one in found if one["header"]["type"] == "investigation.case")
        for name, change in changes.items():
            of, key = (line["header"], name[7:]) if name.startswith("header_") else (line, name)
            of[key] = change(of.get(key)) if callable(change) else change
        put(folder, found)

    return spoil


def flipped(hexed: str) -> str:
    return ("0" if hexed[0] != "0" else "1") + hexed[1:]


def file(folder: Path) -> Path:
    (path,) = (folder / "files").iterdir()
    return path


def appended(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        path = file(folder) if name == "files" else folder / name
        path.write_bytes(path.read_bytes() + b"\n")

    return spoil


def lost(name: str) -> Spoil:
    return lambda folder: (file(folder) if name == "files" else folder / name).unlink()


def proof(**changes: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        found = json.loads((folder / "proof.json").read_text("utf-8"))
        (folder / "proof.json").write_text(json.dumps({**found, **changes}), "utf-8")

    return spoil


def manifest(change: Callable[[str], str]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "manifest-sha256.txt"
        path.write_text(change(path.read_text("utf-8")), "utf-8")

    return spoil


def another_state(folder: Path) -> None:
    found = lines(folder, "records.jsonl")
    found[0]["digest"] = "0" * 64
    put(folder, found, "records.jsonl")


def linked(folder: Path) -> None:
    path = file(folder)
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")


SPOILED: dict[str, Spoil] = {
    "an entry removed": lambda folder: removed(folder, 4),
    "the first entry removed": lambda folder: removed(folder, 0),
    "the last entry removed": lambda folder: removed(folder, -1),
    "an entry removed and the places counted anew": removed_and_counted_anew,
    "two entries swapped": swapped,
    "two entries swapped and the places counted anew": swapped_and_counted_anew,
    "an entry twice": repeated,
    "a field altered": edited(content=lambda text: text.replace("Straw", "Fair!")),
    "an item dropped with its salt": edited(content="{}", salts=""),
    "an entry's content dropped": edited(content=None, salts=None),
    "a salt altered": edited(salts=flipped),
    "a commitment altered": edited(commitments=lambda held: [flipped(held[0]), *held[1:]]),
    "a leaf altered": edited(leaf=flipped),
    "who did it": edited(header_actor="00000000-0000-0000-0000-00000000000a"),
    "when it happened": edited(header_occurred_at="2020-01-01T00:00:00.000000Z"),
    "a member too many in a header": edited(header_note="hidden"),
    "a member too many in a line": edited(note="hidden"),
    "an id that is none": edited(header_record="no id"),
    "an id that is an object": edited(header_entry={}),
    "a type that is a list": edited(header_type=["investigation.case"]),
    "a commitment that is none": edited(commitments=["zz"]),
    "when it had its place": edited(placed_at="yesterday"),
    "a line cut off": lambda folder: (folder / "log.jsonl").write_bytes((folder / "log.jsonl").read_bytes()[:-5]),
    "a line that is no JSON": appended("log.jsonl"),
    "a file altered": appended("files"),
    "a file lost": lost("files"),
    "a file that is elsewhere": linked,
    "a file too many": lambda folder: (folder / "files" / "more").write_text("x") and None,
    "a record's state altered": another_state,
    "a row altered": appended("rows/share.jsonl"),
    "the rows lost": lost("rows/offer.jsonl"),
    "the words altered": appended("LEFT_BEHIND.txt"),
    "the manifest altered": manifest(lambda text: text.replace("0", "1", 1)),
    "a line of the manifest dropped": manifest(lambda text: text.split("\n", 1)[1]),
    "a manifest that leads outside": manifest(lambda text: text + "0" * 64 + "  ../outside\n"),
    "the manifest lost": lost("manifest-sha256.txt"),
    "the proof lost": lost("proof.json"),
    "another root in the proof": proof(root="0" * 64),
    "another number of entries in the proof": proof(entries=3),
    "another agency in the proof": proof(agency="dea"),
    "other records in the proof": proof(records={}),
    "no erasure in the proof": proof(absent={"erased": []}),
    "an erasure of no entry in the proof": proof(absent={"erased": [{"entry": []}]}),
    "a proof of another kind": proof(format="comity-leave-2"),
    "a proof that is no object": lambda folder: (folder / "proof.json").write_text("[]") and None,
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_folder_is_found_and_refused_before_anything_is_written(copy: Path, what: str, empty: World) -> None:
    SPOILED[what](copy)
    found = check(copy)
    assert found.faults, what
    refusal = refused(arrive, empty.node, tokens.operator(), copy)
    assert refusal.code == "folder_refused" and refusal.faults
    assert nothing(empty)


def nothing(world: World) -> bool:
    """Whether nothing at all is on a node: no agency, no entry, no file."""
    counted = "select (select count(*) from comity.agency), (select count(*) from comity.layer)"
    entries = [world.rows(one, "select count(*) from comity.entry") for one in ("atf", "node")]
    return world.rows("atf", counted) == [(0, 0)] and entries == [[(0,)], [(0,)]] and files(world) == []


def files(world: World) -> list[Path]:
    return [path for path in (world.node.home / "files").rglob("*") if path.is_file()]


def test_the_words_say_what_is_wrong_and_where(copy: Path, kept: Kept) -> None:
    edited(content=lambda text: text.replace("Straw", "Fair!"))(copy)
    remade(copy, entries=False)
    (said,) = check(copy).faults
    place = next(line["place"] for line in lines(copy) if line["header"]["entry"] == kept.case.entry)
    assert said == f"place {place}: the item set is not what was committed to"


CONSISTENT: dict[str, Spoil] = {
    "the end cut off": lambda folder: removed(folder, -1),
    "an entry of the middle cut out": removed_and_counted_anew,
}


@pytest.mark.parametrize("what", CONSISTENT)
def test_a_host_that_counts_anew_is_found_by_a_receipt(copy: Path, left: Left, what: str) -> None:
    """A host may cut out an entry that stands alone and make all digests anew. Who holds its receipt sees it."""
    before = {line["header"]["entry"]: line for line in lines(copy)}
    CONSISTENT[what](copy)
    remade(copy)
    assert check(copy).faults == [], "by itself the folder holds: that is what docs/leaving.md says"
    (gone,) = set(before) - {line["header"]["entry"] for line in lines(copy)}
    assert check(copy, (Held(gone, before[gone]["leaf"]),)).faults == [f"the entry {gone} is not in the log"]
    assert check(left.folder, (Held(gone, before[gone]["leaf"], before[gone]["place"]),)).faults == []
    assert check(copy).proof != left.checked.proof, "and the digest that was written down differs"


def test_a_receipt_of_another_leaf_or_place_is_told(left: Left, kept: Kept) -> None:
    case = kept.case
    assert check(left.folder, (Held(case.entry, case.leaf),)).receipts[0]["leaf"] == case.leaf
    (said,) = check(left.folder, (Held(case.entry, "0" * 64),)).faults
    assert "another leaf" in said
    (said,) = check(left.folder, (Held(case.entry, case.leaf, 1),)).faults
    assert "says place 1" in said


def test_a_folder_that_agrees_with_itself_and_not_with_its_log_is_refused(copy: Path, empty: World) -> None:
    """Rows that no entry supports: an offer answered by nobody, a share of an offer that is not there."""
    offers = lines(copy, "rows/offer.jsonl")
    for one in offers:
        if one["state"] == "offered" and one["from_agency"] == "atf":
            one |= {"state": "agreed", "answer_entry": one["offer_entry"], "settled_entry": one["offer_entry"]}
    put(copy, offers, "rows/offer.jsonl")
    remade(copy)
    assert check(copy).faults == []
    refusal = refused(arrive, empty.node, tokens.operator(), copy)
    assert refusal.code == "folder_refused" and "answer" in str(refusal.faults), refusal.faults
    assert nothing(empty)


def test_an_answer_that_its_own_log_does_not_name_is_not_taken_over(
    copy: Path, elsewhere: Elsewhere, kept: Kept
) -> None:
    offers = lines(copy, "rows/offer.jsonl")
    for one in offers:
        if one["id"] == kept.silent.record:
            one |= {"state": "agreed", "answer_entry": kept.case.entry, "answered_at": one["offered_at"]}
    put(copy, offers, "rows/offer.jsonl")
    remade(copy)
    other = elsewhere()
    arrive(other.node, tokens.operator(), copy)
    other.follow()
    assert other.rows("atf", "select state from comity.offer where id = %s", kept.silent.record) == [("offered",)]


def test_a_long_log_is_walked_in_parts(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(departure_check.folded(left.folder, left.checked.entries, {}))
    monkeypatch.setattr(departure_check, "AT_ONCE", 2)
    assert list(departure_check.folded(left.folder, left.checked.entries, {})) == whole
    assert check(left.folder).faults == []


def test_a_full_disk_leaves_no_folder(world: World, kept: Kept, tmp_path: Path) -> None:
    actor = world.seats[world.seat("atf", "administrator")]
    world.follow()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (100, 20_000, 1 << 20):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            assert refused(leave, world.node, actor, tmp_path / "atf", close=True).code == "disk_full"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(tmp_path.iterdir()) == []
        assert world.read("atf_agent", kept.case.record), "a leaving that failed closes nothing"


def test_a_full_disk_on_arrival_leaves_nothing(left: Left, empty: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        assert refused(arrive, empty.node, tokens.operator(), left.folder).code == "disk_full"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert nothing(empty)


def test_a_dry_run_does_all_of_it_and_takes_it_back(left: Left, empty: World) -> None:
    tried = arrive(empty.node, tokens.operator(), left.folder, dry_run=True)
    assert (tried.dry_run, tried.unchanged, tried.files) == (True, False, 1) and tried.records > 3
    assert nothing(empty)


KILLED = """
import os, signal, sys
from pathlib import Path
from psycopg_pool import ConnectionPool
from comity.config import loader, paths
from comity.kernel.policy import tokens
from comity.kernel.portability import arrive, leave
from comity.kernel.work.disk_store import DiskStore
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Node
from comity.kernel.definitions.load import read_folder

home = Path(sys.argv[1])
pool = ConnectionPool(sys.argv[2], min_size=1, max_size=4, open=True)
files = DiskStore(home / "files")
node = Node(pool, home, KeyRing(home / "keys"), files, extensions=loader.extensions(), backfill=loader.backfill())
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if len(sys.argv) == 4:
    arrive.judge = die
    law = read_folder(paths.jurisdictions() / "us-federal")
    shipped = {"core": loader.core_files(), "jurisdiction/us-federal": law}
    arrive.arrive(node, tokens.operator(), Path(sys.argv[3]), shipped=shipped)
leave.departure.sha256 = die  # of the manifest: all but the proof is written
leave.leave(node, tokens.sign_in(node, sys.argv[4]), Path(sys.argv[3]))
"""


def test_a_killed_leaving_leaves_nothing_that_holds(world: World, kept: Kept, tmp_path: Path) -> None:
    token = world.issued[world.seat("atf", "administrator")].token
    world.follow()
    given = [str(world.node.home), world.database.app_url, str(tmp_path / "atf"), token]
    done = subprocess.run([sys.executable, "-c", KILLED, *given], capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".part") and (part / "records.jsonl").exists() and check(part).faults


def test_a_killed_arrival_is_begun_again_and_two_at_once_are_one(left: Left, elsewhere: Elsewhere) -> None:
    other = elsewhere()
    given = [str(other.node.home), other.database.app_url, str(left.folder)]
    done = subprocess.run([sys.executable, "-c", KILLED, *given], capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    assert other.rows("atf", "select count(*) from comity.agency") == [(0,)] and len(files(other)) == 1
    answers = at_once([lambda: arrive(other.node, tokens.operator(), left.folder)] * 2)
    assert sorted(one.unchanged for one in answers) == [False, True], answers
    assert len(files(other)) == 1, "what the killed one left was written over"
    ((count,),) = other.rows("atf", "select count(*) from comity.entry where agency = 'atf'")
    assert count == left.checked.entries


def test_a_taken_id_is_told_and_nothing_stays(left: Left, elsewhere: Elsewhere, kept: Kept) -> None:
    """Somebody on the other node has a record of the same id: the arrival is refused whole."""
    other = elsewhere()
    import psycopg

    with psycopg.connect(other.database.superuser_url, autocommit=True) as conn:
        conn.execute(
            """insert into comity.share (id, record, agency, to_agency, groups, basis)
               select id, id, 'other', 'third', '{}', 'x' from (values (%s::uuid)) as t (id)""",
            (lines(left.folder, "rows/share.jsonl")[0]["id"],),
        )
    assert refused(arrive, other.node, tokens.operator(), left.folder).code == "already_here"
    assert nothing(other)


def test_an_error_of_ours_is_not_told_as_the_folders(left: Left, empty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(arriving, "judge", fails)
    with pytest.raises(RuntimeError, match="ours"):
        arrive(empty.node, tokens.operator(), left.folder)
    assert nothing(empty)


def test_the_digests_are_plain(left: Left) -> None:
    """What is printed can be had with sha256sum."""
    assert hashlib.sha256((left.folder / "proof.json").read_bytes()).hexdigest() == left.checked.proof
