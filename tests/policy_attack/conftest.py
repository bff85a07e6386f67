"""The garden of canaries, planted once."""

from __future__ import annotations

import pytest

from tests.policy_attack.planting import Garden, plant_all
from tests.world import World


@pytest.fixture(scope="session")
def garden(world: World) -> Garden:
    made = plant_all(world)
    world.follow()
    return made
