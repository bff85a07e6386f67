"""Who may not be let go, who has a person, and when a count agrees: the rules of custody over records in memory."""

from __future__ import annotations

import pytest

from comity.pillars.custody.counting import count_agrees
from comity.pillars.custody.holds import hold_was_active, no_active_hold, one_receiver, own_release
from tests.pillars.graph import Graph, at, offer

STAY = "custody.intake"
HOLD = "custody.hold"
DETAINER = "custody.detainer"


def a_prisoner() -> Graph:
    """One stay at the facility, and a release that is about to be entered."""
    graph = Graph("detention")
    graph.add("inmate", "registry.person", {}, state="current")
    graph.add("stay", STAY, {}, state="in_custody", links={"person": ["inmate"]})
    graph.add("release", "custody.release", {}, state="prepared", links={"intake": ["stay"]})
    graph.subject_id = "release"
    return graph


def detainer(graph: Graph, answer: str, **links: list[str]) -> None:
    graph.add("wanted", "registry.person", {}, state="current", agency="state-police")
    state = answer if answer in ("lifted", "executed") else "offered"
    graph.add(
        "detainer",
        DETAINER,
        {"basis": "warrant"},
        state=state,
        agency="state-police",
        links=links,
        offer=offer(
            "lodged" if answer in ("lifted", "executed") else answer, "detention", at(11, 1), by="state-police"
        ),
    )


def holders(graph: Graph) -> list[str]:
    return [one.owed_by for one in no_active_hold(graph).missing]


def test_without_a_hold_a_person_may_go() -> None:
    assert holders(a_prisoner()) == []


def test_each_active_hold_refuses_with_the_holders_name() -> None:
    graph = a_prisoner()
    graph.add(
        "order", HOLD, {"basis": "commitment_order", "authority": "usms"}, state="active", links={"intake": ["stay"]}
    )
    graph.add("old", HOLD, {"basis": "writ", "authority": "usdc"}, state="ended", links={"intake": ["stay"]})
    graph.add(
        "far",
        HOLD,
        {"basis": "parole", "authority_name": "Board of another state"},
        state="active",
        links={"intake": ["stay"]},
    )
    found = no_active_hold(graph).missing
    assert [one.owed_by for one in found] == ["usms", "Board of another state"]
    assert {one.code for one in found} == {"hold_active"}
    assert "usms" in found[0].message and "commitment order" in found[0].message


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("offered", True),
        ("lodged", True),
        ("not_held", False),
        ("lifted", False),
        ("executed", False),
        ("withdrawn", False),
    ],
)
def test_a_detainer_holds_from_its_arrival_until_its_authority_lifts_it(answer: str, held: bool) -> None:
    graph = a_prisoner()
    detainer(graph, answer, intake=["stay"], person=["wanted"])
    assert holders(graph) == (["state-police"] if held else [])


def test_a_detainer_that_is_recorded_as_a_hold_is_named_once() -> None:
    graph = a_prisoner()
    detainer(graph, "lodged", intake=["stay"], person=["wanted"])
    graph.add(
        "hold",
        HOLD,
        {"basis": "detainer", "authority": "state-police"},
        state="active",
        links={"intake": ["stay"], "detainer": ["detainer"]},
    )
    assert holders(graph) == ["state-police"]


@pytest.mark.parametrize(
    ("relation", "state", "held"),
    [(None, "claimed", True), ("same", "claimed", True), ("different", "claimed", False), (None, "revoked", False)],
)
def test_a_detainer_against_the_same_person_holds_by_a_live_claim(relation: str | None, state: str, held: bool) -> None:
    graph = a_prisoner()
    detainer(graph, "lodged", person=["wanted"])
    assert holders(graph) == []
    fields = {"relation": relation} if relation else {}
    graph.add(
        "claim", "registry.identity_claim", fields, state=state, links={"person": ["inmate"], "same_as": ["wanted"]}
    )
    assert holders(graph) == (["state-police"] if held else [])


@pytest.mark.parametrize("hidden", [["hold"], ["detainer"], ["detainer", "claim"]])
def test_what_the_member_may_not_see_holds_and_is_not_told(hidden: list[str]) -> None:
    graph = a_prisoner()
    if hidden == ["hold"]:
        graph.add("hold", HOLD, {"authority": "usms"}, state="active", links={"intake": ["stay"]})
    else:
        detainer(graph, "lodged", person=["wanted" if "claim" in hidden else "inmate"])
        ends = {"person": ["inmate"], "same_as": ["wanted"]}
        graph.add("claim", "registry.identity_claim", {}, state="claimed", links=ends)
    graph.hide(*hidden)
    found = no_active_hold(graph).missing
    assert [one.code for one in found] == ["hold_unseen"]
    assert not {"usms", "state-police", "warrant", *hidden} & set(found[0].message.lower().split())


def test_the_end_of_a_stay_is_judged_like_a_release() -> None:
    graph = a_prisoner()
    graph.add("order", HOLD, {"basis": "sentence", "authority": "usdc"}, state="active", links={"intake": ["stay"]})
    graph.subject_id = "stay"
    assert holders(graph) == ["usdc"]


