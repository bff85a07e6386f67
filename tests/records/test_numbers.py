"""Numbers run without gaps in use; where one is absent, a reserved block says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from comity import clock
from comity.config.settings import settings
from comity.kernel.records import project
from comity.kernel.records.enter import enter_many
from comity.kernel.work.results import Draft, Receipt
from tests.records.conftest import at_once
from tests.world import World, node_on, refused

PLACE = "registry.place"


def _count(number: str | None) -> int:
    found = re.fullmatch(r"USAO-L\d{4}-(\d{8})", number or "")
    assert found, number
    return int(found[1])


def _entered(world: World, count: int) -> list[Receipt]:
    drafts = [Draft(PLACE, {"address": f"{uuid4().hex} Road"}) for _ in range(count)]
    answers = enter_many(world.node, world.seats["usao_attorney"], drafts)
    return [one for one in answers if isinstance(one, Receipt)]


@pytest.fixture(autouse=True)
def aligned(world: World) -> Iterator[None]:
    """No numbers are held in reserve when a test begins."""
    world.node._numbers.clear()
    yield
    world.node.block = world.node.burst = 1
    world.node._numbers.clear()
    world.node._blocks.clear()


def _blocks(world: World) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in world.rows(
        "usao", "select first, last from comity.number_block where key like 'USAO-L%%' order by first")]  # fmt: skip


def test_numbers_follow_one_another_whoever_enters(world: World) -> None:
    first = _entered(world, 1)[0]
    batch = _entered(world, 7)
    one_by_one = at_once([lambda: world.enter("usao_attorney", PLACE, {"address": uuid4().hex}) for _ in range(6)])
    found = sorted(_count(one.number) for one in [first, *batch, *one_by_one])
    assert found == list(range(found[0], found[0] + 14))
    assert [_count(one.number) for one in batch] == list(range(found[0] + 1, found[0] + 8))


def test_a_refused_draft_uses_no_number(world: World) -> None:
    before = _count(_entered(world, 1)[0].number)
    assert refused(world.enter, "usao_attorney", PLACE, {"address": ""}).code == "invalid"
    answers = enter_many(
        world.node, world.seats["usao_attorney"], [Draft(PLACE, {"address": ""}), Draft(PLACE, {"address": "x"})]
    )
    assert isinstance(answers[1], Receipt) and _count(answers[1].number) == before + 1


def test_a_number_lost_on_the_way_stands_in_a_block(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _count(_entered(world, 1)[0].number)

    def fails(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(project, "records", fails)
        with pytest.raises(RuntimeError):
            _entered(world, 3)
    after = _count(_entered(world, 1)[0].number)
    assert after == before + 4
    covered = {number for first, last in _blocks(world) for number in range(first, last + 1)}
    assert set(range(1, after + 1)) <= covered
    used = {_count(row[0]) for row in world.rows(
        "usao", "select number from comity.record where agency = 'usao' and type = 'registry.place'")}  # fmt: skip
    assert not used & set(range(before + 1, before + 4))
    assert used <= covered


def test_a_busy_server_draws_more_at_a_time_and_a_quiet_one_does_not(world: World) -> None:
    before = len(_blocks(world))
    world.node.burst = 4
    now = clock.now()
    with clock.at(now):
        quick = [_count(_entered(world, 1)[0].number) for _ in range(8)]
    with clock.at(now + timedelta(seconds=2)):
        later = [_count(_entered(world, 1)[0].number) for _ in range(4)]
    assert quick + later == list(range(quick[0], quick[0] + 12))
    assert [last - first + 1 for first, last in _blocks(world)[before:]] == [1, 2, 4, 4, 1]


def test_two_processes_draw_from_blocks_of_their_own(world: World) -> None:
    other = node_on(world.database, settings({"COMITY_HOME": str(world.node.home)}))
    try:
        world.node.block = other.block = 5
        ours = [_count(one.number) for one in _entered(world, 3)]
        theirs = [
            _count(one.number)
            for one in enter_many(other, world.seats["usao_attorney"], [Draft(PLACE, {"address": "y"})] * 3)
            if isinstance(one, Receipt)
        ]
        more = [_count(one.number) for one in _entered(world, 3)]
    finally:
        other.close()
    assert len({*ours, *theirs, *more}) == 9
    assert ours + more[:2] == list(range(ours[0], ours[0] + 5))
    assert theirs[0] == ours[0] + 5
    blocks = _blocks(world)
    assert all(last < following for (_, last), (following, _) in pairwise(blocks))
    assert {(ours[0], ours[0] + 4), (theirs[0], theirs[0] + 4)} <= set(blocks)
