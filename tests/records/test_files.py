"""Files: hashed on the way in, unreadable on the disk, never half there."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Problem
from comity.kernel.records import attach as attaching
from comity.kernel.records.attach import attach, fetch
from comity.kernel.work.results import FileInfo, Receipt
from comity.sentences import Given
from tests.records.conftest import at_once, code_of
from tests.world import World, refused

SECRET = b"the informant is waiting at the pier"


def added(world: World, record: str, data: bytes | io.RawIOBase, name: str = "note.txt", **rest: Any) -> Receipt:
    stream: Any = io.BytesIO(data) if isinstance(data, bytes) else data
    seat = world.seats[rest.pop("seat", "atf_agent")]
    return attach(world.node, seat, record, name=name, media_type="text/plain", stream=stream, **rest)


def file_of(world: World, record: str) -> str:
    return next(iter(world.read("atf_agent", record).files))


def got(world: World, file: str, seat: str = "atf_agent") -> tuple[FileInfo, bytes]:
    info, blocks = fetch(world.node, world.seats[seat], file)
    return info, b"".join(blocks)


def stored(world: World, file: str) -> Path:
    ((name,),) = world.rows("atf", "select stored from comity.file where id = %s", file)
    return world.node.home / "files" / "atf" / str(name)


def kept(world: World) -> set[str]:
    folder = world.node.home / "files" / "atf"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("size", [1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_comes_back_as_it_was_with_its_hash(world: World, case: Receipt, size: int) -> None:
    data = os.urandom(size)
    receipt = added(world, case.record, data)
    info, back = got(world, file_of(world, case.record))
    assert back == data
    assert (info.size, info.sha256, info.name) == (size, hashlib.sha256(data).hexdigest(), "note.txt")
    assert receipt.version == 2
    (held,) = world.read("atf_agent", case.record).files.values()
    assert held == {"name": "note.txt", "media_type": "text/plain", "size": size, "digest": info.sha256}


def test_its_plain_bytes_are_nowhere_below_the_home(world: World, case: Receipt) -> None:
    marker = SECRET + os.urandom(8).hex().encode()
    added(world, case.record, b"x" * 5000 + marker, name="a-name-in-the-entry.txt")
    assert got(world, file_of(world, case.record))[1].endswith(marker)
    searched = 0
    for path in world.node.home.rglob("*"):
        if path.is_file() and path.stat().st_size:
            searched += 1
            with path.open("rb") as held, mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ) as content:
                assert content.find(marker) < 0, path
    assert searched > 100, "the database's files lie there too"


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -((1 << 20) + 20)])


def _exchanged(path: Path) -> None:
    data, size = path.read_bytes(), (1 << 20) + 20
    path.write_bytes(data[size : 2 * size] + data[:size] + data[2 * size :])


def _lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff\xff")


@pytest.mark.parametrize("damage", [_flipped, _cut, _exchanged, _lengthened, Path.unlink])
def test_damage_is_found(world: World, case: Receipt, damage: Any) -> None:
    added(world, case.record, os.urandom(2 << 20))
    file = file_of(world, case.record)
    damage(stored(world, file))
    assert refused(got, world, file).code == "file_damaged"


@contextmanager
def no_room(limit: int) -> Iterator[None]:
    """No file of this process may grow beyond `limit` bytes: what a full disk is to the writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_when_there_is_no_room_nothing_is_half_written(world: World, case: Receipt) -> None:
    before = kept(world)
    with no_room(1 << 20):
        problem = refused(added, world, case.record, os.urandom(2 << 20))
    assert problem.code == "disk_full" and problem.status == 507
    assert kept(world) == before
    view = world.read("atf_agent", case.record)
    assert (view.version, dict(view.files)) == (1, {})
    added(world, case.record, b"now there is")
    assert world.read("atf_agent", case.record).version == 2


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "\ud800"])
def test_a_file_without_a_name_or_bytes_is_refused(world: World, case: Receipt, name: str) -> None:
    before = kept(world)
    assert refused(added, world, case.record, b"x", name=name).code == "invalid"
    assert refused(added, world, case.record, b"").code == "invalid"
    assert kept(world) == before


class Slow(io.RawIOBase):
    """A stream in whose middle something happens."""

    def __init__(self, happens: Any) -> None:
        self._happens, self._read = happens, False

    def read(self, size: int = -1) -> bytes:
        if self._read:
            return b""
        self._read = True
        self._happens()
        return SECRET


def test_a_record_that_was_closed_while_the_bytes_came_in_takes_no_file(world: World, report: Receipt) -> None:
    before = kept(world)
    late = Slow(lambda: world.act("atf_agent", report.record, "submit"))
    assert refused(added, world, report.record, late).code == "act_out_of_turn"
    assert kept(world) == before
    assert not world.read("atf_agent", report.record).files


def test_a_sender_who_goes_away_leaves_nothing(world: World, case: Receipt) -> None:
    before = kept(world)

    def away() -> None:
        raise Problem("request_invalid", Given("the sender went away"))

    assert refused(added, world, case.record, Slow(away)).code == "request_invalid"
    assert kept(world) == before


def test_a_file_is_for_whoever_may_read_the_whole_record(world: World, case: Receipt) -> None:
    added(world, case.record, SECRET)
    file = file_of(world, case.record)
    for seat in ("dea_agent", "cpd_records", "usao_attorney", world.seat("atf", "administrator")):
        assert refused(got, world, file, seat).code == "not_found"
    assert refused(got, world, "no-id").code == "not_found"
    stranger = refused(added, world, case.record, b"x", seat="dea_agent")
    assert stranger.code == "not_found"
    administrator = refused(added, world, case.record, b"x", seat=world.seat("atf", "administrator"))
    assert administrator.code == "not_found"


def test_the_same_upload_under_one_key_is_kept_once(world: World, case: Receipt) -> None:
    before = kept(world)
    answers = at_once([lambda: added(world, case.record, SECRET, key=f"upload-{case.record}")] * 6)
    assert {code_of(one) for one in answers} == {"done"}
    assert len({one.entry for one in answers}) == 1
    assert len(kept(world) - before) == 1
    other = refused(added, world, case.record, b"something else", key=f"upload-{case.record}")
    assert other.code == "idempotency_key_reused"
    assert len(kept(world) - before) == 1
    assert got(world, file_of(world, case.record))[1] == SECRET


def test_a_failure_after_the_bytes_are_kept_leaves_no_file_and_no_entry(
    world: World, case: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(world)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(attaching, "write", fails)
    with pytest.raises(RuntimeError):
        added(world, case.record, SECRET)
    assert kept(world) == before
    assert world.read("atf_agent", case.record).version == 1
