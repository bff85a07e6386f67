"""Situations of practitioners, played: what is right today stays right, and what is marked fails today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.case import FOLDER, Case, read_folder
from tests.cases.nodes import Nodes, nodes

CASES = [*read_folder(FOLDER / "situations"), *read_folder(FOLDER / "situations" / "india")]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("situations")) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.law}-{case.name}")
def test_situation(scratch: Nodes, case: Case, tmp_path: Path) -> None:
    assert scratch.play(case, tmp_path) == [], case.title
