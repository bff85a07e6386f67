"""A federal case goes to the United States attorney: complete by construction, or the exact list of what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from comity.extensions import Parcel
from comity.pillars.investigation.findings import FINDINGS
from comity.pillars.investigation.referral import build
from tests.pillars.graph import Graph, at, offer, profile, two_buys


def parcel_of(graph: Graph) -> Parcel:
    graph.given = {"profile": profile()}
    return build(graph)


def blocking(graph: Graph) -> list[tuple[str, str, str]]:
    return [(one.code, one.about, one.owed_by) for one in parcel_of(graph).blocking]


def test_a_finished_case_lacks_nothing() -> None:
    parcel = parcel_of(two_buys())
    assert parcel.blocking == []
    assert parcel.fields == {"counts": 3, "program": "firearms", "informed": ["cpd"]}
    assert parcel.links["case"] == ["case"]
    assert parcel.links["offense"] == ["c841", "c922", "c924"]
    assert parcel.links["incident"] == ["incident"]
    assert {"drug", "pistol", "buy1", "buy2", "lab", "transfer", "record"} <= set(parcel.links["included"])


def test_atf_submits_before_the_laboratory_reported_and_with_one_disclosure_undecided() -> None:
    graph = two_buys()
    del graph.records["lab"]
    report = graph.records["buy2"]
    graph.change("buy2")
    graph.records["buy2"].fields.pop("disclosure")  # type: ignore[attr-defined]
    missing = {one.code: one for one in parcel_of(graph).blocking}
    assert set(missing) == {"lab_report_missing", "disclosure_undecided"}
    laboratory = missing["lab_report_missing"]
    assert (laboratory.owed_by, laboratory.since, laboratory.about) == ("fsl", date(2026, 11, 2), "drug")
    assert laboratory.about_label == "DRUG"
    disclosure = missing["disclosure_undecided"]
    assert (disclosure.owed_by, disclosure.since) == ("atf", report.acts["approve"].at.date())


def _no_adoption(graph: Graph) -> None:
    del graph.records["adoption"]


def _adoption_waits(graph: Graph) -> None:
    graph.change("adoption", state="offered")


def _own_approval(graph: Graph) -> None:
    report = graph.records["buy1"]
    graph.change("buy1", acts={**report.acts, "approve": report.acts["submit"]})


def _draft(graph: Graph) -> None:
    graph.change("buy1", state="draft", acts={})


def _no_birth_date(graph: Graph) -> None:
    graph.records["person"].fields.pop("birth_date")  # type: ignore[attr-defined]


def _wrong_statute(graph: Graph) -> None:
    graph.change("c841", fields={"statute": "21 USC 9999"})


def _before_the_statute(graph: Graph) -> None:
    graph.change("c924", fields={"offense_date": "1990-01-01"})


def _time_barred(graph: Graph) -> None:
    graph.change("c922", fields={"offense_date": "2021-11-01"})


def _element_without_proof(graph: Graph) -> None:
    links = {name: ids for name, ids in graph.records["c922"].links.items() if name != "status"}
    graph.change("c922", links=links)


def _custody_gap(graph: Graph) -> None:
    graph.change("transfer", offer=offer("accepted", "fsl", at(10, 30), at(11, 2), by="dea"))


def _transfer_waits(graph: Graph) -> None:
    graph.change("transfer", state="offered", offer=offer("offered", "fsl", at(10, 30)))


def _discrepancy(graph: Graph) -> None:
    graph.change("transfer", state="discrepant")


def _same_analyst(graph: Graph) -> None:
    exam = graph.records["exam"]
    graph.change("exam", acts={**exam.acts, "verify": exam.acts["submit_results"]})


def _no_request(graph: Graph) -> None:
    for name in ("request", "lab"):
        del graph.records[name]


def _not_weighed(graph: Graph) -> None:
    graph.records["drug"].fields.pop("gross_weight")  # type: ignore[attr-defined]


def _not_booked(graph: Graph) -> None:
    graph.change("pistol", state="taken")


def _no_summary(graph: Graph) -> None:
    graph.records["case"].fields.pop("summary")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spoil", "lacks"),
    [
        (_no_adoption, [("incident_not_adopted", "incident", "atf")]),
        (_adoption_waits, [("incident_not_adopted", "incident", "cpd")]),
        (_own_approval, [("report_self_approved", "buy1", "atf")]),
        (_draft, [("proof_not_ready", "c841", "atf"), ("proof_not_ready", "c924", "atf"),
                  ("report_not_approved", "buy1", "atf"), ("taking_not_reported", "drug", "atf")]),
        (_no_birth_date, [("subject_not_identified", "person", "atf")]),
        (_wrong_statute, [("statute_unknown", "c841", "atf")]),
        (_before_the_statute, [("statute_not_in_force", "c924", "atf")]),
        (_time_barred, [("time_barred", "c922", "atf")]),
        (_element_without_proof, [("element_unproved", "c922", "atf")]),
        (_custody_gap, [("custody_broken", "drug", "atf")]),
        (_transfer_waits, [("custody_waiting", "drug", "fsl")]),
        (_discrepancy, [("discrepancy_open", "drug", "atf")]),
        (_same_analyst, [("lab_not_verified", "drug", "fsl")]),
        (_no_request, [("lab_request_missing", "drug", "atf")]),
        (_not_weighed, [("weight_missing", "drug", "atf")]),
        (_not_booked, [("item_not_booked", "pistol", "atf")]),
        (_no_summary, [("summary_missing", "case", "atf")]),
    ],
)  # fmt: skip
def test_each_lack_is_named_once_with_its_debtor(
    spoil: Callable[[Graph], None], lacks: list[tuple[str, str, str]]
) -> None:
    graph = two_buys()
    spoil(graph)
    assert blocking(graph) == lacks


def test_an_element_without_proof_is_named_in_words() -> None:
    graph = two_buys()
    _element_without_proof(graph)
    (lack,) = parcel_of(graph).blocking
    assert "convicted" in lack.message
    assert "C922" in lack.message


def test_a_statute_is_read_as_it_stood_on_the_offence_date() -> None:
    graph = two_buys()
    graph.change("c922", fields={"offense_date": "2022-06-24"})
    assert blocking(graph) == []


def test_a_program_that_the_office_does_not_take() -> None:
    graph = two_buys()
    graph.change("case", fields={"program": "alcohol_tobacco"})
    parcel = parcel_of(graph)
    assert "profile_does_not_apply" in {one.code for one in parcel.blocking}
    assert "program" not in parcel.fields


def decisions(graph: Graph) -> dict[str, tuple[str, tuple[str, ...], str]]:
    return {one.record: (one.decision, one.groups, one.ground) for one in parcel_of(graph).manifest}


def test_what_is_marked_informant_is_withheld_and_not_pointed_at() -> None:
    graph = two_buys()
    graph.change("buy1", marks=frozenset({"informant"}))
    decision, groups, ground = decisions(graph)["buy1"]
    assert (decision, groups) == ("withheld", ())
    assert "informant" in ground
    assert "buy1" not in parcel_of(graph).links["included"]


def test_a_mark_that_no_rule_releases_is_withheld() -> None:
    graph = two_buys()
    graph.change("record", marks=frozenset({"tax"}))
    assert decisions(graph)["record"] == ("withheld", (), "tax: no rule releases it")


def test_a_redacted_report_goes_without_sources_and_techniques() -> None:
    graph = two_buys()
    graph.change("buy1", fields={"disclosure": "redacted", "disclosure_ground": "technique"})
    assert decisions(graph)["buy1"] == ("masked", ("base", "narrative"), "disclosure: technique")


def test_a_mark_masks_more_than_a_redaction() -> None:
    graph = two_buys()
    graph.change("buy1", marks=frozenset({"undercover"}), fields={"disclosure": "redacted"})
    assert decisions(graph)["buy1"][:2] == ("masked", ("base",))


def test_a_laboratory_report_not_released_to_the_office_is_only_named() -> None:
    graph = two_buys()
    graph.change("lab", fields={"released_to": ["atf"]})
    parcel = parcel_of(graph)
    assert decisions(graph)["lab"][0] == "withheld"
    assert "lab_not_released" in {one.code for one in parcel.missing if one.severity == "warning"}


def test_another_agency_is_told_the_number_of_an_own_record_and_no_more() -> None:
    graph = two_buys()
    del graph.records["lab"]
    graph.change("drug", title="Heat-sealed bag")
    (lack,) = parcel_of(graph).blocking
    assert lack.owed_by == "fsl"
    assert "Heat-sealed" not in lack.message + lack.about_label + lack.fix


def test_the_profile_asks_only_for_findings_that_are_computed() -> None:
    for check in profile().fields["checks"]:
        assert check["require"] in FINDINGS[check["for"]], check["code"]
    codes = [check["code"] for check in profile().fields["checks"]]
    assert len(codes) == len(set(codes)) >= 20
