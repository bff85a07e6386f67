"""A federal courthouse of a test module's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.kernel.portability import rebuild
from tests.orders.flow import courthouse
from tests.pillars.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Afterwards the records are the fold of their entries."""
    for on in courthouse(tmp_path_factory.mktemp("orders")):
        yield on
        found = rebuild.run(on.node)
        assert found.equal, found.differences[:5]
