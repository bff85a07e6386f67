"""After all that was tried, the record is what its log says."""

from __future__ import annotations

from comity.kernel.portability import rebuild
from tests.policy_attack.planting import Garden
from tests.world import World


def test_the_log_still_makes_the_record(world: World, garden: Garden) -> None:
    world.follow()
    rebuilt = rebuild.run(world.node)
    assert rebuilt.equal, rebuilt.differences[:10]
