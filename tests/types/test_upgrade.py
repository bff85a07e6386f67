# ruff: noqa: E501
"""A new core meets an agency: what holds, what changes, what a person must decide; and how well an agency fits."""

from __future__ import annotations

import pytest

from comity.kernel.definitions.profile import check_folders
from comity.kernel.definitions.upgrade import Report, compare, fit
from tests.types.world import layers, world

CASE = "core/investigation/types/case.yml"
TEXT = layers()["core"]["investigation/types/case.yml"]


def report(old: str, new: str, path: str = CASE) -> Report:
    layer, inner = path.split("/", 1)
    text = layers()[layer][inner]
    assert text.count(old) == 1
    return compare(world(), world({path: text.replace(old, new)}))


def codes(lines: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(line.code, line.path.removeprefix("investigation.case.")) for line in lines]  # type: ignore[attr-defined]


def test_the_same_definitions_hold_throughout() -> None:
    same = compare(world(), world())
    assert same.ok and not same.changes
    assert "investigation.case.fields.title" in same.holds
    assert "evidence.transfer.offer.accepted" in same.holds


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("  approval_note: { type: string }\n", "", "removed", "fields.approval_note"),
        ("approval_note: { type: string }", "approval_note: { type: integer }", "type_changed", "fields.approval_note"),
        ("approval_note: { type: string }", "approval_note: { type: string, group: narrative }", "group_changed", "fields.approval_note"),
        ("approval_note: { type: string }", "approval_note: { type: string, required: true }", "now_required", "fields.approval_note"),
        ("approval_note: { type: string }", "approval_note: { type: string }\n  new: { type: string, required: true }", "now_required", "fields.new"),
        ("approval_note: { type: string }", "approval_note: { type: string }\n  hint: { type: string }", "", "fields.hint"),
        ("assigned: { to: member, many: true }", "assigned: { to: member }", "now_single", "links.assigned"),
        ("assigned: { to: member, many: true }", "assigned: { to: registry.person, many: true }", "target_removed", "links.assigned"),
    ],
)  # fmt: skip
def test_what_leaves_records_without_a_home_must_be_decided(old: str, new: str, code: str, path: str) -> None:
    found = report(old, new)
    if code:
        assert codes(found.decide) == [(code, path)]
        assert all(line.fix for line in found.decide) and not found.ok
    else:
        assert found.ok and codes(found.changes) == [("added", path)]


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("approval_note: { type: string }", "approval_note: { type: string, maxLength: 9 }", "shape_changed", "fields.approval_note"),
        ("reopen: { from: [closed], to: open, by: [supervisor]", "reopen: { from: [closed], to: open, by: [agent]", "by_changed", "acts.reopen"),
        ("not_by: [enter]", "not_by: [amend]", "not_by_changed", "acts.suspend"),
        ("resume: { from: [pending], to: open", "resume: { from: [pending, open], to: open", "from_changed", "acts.resume"),
        ("size(open_obligations) == 0", "size(open_obligations) < 2", "guard_changed", "acts.close"),
    ],
)  # fmt: skip
def test_what_only_binds_from_now_on_is_a_change(old: str, new: str, code: str, path: str) -> None:
    found = report(old, new)
    assert found.ok
    assert (code, path) in codes(found.changes)
    assert f"investigation.case.{path}" not in found.holds


def test_a_code_that_goes_must_be_decided_and_one_that_comes_is_a_change() -> None:
    plain = {"agency/types/case.yml": "extends: investigation.case\n"}
    path = "core/investigation/codes/program.yml"
    text = layers()["core"]["investigation/codes/program.yml"].replace("drugs: Drugs", "arson: Arson")
    found = compare(world(plain), world({**plain, path: text}))
    assert codes(found.decide) == [("code_removed", "fields.program")]
    assert codes(found.changes) == [("code_added", "fields.program")]


def test_states_acts_and_types_that_go_must_be_decided() -> None:
    text = TEXT.replace("  pending: {}\n", "").replace(", pending]", "]")
    text = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("suspend:", "resume:")))
    text = text.replace("required_from: pending", "required_from: closed")
    files = layers()
    agency = files["agency"]["types/case.yml"].replace("[full, pending]", "[full]")
    gone = compare(world({"agency/types/case.yml": agency}), world({CASE: text, "agency/types/case.yml": agency}))
    assert {
        ("state_removed", "states.pending"),
        ("act_removed", "acts.suspend"),
        ("act_removed", "acts.resume"),
    } <= set(codes(gone.decide))
    assert [line.code for line in compare(world({"agency/types/x.yml": "type: atf.x\ntitle: X\nstates: { a: { initial: true, final: true } }\n"}), world()).decide] == ["type_removed"]  # fmt: skip


def test_a_state_that_is_divided_asks_where_its_records_belong() -> None:
    before = world({"agency/types/case.yml": "extends: investigation.case\n"})
    found = compare(before, world())
    assert ("state_divided", "states.open") in codes(found.decide)


def test_the_core_gains_a_field_that_the_agency_already_has_as_its_own() -> None:
    old = compare(world(), world({
        CASE: TEXT.replace("approval_note: { type: string }", "approval_note: { type: string }\n  nibin_lead: { type: string }"),
    }))  # fmt: skip
    assert {line.code for line in old.decide} & {"name_met", "removed"}


def test_fit_is_counted_over_fields() -> None:
    counted = fit(world(), world(only_core=True))
    assert counted.as_json() == {"kept": 14, "narrowed": 2, "added": 1, "own_types": 0, "percent": 94}
    assert fit(world(only_core=True), world(only_core=True)).percent == 100


def test_folders_are_checked_as_a_whole() -> None:
    files = layers()
    good = check_folders(files["core"], {"us-federal": files["jurisdiction"]}, {"atf": files["agency"]})
    assert good.ok
    assert [(one.kind, one.name, one.examples_run) for one in good.layers] == [
        ("core", "core", 9), ("jurisdiction", "us-federal", 0), ("agency", "atf", 0),
    ]  # fmt: skip
    assert good.as_json()["layers"][2]["fit"]["narrowed"] == 2


def test_folders_are_checked_against_a_new_core() -> None:
    files = layers()
    core = {**files["core"], "investigation/types/case.yml": TEXT.replace("maxLength: 200", "maxLength: 100")}
    found = check_folders(files["core"], {"us-federal": files["jurisdiction"]}, {"atf": files["agency"]}, core)
    agency = found.layers[2]
    assert not found.ok and agency.upgrade is None
    assert [one.code for one in agency.upgrade_faults] == ["layer_loosens_field"]
    assert found.layers[0].ok and found.layers[0].upgrade is not None
    assert [one.code for one in found.layers[0].upgrade.changes] == ["shape_changed"]


def test_one_bad_agency_does_not_hide_the_others() -> None:
    files = layers()
    bad = {"agency.yml": "agency: dea\njurisdiction: us-fedral\n"}
    found = check_folders(files["core"], {"us-federal": files["jurisdiction"]}, {"atf": files["agency"], "dea": bad})
    assert [(one.name, one.ok) for one in found.layers[2:]] == [("atf", True), ("dea", False)]
    assert [one.code for one in found.faults] == ["jurisdiction_unknown"]
