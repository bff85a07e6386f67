"""What the cases ask of the clocks: by names that the law has, each row as it was written. Played in test_cases.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from comity.config import loader, paths
from comity.kernel.definitions.load import load
from comity.kernel.definitions.load import read_folder as read_files
from comity.kernel.law.clock_book import book_of
from tests.cases.case import FOLDER, Case, read_folder
from tests.cases.dues import NAMES
from tests.cases.test_cases import FOLDERS

CASES = read_folder(FOLDER / "clocks")
WRITTEN = FOLDER.parents[2] / "shared" / "cases" / "clocks"


def test_every_name_of_a_clock_means_one_that_the_law_has() -> None:
    cases = [case for folder in FOLDERS for case in read_folder(FOLDER / folder)]
    laws = {case.law for case in cases}
    known = {
        code for law in laws
        for code in book_of(load(loader.core_files(), read_files(paths.jurisdictions() / law)).rules).rules
    }  # fmt: skip
    assert {code for codes in NAMES.values() for code in codes} - known == set()
    asked = {step.given["clock"] for case in cases for step in case.steps if step.verb == "due"}
    assert asked == set(NAMES), "a name that no case asks for, or one that means nothing"


def rows_asked(case: Case) -> Counter[tuple[str, ...]]:
    """What is asked of the clocks: day or hour, who, which clock, and what is rightly read."""
    return Counter(
        _row(str(step.at), step.seat, step.given["clock"], step.right["reads"])
        for step in case.steps if step.verb == "due"
    )  # fmt: skip


def _row(at: str, who: str, clock: str, read: Mapping[str, Any]) -> tuple[str, ...]:
    days = (f"{name} {read[name]}" for name in ("used_days", "excluded_days") if read.get(name) is not None)
    last = () if read["state"] == "not_started" else (str(read.get("due")), *days)
    return (at.replace(" ", "T")[:16], who, clock, read["state"], *last)


def test_no_row_of_the_practitioners_is_left_out_or_changed() -> None:
    """Each asker who has a seat here reads each row as it was written; who has none is named in the case."""
    if not WRITTEN.is_dir():
        pytest.skip("the cases of practitioners are not beside this repository")
    played = {case.name: case for case in CASES}
    missing = []
    for file in sorted(WRITTEN.glob("*.yml")):
        for said in yaml.safe_load(file.read_text("utf-8")):
            case = played[said["id"]]
            wanted = Counter(
                _row(str(row["at"]), who, row["clock"], row)
                for row in said.get("expected", ()) for who in row["asker"] if who not in case.unseated
            )  # fmt: skip
            missing += [(case.name, row) for row in (wanted - rows_asked(case)).elements()]
            assert case.why == said["why"] and case.citation == said["citation"], case.name
    assert missing == []
