"""The committed tables say what the policies decide, speak of every type, and move with every change of rights."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

from comity.kernel.definitions.load import load
from comity.kernel.policy import decide
from comity.kernel.policy.cedar import INVOLVED, OWN, Rule
from comity.kernel.policy.generate import rules
from tests.golden import __main__ as command
from tests.golden import table as golden
from tests.golden.offices import Definitions, Office, shipped
from tests.golden.table import covered, difference, rows, table, written
from tests.policy.world import ROLES, catalogue

EXEMPT: Mapping[str, str] = yaml.safe_load((Path(__file__).parent / "exemptions.yml").read_text("utf-8"))
AGENCIES = ("in-prison", "dea")
"""Those whose tables are computed here; `make check` computes all."""


@cache
def definitions() -> Definitions:
    return shipped()


@cache
def computed(agency: str) -> str:
    return table(definitions().office(agency))


@pytest.mark.slow
@pytest.mark.parametrize("agency", AGENCIES)
def test_the_committed_table_is_what_the_policies_decide(agency: str) -> None:
    told = list(difference(written()[agency], computed(agency)))
    assert told == [], "rights differ from the table: if that is meant, make golden\n" + "\n".join(told)


def test_every_agency_has_a_table_and_no_other_has() -> None:
    assert set(written()) == set(definitions().agencies)
    assert all(len(text.splitlines()) < 500 for text in written().values())


# --- every type -----------------------------------------------------------------------------------------------------


def uncovered(types: frozenset[str], texts: Mapping[str, str]) -> frozenset[str]:
    return types - frozenset[str]().union(*(covered(text) for text in texts.values()))


def test_every_type_is_acted_on_by_some_role_or_exempted_with_a_reason() -> None:
    assert len(definitions().types) > 60
    missing = uncovered(definitions().types, written()) - set(EXEMPT)
    assert missing == set(), "no role of any agency acts on these: give one the act, or say why in exemptions.yml"
    assert all(isinstance(reason, str) and len(reason.split()) > 3 for reason in EXEMPT.values())


def test_no_exemption_outlives_its_reason() -> None:
    assert set(EXEMPT) - uncovered(definitions().types, written()) == set(), "remove these from exemptions.yml"


def test_a_type_on_which_only_the_system_acts_is_not_covered() -> None:
    text = sound("usao")
    assert "investigation.obligation" in text
    assert covered(text) == {"evidence.custody_transfer", "prosecution.referral"}
    assert "investigation.obligation" in uncovered(frozenset(catalogue("usao").types), {"usao": text})


# --- it moves -------------------------------------------------------------------------------------------------------


def changed(agency: str, of: str, file: str, old: str, new: str) -> list[str]:
    """How the agency's table differs once one line of a file of the agency `of` is another."""
    here = definitions()
    own = here.agencies[of]
    assert own[file].count(old) == 1
    other = load(
        here.core, here.jurisdictions[here.catalogues[of].jurisdiction], {**own, file: own[file].replace(old, new)}
    )
    all_of = {**here.catalogues, of: other}
    mine = all_of.pop(agency)
    return [" ".join(line.split()) for line in difference(computed(agency), table(Office(mine, all_of)))]


@pytest.mark.slow
def test_one_line_of_roles_moves_the_lines_that_it_means_and_no_other() -> None:
    """The head warder of the prison is to see the base group of custody alone."""
    old, new = '{ "custody.*": all, "registry', '{ "custody.*": { when: all, groups: [base] }, "registry'
    assert changed("in-prison", "in-prison", "roles.yml", old, new) == [
        "[own records]",
        "- custody.* head_warder read find emergency every group",
        "+ custody.* head_warder read find base",
        "+ custody.* head_warder emergency every group",
        "[searches]",
        "- custody.intake superintendent jailer head_warder fingerprint_control",
        "+ custody.intake superintendent jailer fingerprint_control",
        "[shared by others]",
        "- custody.* head_warder read find every group",
        "+ custody.* head_warder read find base",
        "+ custody.transfer head_warder read find every group",
    ]


@pytest.mark.slow
def test_an_agreement_of_another_agency_moves_the_table_of_the_one_that_it_favours() -> None:
    """The court opens the terms of its orders to the prison, once they are entered as well."""
    old, new = (
        "states: { court.order: [recalled], court.warrant",
        "states: { court.order: [entered, recalled], court.warrant",
    )
    who, rest = "in-court court.order superintendent jailer (system)", "custody investigation trial | 2024-07-01.."
    assert changed("in-prison", "in-court", "agreements.yml", old, new) == [
        "[agreements]",
        f"- {who} read base | recalled | {rest}",
        f"+ {who} read base | entered recalled | {rest}",
    ]


def small(agency: str) -> Office:
    """An office of the four hand-made agencies."""
    return Office(catalogue(agency), {name: catalogue(name) for name in ROLES if name != agency})


@cache
def sound(agency: str) -> str:
    return table(small(agency))


FAULTS = {
    "a permit that forgot its limits": (
        lambda one: one,
        (Rule("odd", "", ("read",), when=('context.group == "base"',)),),
        "unopened", "* special_agent supervisor (system) read base",
    ),
    "an act only for who is assigned": (
        lambda one: Rule(one.id, "", one.actions, given=one.given, act=one.act, types=one.types, when=(OWN, INVOLVED))
        if one.id == "lifecycle:investigation.case:close" else one,
        (), "acts", "investigation.case chief close[assigned]",
    ),
    "a mark that does not bar attaching": (
        lambda one: Rule(one.id, "", tuple(set(one.actions) - {"attach"}), "forbid", when=one.when)
        if one.id == "mark:grand_jury" else one,
        (), "marks", "grand_jury special_agent supervisor own, to attach any purpose",
    ),
    "roles that do not hold abroad": (
        lambda one: None if one.id == "role:abroad" else one,
        (), "shared by others", "* special_agent supervisor analyst chief custodian (system) read find every group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_generator_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no YAML says: the rules themselves are made wrong, and the section in which it must show says so."""
    spoil, more, section, wanted = FAULTS[name]
    before = rows(sound("atf"), section)
    spoiled = [one for one in map(spoil, rules(small("atf").catalogue, small("atf").incoming)) if one]
    monkeypatch.setattr(decide, "rules", lambda *given: (*spoiled, *more))
    after = [" ".join(" ".join(line).split()) for line in rows(table(small("atf")), section) if line not in before]
    assert any(wanted in line for line in after), after


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_compares_writes_and_says_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "in-prison.txt"
    file.write_text(computed("in-prison").replace("enter recount report_difference clear", "enter recount"), "utf-8")
    for module in (golden, command):
        monkeypatch.setattr(module, "FOLDER", tmp_path)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["golden", *words, "in-prison"])
        return command.main(definitions()), " ".join(capsys.readouterr().out.split())

    said = "in-prison: [acts] - custody.count superintendent enter recount + custody.count superintendent enter recount"
    code, out = run("--check")
    assert (code, out) == (1, f"{said} report_difference clear")
    assert run() == (0, out)
    assert file.read_text("utf-8") == computed("in-prison")
