"""The chain of custody of an item: one holder at every moment, no gap, and parts that trace to their whole."""

from __future__ import annotations

from itertools import pairwise

import pytest

from comity.pillars.evidence.chain import chain, chain_unbroken, part_traces_to_parent
from comity.pillars.evidence.custody import TRANSFER, holder_hands_over
from tests.pillars.graph import Graph, at, offer


def a_pistol_at(agency: str) -> Graph:
    graph = Graph(agency)
    graph.add("pistol", "evidence.item", {"category": "firearm"}, state="stored", agency="atf")
    graph.add("new", "evidence.custody_transfer", {}, state="offered", links={"item": ["pistol"]})
    graph.subject_id = "new"
    return graph


def codes(graph: Graph) -> list[str]:
    return [one.code for one in holder_hands_over(graph).missing]


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


def a_drug_that_went_by_courier() -> Graph:
    """Taken by ATF on the 1st, sent on the 10th, received by the laboratory on the 12th."""
    graph = Graph("atf")
    taken = {"category": "drug", "gross_weight": "30", "taken_at": "2026-10-01T12:00:00+00:00"}
    graph.add("drug", "evidence.item", taken, state="stored")
    graph.add("sent", TRANSFER,
              {"conveyance": "courier", "carrier": "Overland", "sent": "2026-10-10T09:00:00+00:00",
               "received": "2026-10-12T09:00:00+00:00"},
              state="accepted", links={"item": ["drug"]},
              offer=offer("accepted", "fsl", at(10, 10), at(10, 12)))  # fmt: skip
    graph.add("statement", "evidence.chain_statement", {}, state="certified", links={"item": ["drug"]})
    graph.subject_id = "statement"
    return graph


@pytest.mark.parametrize(("record", "name"), [("drug", "taken_at"), ("sent", "sent"), ("sent", "received")])
def test_a_chain_with_a_time_that_cannot_be_read_is_not_whole(record: str, name: str) -> None:
    graph = a_drug_that_went_by_courier()
    assert chain_unbroken(graph).missing == []
    graph.change(record, fields={name: "2026-10-10T23:59:60Z"})
    found = chain_unbroken(graph).missing
    assert [one.code for one in found] == ["time_unreadable"]
    assert "2026-10-10T23:59:60Z" in found[0].message


def gaps(graph: Graph) -> list[tuple[str, str]]:
    return [(one.code, one.owed_by) for one in chain_unbroken(graph).missing]


def test_at_every_moment_there_is_one_holder_the_carrier_included() -> None:
    graph = a_drug_that_went_by_courier()
    holdings, broken = chain(graph.records["drug"], graph.linking(graph.records["drug"], TRANSFER, "item"))
    assert [one.holder for one in holdings] == ["atf", "Overland", "fsl"]
    assert all(one.until == then.since for one, then in pairwise(holdings))
    assert (broken, gaps(graph)) == ([], [])


@pytest.mark.parametrize(
    ("changed", "lack"),
    [
        ({"offer": offer("accepted", "fsl", at(10, 10), at(10, 12), by="dea")}, ("custody_gap", "atf")),
        ({"fields": {"sent": "2026-09-01T09:00:00+00:00"}}, ("custody_overlap", "atf")),
        ({"fields": {"received": "2026-10-09T09:00:00+00:00"}}, ("custody_overlap", "fsl")),
        ({"state": "offered", "offer": offer("offered", "fsl", at(10, 10))}, ("custody_waiting", "fsl")),
    ],
)
def test_a_broken_chain_is_not_certified(changed: dict[str, object], lack: tuple[str, str]) -> None:
    graph = a_drug_that_went_by_courier()
    graph.change("sent", **changed)  # type: ignore[arg-type]
    assert gaps(graph) == [lack]


def test_what_is_checked_out_to_nobody_is_a_gap() -> None:
    graph = a_drug_that_went_by_courier()
    del graph.records["sent"]
    graph.change("drug", state="out", fields={"out_to": "other_agency"})
    assert gaps(graph) == [("custody_gap", "atf")]


def a_part(graph: Graph, weight: str = "1") -> Graph:
    graph.agency = "fsl"
    graph.add("part", "evidence.item", {"origin": "sub_item", "gross_weight": weight}, state="taken", agency="fsl",
              links={"parent": ["drug"]})  # fmt: skip
    graph.subject_id = "part"
    return graph


def lacks(graph: Graph) -> list[str]:
    return [one.code for one in part_traces_to_parent(graph).missing]


def test_a_part_is_taken_by_the_holder_of_the_whole() -> None:
    graph = a_part(a_drug_that_went_by_courier())
    assert lacks(graph) == []
    graph.agency = "atf"
    assert lacks(graph) == ["not_the_holder"]


def test_parts_and_use_are_not_more_than_the_whole() -> None:
    graph = a_part(a_drug_that_went_by_courier(), "20")
    graph.add(
        "use", "evidence.consumption", {"amount": "10.5"}, state="recorded", agency="fsl", links={"item": ["drug"]}
    )
    assert lacks(graph) == ["parts_exceed_whole"]


def test_a_part_of_something_unseen_or_of_itself_does_not_trace() -> None:
    graph = a_part(a_drug_that_went_by_courier())
    graph.change("part", links={"parent": ["hidden"]})
    assert lacks(graph) == ["parent_lost"]
    graph.change("part", links={"parent": ["drug"]})
    graph.change("drug", links={"parent": ["part"]})
    assert "parent_lost" in lacks(graph)


def test_a_part_breaks_where_its_whole_does() -> None:
    graph = a_part(a_drug_that_went_by_courier())
    graph.change("sent", offer=offer("accepted", "fsl", at(10, 10), at(10, 12), by="dea"))
    graph.change("statement", links={"item": ["part"]})
    graph.subject_id = "statement"
    assert gaps(graph) == [("custody_gap", "atf")]
