"""`comity due` and `comity law impact` as a person and as a program see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.config import paths
from tests.cli.conftest import Command

AGENT = ("--as", "atf", "--seat", "Special Agent Rivera")


@pytest.fixture
def count(comity: Command) -> str:
    """A proposed count of an offence of 17 March 2023."""
    case = comity(
        "enter", "investigation.case", *AGENT, "--json", "--set", "title=Due", "--set", "program=firearms",
        "--set", "opened=2026-10-05", "--set", "summary=Sample",
    ).json  # fmt: skip
    person = comity(
        "enter", "registry.person", *AGENT, "--json", "--set", "name=Ansel Reed", "--set", "role=subject"
    ).json
    made = comity(
        "enter", "investigation.offense", *AGENT, "--json", "--set", "statute=18 USC 922(g)(1)",
        "--set", "offense_date=2023-03-17", "--set", "count=1", "--link", f"case={case['record']}",
        "--link", f"subject={person['record']}",
    )  # fmt: skip
    assert made.code == 0, made
    return str(made.json["record"])


def test_due_shows_the_day_the_working_and_the_citation(comity: Command, count: str) -> None:
    page = comity("due", count, *AGENT)
    assert page.code == 0
    for words in ("Limitation of prosecution", "2028-03-17", "running", "us.days", "3282(a)", "read"):
        assert words in page.out
    found = comity("due", count, *AGENT, "--json").json
    assert found["dues"][0]["rule"] == "us-federal.clocks_process.limitation"
    assert found["dues"][0]["working"][1]["day"] == "2028-03-17"


def test_due_at_a_past_instant(comity: Command, count: str) -> None:
    assert comity("due", count, *AGENT, "--at", "2026-01-01T00:00:00Z", "--json").json["dues"] == []
    assert "no clock" in comity("due", count, *AGENT, "--at", "2026-01-01T00:00:00Z").out
    assert comity("due", count, *AGENT, "--at", "yesterday", "--json").json["code"] == "request_invalid"


def test_a_change_of_law_touches_nothing_of_an_agency_that_names_no_such_section(comity: Command) -> None:
    pack = str(paths.jurisdictions() / "india" / "rules" / "bns_2024.yml")
    said = comity("law", "impact", pack, *AGENT, "--json")
    assert said.code == 0 and said.json["records"] == []


def test_a_pack_that_is_not_there_or_not_whole(comity: Command, tmp_path: Path) -> None:
    assert comity("law", "impact", "us-federal.nothing", *AGENT).code == 3
    half = tmp_path / "half.yml"
    half.write_text("title: Half\nfrom: 2024-07-01\n", encoding="utf-8")
    assert comity("law", "impact", str(half), *AGENT, "--json").json["code"] == "definitions_refused"
