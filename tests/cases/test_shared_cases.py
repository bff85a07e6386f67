"""Every case that practitioners wrote down beside the repository has its twin here, which the suite plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.case import FOLDER, Case, read_folder

LAWS = {"us": "us-federal", "in": "india"}
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


@pytest.fixture(scope="module")
def pairs_of_evidence() -> list[tuple[dict[str, Any], Case]]:
    """Each case of evidence as it was written, beside its twin."""
    if not SHARED.is_dir():
        pytest.skip("the cases of practitioners are not beside this repository")
    twins = {case.name: case for case in read_folder(FOLDER / "evidence")}
    folder = SHARED / WRITTEN_FROM["evidence"]
    read = [one for file in folder.glob("*.yml") for one in yaml.safe_load(file.read_text("utf-8"))]
    return [(one, twins[one["id"]]) for one in read if one["id"] in twins]


def test_what_is_right_is_as_it_was_written(pairs_of_evidence: list[tuple[dict[str, Any], Case]]) -> None:
    """The refusal that practitioners name is wanted where they want it and nowhere else; the law is what they cite."""
    for said, twin in pairs_of_evidence:
        named = {code for step in twin.steps for code in step.right.get("refused", ())}
        assert (said["code"] in named) == (said["right"] in ("refused", "person_decides")), twin.name
        assert twin.citation == said["citation"] and twin.law == LAWS[said["jurisdiction"]], twin.name


def test_each_day_that_was_written_is_asked_by_those_who_ask(
    pairs_of_evidence: list[tuple[dict[str, Any], Case]],
) -> None:
    """By as many as ask, but for those who have no seat here."""
    rows = 0
    for said, twin in pairs_of_evidence:
        asked = Counter(_days_asked(twin))
        for row in said.get("expected", ()):
            seated = [who for who in row["asker"] if who not in twin.unseated]
            assert asked[row["at"], row["clock"], row["due"], row["state"]] >= len(seated), (twin.name, row["clock"])
            rows += 1
    assert rows >= 8, "the days of the practitioners were not found"


def _days_asked(case: Case) -> Iterator[tuple[str, ...]]:
    at = ""
    for step in case.steps:
        at = str(step.at).replace(" ", "T")[:16] if step.at is not None else at
        if step.verb == "due":
            due = str(step.right["reads"]["due"]).replace(" ", "T")[:16]
            yield at, step.given["clock"], due, step.right["reads"]["state"]
