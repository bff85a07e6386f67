"""What the protocols promise, held against every value there is: stores of files, providers of identity, channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comity.cli.seat import HOME, SEAT
from comity.config.file_stores import STORES
from comity.config.identities import IDENTITIES
from comity.kernel.policy.identity import Credentials, shown
from comity.kernel.policy.tokens import TOKEN
from comity.kernel.sharing.channel import Channel
from comity.kernel.work.file_store import FileStore
from comity.kernel.work.follower import Follower
from tests.seams.archive_store import ArchiveStore
from tests.world import refused

MAKERS: dict[str, Callable[[str, Path], FileStore]] = {**STORES, "archive": lambda place, _: ArchiveStore(Path(place))}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return MAKERS[request.param](str(tmp_path / "kept"), tmp_path)


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_put_is_there_until_it_is_deleted(store: FileStore, tmp_path: Path) -> None:
    assert store.put("atf", "0a1b", iter([b"one ", b"two"]), most=7) == 7
    store.put("dea", "0a1b", [b"another's"], most=100)
    with store.open("atf", "0a1b") as back:
        assert (back.read(3), back.read()) == (b"one", b" two")
    store.delete("atf", "0a1b")
    store.delete("atf", "0a1b")
    with pytest.raises(OSError):
        store.open("atf", "0a1b")
    assert len(kept(tmp_path)) == 1, "the other agency's stays"
    free = store.free()
    assert free is None or free > 0


def test_too_much_and_what_breaks_off_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    assert refused(store.put, "atf", "0a1b", [b"1234", b"5678"], most=7).code == "body_too_large"

    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        store.put("atf", "0a1b", breaking(), most=100)
    assert kept(tmp_path) == []


def test_what_a_request_says_is_never_taken_for_what_was_said_at_this_machine(tmp_path: Path) -> None:
    said = {HOME: str(tmp_path), "agency": "atf", "seat": "anybody", "comity_token": "x"}
    assert SEAT.proof(Credentials(headers=said)) is None
    assert TOKEN.proof(Credentials(here={"authorization": "Bearer comity_x"})) is None
    assert refused(shown, IDENTITIES, Credentials(headers=said)).code == "token_invalid"


@pytest.mark.parametrize("header", ["Bearer ", "Bearer a b", "Bearer " + "x" * 513, "Bearer é"])
def test_what_can_be_no_token_is_refused_before_the_database_is_asked(header: str) -> None:
    assert refused(shown, IDENTITIES, Credentials(headers={"authorization": header})).code == "token_invalid"


def test_a_value_that_keeps_no_promise_is_not_made() -> None:
    def step(*_: object) -> int:
        return 0

    with pytest.raises(ValueError, match="needs a query"):
        Follower("a", "effect", step, pending="false", when="at_once")
    with pytest.raises(ValueError, match="made anew"):
        Follower("a", "view", step, pending="false")
    with pytest.raises(ValueError, match="keeps, sends or is live"):
        Channel("a")
    with pytest.raises(ValueError, match="has schemes"):
        Channel("a", send=lambda node, message: None)
