"""What is entered on behalf of an institution that is outside, by whom, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest

from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.records.act import act
from comity.kernel.records.attach import attach
from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from tests.membership.stage import District
from tests.pillars.stage import refused, staged
from tests.records.conftest import at_once, code_of
from tests.world import day, instant

STAY = {
    "received_at": instant(), "ground": "surrender", "legal_custodian": "usms", "identified_by": "document",
    "medical_alert": "Insulin", "height": "180",
}  # fmt: skip


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


def test_an_order_of_the_court_to_its_own_reporter_is_answered_by_that_one(district: District, paper: str) -> None:
    """Both sides stand in one log; still the order is the court's and its acknowledgement the prosecution's."""
    service = served(district, paper, "usao")
    assert "acknowledged" in read(district.node, district.seats["attorney"], service).acts
    assert [one.kind for one in inbox(district.node, district.seats["attorney"]) if one.record == service] == ["offer"]
    district.answer("attorney", service, "acknowledged", acknowledged_at=instant())
    view = read(district.node, district.seats["attorney"], service)
    assert (view.state, view.on_behalf) == ("acknowledged", "usdc")
    assert view.offer and (view.offer["to"], view.offer["reported_by"]) == ("usao", None)
    lines = history(district.node, district.seats["attorney"], service)
    assert [(one.act, one.on_behalf) for one in lines] == [("enter", "usdc"), ("acknowledged", "")]
    with refused("not_allowed"):
        district.answered("docket", "usdc", paper, served(district, paper, "usao"), "acknowledged")


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


def test_who_has_no_role_for_the_court_does_not_speak_for_it(district: District, paper: str) -> None:
    with refused("not_allowed") as told:
        district.case("attorney", paper)
    assert "for: usdc" in told[0].fix
    foreign = district.document("liaison", "Copy of the docket")
    case, _ = district.case("liaison", foreign)
    fields = {"kind": "unseal", "title": "Unsealed", "terms": "Unsealed."}
    order = district.entered("liaison", "usdc", foreign, "court.order", fields, {"case": [case.record]})
    with refused("not_allowed"):  # a clerk for the court is no judge for it
        district.acted("liaison", "usdc", foreign, order.record, "sign")
    with refused("not_allowed"):  # nor does who reports the jail's acts report the court's
        district.case("liaison", foreign, "detention")


def test_a_role_for_the_court_counts_in_no_act_of_the_own_agency(district: District, paper: str) -> None:
    """The docket clerk reads as anybody does, and enters nothing in the name of the prosecution."""
    assert district.fields("reader", paper)
    with refused("not_allowed"):
        district.enter("reader", "registry.document", {"title": "Note", "kind": "other"})
    with refused("not_allowed"):
        district.enter("docket", "court.docket_entry", {"entered_on": day(), "text": "Ours?"})
    filing = district.enter("attorney", "court.filing", {"court": "usdc", "kind": "motion", "title": "Motion"})
    assert read(district.node, district.seats["docket"], filing).acts == ["withdrawn"]
    assert "filed" in read(district.node, district.speaking("docket", "usdc", paper), filing).acts


def test_only_who_is_no_member_is_spoken_for(district: District, paper: str) -> None:
    with refused("agency_unknown"):
        district.case("docket", paper, "nobody")
    with refused("agency_unknown"):
        district.case("docket", paper, "usao")
    with refused("not_outside"):
        district.case("docket", paper, "usms")


@pytest.mark.parametrize("wrong", ["none", "absent", "foreign", "bare"])
def test_without_the_document_nothing_is_entered(district: District, wrong: str) -> None:
    document = {
        "none": lambda: "",
        "absent": lambda: str(uuid4()),
        "foreign": lambda: district.document("liaison", "Of the Marshals"),
        "bare": lambda: district.document("docket", "Announced, not scanned", file=False),
    }[wrong]()
    with refused("document_missing") as told:
        district.entered("docket", "usdc", document, "court.docket_entry", {"entered_on": day(), "text": "Line"})
    assert "attach" in told[0].fix


def test_only_a_record_of_a_type_that_is_a_document_shows_anything(district: District) -> None:
    """A stay with a scan attached is no document, so it is not handed to the court by being named as one."""
    person = district.enter("liaison", "registry.person", {"role": "prisoner", "name": "Sam Teller"})
    stay = district.enter("liaison", "custody.intake", STAY, person=person)
    scan = io.BytesIO(b"%PDF medical")
    attach(district.node, district.seats["liaison"], stay, name="m.pdf", media_type="application/pdf", stream=scan)
    with refused("document_missing") as told:
        district.case("liaison", stay)
    assert "registry.document" in told[0].fix and "custody" not in told[0].fix


OWN_GROUP = """
extends: registry.document
groups: { internal: Internal }
fields: { remark: { type: string, group: internal } }
"""
LETTER = """
extends: registry.document
type: usms.letter
title: Letter
document: false
"""


def test_a_layer_adds_no_group_to_what_a_document_opens_and_may_say_that_its_own_is_none(district: District) -> None:
    district.put("usms", "member", {"types/document.yml": OWN_GROUP, "types/letter.yml": LETTER})
    paper = district.document("liaison", "Copy of the docket")
    district.amend("liaison", paper, **{"usms:remark": "What we think of the judge"})
    district.case("liaison", paper)
    assert district.granted("usms", paper, "usdc") == [(["base", "content"], 3)]
    letter = district.enter("liaison", "usms.letter", {"title": "Letter", "kind": "letter"})
    scan = io.BytesIO(b"%PDF letter")
    attach(district.node, district.seats["liaison"], letter, name="l.pdf", media_type="application/pdf", stream=scan)
    with refused("document_missing") as told:
        district.case("liaison", letter)
    assert "usms.letter" not in told[0].fix


def test_what_is_the_courts_and_what_is_ones_own_is_not_mixed(district: District, paper: str) -> None:
    case, _ = district.case("docket", paper)
    with refused("not_allowed"):
        district.act("docket", case.record, "deactivate", reason="Ours to say?")
    matter = district.enter("attorney", "prosecution.matter", {"title": "Ours", "received_on": day()})
    with refused("not_allowed"):
        district.acted("docket", "usdc", paper, matter, "close", reason="The court closes no matter of ours")
    foreign = district.document("liaison", "Of the Marshals")
    with refused("not_found"):  # nor is it there for another tenant that speaks for the same court
        district.acted("liaison", "usdc", foreign, case.record, "deactivate", reason="r")


def test_only_the_offerer_records_the_answer_and_only_once(district: District, paper: str) -> None:
    service = served(district, paper)
    foreign = district.document("liaison", "Word of the court")
    with refused("not_allowed"):  # made on behalf of the court, to the Marshals, who are members and answer themselves
        district.answered("liaison", "usdc", foreign, service, "acknowledged")
    filing = district.enter("attorney", "court.filing", {"court": "usdc", "kind": "motion", "title": "Motion"})
    lacking = {"filed_at": instant(), "deficiency": "No signature", "cure_by": day()}
    found = at_once([
        lambda: district.answered("docket", "usdc", paper, filing, "filed", fields={"filed_at": instant()}),
        lambda: district.answered("docket", "usdc", paper, filing, "filed_with_deficiency", fields=lacking),
        lambda: act(district.node, district.seats["attorney"], filing, "withdrawn"),
    ])  # fmt: skip
    codes = sorted(code_of(one) for one in found)
    assert codes[0] == "done" and set(codes[1:]) <= {"offer_already_answered", "version_conflict"}, codes


def test_one_key_stands_for_one_institution(district: District, paper: str) -> None:
    fields = {"title": "Twice", "kind": "other"}
    first = enter(district.node, district.seats["attorney"], "registry.document", fields, key="one-key")
    assert enter(district.node, district.seats["attorney"], "registry.document", fields, key="one-key").record == (
        first.record
    )
    with refused("idempotency_key_reused"):
        district.entered("docket", "usdc", paper, "registry.document", fields, key="one-key")


def test_who_is_outside_has_no_members(district: District) -> None:
    for agency, role in (("usdc", "magistrate_judge"), ("detention", "intake_officer")):
        with refused("agency_outside"):
            district.seat(agency, "nobody", role)
        with refused("agency_outside"):
            tokens.invite(district.node, tokens.operator(), agency=agency, name="N", roles=[role])


def test_a_member_that_leaves_is_signed_in_no_more(district: District) -> None:
    district.put("state-police", "outside")
    with refused("agency_outside"):
        district.enter("trooper", "registry.person", {"role": "subject", "name": "Nobody"})
    district.put("state-police", "member")
    district.enter("trooper", "registry.person", {"role": "subject", "name": "Nobody"})


REMARK = """
type: usao.remark
title: Remark
fields: { text: { type: string } }
links: { case: { to: court.case, required: true } }
states: { noted: { initial: true, final: true } }
acts:
  enter:
    by: [clerk, attorney]
    guard:
      - when: "actor.agency == 'usdc' && 'judge' in actor.roles && !('attorney' in actor.roles)"
        code: not_the_court
        message: Only the court remarks.
        fix: Act on its behalf.
      - when: "linked.case.all(c, c.agency == 'usdc' && c.owner == 'usao')"
        code: not_its_case
        message: Only on its own case.
        fix: Link another.
"""


def test_conditions_see_the_institution_and_the_owner_beside_it(district: District, paper: str) -> None:
    district.put("usao", "member", {"types/remark.yml": REMARK})
    case, _ = district.case("docket", paper)
    links = {"case": [case.record]}
    assert district.entered("docket", "usdc", paper, "usao.remark", {"text": "Noted"}, links).agency == "usao"
    with refused("invalid", "not_the_court"):
        district.enter("attorney", "usao.remark", {"text": "Ours"}, case=case.record)


def test_subscribers_and_the_inbox_are_told_whose_act_it_is(district: District, paper: str) -> None:
    service = served(district, paper)
    (told,) = [one for one in inbox(district.node, district.seats["marshal"]) if one.record == service]
    assert told.kind == "offer" and "as reported by usao for usdc" in told.message
    filing = district.enter("attorney", "court.filing", {"court": "usdc", "kind": "motion", "title": "Motion"})
    district.answered("docket", "usdc", paper, filing, "filed", fields={"filed_at": instant()})
    (told,) = [one for one in inbox(district.node, district.seats["attorney"]) if one.record == filing]
    assert "answered by usdc: Filed, as reported by usao for usdc" in told.message
