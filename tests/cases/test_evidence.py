"""Paired cases of evidence, played: these records, this act, what is rightly answered and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.case import FOLDER, Case, read_folder
from tests.cases.nodes import Nodes, nodes

CASES = read_folder(FOLDER / "evidence")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("evidence")) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(scratch: Nodes, case: Case, tmp_path: Path) -> None:
    assert scratch.play(case, tmp_path) == [], f"{case.title}: {case.why}"
