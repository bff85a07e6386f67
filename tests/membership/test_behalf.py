"""What is entered on behalf of an institution that is outside, by whom, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.kernel.records import rebuild
from comity.kernel.records.history import history
from comity.kernel.records.read import read
from tests.membership.stage import District
from tests.pillars.stage import refused, staged
from tests.world import day, instant


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with staged(tmp_path_factory.mktemp("district")) as stage:
        yield District(stage.node).open()


@pytest.fixture(scope="module")
def paper(district: District) -> str:
    return district.document("docket", "Certified copy of the docket")


@pytest.fixture(scope="module", autouse=True)
def rebuilt(district: District) -> Iterator[None]:
    yield
    found = rebuild.run(district.node)
    assert found.equal, found.differences


def test_a_judge_outside_signs_and_the_prosecution_reports_it(district: District) -> None:
    paper = district.document("docket", "Order of detention")
    case, _ = district.case("docket", paper)
    fields = {"kind": "unseal", "title": "Unsealed", "terms": "The case is unsealed.", "addressees": ["usms"]}
    order = district.entered("docket", "usdc", paper, "court.order", fields, {"case": [case.record]})
    signed = district.acted("docket", "usdc", paper, order.record, "sign")
    assert (signed.agency, signed.state) == ("usao", "signed"), "in the log of the reporter"
    line = district.entered(
        "docket", "usdc", paper, "court.docket_entry", {"entered_on": day(), "text": "Order"}, {"case": [case.record]}
    )
    district.acted(
        "docket", "usdc", paper, order.record, "enter_on_docket",
        fields={"entered_on": day()}, links={"docket_entry": [line.record]},
    )  # fmt: skip
    view = read(district.node, district.seats["attorney"], order.record)
    assert (view.agency, view.on_behalf, view.reported) == ("usao", "usdc", "as reported by usao for usdc")
    lines = history(district.node, district.seats["attorney"], order.record)
    assert [(one.act, one.agency, one.on_behalf, one.document) for one in lines] == [
        (name, "usao", "usdc", paper) for name in ("enter", "sign", "enter_on_docket")
    ], "one member typed what judge and clerk did: whose hands they were cannot be seen from here"


def served(district: District, paper: str, addressee: str = "usms") -> str:
    """An order entered by the court outside and served, as the prosecution reports it, on an addressee."""
    case, _ = district.case("docket", paper)
    fields = {"kind": "unseal", "title": "Unsealed", "terms": "The case is unsealed.", "addressees": [addressee]}
    order = district.entered("docket", "usdc", paper, "court.order", fields, {"case": [case.record]})
    district.acted("docket", "usdc", paper, order.record, "sign")
    text = {"entered_on": day(), "text": "Order"}
    line = district.entered("docket", "usdc", paper, "court.docket_entry", text, {"case": [case.record]})
    district.acted(
        "docket", "usdc", paper, order.record, "enter_on_docket",
        fields={"entered_on": day()}, links={"docket_entry": [line.record]},
    )  # fmt: skip
    service = {"addressee": addressee, "duty": "take_note"}
    return district.entered("docket", "usdc", paper, "court.order_service", service, {"order": [order.record]}).record


def test_an_offer_of_the_court_reaches_a_member_by_the_agreement_with_the_court(district: District, paper: str) -> None:
    """The Marshals agreed to be served by the court, not by the prosecution."""
    service = served(district, paper)
    seen = read(district.node, district.seats["marshal"], service)
    assert (seen.agency, seen.on_behalf, seen.reported) == ("usao", "usdc", "as reported by usao for usdc")
    assert "acknowledged" in seen.acts
    district.answer("marshal", service, "acknowledged", acknowledged_at=instant())
    assert district.state("docket", service) == "acknowledged"
    with refused("offer_not_agreed"):
        served(district, paper, "state-police")
    with refused("invalid"):  # nobody serves an order of the court on the one who reports it: there is no other side
        served(district, paper, "usao")


def test_what_an_outsider_answers_is_recorded_by_who_offered(district: District, paper: str) -> None:
    filing = {"court": "usdc", "kind": "motion", "title": "Motion to unseal"}
    made = district.enter("attorney", "court.filing", filing)
    with refused("not_allowed"):
        district.answer("docket", made, "filed", filed_at=instant())
    with refused("invalid", "needs"):
        district.answered("docket", "usdc", paper, made, "filed")
    told = district.answered("docket", "usdc", paper, made, "filed", fields={"filed_at": instant(), "docket_number": 4})
    assert (told.agency, told.state) == ("usao", "filed")
    view = read(district.node, district.seats["attorney"], made)
    assert view.offer and (view.offer["state"], view.offer["reported_by"]) == ("filed", "usao")
    assert view.offer["answer"]["docket_number"] == 4
    assert (view.state, view.on_behalf) == ("filed", ""), "the filing is its own; the answer is the court's"
    (line,) = [one for one in history(district.node, district.seats["attorney"], made) if one.kind == "answer"]
    assert (line.agency, line.on_behalf, line.reported) == ("usao", "usdc", "as reported by usao for usdc")
