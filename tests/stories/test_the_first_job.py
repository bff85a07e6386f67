"""The first job, as comity demo plays it: what each institution has in its own log afterwards, and what others see."""

from __future__ import annotations

import pytest

from comity.config.stories.referral import AGENCIES
from comity.config.stories.stage import Story
from comity.kernel.exchange import duplicate_entry
from comity.kernel.exchange.submit import submit
from comity.kernel.policy.actor import Actor
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from tests.stories.conftest import steps
from tests.world import World, day, refused

CLEARED = "unfounded"
SYSTEM = "00000000-0000-0000-0000-000000000001"


def test_the_city_remains_the_owner_of_the_incident_that_atf_adopted(stage: World, told: Story) -> None:
    incident = told.receipts["incident"].record
    assert stage.read("atf_agent", incident).agency == "cpd"
    assert refused(stage.amend, "atf_agent", incident, {"narrative": "ours"}).code == "not_allowed"
    agencies = stage.rows("cpd", "select distinct agency from comity.entry where record = %s", incident)
    assert agencies == [("cpd",)], "nobody writes another's log"


def test_two_agencies_with_one_target_learn_that_and_whom_to_call(stage: World, told: Story) -> None:
    mine, theirs = told.receipts["person"].record, told.receipts["dea_person"].record
    (pointer,) = stage.read("atf_agent", mine).pointers
    assert (pointer["agency"], pointer["call"]["phone"]) == ("dea", "+1 202 555 0121")
    assert refused(stage.read, "atf_agent", theirs).code == "not_found"
    assert [one["agency"] for one in stage.read("dea_agent", theirs).pointers] == ["atf"]
    pages = find(stage.node, stage.seats["atf_agent"], text="Pruitt", owner="dea")
    assert not pages.items


def test_the_laboratorys_discrepancy_is_recorded_and_both_statements_stay(stage: World, told: Story) -> None:
    view = stage.read("atf_agent", told.receipts["transfer"].record)
    assert view.state == "explained"
    assert view.offer and view.offer["answer"]["received_weight"] == "28.19"
    assert view.fields["explanation"].startswith("The outer evidence bag")
    assert stage.read("atf_agent", told.receipts["item2"].record).fields["gross_weight"] == "28.61"


def test_every_obligation_closed_by_itself(stage: World, told: Story) -> None:
    rows = stage.rows(
        "atf",
        """select r.fields->>'owed_by', e.act, e.actor::text, r.state from comity.record r
             join comity.entry e on e.record = r.id and e.agency = r.agency
            where r.agency = comity.me() and r.type = 'investigation.obligation' order by 1, e.version""",
    )
    assert rows == [(owner, act, SYSTEM, "met") for owner in ("atf", "fsl") for act in ("enter", "meet")], (
        "nobody ticks it off, nobody typed it"
    )
    assert not [one for one in inbox(stage.node, stage.seats["fsl_analyst"]) if one.kind == "obligation"]


def test_no_member_can_say_that_an_obligation_is_met(stage: World, told: Story) -> None:
    ((met,),) = stage.rows(
        "atf",
        "select id::text from comity.record where type = 'investigation.obligation' and fields->>'owed_by' = 'fsl'",
    )
    for seat in ("atf_agent", "atf_supervisor"):
        assert refused(stage.act, seat, met, "meet").code == "not_allowed"
    assert refused(stage.act, "fsl_analyst", met, "meet").code == "not_allowed"


def test_the_examiner_did_not_verify_himself(stage: World, told: Story) -> None:
    lines = history(stage.node, stage.seats["fsl_analyst"], told.receipts["examination"].record)
    by = {line.act: line.member for line in lines}
    assert by["submit_results"] == stage.seats["fsl_analyst"].name
    assert by["verify"] == stage.seats["fsl_verifier"].name


def test_what_the_office_was_offered_it_reads_and_what_was_not_it_does_not(stage: World, told: Story) -> None:
    view = stage.read("usao_attorney", told.receipts["referral"].record)
    manifest = view.offer["manifest"] if view.offer else []
    assert len(manifest) > 8 and {one["agency"] for one in manifest} == {"atf"}
    report = stage.read("usao_attorney", told.receipts["report1"].record)
    assert report.fields["narrative"].startswith("The subject handed over")
    for hidden in ("dea_person", "lead", "adoption"):
        assert refused(stage.read, "usao_attorney", told.receipts[hidden].record).code == "not_found"
    assert refused(stage.read, "cpd_records", told.receipts["report1"].record).code == "not_found"


