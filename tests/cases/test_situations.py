"""Situations of practitioners, played: what is right today stays right, and what is marked fails today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.kernel.portability import rebuild
from tests.cases.case import FOLDER, Case, read_folder
from tests.cases.runner import Scratch
from tests.pillars.stage import staged

CASES = read_folder(FOLDER / "situations")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """One node for all, so that a case also meets what others have left; at the end its log tells what it holds."""
    with staged(tmp_path_factory.mktemp("cases")) as stage:
        yield Scratch(stage.node)
        found = rebuild.run(stage.node)
        assert found.equal, found.differences[:5]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_situation(scratch: Scratch, case: Case, tmp_path: Path) -> None:
    assert scratch.play(case, tmp_path) == [], case.title
