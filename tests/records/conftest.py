"""After every page of tests the records are the fold of their entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from comity.errors import Problem
from comity.kernel.portability import rebuild
from comity.kernel.work.results import Receipt
from tests.patience import PATIENCE
from tests.world import World, day, instant


@pytest.fixture(autouse=True, scope="module")
def rebuilt_afterwards(world: World) -> Iterator[None]:
    """The replay: every record is folded again from its entries and compared with its row; every leaf is checked."""
    yield
    found = rebuild.run(world.node)
    assert found.equal, found.differences[:5]


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """The calls begun together in threads: the value of each, or the Problem with which it was refused."""
    gate = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        gate.wait(PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        begun = [pool.submit(one, call) for call in calls]
        return [future.exception(PATIENCE) or future.result() for future in begun]


def code_of(answer: Any) -> str:
    """`done`, or the code of the refusal; what is neither is an error of ours and shown as it is."""
    return "done" if isinstance(answer, Receipt) else answer.code if isinstance(answer, Problem) else repr(answer)


@pytest.fixture
def case(world: World) -> Receipt:
    """An investigation of ATF, just opened."""
    return world.enter(
        "atf_agent", "investigation.case",
        {"title": f"Straw purchases {uuid4().hex[:6]}", "program": "firearms", "opened": day(30)},
    )  # fmt: skip


@pytest.fixture
def person(world: World) -> Receipt:
    return world.enter("atf_agent", "registry.person", {"role": "subject", "name": f"Invented {uuid4().hex[:8]}"})


@pytest.fixture
def report(world: World, case: Receipt) -> Receipt:
    """A report of the case, in draft."""
    return world.enter(
        "atf_agent", "investigation.report",
        {"subject_line": "Surveillance", "activity": "surveillance", "occurred": instant(3), "narrative": "Nothing."},
        links={"case": [case.record]},
    )  # fmt: skip
