"""The shipped types, layers and agencies load, and every worked example comes out as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from comity.config import loader
from comity.kernel.definitions import examples
from comity.kernel.definitions.load import load, read_core, read_folder
from comity.kernel.types import knowing, shape
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import yaml_text
from comity.pillars.investigation.findings import FINDINGS
from tests.architecture.sources import modules, texts

ROOT = Path(__file__).parents[2]
CORE = read_core(ROOT / "comity" / "pillars")
AGENCIES = {
    name: yaml.safe_load((ROOT / "agencies" / name / "agency.yml").read_text())["jurisdiction"]
    for name in sorted(one.parent.name for one in (ROOT / "agencies").glob("*/agency.yml"))
}
JURISDICTIONS = sorted(one.parent.name for one in (ROOT / "jurisdictions").glob("*/jurisdiction.yml"))


def catalogue(agency: str) -> Catalogue:
    jurisdiction = read_folder(ROOT / "jurisdictions" / AGENCIES[agency])
    return load(CORE, jurisdiction, read_folder(ROOT / "agencies" / agency))


@pytest.mark.parametrize("jurisdiction", ["", *JURISDICTIONS])
def test_worked_examples(jurisdiction: str) -> None:
    layer = read_folder(ROOT / "jurisdictions" / jurisdiction) if jurisdiction else {}
    results = examples.run(load(CORE, layer))
    assert [one for one in results if not one.ok] == []
    assert len(results) > 100


def test_every_core_type_has_worked_examples_right_and_wrong() -> None:
    core = load(CORE)
    held = {one["type"]: one for one in core.examples.values()}
    for name in core.types:
        assert {"right", "wrong", "lifecycle", "lifecycle_wrong"} <= held[name].keys(), name


@pytest.mark.parametrize("agency", AGENCIES)
def test_each_agency_loads(agency: str) -> None:
    found = catalogue(agency)
    assert found.agency == agency
    assert found.agreements


def test_every_agreement_names_an_agency_and_types_that_are_there() -> None:
    for agency in AGENCIES:
        found = catalogue(agency)
        for one in found.agreements:
            assert one.to in AGENCIES
            assert one.offers <= found.types.keys()
            assert {name for name in one.offers if found.types[name].offer is None} == set()


def test_the_profile_type_lists_exactly_the_findings_that_are_computed() -> None:
    items = load(CORE).type("prosecution.referral_profile").fields["checks"].schema["items"]
    listed = {
        branch["properties"]["for"]["const"]: tuple(branch["properties"]["require"]["enum"])
        for branch in items["oneOf"]
    }
    assert listed == dict(FINDINGS)


def test_the_shipped_profile_is_a_valid_record() -> None:
    usao = catalogue("usao")
    written = usao.records["referral_profile"]
    of = usao.type(written["type"])
    faults = shape.judge(of, before=None, after=written["fields"], state=of.initial, supplied=None, act="enter")
    assert faults == []


def test_statutes_say_what_proves_each_element_by_links_that_an_offence_has() -> None:
    found = catalogue("atf")
    links = found.type("investigation.offense").links
    for one in found.rules["us-federal.statutes"]["values"]:
        assert re.fullmatch(found.type("investigation.offense").fields["statute"].schema["pattern"], one["statute"])
        assert one["citation"] and one["verified"] in ("read", "GK")
        assert {element["proved_by"] for element in one["elements"]} <= links.keys()


def test_in_india_no_prosecutor_stands_between_police_and_court() -> None:
    police, court = catalogue("in-police"), catalogue("in-court")
    report = police.type("india.police_report")
    assert report.offer is not None
    assert set(report.offer.answers) == {"registered", "objected"}
    assert "submit" not in police.type("investigation.case").acts
    assert "submit" in catalogue("atf").type("investigation.case").acts
    assert police.type("india.fir").acts.keys() >= {"enter", "give_copy"}
    assert "amend" not in police.type("india.fir").acts
    assert court.type("india.cognizance").acts["sign"].by == {"judge"}
    assert report.fields["outcome"].labels["hi"]


def test_atf_may_not_search_for_lawful_owners() -> None:
    assert "926(a)" in catalogue("atf").forbid["find.registry.person.by_lawful_firearm"]


def test_no_act_on_a_case_closes_it_by_referring_it() -> None:
    for agency in ("atf", "dea", "cpd"):
        act = catalogue(agency).type("investigation.case").acts["submit"]
        assert act.to is None
        assert act.creates == "prosecution.referral"


def test_facts_that_would_be_retyped_carry_a_term() -> None:
    core = load(CORE)
    for name, fields in {
        "registry.person": ("name", "birth_date"),
        "registry.place": ("address",),
        "investigation.incident": ("incident_number",),
        "investigation.case": ("title",),
        "evidence.item": ("description", "serial_number", "gross_weight", "seal_number"),
        "evidence.custody_transfer": ("received_weight",),
    }.items():
        for field in fields:
            assert core.type(name).fields[field].term, f"{name}.{field}"


def test_a_laboratory_request_and_a_transfer_describe_nothing_anew() -> None:
    core = load(CORE)
    told = {one.term for one in core.type("evidence.item").fields.values() if one.term}
    for name in ("forensics.request", "evidence.custody_transfer", "prosecution.referral", "forensics.report"):
        again = [field for field in core.type(name).fields.values() if field.term in told and not field.observed]
        assert again == [], name


def _named_by(pillar: str) -> set[str]:
    """The pillars whose types a pillar's types, rules and functions name."""
    core = loader.core_files()
    types = loader.core_catalogue().types
    files = {path: text for path, text in core.items() if path.startswith((f"{pillar}/types/", f"{pillar}/rules/"))}
    found = {name for path, text in files.items() for name, _ in knowing.named(yaml_text(path, text), types)}
    for module, tree in modules().items():
        if module.startswith(f"comity/pillars/{pillar}/"):
            found |= {text for text in texts(tree) if text in types}
    return {name.partition(".")[0] for name in found} - {pillar}


@pytest.mark.parametrize("pillar", sorted(loader.core_catalogue().pillars))
def test_a_pillar_names_those_that_it_needs_or_knows_and_knows_no_others(pillar: str) -> None:
    """In Python too, which the loader does not read."""
    said = loader.core_catalogue().pillars[pillar]
    named = _named_by(pillar)
    assert named <= {*said.needs, *said.knows}
    assert set(said.knows) <= named, "who is known is named somewhere"
    assert not set(said.knows) & set(said.needs), "what is needed is known"
