"""`comity due` and `comity law impact` as a person and as a program see them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comity.config import paths
from tests.cli.conftest import AGENT, Command


def test_due_shows_the_day_the_working_and_the_citation(comity: Command, count: str) -> None:
    page = comity("due", count, *AGENT)
    assert page.code == 0
    for words in ("Limitation of prosecution", "Mar 17, 2028", "running", "us.days", "3282(a)", "read"):
        assert words in page.out
    found = comity("due", count, *AGENT, "--json").json
    assert found["dues"][0]["rule"] == "us-federal.clocks_process.limitation"
    assert found["dues"][0]["working"][1]["day"] == "2028-03-17"


def test_due_at_a_past_instant(comity: Command, count: str) -> None:
    assert comity("due", count, *AGENT, "--at", "2026-01-01T00:00:00Z", "--json").json["dues"] == []
    assert "no clock" in comity("due", count, *AGENT, "--at", "2026-01-01T00:00:00Z").out
    assert comity("due", count, *AGENT, "--at", "yesterday", "--json").json["code"] == "request_invalid"


def test_due_without_a_record_lists_the_office(comity: Command, count: str) -> None:
    listed = comity("due", *AGENT, "--json", "--type", "investigation.offense", "--limit", "200").json
    mine = next(one for one in listed["items"] if one["record"] == count)
    assert (mine["day"], mine["standing"], mine["clock"]) == ("2028-03-17", "running", "Limitation of prosecution")
    page = comity("due", *AGENT, "--type", "investigation.offense", "--by", "2028-03-17")
    assert page.code == 0 and "What is due at Bureau of Alcohol" in page.out
    for words in ("Mar 17, 2028", mine["number"], "Proposed offence", "Limitation of prosecution", "3282(a)", "days"):
        assert words in page.out
    assert count not in str(comity("due", *AGENT, "--by", "2028-03-16", "--limit", "200", "--json").json["items"])


def test_an_office_with_nothing_due_is_told_so(comity: Command, idle: tuple[str, ...]) -> None:
    assert re.match(
        r"Nothing is due at An office that has entered nothing, \w{3} \d+, 20\d\d", comity("due", *idle).out
    )
    asked = comity("due", *idle, "--overdue", "--type", "registry.person").out
    assert "Nothing of what was asked for is due" in asked and "No clock of the law" in asked
    assert comity("due", *idle, "--json").json["items"] == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        (("--within", "soon"), "request_invalid", "--within"),
        (("--by", "yesterday"), "request_invalid", "--by"),
        (("--at", "2026-13-01"), "request_invalid", "--at"),
        (("--type", "investigation.ofense"), "type_unknown", ""),
        (("--by", "2027-01-01", "--within", "3d"), "request_invalid", ""),
        (("--language", "xx"), "request_invalid", ""),
        (("ATF-2026-000001", "--overdue"), "request_invalid", ""),
    ],
)
def test_what_is_asked_of_an_office_wrongly_is_refused(
    comity: Command, given: tuple[str, ...], code: str, path: str
) -> None:
    refused = comity("due", *given, *AGENT, "--json").json
    assert refused["code"] == code and [one["path"] for one in refused.get("faults", [])] == [path] * bool(path)
    assert refused.get("fix") or refused["faults"][0]["fix"]


def test_a_change_of_law_touches_nothing_of_an_agency_that_names_no_such_section(comity: Command) -> None:
    pack = str(paths.jurisdictions() / "india" / "rules" / "bns_2024.yml")
    said = comity("law", "impact", pack, *AGENT, "--json")
    assert said.code == 0 and said.json["records"] == []


def test_a_pack_that_is_not_there_or_not_whole(comity: Command, tmp_path: Path) -> None:
    assert comity("law", "impact", "us-federal.nothing", *AGENT).code == 3
    half = tmp_path / "half.yml"
    half.write_text("title: Half\nfrom: 2024-07-01\n", encoding="utf-8")
    assert comity("law", "impact", str(half), *AGENT, "--json").json["code"] == "definitions_refused"
