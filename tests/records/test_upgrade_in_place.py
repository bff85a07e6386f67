"""A populated database is upgraded in place: old values stay, new ones follow the new rule, nothing loses its home."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.exchange import obligations
from comity.kernel.policy import powers, tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.enter import enter
from comity.kernel.records.install import Installed, install, lay, put_in_force
from comity.kernel.sharing.pending_work import pending_work
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt
from tests.world import World, day, refused

LAW = read_folder(paths.jurisdictions() / "us-federal")
ROLES = """roles:
  agent: { title: Agent, is: [agent, officer, records], read: { "*": all } }
  supervisor: { title: Supervisor, is: [supervisor, agent], read: { "*": all } }
"""
CASE = """extends: investigation.case
fields:
  note: { type: string, maxLength: 100 }
states:
  early: { within: open, initial: true }
  late: { within: open }
acts:
  advance: { from: [early], to: late, by: [agent] }
"""
OWN = """type: %s.tip
title: Tip
fields:
  text: { type: string, maxLength: 200, required: true }
states: { open: { initial: true }, done: { final: true } }
acts:
  enter: { by: [agent] }
  amend: { from: [open], by: [agent] }
  finish: { from: [open], to: done, by: [agent] }
"""

Put = Callable[..., Installed]


class Office:
    """A new agency of its own: `put` installs its layer with some files changed (None takes one away)."""

    def __init__(self, world: World) -> None:
        self.world, self.name = world, f"u{uuid4().hex[:8]}"
        self.files = {
            "agency.yml": f"agency: {self.name}\ntitle: Office\njurisdiction: us-federal\nzone: UTC\n"
            "membership: member\npurpose: investigation\npillars: [registry, investigation]\n",
            "roles.yml": ROLES,
            "types/case.yml": CASE,
            "types/tip.yml": OWN % self.name,
        }
        self.put()
        issued = tokens.admit(world.node, self.name, "A. Clerk", ["agent"])
        self.agent: Actor = tokens.sign_in(world.node, issued.token)

    def put(self, core: Mapping[str, str] | None = None, **changed: str | None) -> Installed:
        files = {**self.files, **{f"types/{name}.yml": text for name, text in changed.items()}}
        self.files = {name: text for name, text in files.items() if text is not None}
        return install(
            self.world.node, tokens.operator(), agency=self.name, core=core or loader.core_files(),
            jurisdiction=LAW, own=self.files,
        )  # fmt: skip

    def enter(self, type: str = "investigation.case", **fields: Any) -> Receipt:
        given = {"title": "A", "program": "drugs", "opened": day(1)} if type == "investigation.case" else {}
        return enter(self.world.node, self.agent, type, {**given, **fields})

    def amend(self, record: str, version: int, **fields: Any) -> Receipt:
        return amend(self.world.node, self.agent, record, version=version, fields=fields)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_an_old_value_is_not_judged_by_a_stricter_rule_and_a_new_one_is(office: Office) -> None:
    record = office.enter(**{f"{office.name}:note": "x" * 80}).record
    done = office.put(case=CASE.replace("maxLength: 100", "maxLength: 10"))
    assert not done.unchanged and done.version == 2
    receipt = office.amend(record, 1, title="B")
    assert read(office.world.node, office.agent, record).type_version == 2
    assert read(office.world.node, office.agent, record).fields[f"{office.name}:note"] == "x" * 80
    longer = refused(office.amend, record, receipt.version, **{f"{office.name}:note": "y" * 80})
    assert {(one.code, one.path) for one in longer.faults} == {("max_length", f"fields.{office.name}:note")}
    assert refused(office.enter, **{f"{office.name}:note": "x" * 80}).code == "invalid"
    assert office.amend(record, receipt.version, **{f"{office.name}:note": "short"}).version == 3


def test_a_newly_required_field_binds_new_records_and_the_next_state(office: Office) -> None:
    record = office.enter().record
    office.put(case=CASE.replace("maxLength: 100", "maxLength: 100, required: true"))
    assert office.amend(record, 1, title="B").version == 2, "an old record can still be amended in other fields"
    missing = refused(office.enter)
    assert {(one.code, one.path) for one in missing.faults} == {("required", f"fields.{office.name}:note")}
    node, agent = office.world.node, office.agent
    stuck = refused(act, node, agent, record, "advance")
    assert {one.path for one in stuck.faults} == {f"fields.{office.name}:note"}
    office.amend(record, 2, **{f"{office.name}:note": "now"})
    assert act(node, agent, record, "advance").state == "late"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"case": CASE.replace("  early: { within: open, initial: true }\n  late: { within: open }\n",
                               "  other: { within: open, initial: true }\n")
                      .replace("from: [early], to: late", "from: [other]")}, "state_in_use"),
        ({"tip": None}, "type_in_use"),
    ],
)  # fmt: skip
def test_what_records_hold_is_not_taken_away(office: Office, changed: dict[str, str | None], code: str) -> None:
    office.enter()
    office.enter(f"{office.name}.tip", text="t")
    before = dict(office.files)
    problem = refused(office.put, **changed)
    assert problem.code == "definitions_refused"
    assert code in {one.code for one in problem.faults}
    office.files = before
    assert office.enter(f"{office.name}.tip", text="u").version == 1, "the old definitions are still in force"


def test_an_unused_type_may_go_and_the_same_files_again_change_nothing(office: Office) -> None:
    assert office.put().unchanged
    assert office.put(tip=None).version == 2
    assert refused(office.enter, f"{office.name}.tip", text="t").code == "type_unknown"


@pytest.mark.parametrize("kind", ["locked", "source"])
def test_a_class_without_its_encryption_is_refused_and_never_kept_in_plain(office: Office, kind: str) -> None:
    tip = (OWN % office.name).replace("maxLength: 200,", f"maxLength: 200, class: {kind},")
    problem = refused(office.put, tip=tip)
    assert problem.code == "definitions_refused"
    faults = [one for one in problem.faults if one.code == "class_not_available"]
    assert faults and "types/tip.yml:" in faults[0].path
    ((version,),) = office.world.rows(office.name, "select version from comity.agency where id = %s", office.name)
    assert version == 1


def test_another_process_sees_the_new_definitions_at_its_next_act(office: Office) -> None:
    from comity.config.settings import settings
    from tests.world import node_on

    other = node_on(office.world.database, settings({"COMITY_HOME": str(office.world.node.home)}))
    try:
        enter(other, office.agent, f"{office.name}.tip", {"text": "t" * 150})
        office.put(tip=(OWN % office.name).replace("maxLength: 200", "maxLength: 100"))
        stricter = refused(enter, other, office.agent, f"{office.name}.tip", {"text": "t" * 150})
        assert {one.code for one in stricter.faults} == {"max_length"}
    finally:
        other.close()


def test_every_installation_is_an_entry_with_the_files_it_put_in_force(office: Office) -> None:
    office.put(case=CASE.replace("100", "99"))
    rows = office.world.rows(
        office.name,
        """select e.version, e.kind, convert_from(c.content, 'UTF8')::jsonb->'set/files'->>'types/case.yml'
             from comity.entry e join comity.entry_content c on c.entry = e.id
            where e.agency = comity.me() and e.type = 'kernel.layer' order by e.version""",
    )
    assert rows == [(1, "install", CASE), (2, "install", CASE.replace("100", "99"))]


def test_only_the_operator_installs(office: Office) -> None:
    node = office.world.node
    problem = refused(
        install, node, office.agent, agency=office.name, core=loader.core_files(), jurisdiction=LAW, own=office.files
    )
    assert problem.code == "not_allowed"
    wrong = refused(
        install, node, tokens.operator(), agency="atf", core=loader.core_files(), jurisdiction=LAW, own=office.files
    )
    assert {one.code for one in wrong.faults} == {"agency_differs"}


DECLARED = ("roles", "purposes", "knows", "obligation", "replaced_by", "replaces")


def before_declarations(files: Mapping[str, str]) -> dict[str, str]:
    """Definitions as they were before pillars declared roles, purposes, obligations and what is in error."""
    old = {}
    for path, text in files.items():
        for key in DECLARED if path.endswith("pillar.yml") or "/types/" in path else ():
            text = re.sub(rf"^{key}:.*\n(?:[ \t]+.*\n)*", "", text, flags=re.MULTILINE)
        old[path] = text.replace(", in_error: true", "")
    return old


@pytest.fixture
def kept(world: World) -> Office:
    """An office whose definitions an older version put in force: it has no purpose, and its core declares nothing."""
    office = Office(world)
    core = before_declarations(loader.core_files())
    assert not any(re.search(r"^(roles|obligation):|[^_]in_error:", text, re.MULTILINE) for text in core.values())
    office.files["agency.yml"] = office.files["agency.yml"].replace("purpose: investigation\n", "")
    node, name = world.node, office.name
    catalogue = load(core, LAW, office.files, node.backfill)
    layers = {"core": ("node", core), "jurisdiction/us-federal": ("node", LAW), f"agency/{name}": (name, office.files)}
    versions = {}
    for layer, (owner, files) in layers.items():
        with node.transaction(owner) as (conn, _):
            versions[layer] = lay(conn, tokens.operator(), owner, layer, files, None)
    with node.transaction(name) as (conn, _):
        put_in_force(conn, catalogue, versions, 2)
        conn.execute("update comity.agency set owing = null where id = %s", (name,))
    return office


def test_definitions_in_force_from_before_the_declarations_go_on(kept: Office) -> None:
    node, name = kept.world.node, kept.name
    made = node.catalogue(name)
    assert made.definition.purpose == "investigation"
    assert {"leave", "admit_members"} <= made.lifecycle_roles["administrator"].may
    owed_type = made.type("investigation.obligation").obligation
    assert owed_type is not None and (owed_type.on, owed_type.met_by) == ("for", "meet")
    shipped = node.catalogue("atf")
    assert made.in_error() == [one for one in shipped.in_error() if one[0] in made.types]
    record = kept.enter().record
    assert kept.amend(record, 1, title="B").version == 2
    chief = tokens.sign_in(node, tokens.admit(node, name, "C. Chief", ["supervisor"]).token)
    assert chief.purpose == "investigation" and powers.may(chief, made, "review_emergencies")
    assert "obligations" in pending_work(node, name), "what it owes is asked of its definitions once"
    assert obligations.close_met(node, name) == []
    assert "obligations" not in pending_work(node, name)


def test_what_it_need_not_say_then_it_need_not_say_under_a_new_core_and_must_when_it_is_changed(kept: Office) -> None:
    node, name = kept.world.node, kept.name
    problem = refused(kept.put, tip=(OWN % name).replace("maxLength: 200", "maxLength: 100"))
    assert {one.code for one in problem.faults} == {"purpose_missing"}
    assert problem.faults[0].path == "agency.yml:1" and "investigation" in problem.faults[0].fix
    kept.files["types/tip.yml"] = OWN % name
    assert kept.put().version == 3, "as it is, under the shipped core"
    assert node.catalogue(name).definition.purpose == "investigation"
    kept.files["agency.yml"] += "purpose: prosecution\n"
    assert kept.put().version == 4
    assert tokens.sign_in(node, tokens.issue(node, kept.agent).token).purpose == "prosecution"
