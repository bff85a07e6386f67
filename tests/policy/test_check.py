"""`profile check` finds what is wrong with roles, agreements and the policies they give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from comity.errors import Fault
from comity.kernel.policy import decide
from comity.kernel.policy.cedar import Rule
from comity.kernel.policy.check import check
from comity.kernel.policy.generate import IncomingAgreement, rules
from comity.kernel.types.catalogue import Mark, ReadRule, Role
from tests.policy.world import ATF_USAO, CPD_ATF, catalogue, incoming

FROM_CPD = replace(CPD_ATF, source="agencies/cpd/agreements.yml:2")


def found(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


@pytest.mark.parametrize("agency", ["atf", "cpd", "usao", "dea"])
def test_sound_definitions_have_no_fault(agency: str) -> None:
    assert check(catalogue(agency), incoming(agency)) == []


@pytest.mark.parametrize(("role", "code"), [
    ({"is_": frozenset({"agent", "system"})}, "role_fills_system"),
    ({"is_": frozenset({"agnet"})}, "lifecycle_role_unknown"),
    ({"marks": frozenset({"grand_juri"})}, "mark_unknown"),
    ({"read": {"investigation.csae": ReadRule()}}, "type_unknown"),
    ({"read": {"forensic.*": ReadRule()}}, "type_unknown"),
    ({"read": {"evidence.item": ReadRule("all", ("base", "narrative"))}}, "group_unknown"),
    ({"read": {"evidence.item": ReadRule("sometimes")}}, "read_unknown"),
])  # fmt: skip
def test_a_role_is_refused_with_its_line(role: dict[str, Any], code: str) -> None:
    wrong = replace(Role("agent", "Agent", frozenset({"agent"}), source="agencies/dea/roles.yml:3"), **role)
    faults = check(catalogue("dea", roles={"agent": wrong}))
    assert found(faults) == [code]
    assert faults[0].path == "agencies/dea/roles.yml:3"


@pytest.mark.parametrize(("change", "code"), [
    ({"to": "cpd"}, "agency_unknown"),
    ({"to": "A T F"}, "agency_unknown"),
    ({"purposes": frozenset()}, "purpose_missing"),
    ({"from_": date(2027, 1, 1)}, "agreement_never_valid"),
    ({"marks": frozenset({"sealde"})}, "mark_unknown"),
    ({"read": {**CPD_ATF.read, "investigation.incidents": ("base",)}}, "type_unknown"),
    ({"emergency": frozenset({"investigation.cases"})}, "type_unknown"),
    ({"offers": frozenset({"evidence.custody"})}, "type_unknown"),
    ({"offers": frozenset({"evidence.item"})}, "type_not_offered"),
    ({"find": frozenset({"evidence.item"})}, "find_beyond_read"),
    ({"states": {"evidence.item": ("open",)}}, "find_beyond_read"),
    ({"read": {**CPD_ATF.read, "registry.person": ("base", "narrative")}}, "group_unknown"),
    ({"states": {"investigation.report": ("aproved",)}}, "state_unknown"),
])  # fmt: skip
def test_an_agreement_is_refused_with_its_line(change: dict[str, Any], code: str) -> None:
    faults = check(catalogue("cpd", agreements=(replace(FROM_CPD, **change),)))
    assert found(faults) == [code]
    assert faults[0].path == "agencies/cpd/agreements.yml:2"


def test_purposes_are_those_that_a_layer_declares() -> None:
    known = {"investigation": "To find out", "prosecution": "To charge"}
    faults = check(catalogue("cpd", purposes=known, agreements=(FROM_CPD,)))
    assert found(faults) == ["purpose_unknown"]
    assert "deconfliction" in faults[0].message


def test_a_mark_for_a_purpose_that_nobody_declares_is_refused_with_its_line() -> None:
    idle = Mark("idle", "Idle", roles=frozenset({"agent"}), purposes=frozenset({"fun"}), source="pillar.yml:9")
    faults = check(catalogue("dea", marks={"idle": idle}))
    assert [(one.code, one.path) for one in faults] == [("purpose_unknown", "pillar.yml:9")]


def test_a_fault_names_the_nearest_known_name() -> None:
    wrong = Role("agent", "Agent", frozenset({"agnet"}))
    assert check(catalogue("dea", roles={"agent": wrong}))[0].fix == "did you mean agent?"


def test_a_mark_whose_receivers_nobody_can_be_is_refused() -> None:
    faults = check(catalogue("dea", marks={"secret": Mark("secret", "Secret", roles=frozenset({"spymaster"}))}))
    assert found(faults) == ["lifecycle_role_unknown"]


def with_rule(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setattr(decide, "rules", lambda *given: (*rules(*given), rule))


def test_a_policy_that_the_schema_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_rule(monkeypatch, Rule("odd", "odd", ("read",), when=('resource.onwer == "atf"',)))
    faults = check(catalogue("atf"), incoming("atf"))
    assert found(faults) == ["policy_invalid"]
    assert faults[0].path == "odd"


def test_a_policy_that_does_not_compile_to_sql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_rule(monkeypatch, Rule("odd", "odd", ("find",), when=('resource.owner like "at*"',)))
    faults = check(catalogue("atf"), incoming("atf"))
    assert set(found(faults)) == {"policy_not_compilable"}
    assert "like" in faults[0].message


@pytest.mark.parametrize(
    "odd",
    [
        Rule("odd", "odd", ("read",), given=('context.group == "narrative"',), when=('resource.owner like "at*"',)),
        Rule("odd", "odd", ("act",), act="close", when=('resource.owner like "at*"',)),
        Rule("odd", "odd", ("read",), effect="forbid", given=('!principal.roles.contains("supervisor")',
             'principal.roles.contains("special_agent")'), when=('resource.owner like "at*"',)),
    ],
    ids=["of one group", "of one act", "of one role alone"],
)  # fmt: skip
def test_whatever_is_left_of_a_policy_for_somebody_is_compiled(monkeypatch: pytest.MonkeyPatch, odd: Rule) -> None:
    assert check(catalogue("atf")) == []
    with_rule(monkeypatch, odd)
    assert set(found(check(catalogue("atf")))) == {"policy_not_compilable"}


def test_incoming_agreements_are_compiled_for_their_purposes(monkeypatch: pytest.MonkeyPatch) -> None:
    with_rule(monkeypatch, Rule("odd", "odd", ("read",), given=('context.purpose == "prosecution"',),
              when=('resource.owner like "at*"',)))  # fmt: skip
    assert check(catalogue("usao")) == []
    assert check(catalogue("usao"), (IncomingAgreement("atf", ATF_USAO),))
