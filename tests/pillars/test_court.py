"""What the types say of courts: who signs, who enters, what is served, what is sealed; and in which words."""

from __future__ import annotations

import pytest

from comity.kernel.definitions.load import load
from comity.kernel.types import lifecycle
from tests.pillars.test_definitions import AGENCIES, CORE, ROOT, catalogue, read_folder

SIGNED = ("court.order", "court.warrant", "court.judgment", "court.sentence")
SEALED = ("court.case", "court.order", "court.warrant", "court.docket_entry", "prosecution.instrument")


@pytest.mark.parametrize("name", SIGNED)
def test_a_judge_signs_and_another_member_the_clerk_enters(name: str) -> None:
    of = load(CORE).type(name)
    assert of.acts["sign"].by == {"judge"}
    assert of.acts["enter_on_docket"].by == {"clerk"}
    assert of.acts["enter_on_docket"].not_by == ("sign",)


@pytest.mark.parametrize("agency", ["usdc", "in-court"])
def test_no_role_of_a_court_both_signs_and_enters(agency: str) -> None:
    for role in catalogue(agency).roles.values():
        assert not {"judge", "clerk"} <= role.is_, role.name


@pytest.mark.parametrize("name", SEALED)
def test_what_can_be_sealed_is_unsealed_by_an_order_alone(name: str) -> None:
    of = load(CORE).type(name)
    act, shape = of.acts["unseal"], of.links["order"].shape
    assert act.lifts == {"sealed"}
    assert act.needs == ("order",)
    assert [rule.code for rule in act.guards] == (["no_unsealing_order"] if shape is None else [])
    assert shape is None or (shape.code, shape.as_json()) == (
        "no_unsealing_order", {"kind": ["unseal"], "state": ["entered", "fulfilled"]},
    )  # fmt: skip
    assert act.to is None


def test_a_service_is_open_until_acknowledged_and_then_until_executed() -> None:
    of = load(CORE).type("court.order_service")
    assert of.counterparty == "addressee"
    assert of.offer is not None and of.offer.expires is None
    assert lifecycle.open_acts(of, "acknowledged") == ["record_execution", "record_failure", "excuse", "recall"]
    assert not of.states["acknowledged"].final and not of.states["not_executed"].final


def test_in_the_united_states_received_is_filed() -> None:
    objected = catalogue("usdc").type("court.filing").offer
    assert objected is not None
    assert "filing_not_refused" in [rule.code for rule in objected.answers["objected"].guards]
    plain = catalogue("in-court").type("court.filing").offer
    assert plain is not None and plain.answers["objected"].guards == ()


@pytest.mark.parametrize("agency", [name for name, law in AGENCIES.items() if law == "us-federal"])
def test_each_federal_agency_may_be_served_or_is_no_addressee(agency: str) -> None:
    """Who is served by the court agrees to it; who returns to the court is agreed to by the court."""
    served = {one.to for one in catalogue(agency).agreements if "court.order_service" in one.offers}
    returns = {one.to for one in catalogue("usdc").agreements if "court.filing" in one.offers}
    assert served <= {"usdc"}
    assert not served or agency in returns


def test_indias_types_speak_english_and_hindi() -> None:
    india = load(CORE, read_folder(ROOT / "jurisdictions" / "india"))
    own = [of for of in india.types.values() if of.name.startswith("india.")]
    assert len(own) >= 13
    for of in own:
        assert of.labels.get("hi"), of.name
        for part in (*of.fields.values(), *of.links.values()):
            assert part.labels.get("hi"), f"{of.name}.{part.name}"
    for name in ("court.case", "court.order", "court.hearing", "custody.intake", "custody.release", "evidence.item"):
        assert india.type(name).labels.get("hi"), name
    for codes in india.codes.values():
        if codes.name.startswith("india."):
            assert all(value.labels.get("hi") for value in codes.values.values()), codes.name
