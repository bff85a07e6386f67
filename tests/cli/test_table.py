"""A table in the width that there is: what may have to be copied is never broken where prose can give way."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from comity.cli import output

RECONCILED = (
    ("record", "owed by", "what is missing", "what to do", "overdue since", "source"),
    ("DETENTION-B2026-000001", "detention", "DETENTION-B2026-000001 keeps a person whose release was ordered.",
     "Release, or name the hold that keeps.", "2026-11-23 09:00 CST", "18 U.S.C. 3142(i) (2026-04-01)"),
)  # fmt: skip
REPORTED = (
    ("entry", "record", "act", "what is said", "entered"),
    ("5f0e7c52-52c0-4c5e-9f0e-3c7b1d6a8f11", "USDC-W2026-00001", "enter_on_docket",
     "court, as usao reports: not confirmed", "2026-11-22 03:12"),
)  # fmt: skip
FOUND = (
    ("number", "type", "title", "state", "agency"),
    ("DETENTION-F2026-000001", "court.order_service", "Return of the Marshals: custody surrendered", "acknowledged",
     "state-police"),
)  # fmt: skip


def printed(columns: tuple[str, ...], *rows: tuple[str, ...], width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(output.table(columns, rows))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("shown", [RECONCILED, REPORTED, FOUND])
def test_no_number_id_name_or_date_is_broken(shown: tuple[tuple[str, ...], ...], width: int) -> None:
    columns, row = shown
    said = printed(columns, row, width=width)
    for cell in row:
        words = cell.split() if " " in cell else [cell]
        for word in words:
            assert (len(words) > 1 and word.strip(".,").isalpha()) or word in said, f"{word} is broken:\n{said}"
    assert max(map(len, said.splitlines())) <= width


def test_prose_takes_the_room_that_is_left_and_no_more() -> None:
    columns, row = FOUND
    assert len(printed(columns, row, width=200).splitlines()) == 3, "a heading, a line, the row"
    assert printed(columns, row, width=80).splitlines()[0].startswith("number"), "still a table"
    as_list = printed(columns, row, width=40)
    assert [line.split()[0] for line in as_list.splitlines()][:2] == ["number", "type"], "a line for each cell"


def test_what_is_empty_or_written_in_wide_letters_is_shown() -> None:
    assert printed(("number", "title"), width=80).split()[:2] == ["number", "title"]
    said = printed(("number", "title"), ("IN-2026-00001", "裁判所の命令 " * 12), width=30)
    assert "IN-2026-00001" in said and said.count("裁判所の命令") == 12


def test_prose_of_another_script_gives_way_too() -> None:
    row = ("DETENTION-B2026-000001", "अंतरराष्ट्रीयकरण प्रत्यर्पणविषयक विचाराधीन है।")
    said = printed(("record", "what"), row, width=33)
    assert "─" in said and row[0] in said, "it stays a table, and no number is broken"
