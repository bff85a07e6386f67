"""`comity problems`: what a code means, with and without a seat."""

from __future__ import annotations

from comity.problems import CODES
from tests.cli.conftest import AGENT, Command


def test_a_code_is_explained_without_a_seat(comity: Command) -> None:
    told = comity("problems", "version_conflict", "--json")
    assert (told.code, told.json["status"], told.json["source"]) == (0, 412, "comity")
    page = comity("problems", "hold_active").out
    assert "pillar custody" in page and "Ask the authority whose hold it is to lift it." in page
    places = comity("problems", "no_unsealing_order").out
    assert "court.warrant" in places and "prosecution.instrument" in places


def test_the_list_holds_every_code_and_with_a_seat_the_agencys_own(comity: Command) -> None:
    open_to_all = {one["code"] for one in comity("problems", "--json").json["items"]}
    mine = {one["code"] for one in comity("problems", *AGENT, "--json").json["items"]}
    assert set(CODES) < open_to_all < mine
    assert "not_certified" in mine - open_to_all
    assert "idempotency_key_reused" in comity("problems").out, "a code is never broken over two lines"


def test_an_unknown_code_is_not_found(comity: Command) -> None:
    for words in (["no_such_code"], ["not_certified"]):
        told = comity("problems", *words, "--json")
        assert (told.code, told.json["code"]) == (3, "problem_unknown")
    assert comity("problems", "not_certified", *AGENT, "--json").json["source"] == "agency atf"
