"""An agency with entries, files, offers, answers and an erasure; and other homes to which it may go."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from comity import clock
from comity.config.database import migrate, open_database
from comity.config.settings import settings
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.erase import erase
from comity.kernel.records.attach import attach
from comity.kernel.records.leave import Left, leave
from comity.kernel.records.results import Receipt
from tests.conftest import test_binaries
from tests.world import World, day, node_on

PHOTOGRAPH = b"not really a photograph" * 90_000


@dataclass(frozen=True)
class Kept:
    """What ATF entered, and what its log holds of it."""

    case: Receipt
    offered: Receipt
    silent: Receipt
    erased: Receipt
    file: str


@pytest.fixture(scope="module")
def kept(world: World) -> Kept:
    """ATF has a case with a file, an offer that was agreed, one that nobody answered, and an erased person."""
    case = world.enter(
        "atf_agent", "investigation.case",
        {"title": "Straw purchases", "program": "firearms", "opened": day(30)}, key=f"leaving-{uuid4()}",
    )  # fmt: skip
    person = world.enter(
        "atf_agent", "registry.person", {"role": "subject", "name": "Invented Näme", "birth_date": "1980-01-02"}
    )
    erased = world.enter("atf_agent", "registry.person", {"role": "witness", "name": "Somebody Else"})
    attach(
        world.node, world.seats["atf_agent"], case.record, name="photo.jpg", media_type="image/jpeg",
        stream=BytesIO(PHOTOGRAPH),
    )  # fmt: skip
    (file,) = world.read("atf_agent", case.record).files
    offers = []
    for _ in range(2):
        fields = {"partner": "dea", "lead_agency": "atf"}
        links = {"case": [case.record], "subject": [person.record]}
        offers.append(world.enter("atf_agent", "investigation.lead", fields, links=links))
    world.answer("dea_supervisor", offers[0].record, "agreed")
    _erased(world, erased)
    world.follow()
    return Kept(case, offers[0], offers[1], erased, file)


def _erased(world: World, person: Receipt) -> None:
    now = clock.now()
    order = Entry(
        id=uuid4(), agency="atf", record=uuid4(), type="kernel.order", type_version=0, kind="erase", act="erase",
        actor=UUID(int=2), occurred_at=now, entered_at=now, version=1, state_from="", state_to="done", content={},
        refers=UUID(person.entry),
    )  # fmt: skip
    with world.node.transaction("atf") as (conn, _):
        append(conn, [order])
        erase(conn, UUID(person.entry), order=order.id, paths=["set/name"])


@pytest.fixture(scope="module")
def left(world: World, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """ATF's folder, written by its administrator. Tests copy it; none changes it."""
    actor = world.seats[world.seat("atf", "administrator")]
    world.follow()
    return leave(world.node, actor, tmp_path_factory.mktemp("left") / "atf")


@pytest.fixture
def copy(left: Left, tmp_path: Path) -> Path:
    """The folder, to be spoiled."""
    return Path(shutil.copytree(left.folder, tmp_path / "folder"))


Elsewhere = Callable[[], World]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Makes another home, with a database of its own, on which nothing is installed."""
    with ExitStack() as stack:

        def make() -> World:
            of = settings({"COMITY_HOME": str(tmp_path_factory.mktemp("elsewhere"))})
            database = stack.enter_context(open_database(of, test_binaries()))
            migrate(database)
            node = node_on(database, of)
            stack.callback(node.close)
            return World(node, database)

        yield make
