"""Rows as they are written: read again they are the same, and nothing runs where a spreadsheet opens them."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from comity.extensions import Row
from comity.formats.delimited import spelled
from comity.formats.open_file import new_table, open_table
from comity.formats.rows import Options
from tests.world import refused

COLUMNS = ("number", "title", "count", "parts")
ROWS: list[dict[str, Any]] = [
    {"number": "A-1", "title": 'two\r\nlines, and "quotes"\tand a tab', "count": -3, "parts": ["a", "b"]},
    {"number": "A-2", "title": "Ⅷ राम", "count": 0, "beside": "no column of this name"},
    {"number": "A-3", "title": None, "count": None, "parts": {"x": True}},
]


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    with new_table(tmp_path / name, COLUMNS) as write:
        for row in ROWS:
            write(row)
    with open_table(tmp_path / name, Options()) as table:
        found = [row.values for row in table.rows if isinstance(row, Row)]
        assert table.columns[: len(COLUMNS)] == COLUMNS or not table.closed
    if name == "rows.jsonl":
        assert [one["title"] for one in found] == [one.get("title") for one in ROWS]
        assert found[0]["parts"] == ["a", "b"] and found[1]["parts"] is None and "beside" not in found[1]
    else:
        assert [dict(one) for one in found] == [
            {name: spelled(row.get(name)) for name in COLUMNS} for row in ROWS
        ]  # fmt: skip
        assert (found[0]["count"], found[0]["parts"], found[2]["title"]) == ("-3", '["a", "b"]', "")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\ufeff=1", "＝1", "＠x", "-cmd|' /C calc'!A0"],
)
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    assert spelled(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-12.50", "-3", -3, "a=b", "a@b.org", "", "1-2", "'=quoted"])
def test_what_it_would_not_run_stands_as_it_is(value: Any) -> None:
    assert spelled(value) == str(value)


def test_the_heads_of_columns_are_judged_as_cells_are(tmp_path: Path) -> None:
    with new_table(tmp_path / "a.csv", ["=evil"]):
        pass
    assert next(csv.reader((tmp_path / "a.csv").open(newline=""))) == ["'=evil"]


def test_a_row_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    with new_table(tmp_path / "a.jsonl", ["a"]) as write:
        write({"a": 1})
        assert json.loads((tmp_path / "a.jsonl").read_text()) == {"a": 1}


def test_a_file_that_is_there_is_replaced_only_where_it_may_be(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("kept")
    with pytest.raises(FileExistsError), new_table(file, ["a"]):
        pass
    assert file.read_text() == "kept"
    with new_table(file, ["a"], replace=True):
        pass
    assert file.read_bytes() == b"a\r\n"


@pytest.mark.parametrize("name", ["a.json", "a.xlsx", "a.pdf", "a"])
def test_what_no_format_writes_is_refused_and_made_nowhere(tmp_path: Path, name: str) -> None:
    problem = refused(new_table(tmp_path / name, ["a"]).__enter__)
    assert [one.code for one in problem.faults] == ["format_unknown"] and ".jsonl" in problem.fix
    assert not (tmp_path / name).exists()
