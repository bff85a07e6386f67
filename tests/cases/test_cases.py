"""Cases of practitioners, played: what is right today stays right, and what is marked fails today.

All folders are of one module, so that each agency is installed once for a law.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.case import FOLDER, Case, read_folder
from tests.cases.nodes import Nodes, nodes

FOLDERS = ("clocks", "evidence", "situations", "situations/india")
CASES = [pytest.param(case, id=f"{folder}/{case.name}") for folder in FOLDERS for case in read_folder(FOLDER / folder)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("cases")) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_case(scratch: Nodes, case: Case, tmp_path: Path) -> None:
    assert scratch.play(case, tmp_path) == [], f"{case.title}. {case.why}"
