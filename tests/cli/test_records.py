"""Records on the command line: every command gives one JSON document or a page, and a meaningful exit code."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import AGENT, SUPERVISOR, Command


def test_a_case_is_entered_changed_and_shown(comity: Command, case: Any) -> None:
    number = case["number"]
    changed = comity(
        "amend", number, *AGENT, "--version", "1", "--set", "summary=Three in a week", "--set", "nibin_lead=N-12345678",
        "--link", "assigned=Special Agent Rivera", "--reason", "from the tip", "--json",
    )  # fmt: skip
    assert (changed.code, changed.json["version"]) == (0, 2)
    page = comity("show", number, *AGENT)
    assert page.code == 0
    shown = ("Straw purchases", "Firearms", "NIBIN lead", "N-12345678", "Special Agent Rivera", "Amend")
    for words in (number, *shown):
        assert words in page.out
    shown = comity("show", case["record"], *AGENT, "--json").json
    assert shown["fields"]["atf:nibin_lead"] == "N-12345678" and shown["version"] == 2
    history = comity("history", number, *AGENT)
    assert "from the tip" in history.out and "Summary: Three in a week" in history.out
    assert [one["act"] for one in comity("history", number, *AGENT, "--json").json["items"]] == ["enter", "amend"]
    unset = comity("amend", number, *AGENT, "--version", "2", "--unset", "nibin_lead", "--json")
    assert unset.code == 0
    assert "atf:nibin_lead" not in comity("show", number, *AGENT, "--json").json["fields"]


def test_an_act_moves_the_record(comity: Command, case: Any) -> None:
    done = comity("act", case["number"], "convert", *SUPERVISOR, "--reason", "Two buys corroborate it")
    assert done.code == 0
    assert done.out.startswith(f"Convert on {case['number']}: Investigation, Full, version 2\nreceipt /api/v1/entries/")
    assert comity("act", case["number"], "convert", *SUPERVISOR, "--reason", "again", "--json").code == 4


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("show", "ATF-2026-999999", *AGENT), 3, "not_found"),
        (("show", "00000000-0000-4000-8000-000000000000", *AGENT), 3, "not_found"),
        (("enter", "investigation.case", *AGENT), 1, "invalid"),
        (("enter", "investigation.cases", *AGENT), 3, "type_unknown"),
        (("enter", "investigation.case", *AGENT, "--set", "title"), 2, "request_invalid"),
        (("enter", "investigation.case", *AGENT, "--file", "/no/such/file.yml"), 2, "request_invalid"),
        (("amend", "ATF-2026-000001", *AGENT), 4, "version_required"),
        (("show", "X", "--as", "nobody"), 1, "seat_unknown"),
        (("show", "X", "--as", "atf"), 1, "several_seats"),
        (("show", "X", *AGENT, "--at", "yesterday"), 2, "request_invalid"),
        (("find", "investigation.case", *AGENT, "--where", "narrative=x"), 1, "invalid"),
        (("find", "investigation.case", *AGENT, "--cursor", "zzz"), 1, "cursor_invalid"),
        (("show",), 2, "request_invalid"),
        (("show", "X", "--colour"), 2, "request_invalid"),
        (("fly",), 2, "request_invalid"),
        (("find", "--limit", "many"), 2, "request_invalid"),
        (("member", "redeem", "no-such-code"), 1, "code_expired"),
    ],
)
def test_refusals_are_one_document_and_an_exit_code(
    comity: Command, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    said = comity(*arguments, "--json")
    assert (said.code, said.json["code"]) == (exit_code, code), said
    plain = comity(*arguments)
    assert plain.code == exit_code and plain.out == "" and plain.err.strip()


def test_a_refusal_says_where_and_what_to_do(comity: Command) -> None:
    said = comity("enter", "investigation.case", *AGENT, "--set", "colour=red")
    assert said.code == 1
    for words in ("invalid", "fields.title", "fields.colour", "what to do"):
        assert words in said.err


def test_an_old_version_conflicts(comity: Command, case: Any) -> None:
    first = comity("amend", case["number"], *AGENT, "--version", "1", "--set", "summary=A")
    second = comity("amend", case["number"], *AGENT, "--version", "1", "--set", "summary=B", "--json")
    assert (first.code, second.code, second.json["code"]) == (0, 4, "version_conflict")


def test_fields_come_from_files_and_standard_input(
    comity: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"title": "From JSON", "program": "firearms", "opened": "2026-11-20"}
    as_json = tmp_path / "case.json"
    as_json.write_text(json.dumps(fields))
    as_yaml = tmp_path / "case.yml"
    as_yaml.write_text("fields: { title: From YAML, program: firearms, opened: 2026-11-20 }\nreason: a tip\n")
    for file, title in ((as_json, "From JSON"), (as_yaml, "From YAML")):
        entered = comity("enter", "investigation.case", *AGENT, "--file", str(file), "--json")
        assert entered.code == 0, entered
        assert comity("show", entered.json["record"], *AGENT, "--json").json["fields"]["title"] == title
    lines = comity("history", entered.json["number"], *AGENT, "--json").json["items"]
    assert lines[0]["reason"] == "a tip"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"title": NaN}')))
    assert comity("enter", "investigation.case", *AGENT, "--file", "-", "--json").json["code"] == "json_refused"


def test_values_take_the_type_of_their_field(comity: Command) -> None:
    entered = comity(
        "enter", "investigation.incident", "--as", "cpd", "--json", "--set", "incident_number=12345", "--set",
        "victim_count=2", "--set", "domestic=true", "--set", "beat=0123",
    )  # fmt: skip
    assert entered.code == 0, entered
    fields = comity("show", entered.json["record"], "--as", "cpd", "--json").json["fields"]
    assert fields == {"incident_number": "12345", "victim_count": 2, "domestic": True, "beat": "0123"}
    wrong = comity("enter", "investigation.incident", "--as", "cpd", "--json", "--set", "incident_number=1", "--set",
                   "victim_count=two")  # fmt: skip
    assert [fault["path"] for fault in wrong.json["faults"]] == ["fields.victim_count"]


def test_the_same_key_enters_once(comity: Command) -> None:
    given = ("enter", "investigation.case", *AGENT, "--json", "--key", "cli-key-1", "--set", "title=Once", "--set",
             "program=firearms", "--set", "opened=2026-11-20")  # fmt: skip
    first, again = comity(*given), comity(*given)
    assert first.json["record"] == again.json["record"] and again.json["replayed"] is True


def test_find_pages_and_filters(comity: Command, case: Any) -> None:
    found = comity("find", "investigation.case", *AGENT, "--text", "straw", "--limit", "1", "--json").json
    assert len(found["items"]) == 1
    page = comity("find", "investigation.case", *AGENT, "--where", f"number={case['number']}")
    assert case["number"] in page.out and "Straw purchases" in page.out
    assert "nothing found" in comity("find", "investigation.case", *AGENT, "--text", "zzzzqqq").out


def test_what_is_found_is_written_to_a_file(comity: Command, case: Any, tmp_path: Path) -> None:
    formula = "=HYPERLINK(0)"
    comity("enter", "investigation.case", *AGENT, "--set", f"title={formula}", "--set", "program=firearms", "--set",
           "opened=2026-11-20")  # fmt: skip
    file = tmp_path / "cases.csv"
    made = comity("find", "investigation.case", *AGENT, "--out", str(file), "--json").json
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert (made["format"], made["rows"], made["more"]) == ("csv", len(rows), False)
    (mine,) = [row for row in rows if row["number"] == case["number"]]
    assert mine["fields.title"] == mine["title"] and mine["fields.program"] == "firearms"
    assert f"'{formula}" in {row["title"] for row in rows}
    again = comity("find", "investigation.case", *AGENT, "--out", str(file), "--json")
    assert (again.code, again.json["faults"][0]["code"]) == (2, "file_exists")
    nowhere = comity("find", "investigation.case", *AGENT, "--out", str(tmp_path / "no" / "a.csv"), "--json")
    assert nowhere.json["faults"][0]["code"] == "file_unwritable"
    assert comity("find", *AGENT, "--out", str(tmp_path / "a.xlsx"), "--json").json["code"] == "import_refused"


def test_statistics_are_listed_and_shown(comity: Command, case: Any) -> None:
    listed = comity("statistics", "--json").json["items"]
    assert [(one["name"], one["columns"]) for one in listed] == [("activity", ["day", "type", "act", "entries"])]
    counted = comity("statistics", "activity", *AGENT, "--json").json["items"]
    assert any((one["type"], one["act"]) == ("investigation.case", "enter") for one in counted)
    page = comity("statistics", "activity", *AGENT).out
    assert "Investigation" in page and "Entered" in page
    assert comity("statistics", "weather", *AGENT, "--json").json["code"] == "statistic_unknown"
    assert "nothing yet" in comity("statistics", "activity", *AGENT, "--since", "2999-01-01").out


def test_find_lists_what_a_link_may_be_set_to(comity: Command) -> None:
    assert "nothing found" in comity("find", *AGENT, "--fits", "court.order.recalled_by").out
    said = comity("find", *AGENT, "--fits", "court.order.nothing", "--json")
    assert (said.code, said.json["faults"][0]["code"]) == (1, "unknown_link")


def test_what_is_overridden_is_named(comity: Command, case: Any, tmp_path: Path) -> None:
    given = ("--reason", "So it was", "--json")
    ways = [
        ("act", case["number"], "convert", *SUPERVISOR, "--override", "one", "--override", "two"),
        ("amend", case["number"], *AGENT, "--version", "1", "--set", "title=Other", "--override", "one"),
        ("enter", "investigation.case", *AGENT, "--set", "title=One", "--override", "one"),
    ]
    for way in ways:
        said = comity(*way, *given)
        assert "override_unknown" in {one["code"] for one in said.json["faults"]}, said
    (tmp_path / "case.yml").write_text("fields: { title: One }\noverride: one\n")
    said = comity("enter", "investigation.case", *AGENT, "--file", str(tmp_path / "case.yml"), "--json")
    assert (said.json["code"], said.json["fix"]) == ("request_invalid", "write override: [code]")


def test_another_agency_sees_nothing_of_it(comity: Command, case: Any) -> None:
    hidden = comity("show", case["number"], "--as", "dea", "--json")
    absent = comity("show", "ATF-2026-999999", "--as", "dea", "--json")
    assert hidden.code == 3 and hidden.json["code"] == absent.json["code"] == "not_found"


def test_a_token_in_the_environment_speaks(comity: Command, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = comity("member", "token", *AGENT, "--json").json["token"]
    monkeypatch.setenv("COMITY_TOKEN", token)
    assert comity("show", case["number"], "--json").code == 0
    assert comity("show", case["number"], "--as", "dea", "--json").json["code"] == "seat_unknown"
    monkeypatch.setenv("COMITY_TOKEN", "wrong")
    assert comity("show", case["number"], "--json").json["code"] == "token_invalid"


def test_markup_in_a_record_is_only_text(comity: Command) -> None:
    entered = comity(
        "enter", "investigation.case", *AGENT, "--json", "--set", "title=[bold]x[/bold] [/nope] \x1b[31mred", "--set",
        "program=firearms", "--set", "opened=2026-11-20",
    )  # fmt: skip
    assert entered.code == 0, entered
    for command in ("show", "history"):
        page = comity(command, entered.json["number"], *AGENT)
        assert page.code == 0 and "[bold]x[/bold] [/nope]" in page.out and "\x1b[31m" not in page.out
    assert (
        "\x1b[31m"
        not in comity("find", "investigation.case", *AGENT, "--where", f"number={entered.json['number']}").out
    )
