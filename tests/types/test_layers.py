# ruff: noqa: E501
"""Three layers make one type: what a layer adds, narrows and derives."""

from __future__ import annotations

import pytest

from comity.errors import Problem
from comity.kernel.definitions.installable import not_installable
from comity.kernel.definitions.load import digest, load, read_core
from comity.kernel.types.definition import DefinitionsRefused
from tests.types.world import HERE, layers, world

CASE = "investigation.case"


def test_a_field_of_a_layer_lives_under_its_name() -> None:
    of = world().type(CASE)
    lead = of.fields["atf:nibin_lead"]
    assert (lead.owner_layer, lead.label, lead.labels["hi"]) == ("atf", "NIBIN lead", "सुराग")
    assert of.acts["close"].needs == ("reason", "subject", "clearance", "atf:nibin_lead")
    assert of.number == "{agency}-{station}-{year}-{seq:04}"


def test_guards_roles_and_needs_of_layers_are_added_up() -> None:
    of = world(
        {"jurisdiction/types/case.yml": f"extends: {CASE}\nacts: {{ close: {{ guard: [\"reason != ''\"] }} }}\n"}
    ).type(CASE)
    texts = [rule.text for rule in of.acts["close"].guards]
    assert texts == [
        "size(open_obligations) == 0", "has(record.title)", "investigation.ready", "reason != ''",
        "has(record.nibin_lead)",
    ]  # fmt: skip
    named = of.acts["close"].guards[1]
    assert (named.code, named.message, named.fix) == ("needs", "A case has a title", "Give it a title")
    assert of.acts["close"].guards[2].extension == "investigation.ready"
    assert of.acts["close"].guards[2].guard is None


def test_sub_states_divide_a_core_state() -> None:
    of = world().type(CASE)
    assert of.initial == "preliminary"
    assert [of.core_state(one) for one in ("preliminary", "full", "open", "closed", "unheard")] == [
        "open", "open", "open", "closed", "unheard",
    ]  # fmt: skip
    assert of.acts["suspend"].from_ == {"open", "preliminary", "full"}
    assert of.acts["close"].from_ == {"full", "pending"}
    assert of.acts["convert"].from_ == {"preliminary", "open"}
    assert of.acts["amend"].from_ == {"open", "preliminary", "full", "pending", "closed"}
    assert of.acts["enter"].from_ == frozenset()


def test_an_agency_narrows_what_its_jurisdiction_narrowed() -> None:
    files = {
        "jurisdiction/types/case.yml": f"extends: {CASE}\nfields: {{ title: {{ maxLength: 150 }} }}\nacts: {{ resume: {{ needs: [reason] }} }}\n"
    }
    assert world(files).type(CASE).acts["resume"].needs == ("reason",)
    with pytest.raises(Problem) as caught:
        world({**files, "agency/types/case.yml": f"extends: {CASE}\nfields: {{ title: {{ maxLength: 180 }} }}\n"})
    assert [one.code for one in caught.value.faults] == ["layer_loosens_field"]


def test_a_type_of_ones_own_may_derive_from_a_core_type() -> None:
    catalogue = world({
        "agency/types/case.yml": f"extends: {CASE}\n",
        "agency/types/b_sweep.yml": "type: atf.sweep\nextends: atf.tobacco_case\n",
        "agency/types/tobacco_case.yml": f"type: atf.tobacco_case\nextends: {CASE}\ntitle: Tobacco case\nfields: {{ brand: {{ type: string }} }}\n",
        "agency/types/z_own.yml": "type: atf.log\ntitle: Log\nfields: { line: { type: string } }\nstates: { kept: { initial: true, final: true } }\n",
    })  # fmt: skip
    made = catalogue.type("atf.sweep")
    assert (made.core_name, made.owner_layer) == (CASE, "atf")
    assert {"title", "atf:brand"} <= made.fields.keys()
    assert "atf:brand" not in catalogue.type(CASE).fields
    assert (catalogue.type("atf.log").core_name, list(catalogue.type("atf.log").fields)) == ("atf.log", ["line"])
    assert catalogue.type("evidence.transfer").links["person"].accepts("registry.person")
    assert not catalogue.type("evidence.transfer").links["person"].accepts("atf.log", "atf.log")


