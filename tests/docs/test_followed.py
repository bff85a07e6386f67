"""The pages are followed word for word, as a newcomer does: every block, in its order, through the command itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.docs.pages import DOCS
from tests.docs.reader import Reader, matches

pytestmark = pytest.mark.slow


def test_a_newcomer_adds_an_agency_and_a_type(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        _an_agency(reader)
        _a_type(reader)


def _an_agency(reader: Reader) -> None:
    told = reader.follow("adding_an_agency.md")
    assert "agency nps: holds" in _printed(told, "profile check")
    assert re.search(r"^nps .*us-federal", _printed(told, "profile list"), re.MULTILINE)
    assert "Prairie Loop" in _printed(told, "comity show") and "Park incident" in _printed(told, "comity show")
    rights = " ".join(_printed(told, "make golden").split())
    assert "nps: " in rights and "+ investigation.case ranger enter amend submit" in rights
    found = reader.comity("find", "investigation.incident", "--as", "nps")["items"]
    assert [one["number"] for one in found] == [reader.own("NPS-2026-000001")]


def _a_type(reader: Reader) -> None:
    told = reader.follow("adding_a_type.md")
    assert "does not hold" not in _printed(told, "profile check")
    assert reader.own("ATF-LN2026-00001") in _printed(told, "comity inbox")
    shown = _printed(told, "comity show")
    assert "Pistol, 9 mm, black" in shown and "Accepted, Refused" in shown, "the borrower sees loan and item"
    assert "On loan" in shown, "the lender's own record followed the answer"
    history = _printed(told, "comity history")
    assert all(word in history for word in ("Entered", "Accepted", "Take back", "Given back", "Sealed, dry"))
    assert "all equal" in _printed(told, "comity rebuild")
    loan = reader.comity("show", reader.own("ATF-LN2026-00001"), "--as", "atf")
    assert (loan["state"], loan["fields"]["condition_returned"]) == ("given_back", "As lent")
    assert loan["offer"]["answer"]["condition_received"] == "Sealed, dry"
    found = reader.comity("find", "investigation.incident", "--as", "atf")["items"]
    assert not found, "an evidence custodian's role reads no incidents, whoever agreed to open theirs to ATF"


@pytest.mark.timeout(900)
def test_a_newcomer_adds_a_pillar(tmp_path: Path) -> None:
    """Beside all agencies that are there, without a change to any file outside its folder but the map."""
    with Reader(tmp_path) as reader:
        before = _files(reader.project)
        told = reader.follow("adding_a_pillar.md")
        after = _files(reader.project)
        changed = {name for name in before if after.get(name) != before[name]}
        assert changed == {"docs/map.md"}
        new = {name for name in after.keys() - before.keys() if "__pycache__" not in name}
        assert {name.split("/")[0] for name in new} == {"comity", "agencies"}
        assert all(name.startswith(("comity/pillars/parole/", "agencies/board/", "agencies/halfway/")) for name in new)
        page = (reader.project / "docs" / "map.md").read_text(encoding="utf-8")
        assert "community parole: YAML" in page and "`parole.quorum`" in page
        checked = _printed(told, "profile check")
        assert "does not hold" not in checked
        for one in (reader.project / "agencies").glob("*/agency.yml"):
            assert f"agency {one.parent.name}: holds" in checked, one.parent.name
        waiting = _printed(told, "comity inbox")
        assert "obligation" in waiting and "A place to live" in waiting and "answer it" in waiting
        refused = _printed(told, "2>&1")
        assert "still_owed" in refused and "no_quorum" in refused and "1 of 2 members" in refused
        last = _printed(told, "comity rebuild")
        assert "all equal" in last and "Decided" in last
        assert reader.own("BOARD-PV2026-00001") not in last, "the secretary receives no deliberation"
        review = reader.comity("show", reader.own("BOARD-PRV2026-00001"), "--as", "board", "--seat", "M. Lind")
        assert (review["state"], review["fields"]["outcome"]) == ("decided", "release")
        votes = reader.comity("find", "parole.vote", "--as", "board", "--seat", "M. Lind")["items"]
        assert len(votes) == 2, "the members do"
        asked = reader.comity("find", "parole.vote", "--as", "board", "--seat", "M. Lind", "--purpose", "custody")[
            "items"
        ]
        assert len(asked) == 1, "for another purpose only what one entered"


def _files(project: Path) -> dict[str, bytes]:
    folders = ("comity", "agencies", "jurisdictions", "docs")
    return {
        str(one.relative_to(project)): one.read_bytes()
        for folder in folders for one in sorted((project / folder).rglob("*"))
        if one.is_file() and "__pycache__" not in one.parts
    }  # fmt: skip


def _printed(told: list[tuple[str, str]], command: str) -> str:
    """What the blocks with a command printed."""
    return "\n".join(said for text, said in told if command in text)


def test_the_session_with_the_api(tmp_path: Path) -> None:
    """Every request of docs/api.md is answered as the page shows, and is one that the OpenAPI document describes."""
    with Reader(tmp_path) as reader:
        reader.follow("api.md")
        described = reader.get("/openapi.json")
        asked = reader.requests()
    assert len(asked) >= 15
    for one in asked:
        path = one["url"].partition("?")[0].removeprefix(f"http://127.0.0.1:{reader.port}")
        operation = described["paths"][_template(described, path)][one["method"].lower()]
        taken = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if taken:
            validator = jsonschema_rs.validator_for({**taken, "components": described["components"]})
            validator.validate(json.loads(one["data"]))
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    untold = [one for one in described["paths"] if f"`{one.removeprefix('/api/v1')}`" not in page]
    assert untold == [], "the page lists every address"


def _template(described: dict[str, Any], path: str) -> str:
    fitting = [one for one in described["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
    assert fitting, f"{path} is not described"
    return min(fitting, key=lambda one: one.count("{"))


def test_what_is_shown_is_compared() -> None:
    matches({"a": "x…", "b": [1, "…"]}, {"a": "xyz", "b": [1, 2, 3], "c": 0}, "here")
    for wanted, got in (({"a": 1}, {"a": 2}), ({"a": 1}, {}), ([1], [1, 2]), ("…z", "x")):
        with pytest.raises(AssertionError):
            matches(wanted, got, "here")
