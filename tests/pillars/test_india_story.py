"""One district of India from the first information to release on bail: police, laboratory, prosecution, court, prison.

The chapters are one story, in their order. A second prisoner is freed by default bail, a third under
BNSS 479.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from comity import clock
from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.agenda import agenda
from comity.kernel.duties.case_graph import matters
from comity.kernel.duties.clocks import due
from comity.kernel.law.clock_book import book_for
from comity.kernel.portability import rebuild
from comity.kernel.views.read import read
from tests.pillars.district import admitted, entered, executed, made, number, serve
from tests.pillars.district_releases import (
    bail_is_granted_furnished_accepted_and_then_the_prison_releases,
    default_bail_accrues_is_claimed_furnished_and_frees,
    the_superintendent_moves_the_court_for_an_undertrial,
)
from tests.pillars.stage import Stage, refused, staged
from tests.world import day, instant

AGENCIES = ("in-police", "in-court", "in-fsl", "in-prosecution", "in-prison")
SEATS = (
    ("in-police", "officer in charge", "station_house_officer"),
    ("in-police", "officer", "investigating_officer"),
    ("in-police", "malkhana", "malkhana_officer"),
    ("in-fsl", "technician", "evidence_technician"),
    ("in-fsl", "analyst", "analyst"),
    ("in-fsl", "second analyst", "verifying_analyst"),
    ("in-prosecution", "prosecutor", "public_prosecutor"),
    ("in-court", "registry", "registry_clerk"),
    ("in-court", "magistrate", "magistrate"),
    ("in-prison", "superintendent", "superintendent"),
    ("in-prison", "jailer", "jailer"),
)
played: list[str] = []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made.clear()
    played.clear()
    india = read_folder(paths.jurisdictions() / "india")
    with staged(tmp_path_factory.mktemp("india")) as on:
        for name in AGENCIES:
            on.install(name, loader.core_files(), india, read_folder(paths.agencies() / name))
        for agency, name, role in SEATS:
            on.seat(agency, name, role)
        yield on


def information_is_recorded_and_a_copy_given(stage: Stage) -> None:
    electronic = stage.enter(
        "officer",
        "india.general_diary",
        {
            "recorded_at": instant(12),
            "subject": "Phone taken",
            "kind": "cognizable",
            "text": "By e-mail.",
            "electronic": True,
        },
    )
    fir = {"sections": "BNS 303(2)", "received_at": instant(12), "information": "A phone was taken at the bus stand."}
    with refused("invalid", "information_not_signed"):
        stage.enter("officer", "india.fir", {**fir, "e_fir": True}, general_diary=electronic)
    stage.act("officer", electronic, "sign", signed_on=day(11))
    made["informant"] = stage.enter("officer", "registry.person", {"role": "complainant", "name": "Meera Namuna"})
    made["accused"] = stage.enter("officer", "registry.person", {"role": "subject", "name": "अर्जुन नमूना"})
    made["fir"] = stage.enter(
        "officer",
        "india.fir",
        {**fir, "e_fir": True},
        general_diary=electronic,
        informant=made["informant"],
        accused=made["accused"],
    )
    stage.act("officer", made["fir"], "give_copy", copy_given_on=day(11))
    with refused("invalid", "not_a_zero_fir"):
        stage.act("officer in charge", made["fir"], "transfer", reason="Elsewhere")


def property_goes_by_the_malkhana_to_the_laboratory(stage: Stage) -> None:
    made["phone"] = stage.enter(
        "officer",
        "evidence.item",
        {
            "description": "Mobile phone",
            "category": "digital_device",
            "origin": "recovered",
            "legal_basis": "warrant",
            "taken_at": instant(10),
            "seal_number": "S-1",
            "india:malkhana_number": "412/26",
        },
    )
    assert number(stage, "officer", made["phone"]).startswith("MR-KOT-")
    memo = {"made_at": instant(10), "kind": "search", "recorded": True}
    with refused("invalid", "witnesses_missing"):
        stage.enter("officer", "india.seizure_memo", memo, fir=made["fir"], item=made["phone"])
    panch = [stage.enter("officer", "registry.person", {"role": "witness", "name": name}) for name in ("Ravi", "Sita")]
    made["memo"] = stage.enter(
        "officer", "india.seizure_memo", memo, fir=made["fir"], item=made["phone"], witness=panch
    )
    stage.act("officer", made["memo"], "send", sent_on=day(9))
    stage.act("malkhana", made["phone"], "book")
    stage.act("malkhana", made["phone"], "store", storage_location="Almirah 2")
    stage.act("malkhana", made["phone"], "check_out", reason="Examination", out_to="laboratory")
    with refused("invalid", "custody_gap"):
        stage.enter("malkhana", "evidence.chain_statement", {"made_on": day()}, item=made["phone"])
    sent = stage.enter(
        "malkhana",
        "evidence.custody_transfer",
        {"to_agency": "in-fsl", "purpose": "examination", "conveyance": "hand", "sent": instant(8)},
        item=made["phone"],
    )
    with refused("invalid", "custody_waiting"):
        stage.enter("malkhana", "evidence.chain_statement", {"made_on": day()}, item=made["phone"])
    asked = stage.enter(
        "officer",
        "forensics.request",
        {"laboratory": "in-fsl", "examinations": ["digital"], "question": "Whose is it?", "priority": "routine"},
        item=made["phone"],
    )
    stage.answer("technician", sent, "accepted", received=instant(7), seal_intact=True)
    stage.answer("technician", asked, "received", laboratory_number="F-88")
    sheet = stage.enter(
        "analyst",
        "forensics.bench_sheet",
        {"done_at": instant(6), "step": "Imaged", "reading": "Image complete"},
        item=made["phone"],
        request=asked,
    )
    stage.act("analyst", sheet, "sign")
    exam = stage.enter(
        "analyst",
        "forensics.examination",
        {
            "requester": "in-police",
            "kind": "digital",
            "started": day(6),
            "method": "Image and hash",
            "outcome": "match",
            "result": "The owner's account is on it.",
        },
        request=asked,
        item=made["phone"],
        bench_sheet=sheet,
    )
    stage.act("analyst", exam, "submit_results")
    check = stage.enter(
        "second analyst",
        "forensics.verification",
        {"kind": "technical", "done_on": day(5), "result": "agrees"},
        request=asked,
        item=made["phone"],
    )
    stage.act("second analyst", check, "complete")
    stage.act("second analyst", exam, "verify", links={"verification": check})
    report = stage.enter(
        "analyst",
        "forensics.report",
        {"conclusion": "The phone is the informant's.", "outcome": "match"},
        request=asked,
        item=made["phone"],
        examination=exam,
    )
    stage.act("second analyst", report, "approve")
    stage.act("analyst", report, "release", released_to=["in-police", "in-court"])
    assert stage.fields("magistrate", report)["outcome"] == "match"
    made["chain"] = stage.enter(
        "malkhana", "evidence.chain_statement", {"made_on": day(), "released_to": ["in-court"]}, item=made["phone"]
    )


def arrest_production_and_remand(stage: Stage) -> None:
    arrest = {"arrested_at": instant(20), "grounds": "Found with the phone.", "relative_told_at": instant(8)}
    with refused("invalid", "before_the_information"):
        stage.enter("officer", "india.arrest", arrest, fir=made["fir"], person=made["accused"])
    made["arrest"] = stage.enter(
        "officer", "india.arrest", {**arrest, "arrested_at": instant(8)}, fir=made["fir"], person=made["accused"]
    )
    stage.act("officer", made["arrest"], "produce", produced_at=instant(8), journey_minutes=40)
    asked = stage.enter(
        "officer",
        "court.filing",
        {"court": "in-court", "kind": "application", "title": "Application for remand"},
        about=made["arrest"],
        defendant=made["accused"],
    )
    stage.answer("registry", asked, "filed", filed_at=instant(8))
    made["party"] = stage.enter("registry", "registry.person", {"role": "defendant"}, taken_from=made["accused"])
    made["case"] = stage.enter(
        "registry",
        "court.case",
        {"kind": "criminal", "caption": "State v. Namuna", "opened_on": day(8)},
        defendant=made["party"],
    )
    bare = stage.enter(
        "registry",
        "court.order",
        {
            "kind": "remand",
            "title": "Remand",
            "terms": "Remanded.",
            "addressees": ["in-prison"],
            "india:remand_kind": "judicial",
            "india:remand_from": "2026-10-01",
            "india:remand_until": "2026-10-31",
        },
        case=made["case"],
    )
    with refused("invalid", "remand_too_long"):
        stage.act("magistrate", bare, "sign")
    stage.act("registry", bare, "discard", reason="Drafted anew")
    remand = entered(
        stage,
        made["case"],
        "remand",
        "Remand to judicial custody",
        ["in-prison"],
        **{"india:remand_kind": "judicial", "india:remand_from": day(8), "india:remand_until": day(0)},
    )
    service = serve(stage, remand, "in-prison", "superintendent", "receive")
    made["stay"], made["hold"] = admitted(stage, "Arjun N.", service)
    executed(stage, service, "superintendent")


def report_scrutiny_registration_and_cognizance(stage: Stage) -> None:
    facts = {
        "court": "in-court",
        "outcome": "charge_sheet",
        "accused_status": "in_custody",
        "completed_on": day(),
        "facts": "A phone.",
        "device_custody": "See the statement of custody.",
    }
    links = {"fir": made["fir"], "accused": made["accused"], "informant": made["informant"], "item": made["phone"]}
    first = stage.enter("officer in charge", "india.police_report", facts, **links)
    stage.answer("registry", first, "objected", objections="The list of documents is missing.")
    report = stage.enter("officer in charge", "india.police_report", {}, replaces=first, **links)
    assert stage.fields("registry", report)["facts"] == "A phone."
    cnr = number(stage, "registry", made["case"])
    assert len(cnr) == 16
    stage.answer("registry", report, "registered", cnr=cnr)
    order = stage.enter(
        "registry",
        "india.cognizance",
        {"order": "cognizance", "reasons": "An offence is disclosed."},
        police_report=report,
    )
    stage.act("magistrate", order, "sign")
    stage.act("registry", order, "record_order", station="in-police")
    stage.act("officer", made["fir"], "mark_reported")
    charge = stage.enter(
        "registry",
        "india.charge",
        {"sections": "BNS 303(2)", "text": "That you took a phone."},
        case=made["case"],
        accused=made["party"],
        police_report=report,
    )
    with refused("not_allowed"):
        stage.act("registry", charge, "frame", framed_on=day())
    stage.act("magistrate", charge, "frame", framed_on=day())
    stage.act("magistrate", charge, "read_over", plea="claims_trial")
    made["police_report"] = report


def the_case_diary_is_for_police_and_court_alone(stage: Stage) -> None:
    case = stage.enter(
        "officer", "investigation.case", {"title": "Theft", "program": "property_crime", "opened": day(10)}
    )
    diary = stage.enter(
        "officer",
        "investigation.report",
        {"subject_line": "Day 1", "activity": "search", "occurred": instant(10), "narrative": "Search."},
        case=case,
    )
    assert read(stage.node, stage.seats["officer"], diary).marks
    for seat in ("prosecutor", "superintendent", "analyst"):
        with refused("not_found"):
            stage.fields(seat, diary)


def the_list_of_an_office_and_each_record_of_the_matter_say_the_same(stage: Stage) -> None:
    at = clock.now()
    for seat in ("registry", "superintendent"):
        lines = agenda(stage.node, stage.seats[seat], at=at, every=True, everyone=True, limit=200).lines
        with stage.node.work(stage.seats[seat]) as work:
            book = book_for(work.catalogue)[0]
            held = {one.subject.id: matters(work, [one.subject], book)[one.subject.id] for one in lines}
        known: dict[str, set[tuple[str, str, str, str]]] = {}
        for one in lines:
            said = (one.due.rule, one.due.each, one.due.record, one.due.standing)
            (matter,) = held[one.subject.id]
            for record in (str(each.id) for each in matter.records):
                if record not in known:
                    dues = due(stage.node, stage.seats[seat], record, at=at).dues
                    known[record] = {(each.rule, each.each, each.record, each.standing) for each in dues}
                assert said in known[record], (seat, said, record)
        assert len(known) > 20
        if seat == "registry":
            stands = {(one.due.rule.rpartition(".")[2], one.due.each): one.due.standing for one in lines}
            released = [each for rule, each in stands if rule == "release_after_bail"]
            assert len(released) == 2
            for each in released:
                assert stands["release_after_bail", each] == stands["default_bail", each] == "done"


def the_station_sees_the_day_by_which_its_report_is_owed(stage: Stage) -> None:
    lines = agenda(stage.node, stage.seats["officer in charge"], every=True, type="india.arrest", limit=200).lines
    found = {one.due.rule.rpartition(".")[2]: one.due for one in lines if one.due.record == made["arrest"]}
    assert found["default_bail"].standing == "done" and found["default_bail"].started is not None


def the_records_are_the_fold_of_their_entries(stage: Stage) -> None:
    assert rebuild.run(stage.node).as_json()["equal"] is True


CHAPTERS = (
    information_is_recorded_and_a_copy_given,
    property_goes_by_the_malkhana_to_the_laboratory,
    arrest_production_and_remand,
    report_scrutiny_registration_and_cognizance,
    bail_is_granted_furnished_accepted_and_then_the_prison_releases,
    default_bail_accrues_is_claimed_furnished_and_frees,
    the_superintendent_moves_the_court_for_an_undertrial,
    the_case_diary_is_for_police_and_court_alone,
    the_list_of_an_office_and_each_record_of_the_matter_say_the_same,
    the_station_sees_the_day_by_which_its_report_is_owed,
    the_records_are_the_fold_of_their_entries,
)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[one.__name__ for one in CHAPTERS])
def test_chapter(stage: Stage, chapter: Callable[[Stage], None]) -> None:
    """Plays what comes before it too, where this worker has not done so yet."""
    for one in CHAPTERS[len(played) : CHAPTERS.index(chapter) + 1]:
        one(stage)
        played.append(one.__name__)
