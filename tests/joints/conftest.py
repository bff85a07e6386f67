"""The federal institutions on a node of their own, and a way to let one act overtake another between look and leap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from comity.config import loader, paths
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.portability import rebuild
from comity.kernel.records import write
from comity.kernel.work import locking
from tests.patience import PATIENCE, eventually
from tests.pillars.federal import AGENCIES, SEATS
from tests.pillars.stage import Stage, staged

MORE = (
    ("state-police", "trooper", "trooper"),
    ("usms", "chief", "supervisory_deputy"),
    ("atf", "agent", "special_agent"),
    ("atf", "custodian", "evidence_custodian"),
    ("dea", "other agent", "special_agent"),
    ("fsl", "lab", "evidence_technician"),
    ("cpd", "detective", "detective"),
)


@pytest.fixture(scope="session")
def joint_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    federal = read_folder(paths.jurisdictions() / "us-federal")
    with staged(tmp_path_factory.mktemp("joints")) as on:
        for name in (*AGENCIES, "dea", "fsl", "cpd"):
            on.install(name, loader.core_files(), federal, read_folder(paths.agencies() / name))
        for agency, name, role in (*SEATS, *MORE):
            on.seat(agency, name, role)
        yield on


@pytest.fixture(scope="module")
def stage(joint_stage: Stage) -> Iterator[Stage]:
    """After every page of tests the records are the fold of their entries."""
    yield joint_stage
    found = rebuild.run(joint_stage.node)
    assert found.equal, found.differences[:5]


@dataclass(frozen=True)
class Met:
    """What two acts answered, and whether the second was over before the first was written."""

    first: str
    second: str
    overtaken: bool


@pytest.fixture
def meet(joint_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Met]:
    """Run `first`; once it is judged, run `second` until it ends or waits its turn; then let `first` write."""
    real = write.append
    judged, over = threading.Event(), threading.Event()

    def slowly(*given: Any) -> Any:
        if threading.current_thread().name == "first" and not judged.is_set():
            judged.set()
            eventually(lambda: over.is_set() or _somebody_waits(joint_stage))
            overtook.append(over.is_set())
        return real(*given)

    overtook: list[bool] = []
    monkeypatch.setattr(write, "append", slowly)

    def run(first: Callable[[], Any], second: Callable[[], Any]) -> Met:
        judged.clear(), over.clear(), overtook.clear()
        said: dict[str, str] = {}

        def one(name: str, call: Callable[[], Any]) -> None:
            try:
                call()
                said[name] = "done"
            except Problem as problem:
                said[name] = problem.faults[0].code if problem.faults else problem.code

        def then() -> None:
            judged.wait(PATIENCE)
            one("second", second)
            over.set()

        threads = [threading.Thread(target=one, args=("first", first), name="first"), threading.Thread(target=then)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        return Met(said["first"], said["second"], bool(overtook and overtook[0]))

    return run


def _somebody_waits(stage: Stage) -> bool:
    """Whether an act waits for a lock that another holds."""
    waiting = "select exists (select 1 from pg_stat_activity where usename = current_user and wait_event_type = 'Lock')"
    with stage.node.pool.connection() as conn:
        return bool(conn.execute(waiting).fetchone() == (True,))


@pytest.fixture
def no_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock off: what the tests beside it find must then happen."""
    monkeypatch.setattr(locking, "lock", lambda work, ids: work)
