"""Steps from state to state, and what a step out of turn is told."""

from __future__ import annotations

import pytest

from comity.errors import Problem
from comity.kernel.types.lifecycle import forward, open_acts, reached, step
from tests.types.world import layers, world

ATF = world()
CASE = ATF.type("investigation.case")
TRANSFER = ATF.type("evidence.transfer")


def test_a_case_walks_its_life() -> None:
    state = CASE.initial
    walked = [state := step(CASE, act, state) for act in ("convert", "suspend", "resume", "suspend", "close", "reopen")]
    assert walked == ["full", "pending", "preliminary", "pending", "closed", "preliminary"]
    assert step(CASE, "amend", "closed") == "closed"


def test_a_record_from_before_the_division_counts_as_in_its_entry_state() -> None:
    assert step(CASE, "convert", "open") == "full"
    assert step(CASE, "suspend", "open") == "pending"


def test_a_layer_may_say_which_sub_state_an_act_returns_to() -> None:
    text = layers()["agency"]["types/case.yml"].replace("acts:\n", "acts:\n  resume: { to: full }\n")
    assert step(world({"agency/types/case.yml": text}).type("investigation.case"), "resume", "pending") == "full"


def test_an_act_out_of_turn_names_where_it_comes_from_and_what_is_open() -> None:
    with pytest.raises(Problem) as caught:
        step(CASE, "resume", "preliminary")
    assert caught.value.code == "act_out_of_turn"
    assert caught.value.extra == {"open": ["amend", "suspend", "convert"], "comes_from": ["pending"]}
    assert open_acts(CASE, "preliminary") == ["amend", "suspend", "convert"]
    with pytest.raises(Problem) as caught:
        step(CASE, "enter", "preliminary")
    assert caught.value.code == "act_out_of_turn"


def test_an_unknown_act_names_the_nearest() -> None:
    with pytest.raises(Problem) as caught:
        step(CASE, "clos", "full")
    assert (caught.value.code, caught.value.fix) == ("act_unknown", "did you mean close?")


def test_a_forbidden_act_says_what_bars_it() -> None:
    text = "extends: investigation.case\nforbid: { reopen: 18 U.S.C. 1 }\n"
    with pytest.raises(Problem) as caught:
        step(world({"agency/types/case.yml": text}).type("investigation.case"), "reopen", "closed")
    assert caught.value.code == "act_forbidden"
    assert "18 U.S.C. 1" in caught.value.detail


def test_answers_withdrawal_and_expiry_end_an_offer_once() -> None:
    assert [step(TRANSFER, name, "offered") for name in ("accepted", "declined", "withdrawn", "expired")] == [
        "received", "declined", "withdrawn", "expired",
    ]  # fmt: skip
    with pytest.raises(Problem) as caught:
        step(TRANSFER, "withdrawn", "received")
    assert caught.value.code == "act_out_of_turn"
    offer = TRANSFER.offer
    assert offer is not None and offer.withdrawn is not None and offer.expired is not None
    assert (offer.expires, offer.withdrawn.ends, offer.expired.ends) == ("P14D", True, True)
    assert [one.ends for one in offer.answers.values()] == [False, False, True]
    assert offer.grants.links == {"person": ("base",)}
    assert (TRANSFER.counterparty, TRANSFER.party_fields) == ("receiver", ())


def test_going_back_is_not_going_on() -> None:
    moves = [("draft", "sent"), ("sent", "done"), ("sent", "draft"), ("done", "draft"), ("draft", "done")]
    assert forward("draft", moves) == [("draft", "sent"), ("sent", "done"), ("draft", "done")]
    assert reached(["sent"], moves) == {"draft", "sent", "done"}
    assert reached(["sent"], forward("draft", moves)) == {"sent", "done"}


def test_nobody_may_is_said_only_of_what_the_agency_itself_enters() -> None:
    roles = {"agency/roles.yml": "roles:\n  vault: { is: [custodian] }\n"}
    assert world(roles).agency == "atf"
    with pytest.raises(Problem) as caught:
        world({"agency/roles.yml": "roles:\n  vault: { is: [custodian, agent] }\n"})
    assert {one.code for one in caught.value.faults} == {"act_nobody_may"}
    only = layers()["agency"]["agency.yml"].replace(", investigation]", "]")
    assert world({"agency/roles.yml": "roles:\n  vault: { is: [custodian, agent] }\n", "agency/agency.yml": only})
