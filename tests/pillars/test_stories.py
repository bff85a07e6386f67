"""India by a jurisdiction layer alone; an agency and a two-sided type by the YAML of the instruction pages alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.portability import rebuild
from tests.pillars.stage import Stage, refused, staged
from tests.pillars.test_instructions import pasted


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    core = {**loader.core_files(), **pasted("adding_a_type.md", "comity/pillars/")}
    park = pasted("adding_an_agency.md", "agencies/nps/") | pasted("adding_a_type.md", "agencies/nps/")
    india, federal = (read_folder(paths.jurisdictions() / name) for name in ("india", "us-federal"))
    with staged(tmp_path_factory.mktemp("stories")) as made:
        for name in ("in-police", "in-court"):
            made.install(name, core, india, read_folder(paths.agencies() / name))
        made.install("atf", core, federal, read_folder(paths.agencies() / "atf"))
        made.install("nps", core, federal, park)
        for agency, name, role in (
            ("in-police", "officer in charge", "station_house_officer"),
            ("in-police", "investigating officer", "investigating_officer"),
            ("in-court", "registry clerk", "registry_clerk"),
            ("in-court", "magistrate", "magistrate"),
            ("atf", "custodian", "evidence_custodian"),
            ("atf", "agent", "special_agent"),
            ("nps", "property ranger", "property_ranger"),
            ("nps", "chief ranger", "chief_ranger"),
            ("nps", "ranger", "ranger"),
        ):
            made.seat(agency, name, role)
        yield made


def test_a_police_report_goes_to_the_magistrate_and_no_prosecutor_can_stop_it(stage: Stage) -> None:
    officer, clerk, judge = "investigating officer", "registry clerk", "magistrate"
    accused = stage.enter(officer, "registry.person", {"role": "subject", "name": "अर्जुन नमूना"})
    informant = stage.enter(officer, "registry.person", {"role": "complainant", "name": "Meera Namuna"})
    fir = stage.enter(
        officer,
        "india.fir",
        {"sections": "BNS 303(2)", "received_at": "2026-10-01T21:10:00+05:30", "information": "A phone was taken."},
        informant=informant,
        accused=accused,
    )
    stage.act(officer, fir, "give_copy", copy_given_on="2026-10-01")
    with refused("invalid", "not_a_zero_fir"):
        stage.act("officer in charge", fir, "transfer", reason="Another station")
    case = stage.enter(
        officer, "investigation.case", {"title": "Theft", "program": "property_crime", "opened": "2026-10-01"}
    )
    diary = stage.enter(
        officer,
        "investigation.report",
        {
            "subject_line": "Day 1",
            "activity": "search",
            "occurred": "2026-10-02T10:00:00+05:30",
            "narrative": "Search.",
        },
        case=case,
    )
    phone = stage.enter(
        officer,
        "evidence.item",
        {
            "description": "Mobile phone",
            "category": "digital_device",
            "origin": "recovered",
            "legal_basis": "warrant",
            "taken_at": "2026-10-02T10:00:00+05:30",
        },
        case=case,
    )
    facts = {
        "court": "in-court",
        "outcome": "charge_sheet",
        "accused_status": "on_bond",
        "completed_on": "2026-10-30",
        "facts": "The accused took a phone at the bus stand.",
    }
    links = {"fir": fir, "case": case, "accused": accused, "informant": informant, "item": phone}
    with refused("invalid", "device_custody_missing"):
        stage.enter("officer in charge", "india.police_report", facts, **links)
    whole = {**facts, "device_custody": "Seized on 2 October; in the malkhana since."}
    with refused("not_allowed"):
        stage.enter(officer, "india.police_report", whole, **links)
    report = stage.enter("officer in charge", "india.police_report", whole, **links)
    with refused("answer_unknown"):
        stage.answer(clerk, report, "declined")
    stage.answer(clerk, report, "registered", cnr="DLCT010000012026")
    assert stage.state("officer in charge", report) == "registered"
    assert stage.fields(judge, accused)["name"] == "अर्जुन नमूना"
    assert "information" in stage.fields(judge, fir)
    with refused("not_found"):
        stage.fields(clerk, diary)
    order = stage.enter(
        clerk, "india.cognizance", {"order": "cognizance", "reasons": "An offence is disclosed."}, police_report=report
    )
    with refused("not_allowed"):
        stage.act(clerk, order, "sign")
    stage.act(judge, order, "sign")
    with refused("not_found"):
        stage.fields(officer, order)
    stage.act(clerk, order, "record_order", station="in-police")
    assert stage.fields(officer, order)["order"] == "cognizance"


def test_a_park_police_that_exists_as_yaml_alone(stage: Stage) -> None:
    place = stage.enter("ranger", "registry.place", {"address": "North dunes trailhead"})
    incident = stage.enter(
        "ranger", "investigation.incident", {"incident_number": "P-1", "nps:trail": "North dunes"}, place=place
    )
    assert stage.fields("agent", incident)["nps:trail"] == "North dunes"
    adoption = stage.enter(
        "agent",
        "investigation.adoption",
        {"owner": "nps", "program": "firearms", "purpose": "Shots fired at the trailhead."},
        incident=incident,
    )
    stage.answer("chief ranger", adoption, "accepted")
    assert stage.state("agent", adoption) == "adopted"


def test_a_loan_that_exists_as_yaml_alone(stage: Stage) -> None:
    item = stage.enter(
        "custodian",
        "evidence.item",
        {
            "description": "Pistol, 9 mm",
            "category": "firearm",
            "origin": "seized",
            "legal_basis": "warrant",
            "taken_at": "2026-10-02T10:00:00-04:00",
        },
    )
    asked = {"borrower": "nps", "purpose": "comparison", "due": "2099-01-15"}
    with refused("invalid", "due_in_the_past"):
        stage.enter("custodian", "evidence.loan", {**asked, "due": "2020-01-15"}, item=item)
    loan = stage.enter("custodian", "evidence.loan", asked, item=item)
    assert stage.fields("property ranger", item)["description"] == "Pistol, 9 mm"
    stage.answer("property ranger", loan, "accepted", condition_received="Sealed, dry")
    with refused("offer_already_answered"):
        stage.answer("property ranger", loan, "refused", reason="Too late")
    stage.act("custodian", loan, "take_back", condition_returned="Sealed, dry")
    assert stage.state("custodian", loan) == "given_back"


def test_the_records_of_these_stories_are_the_fold_of_their_entries(stage: Stage) -> None:
    assert rebuild.run(stage.node).as_json()["equal"] is True
