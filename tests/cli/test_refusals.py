"""What was refused, at a terminal: the member's own, or with the power to see them the agency's."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.work import refusals as traces
from tests.cli.conftest import AGENT, SUPERVISOR, Command

MINE = ("refusals", *AGENT)


@pytest.fixture(autouse=True)
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests had refused to the same seat today is no bound to these."""
    monkeypatch.setattr(traces, "DAILY", 1_000_000)


def test_a_refused_act_is_listed_with_its_rule(comity: Command, case: Any) -> None:
    said = comity("act", case["record"], "convert", *AGENT, "--reason", "On the word of a neighbour")
    assert said.code == 1, said
    found = comity(*MINE, "--json", "--code", "not_allowed").json["items"]
    (one,) = [each for each in found if each["record"] == case["record"]]
    assert (one["verb"], one["act"], one["type"], one["record"]) == (
        "act", "convert", "investigation.case", case["record"],
    )  # fmt: skip
    page = comity(*MINE, "--limit", "1", "--code", "not_allowed").out
    assert "Convert, Investigation" in page and "Special Agent Rivera" in page and "not_allowed" in page
    assert case["record"] in page and "neighbour" not in page
    seen = comity("refusals", *SUPERVISOR, "--json", "--member", "special agent rivera", "--code", "not_allowed").json
    assert one in seen["items"]


def test_what_was_refused_page_by_page(comity: Command, case: Any) -> None:
    for act in ("convert", "close"):
        assert comity("act", case["record"], act, *AGENT, "--reason", "r").code != 0
    first = comity(*MINE, "--json", "--limit", "1").json
    second = comity(*MINE, "--json", "--limit", "1", "--cursor", first["next"]).json
    assert {one["id"] for one in first["items"]} != {one["id"] for one in second["items"]}
    assert first["next"] in comity(*MINE, "--limit", "1").out


def test_none_and_not_allowed_are_said(comity: Command) -> None:
    assert comity(*MINE, "--code", "no_such_rule").out == "nothing was refused\n"
    other = comity(*MINE, "--member", "Group Supervisor Okafor", "--json")
    assert (other.code, other.json["code"]) == (1, "not_allowed") and "Group supervisor" in other.json["fix"]
    assert comity(*MINE, "--since", "yesterday").code == 2
