"""A case whose report goes to a court, with no prosecutor who could stop it: India's layer, two agencies, all YAML."""

from __future__ import annotations

from pathlib import Path

from comity.config import paths
from comity.kernel.policy.actor import Actor
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.work.results import Receipt
from tests.world import World, refused

PACKAGE = Path(paths.__file__).parents[1]


def seats(india: World) -> tuple[str, str, str, str]:
    return (
        india.seat("in-police", "station_house_officer"), india.seat("in-police", "investigating_officer"),
        india.seat("in-court", "registry_clerk"), india.seat("in-court", "magistrate"),
    )  # fmt: skip


def investigated(india: World, officer: str) -> dict[str, Receipt]:
    """A first information report, a case, a diary entry and a seized phone of the Kotwali station."""
    accused = india.enter(officer, "registry.person", {"role": "subject", "name": "अर्जुन नमूना"})
    informant = india.enter(
        officer, "registry.person", {"role": "complainant", "name": "Meera Namuna"}, marks=["protected_identity"]
    )
    fir = india.enter(
        officer, "india.fir",
        {"sections": "BNS 303(2)", "received_at": "2026-10-01T21:10:00+05:30", "information": "फ़ोन चोरी हुआ।"},
        links={"informant": [informant.record], "accused": [accused.record]},
    )  # fmt: skip
    case = india.enter(
        officer, "investigation.case", {"title": "Theft at the bus stand", "program": "property_crime",
                                        "opened": "2026-10-01"},
    )  # fmt: skip
    diary = india.enter(
        officer, "investigation.report",
        {"subject_line": "Day 1", "activity": "search", "occurred": "2026-10-02T10:00:00+05:30", "narrative": "S."},
        links={"case": [case.record]},
    )  # fmt: skip
    return {"accused": accused, "informant": informant, "fir": fir, "case": case, "diary": diary}


def test_the_report_goes_from_the_station_straight_to_the_magistrate(india: World) -> None:
    sho, officer, clerk, judge = seats(india)
    made = investigated(india, officer)
    facts = {"court": "in-court", "outcome": "charge_sheet", "accused_status": "on_bond",
             "completed_on": "2026-10-30", "facts": "The accused took a phone."}  # fmt: skip
    links = {name: [made[name].record] for name in ("fir", "case", "accused", "informant")}
    assert refused(india.enter, officer, "india.police_report", facts, links=links).code == "not_allowed"
    report = india.enter(sho, "india.police_report", facts, links=links)
    assert india.read(judge, made["accused"].record).fields["name"] == "अर्जुन नमूना"
    assert refused(india.read, clerk, made["diary"].record).code == "not_found"
    assert refused(india.answer, clerk, report.record, "declined", reason="r").code == "answer_unknown"
    assert (
        refused(india.answer, judge, report.record, "registered", fields={"cnr": "DLCT010000012026"}).code
        == "not_allowed"
    )
    india.answer(clerk, report.record, "registered", fields={"cnr": "DLCT010000012026"})
    india.follow()
    assert india.read(sho, report.record).state == "registered"
    order = india.enter(
        clerk, "india.cognizance", {"order": "cognizance", "reasons": "An offence is disclosed."},
        links={"police_report": [report.record]},
    )  # fmt: skip
    assert refused(india.act, clerk, order.record, "sign").code == "not_allowed"
    india.act(judge, order.record, "sign")
    india.act(clerk, order.record, "record_order", fields={"station": "in-police"})
    assert india.read(officer, order.record).fields["order"] == "cognizance"
    agencies = {(line.kind, line.agency) for line in history(india.node, india.seats[sho], report.record)}
    assert agencies == {("enter", "in-police"), ("answer", "in-court"), ("settle", "in-police")}


def test_a_name_in_devanagari_is_found_and_numbers_name_the_station(india: World) -> None:
    _, officer, _, _ = seats(india)
    made = investigated(india, officer)
    found = find(india.node, india.seats[officer], text="नमूना", type="registry.person")
    assert made["accused"].record in {one["id"] for one in found.items}
    assert made["fir"].number and made["fir"].number.startswith("FIR-KOT-2026-")
    assert india.read(officer, made["fir"].record).marks == ("protected_identity",), "inherited from the informant"


def test_no_prosecutor_stands_between_and_none_is_named(india: World) -> None:
    catalogue = india.node.catalogue("in-police")
    report = catalogue.type("india.police_report")
    assert report.offer and {role for one in report.offer.answers.values() for role in one.by} == {"clerk"}
    assert not any(one.package for of in catalogue.types.values() for one in of.acts.values())
    officer: Actor = india.seats[seats(india)[0]]
    assert "attorney" not in officer.roles


def test_no_code_knows_of_india() -> None:
    """The layer is YAML; Python that names the country would be code for one jurisdiction. The demo's story may."""
    assert not list((paths.jurisdictions() / "india").rglob("*.py"))
    sources = [path for path in PACKAGE.rglob("*.py") if not {"_data", "stories"} & set(path.parts)]
    naming = [path.name for path in sources if "india" in path.read_text("utf-8").casefold()]
    assert naming == []