@pytest.mark.parametrize(
    ("fields", "state", "ran"),
    [
        ({"since": "2026-11-01T00:00:00+00:00"}, "active", True),
        ({"since": "2026-11-01T00:00:00+00:00", "ended_at": "2026-11-20T00:00:00+00:00"}, "ended", True),
        ({"since": "2026-11-01T00:00:00+00:00", "ended_at": "2026-11-05T00:00:00+00:00"}, "ended", False),
        ({"since": "2026-11-12T00:00:00+00:00"}, "active", False),
        ({"since": "2026-11-01T00:00:00+00:00"}, "entered_in_error", False),
        ({"since": "2026-11-01T00:00:00+00:00", "expires_on": "2026-11-09"}, "active", False),
        ({"since": "2026-11-01T00:00:00+00:00", "expires_on": "soon"}, "active", False),
        ({"since": "2026-11-01T00:00:00+00:00", "ended_at": "2026-11-20T23:59:60Z"}, "ended", False),
        ({"since": "2026-11-01T23:59:60Z"}, "active", False),
        ({"since": "2026-11-01T00:00:00"}, "active", False),
    ],
)
def test_released_in_error_is_computed(fields: dict[str, str], state: str, ran: bool) -> None:
    graph = a_prisoner()
    graph.change("stay", state="released", fields={"ended_at": "2026-11-10T12:00:00+00:00"})
    graph.add("late", HOLD, {"authority": "usms", **fields}, state=state, links={"intake": ["stay"]})
    graph.subject_id = "stay"
    assert [one.code for one in hold_was_active(graph).missing] == ([] if ran else ["no_hold_was_active"])


def a_transfer(state: str = "in_custody", agency: str = "usms") -> Graph:
    graph = Graph("usms")
    graph.add("stay", STAY, {}, state=state, agency=agency)
    graph.add("new", "custody.transfer", {"receiver": "detention"}, state="offered", links={"intake": ["stay"]})
    graph.subject_id = "new"
    return graph


@pytest.mark.parametrize(
    ("answer", "free"), [("offered", False), ("accepted", False), ("refused", True), ("withdrawn", True)]
)
def test_two_facilities_never_have_one_prisoner(answer: str, free: bool) -> None:
    graph = a_transfer()
    state = "offered" if answer in ("offered", "accepted") else answer
    graph.add(
        "first",
        "custody.transfer",
        {},
        state=state,
        links={"intake": ["stay"]},
        offer=offer(answer, "county", at(11, 1)),
    )
    found = one_receiver(graph).missing
    assert ([one.code for one in found] == []) is free
    assert free or "county" in found[0].message


def test_only_who_has_a_person_hands_the_person_over() -> None:
    assert one_receiver(a_transfer()).missing == []
    assert [one.code for one in one_receiver(a_transfer(state="released")).missing] == ["not_the_custodian"]
    assert [one.code for one in one_receiver(a_transfer(agency="detention")).missing] == ["not_the_custodian"]


def test_a_person_offered_to_another_is_not_offered_again_under_another_stay() -> None:
    graph = a_transfer()
    graph.add("inmate", "registry.person", {}, state="current")
    graph.change("new", links={"intake": ["stay"], "person": ["inmate"]})
    graph.add(
        "first",
        "custody.transfer",
        {},
        state="offered",
        links={"person": ["inmate"]},
        offer=offer("offered", "county", at(11, 1)),
    )
    assert ["county" in one.message for one in one_receiver(graph).missing] == [True]
    graph.change("first", offer=offer("accepted", "county", at(11, 1)))
    assert one_receiver(graph).missing == []


@pytest.mark.parametrize(("counted", "agrees"), [(2, True), (3, False), (1, False)])
def test_a_count_agrees_with_who_is_housed_and_not_out(counted: int, agrees: bool) -> None:
    graph = Graph("detention")
    graph.add("unit", "registry.place", {}, state="current")
    for name, state, housed in (
        ("a", "in_custody", "current"),
        ("b", "in_custody", "current"),
        ("c", "out", "current"),
        ("d", "in_custody", "ended"),
        ("e", "released", "current"),
    ):
        graph.add(name, STAY, {}, state=state)
        graph.add(f"bed-{name}", "custody.housing", {}, state=housed, links={"unit": ["unit"], "intake": [name]})
    graph.add("count", "custody.count", {"counted": counted}, state="taken", links={"unit": ["unit"]})
    graph.subject_id = "count"
    assert [one.code for one in count_agrees(graph).missing] == ([] if agrees else ["count_differs"])


@pytest.mark.parametrize(("steps", "own"), [(0, True), (1, True), (2, True), (None, False)])
def test_a_release_ends_its_own_stay_and_those_that_led_to_it(steps: int | None, own: bool) -> None:
    graph = a_prisoner()
    graph.add("other", STAY, {}, state="in_custody")
    for step in range(steps or 0):
        before = f"stay{step}" if step else "stay"
        graph.add(f"transfer{step}", "custody.transfer", {}, state="accepted", links={"intake": [before]})
        graph.add(f"stay{step + 1}", STAY, {}, state="in_custody", links={"transfer": [f"transfer{step}"]})
    last = "other" if steps is None else f"stay{steps}" if steps else "stay"
    graph.change("release", links={"intake": [last]}, state="completed")
    graph.change("stay", links={"person": ["inmate"], "release": ["release"]})
    graph.subject_id = "stay"
    assert [one.code for one in own_release(graph).missing] == ([] if own else ["release_of_another"])
