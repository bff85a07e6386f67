"""An agency with entries, files, offers, answers and an erasure; and other homes to which it may go."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from comity.config.database import migrate, open_database
from comity.config.settings import settings
from comity.kernel.portability.leave import Left, leave
from comity.kernel.records.attach import attach
from comity.kernel.records.emergency import open_in_emergency
from comity.kernel.records.erase import erase
from comity.kernel.work.results import Receipt
from tests.conftest import test_binaries
from tests.world import World, day, installed, node_on

PHOTOGRAPH = b"not really a photograph" * 90_000


LOG = """select s.agency_place, e.id::text, encode(e.leaf, 'hex'), encode(e.commitments, 'hex'), e.act, c.content,
                c.salts, s.sequenced_at
           from comity.sequence s join comity.entry e on e.id = s.entry
           left join comity.entry_content c on c.entry = e.id
          where s.agency = 'atf' order by 1"""
ROWS = {
    "record": """select id::text, type, core_type, number, title, state, core_state, version, type_version, fields,
                   links,
                   files, field_marks, marks, assigned, parties, entered_by, entered_at, changed_at
              from comity.record where agency = 'atf' and id <> %s order by 1""",
    "link": "select * from comity.link where agency = 'atf' and record <> %s order by record, name, target",
    "term": "select * from comity.term where agency = 'atf' and record <> %s order by record, field, token, whole",
    "share": "select * from comity.share where agency = 'atf' and record <> %s order by id",
    "offer": "select * from comity.offer where from_agency = 'atf' and id <> %s order by id",
    "file": "select id, name, digest, added_at from comity.file where agency = 'atf' and record <> %s order by id",
}
"""What must be the same on both nodes, but for one record."""


@dataclass(frozen=True)
class Taken:
    """The folder, and what stood on the node when it was written."""

    left: Left
    log: list[tuple[Any, ...]]
    rows: dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Kept:
    """What ATF entered, and what its log holds of it."""

    case: Receipt
    offered: Receipt
    silent: Receipt
    asked: Receipt
    erased: Receipt
    file: str
    emergency: str


@pytest.fixture(scope="package")
def world(elsewhere: Elsewhere) -> World:
    """The five agencies on a home of these tests' own: here an agency may be closed."""
    here = elsewhere()
    installed(here.node)
    return here.admit_all()


@pytest.fixture(scope="package")
def kept(world: World) -> Kept:
    """ATF has a case with a file, an offer that was agreed, one that nobody answered, and a person of
    whom the name was erased, and that the birth date was taken out.

    DEA read ATF's person, opened its case in an emergency, and asks ATF something that ATF never answers.
    """
    case = world.enter(
        "atf_agent", "investigation.case",
        {"title": "Straw purchases", "program": "firearms", "opened": day(30)}, key=f"leaving-{uuid4()}",
    )  # fmt: skip
    person = world.enter(
        "atf_agent", "registry.person", {"role": "subject", "name": "Invented Näme", "birth_date": "1980-01-02"}
    )
    fields = {"role": "witness", "name": "Somebody Else", "birth_date": "1990-01-02"}
    erased = world.enter("atf_agent", "registry.person", fields)
    taken_out = world.amend("atf_agent", erased.record, {"birth_date": None})
    world.follow()  # the case has its place before its file has one
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
    world.read("dea_supervisor", person.record)
    opened = open_in_emergency(world.node, world.seats["dea_agent"], case.record, reason="A life is at stake")
    theirs = world.enter(
        "dea_agent", "investigation.case",
        {"title": "Fentanyl by post", "program": "drugs", "opened": day(9), "dea:file_class": "general"},
    )  # fmt: skip
    asked = world.enter(
        "dea_agent", "investigation.lead", {"partner": "atf", "lead_agency": "dea"}, links={"case": [theirs.record]}
    )  # fmt: skip
    with world.node.work(world.seats["atf_agent"]) as work:
        erase(work, UUID(erased.entry), authority="Order to expunge", paths=["set/name"])
    with world.node.work(world.seats["atf_agent"]) as work:
        erase(work, UUID(taken_out.entry), authority="Order to expunge")
    world.follow()
    return Kept(case, offers[0], offers[1], asked, erased, file, opened.id)


@pytest.fixture(scope="package")
def taken(world: World, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    actor = world.seats[world.seat("atf", "administrator")]
    world.follow()
    left = leave(world.node, actor, tmp_path_factory.mktemp("left") / "atf")
    rows = {name: world.rows("atf", those, kept.erased.record) for name, those in ROWS.items()}
    return Taken(left, world.rows("atf", LOG), rows)


@pytest.fixture(scope="package")
def left(taken: Taken) -> Left:
    """ATF's folder, written by its administrator. Tests copy it; none changes it."""
    return taken.left


@pytest.fixture
def copy(left: Left, tmp_path: Path) -> Path:
    """The folder, to be spoiled."""
    return Path(shutil.copytree(left.folder, tmp_path / "folder"))


Elsewhere = Callable[[], World]


@pytest.fixture(scope="package")
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
