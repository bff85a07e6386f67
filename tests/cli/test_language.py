"""What commands print for a person, in the reader's language: in the pseudo-language no letter of ours is unmarked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from comity.cli import output
from tests.cli.conftest import AGENT, SUPERVISOR, Command

PSEUDO = ("--language", "qps")
_VALUE = re.compile(r"⟦[^⟦⟧]*⟧")


def unmarked(page: str) -> str:
    """What stands in plain letters outside the brackets of values."""
    while (rest := _VALUE.sub("", page)) != page:
        page = rest
    return " ".join(re.findall(r"\S*[A-Za-z]\S*", page))


@pytest.fixture(autouse=True)
def wide(comity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """So wide a terminal that no value is broken over two lines."""
    monkeypatch.setenv("COLUMNS", "1000")


ASKED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("history", "NUMBER"): ("happened", "act", "by", "what"),
    ("refusals",): ("last", "times", "who", "what", "record", "why"),
    ("due",): ("due", "left", "record", "clock"),
    ("due", "COUNT"): ("rule", "working", "days", "source"),
    ("inbox",): ("record", "what", "from", "since"),
    ("member", "list", "atf"): ("name", "roles", "state", "id"),
    ("subscriptions",): ("subscription", "name", "for", "to", "state", "why"),
    ("statistics", "activity"): ("term.day", "term.type", "term.act", "term.entries"),
    ("agency", "list"): ("agency", "title", "jurisdiction", "membership", "state"),
    ("profile", "types"): ("type", "title"),
    ("problems", "version_conflict"): ("what_to_do",),
    ("find", "investigation.case"): (),
    ("show", "NUMBER"): (),
}
"""Commands, each with the headings of what it prints."""


def test_every_word_that_a_command_prints_is_the_readers(comity: Command, case: Any, count: str) -> None:
    assert comity("subscribe", "--type", "investigation.case", "--name", "Cases", *AGENT).code == 0
    again = ("enter", "investigation.case", *AGENT, "--set", "title=Told", "--set", "program=firearms", "--set",
             "opened=2026-11-20")  # fmt: skip
    assert comity(*again).code == 0, "which is told to the subscriber"
    assert comity("act", case["record"], "convert", *AGENT, "--reason", "On the word of a neighbour").code == 1
    for asked, headings in ASKED.items():
        given = [{"NUMBER": case["number"], "COUNT": count}.get(one, one) for one in asked]
        said = comity(*given, *AGENT, *PSEUDO)
        assert said.code == 0 and "⟦" in said.out, said
        assert unmarked(said.out) == "", said.out
        for one in headings:
            assert output.locale().say(f"cli.{one}") in said.out, (asked, one)


def test_a_receipt_and_a_refusal_are_in_the_readers_words(comity: Command, case: Any) -> None:
    number = case["number"]
    wrong = comity("act", number, "convert", *AGENT, "--reason", "r", *PSEUDO)
    assert (wrong.code, wrong.out, unmarked(wrong.err)) == (1, "", ""), wrong.err
    done = comity("act", number, "convert", *SUPERVISOR, "--reason", "r", *PSEUDO)
    assert done.code == 0 and unmarked(done.out) == "", done.out
    before = comity("--language", "qps", "show", number, *AGENT)
    assert before.out == comity("show", number, *AGENT, *PSEUDO).out, "said once before the command, it holds for it"
    assert "⟦" not in comity("show", number, *AGENT).out, "a command before it leaves nothing behind"


def test_the_environment_says_the_language(comity: Command, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_LANGUAGE", "qps")
    assert unmarked(comity("history", case["number"], *AGENT).out) == ""
    assert comity("history", case["number"], *AGENT, "--json").json["items"][0]["act"] == "enter"


def test_a_language_that_the_definitions_lack_is_refused_once(comity: Command, case: Any) -> None:
    for asked in (["inbox"], ["refusals"], ["show", case["number"]], ["history", case["number"]], ["due"]):
        said = comity(*asked, *AGENT, "--language", "xx")
        assert (said.code, said.out) == (2, "") and said.err.count("have no words in xx") == 1, asked


def test_an_act_is_done_in_english_where_the_language_lacks(comity: Command, case: Any) -> None:
    done = comity("act", case["number"], "convert", *SUPERVISOR, "--reason", "r", "--language", "xx")
    assert done.code == 0 and done.out.startswith(f"Convert on {case['number']}: ")


def test_each_fault_of_a_refusal_is_printed_as_it_is_said(comity: Command) -> None:
    wrong = ("enter", "investigation.case", *AGENT, "--set", "program=fireams", "--set", "opened=soon", *PSEUDO)
    said, page = comity(*wrong, "--json").json, comity(*wrong).err
    assert len(said["faults"]) > 2
    for one in said["faults"]:
        assert unmarked(one["message"]) == "" and one["message"] in page, "not within the brackets of a value"