def test_each_count_was_decided_and_the_agent_reads_why(stage: World, told: Story) -> None:
    decisions = [stage.read("atf_agent", told.receipts[f"count{n}_decision"].record).fields for n in (1, 2, 3)]
    assert [one["decision"] for one in decisions] == ["accepted", "accepted", "declined"]
    assert "furthered the sale" in decisions[2]["explanation"]
    assert steps(told, "atf_agent")[-1]["text"].startswith("reads why")


def test_the_city_sees_that_its_incident_was_referred_and_no_more(stage: World, told: Story) -> None:
    view = stage.read("cpd_records", told.receipts["referral"].record)
    assert view.state == "under_review" and view.masked
    assert not {"summary", "narrative"} & set(view.fields)
    assert {one.id for one in view.linked if one.type != "investigation.incident"} == set()


def test_a_case_that_is_ready_once_is_not_offered_twice(stage: World, told: Story) -> None:
    again = submit(stage.node, stage.seats["atf_agent"], told.receipts["case"].record, to="usao", key="story:submit")
    assert again.receipt and again.receipt.replayed
    assert again.receipt.record == told.receipts["referral"].record
    offers = stage.rows("atf", "select count(*) from comity.offer where type = 'prosecution.referral'")
    assert offers == [(1,)]


def test_a_case_without_anything_is_told_all_that_it_lacks_and_nothing_is_written_when_dry(
    stage: World, told: Story
) -> None:
    case = stage.enter("atf_agent", "investigation.case", {"title": "Empty", "program": "firearms", "opened": day(1)})
    stage.act("atf_supervisor", case.record, "convert", reason="r")
    stage.amend("atf_agent", case.record, {"atf:case_agent_certified": True})
    entries = stage.rows("atf", "select count(*) from comity.entry where agency = comity.me()")
    dry = submit(stage.node, stage.seats["atf_agent"], case.record, to="usao", dry_run=True)
    assert dry.receipt is None and len(dry.missing) >= 3 and not dry.obligations
    assert stage.rows("atf", "select count(*) from comity.entry where agency = comity.me()") == entries
    real = submit(stage.node, stage.seats["atf_agent"], case.record, to="usao")
    blocking = [one for one in real.missing if one.severity == "error"]
    assert len(real.obligations) == len(blocking) > 0
    twice = submit(stage.node, stage.seats["atf_agent"], case.record, to="usao")
    assert sorted(twice.obligations) == sorted(real.obligations), "what is owed is owed once"
    stage.amend("atf_agent", case.record, {"summary": "Nothing came of it."})
    closed = {"reason": "Nothing found", "fields": {"clearance": CLEARED}}
    closing = refused(stage.act, "atf_supervisor", case.record, "close", **closed)
    assert {one.code for one in closing.faults} == {"obligations_open"}
    for owed in real.obligations:
        assert refused(stage.act, "atf_agent", owed, "waive", reason="r").code == "not_allowed"
        stage.act("atf_supervisor", owed, "waive", reason="The case ends here")
    assert stage.act("atf_supervisor", case.record, "close", **closed).state == "closed"


@pytest.mark.parametrize("seat", ["usao_attorney", "cpd_records", "dea_agent"])
def test_reading_anothers_record_is_told_to_its_owner(stage: World, told: Story, seat: str) -> None:
    reader: Actor = stage.seats[seat]
    name = "lead" if reader.agency == "dea" else "referral"
    stage.read(seat, told.receipts[name].record)
    rows = stage.rows(
        "atf",
        """select member::text, verb, purpose from comity.disclosure
            where owner = comity.me() and agency = %s order by at desc limit 1""",
        reader.agency,
    )
    assert rows == [(reader.member, "read", reader.purpose)]


def test_nothing_was_typed_twice_and_everything_has_its_place(stage: World, told: Story) -> None:
    facts = [duplicate_entry.count(stage.node, agency=agency) for agency in AGENCIES]
    assert [one for each in facts for one in each.retyped] == []
    assert sum(each.entered for each in facts) > 4_000
    reobserved = dict(zip(AGENCIES, (each.reobserved for each in facts), strict=True))
    assert reobserved == {"cpd": 0, "dea": 0, "atf": 0, "fsl": 5, "usao": 0}, "seal and weights, in the laboratory"
    stage.follow()
    assert stage.node.lag()["pending"] == 0
    assert len(told.told.steps) >= 27
