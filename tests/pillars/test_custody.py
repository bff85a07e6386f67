"""Only the present holder hands an item over, and not twice at once."""

from __future__ import annotations

from comity.pillars.evidence.custody import holder_hands_over
from tests.pillars.graph import Graph, at, offer


def a_pistol_at(agency: str) -> Graph:
    graph = Graph(agency)
    graph.add("pistol", "evidence.item", {"category": "firearm"}, state="stored", agency="atf")
    graph.add("new", "evidence.custody_transfer", {}, state="offered", links={"item": ["pistol"]})
    graph.subject_id = "new"
    return graph


def codes(graph: Graph) -> list[str]:
    return [one.code for one in holder_hands_over(graph)]


def test_the_owner_hands_over_what_it_holds() -> None:
    assert codes(a_pistol_at("atf")) == []


def test_another_cannot_hand_over_what_it_never_received() -> None:
    assert codes(a_pistol_at("fsl")) == ["not_the_holder"]


def test_the_laboratory_sends_back_what_it_received() -> None:
    graph = a_pistol_at("fsl")
    graph.add("in", "evidence.custody_transfer", {}, state="accepted", links={"item": ["pistol"]}, agency="atf",
              offer=offer("accepted", "fsl", at(10, 1), at(10, 2)))  # fmt: skip
    assert codes(graph) == []


def test_the_owner_cannot_hand_over_what_the_laboratory_holds() -> None:
    graph = a_pistol_at("atf")
    graph.add("out", "evidence.custody_transfer", {}, state="accepted", links={"item": ["pistol"]},
              offer=offer("accepted", "fsl", at(10, 1), at(10, 2)))  # fmt: skip
    assert codes(graph) == ["not_the_holder"]


def test_an_item_on_its_way_is_not_sent_again() -> None:
    graph = a_pistol_at("atf")
    graph.add("out", "evidence.custody_transfer", {}, state="offered", links={"item": ["pistol"]},
              offer=offer("offered", "fsl", at(10, 1)))  # fmt: skip
    assert codes(graph) == ["transfer_waiting"]
