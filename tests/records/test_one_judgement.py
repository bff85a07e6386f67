"""The same mistake is refused by every verb with the same code: needs, links to one record, names of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.work.results import Receipt
from tests.world import World, day, instant, refused

NOTHING = (None, "", "  ")


def faults(call: Any, *given: Any, **more: Any) -> set[tuple[str, str]]:
    problem = refused(call, *given, **more)
    assert problem.code == "invalid"
    return {(one.code, one.path) for one in problem.faults}


@pytest.mark.parametrize("value", NOTHING)
def test_what_an_act_needs_is_given_with_something_in_it(world: World, case: Receipt, value: str | None) -> None:
    found = faults(world.act, "atf_supervisor", case.record, "close", reason="x", fields={"clearance": value})
    assert ("needs", "fields.clearance") in found
    assert world.read("atf_supervisor", case.record).state == case.state
    blank = faults(world.act, "atf_supervisor", case.record, "close", reason=value, fields={"clearance": "arrest"})
    assert ("needs", "reason") in blank


@pytest.mark.parametrize("value", NOTHING)
def test_what_an_answer_needs_is_given_with_something_in_it(world: World, value: str | None) -> None:
    item = world.enter(
        "atf_agent",
        "evidence.item",
        {"description": "Pistol", "category": "firearm", "origin": "seized", "legal_basis": "consent",
         "taken_at": instant(3), "seal_number": "S9"},
    )  # fmt: skip
    custodian = world.seat("atf", "evidence_custodian")
    world.act(custodian, item.record, "book")
    sent = {"to_agency": "fsl", "purpose": "examination", "conveyance": "hand", "sent": instant(1)}
    offer = world.enter(custodian, "evidence.custody_transfer", sent, links={"item": [item.record]})
    clerk = world.seat("fsl", "evidence_technician")
    given = {"discrepancy": value}
    found = faults(world.answer, clerk, offer.record, "accepted_with_discrepancy", fields=given)
    assert ("needs", "fields.discrepancy") in found


def test_a_null_in_an_answer_is_not_said(world: World, case: Receipt) -> None:
    lead = world.enter(
        "atf_agent", "investigation.lead", {"partner": "dea", "lead_agency": "atf"}, links={"case": [case.record]}
    )
    world.answer("dea_supervisor", lead.record, "agreed", fields={"counter_terms": None})
    ((answer,),) = world.rows("atf", "select answer from comity.offer where id = %s", lead.record)
    assert "counter_terms" not in str(answer)


def test_a_link_to_one_record_takes_no_second_by_any_verb(world: World, case: Receipt, report: Receipt) -> None:
    other = world.enter("atf_agent", "investigation.case", {"title": "Other", "program": "firearms", "opened": day()})
    both = {"case": [case.record, other.record]}
    assert world.read("atf_agent", report.record).links["case"] == [case.record]
    assert faults(world.amend, "atf_agent", report.record, {}, links={"case": [other.record]}) == {
        ("link_not_many", "links.case")
    }
    assert ("link_not_many", "links.case") in faults(
        world.enter, "atf_agent", "investigation.report", world.read("atf_agent", report.record).fields, links=both
    )
    world.amend("atf_agent", report.record, {}, links={"case": [other.record]}, unlink={"case": [case.record]})
    assert world.read("atf_agent", report.record).links["case"] == [other.record]


def test_unknown_names_are_told_once_whatever_they_hold(world: World, person: Receipt, case: Receipt) -> None:
    amend, at = world.amend, person.record
    for value in ("x", None):
        assert faults(amend, "atf_agent", at, {"nosuch": value}) == {("unknown_field", "fields.nosuch")}
        entered = faults(world.enter, "atf_agent", "registry.person", {"role": "subject", "name": "x", "nosuch": value})
        assert entered == {("unknown_field", "fields.nosuch")}
        told = refused(world.act, "atf_supervisor", case.record, "close", reason="x", fields={"nosuch": value})
        assert [one.code for one in told.faults if one.path == "fields.nosuch"] == ["unknown_field"]
    assert faults(amend, "atf_agent", at, {"name": "y"}, unlink={"nosuch": [at]}) == {("unknown_link", "unlink.nosuch")}
    assert faults(amend, "atf_agent", at, {}, links={"nosuch": []}) == {("unknown_link", "links.nosuch")}
    assert ("link_both_ways", "unlink.subject") in faults(
        amend, "atf_agent", case.record, {}, links={"subject": [at]}, unlink={"subject": [at]}
    )


def test_an_offer_to_oneself_is_told_with_the_other_faults(world: World, case: Receipt) -> None:
    given = {"partner": "atf", "lead_agency": "atf", "nosuch": 1}
    found = faults(world.enter, "atf_agent", "investigation.lead", given, links={"case": [case.record]})
    assert found == {("counterparty", "fields.partner"), ("unknown_field", "fields.nosuch")}