def test_what_a_statute_bars_is_gone_and_says_why() -> None:
    text = f"extends: {CASE}\nforbid: {{ reopen: 18 U.S.C. 1, suspend: 18 U.S.C. 2, find.registry.person.x: c }}\n"
    catalogue = world({"agency/types/case.yml": text})
    of = catalogue.type(CASE)
    assert of.acts.keys() & {"reopen", "suspend"} == set()
    assert of.forbid["reopen"] == "18 U.S.C. 1"
    assert catalogue.forbid == {"find.registry.person.x": "c"}


@pytest.mark.parametrize("country", ["us", "USA", "United States", "U1"])
def test_a_country_is_written_by_its_two_letters(country: str) -> None:
    files = layers()
    files["agency"]["agency.yml"] += f"\ncountry: {country}\n"
    with pytest.raises(DefinitionsRefused) as caught:
        load(files["core"], files["jurisdiction"], files["agency"])
    [fault] = caught.value.faults
    assert (fault.code, fault.path.partition(":")[0]) == ("wrong_kind", "agency.yml") and "ISO 3166" in fault.fix
    files["agency"]["agency.yml"] = files["agency"]["agency.yml"].replace(f"country: {country}", "country: MX")
    assert load(files["core"], files["jurisdiction"], files["agency"]).definition.country == "MX"


def test_the_agency_its_roles_and_agreements_are_read() -> None:
    catalogue = world()
    assert catalogue.definition.zone == "America/New_York"
    assert catalogue.definition.words == {CASE: "Investigation"}
    vault = catalogue.roles["vault"]
    found = [vault.read_rule(one) for one in ("evidence.transfer", CASE, "registry.person")]
    assert [(one.when, one.groups) if one else None for one in found] == [("all", None), ("assigned", ("base",)), None]
    [agreement] = catalogue.agreements
    assert (str(agreement.from_), str(agreement.until)) == ("2026-01-01", "2026-12-31")
    assert agreement.states == {CASE: ("open",)}
    again = type(agreement).from_json(agreement.as_json())
    assert again.as_json() == agreement.as_json() and again.read == agreement.read
    assert catalogue.marks["grand_jury"].agencies == {"usao"}
    assert catalogue.pillars["investigation"].extensions["calculations"] == {
        "ready": "comity.pillars.investigation.ready:ready"
    }
    assert catalogue.rules["us-federal.statutes"]["values"] == [{"from": "2026-01-01", "citation": "18 U.S.C. 922"}]


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(Problem) as caught:
        world().type("investigation.cases")
    assert (caught.value.code, caught.value.fix) == ("type_unknown", f"did you mean {CASE}?")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        (CASE.partition(".")[2], f"did you mean {CASE}?"),
        ("investigation.zzz", "those of investigation are investigation."),
        ("zzz", "comity profile types lists them"),
    ],
)
def test_a_type_that_resembles_none_is_answered_with_a_way_to_the_names(name: str, fix: str) -> None:
    with pytest.raises(Problem) as caught:
        world().type(name)
    assert caught.value.fix.startswith(fix)


def test_the_digest_moves_with_every_layer_and_only_then() -> None:
    files = layers()
    first = digest(*files.values())
    assert first == world().digest
    assert digest(dict(reversed(files["core"].items())), files["jurisdiction"], files["agency"]) == first
    for name in files:
        path = next(iter(files[name]))
        assert digest(*({**one, path: one[path] + " "} if key == name else one for key, one in files.items())) != first
    assert digest({"a": "bc"}) != digest({"ab": "c"})
    assert digest({"a": "b"}, {}) != digest({}, {"a": "b"})


def test_a_locked_field_loads_and_is_not_installed() -> None:
    catalogue = world({"agency/types/case.yml": f"extends: {CASE}\nfields: {{ summary: {{ class: locked }} }}\n"})
    [fault] = not_installable(catalogue)
    assert (fault.code, fault.path) == ("class_not_available", "types/case.yml:2")
    assert not_installable(world()) == []


def test_the_core_can_be_read_in_part_with_what_it_needs() -> None:
    whole = read_core(HERE / "core")
    assert {path.split("/")[0] for path in whole} == {"registry", "evidence", "investigation"}
    part = read_core(HERE / "core", only=["evidence"])
    assert {path.split("/")[0] for path in part} == {"registry", "evidence"}
    assert part["evidence/pillar.yml"] == whole["evidence/pillar.yml"]
