"""The activity view: counted once for each entry, and the same when it is counted again from nothing."""

from __future__ import annotations

from comity.kernel.sharing.activity import FOLLOWER, Activity, activity
from tests.world import World


def _counted(world: World) -> dict[tuple[str, str], int]:
    found: list[Activity] = activity(world.node, world.seats["fsl_analyst"])
    return {(one.type, one.act): one.entries for one in found}


def test_each_entry_is_counted_once_and_a_new_count_gives_the_same(world: World) -> None:
    world.follow()
    before = _counted(world)
    for number in range(3):
        made = world.enter("fsl_analyst", "registry.document", {"kind": "other", "title": f"Worksheet {number}"})
    world.amend("fsl_analyst", made.record, {"title": "Worksheet, amended"})
    world.follow()
    assert FOLLOWER.step(world.node, "fsl") == 0, "nothing is left to count"
    after = _counted(world)
    enter, amend = ("registry.document", "enter"), ("registry.document", "amend")
    assert after[enter] == before.get(enter, 0) + 3
    assert after[amend] == before.get(amend, 0) + 1
    ((entries,),) = world.rows("fsl", "select count(*) from comity.entry where agency = comity.me()")
    assert FOLLOWER.restart is not None
    assert FOLLOWER.restart(world.node, "fsl") == entries == sum(after.values())
    assert _counted(world) == after
