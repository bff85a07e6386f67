"""Refused rows leave a trace as other refused acts do: counted by rule, and only what was refused for good."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from comity import clock
from comity.errors import Problem
from comity.kernel.importing import importing
from tests.importing.test_importing import CHICAGO, SAMPLE, City, city, edited

__all__ = ["city"]

TRACES = "select verb, type, code, faults, times, record from comity.refusal where member = %s order by code"
MAX_LENGTH = [{"code": "max_length", "path": "fields.incident_number"}]


def too_long(*lines: int) -> dict[int, tuple[str, str]]:
    """Changes of the sample by which these lines have a case number that no field takes."""
    with SAMPLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {line: (rows[line - 2]["Case Number"], "X" * 400) for line in lines}


def test_refused_rows_are_counted_by_rule_and_a_rehearsal_leaves_none(city: City, tmp_path: Path) -> None:
    file = edited(tmp_path, too_long(20, 21, 22))
    city.run(file, dry_run=True)
    assert city.rows(TRACES, city.clerk.member) == []
    with clock.at(clock.now()):
        assert dict(city.run(file).rejected) == {"max_length": 3}
    incident = ("import", "investigation.incident")
    assert city.rows(TRACES, city.clerk.member) == [(*incident, "invalid", MAX_LENGTH, 3, None)]


def test_what_is_tried_again_without_a_shared_record_is_not_refused(city: City, tmp_path: Path) -> None:
    """Every place of the sample stands already, so the second run goes on without: that one row changed is all."""
    city.run(SAMPLE)
    assert dict(city.run(edited(tmp_path, {5: (",false,", ",true,")})).rejected) == {"row_changed": 1}
    assert city.rows(TRACES, city.clerk.member) == [
        ("import", "investigation.incident", "idempotency_key_reused", [], 1, None)
    ]


def test_an_import_that_stops_leaves_one(city: City) -> None:
    with pytest.raises(Problem) as caught:
        importing.run(city.node, city.stranger, SAMPLE, CHICAGO)
    assert caught.value.code == "not_allowed"
    (one,) = city.rows(TRACES, city.stranger.member)
    assert (one[0], one[2], one[4]) == ("import", "not_allowed", 1)
