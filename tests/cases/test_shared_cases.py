"""Every case that practitioners wrote down beside the repository has its twin here, which the suite plays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cases.case import FOLDER, read_folder

SHARED = FOLDER.parents[2] / "shared" / "cases"
# Folder here: what it was written from. `""`: the situations, which are a folder each.
WRITTEN_FROM = {"clocks": "clocks", "evidence": "evidence", "situations": ""}


def written(folder: Path) -> set[str]:
    if folder == SHARED:
        return {one.parent.name for one in folder.glob("[0-9]*/input.yml")}
    return {one["id"] for file in folder.glob("*.yml") for one in yaml.safe_load(file.read_text("utf-8"))}


@pytest.mark.parametrize("here", sorted(WRITTEN_FROM))
def test_no_case_is_left_without_its_twin(here: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the cases of practitioners are not beside this repository")
    wanted, played = written(SHARED / WRITTEN_FROM[here]), {case.name for case in read_folder(FOLDER / here)}
    assert wanted, f"nothing is written in {SHARED / WRITTEN_FROM[here]}"
    assert sorted(wanted - played) == [], f"of {len(wanted)} cases these have no twin in tests/cases/{here}"
    assert sorted(played - wanted) == [], f"these of tests/cases/{here} are no case of practitioners"
