"""Members, agencies, definitions, the database: the commands of those who run a node."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from comity.cli import credentials
from comity.errors import Problem
from tests.cli.conftest import AGENT, Command
from tests.speeds.sizes import size

ADMINISTRATOR = ("--as", "atf", "--seat", "Lindqvist")


HELP = """
import sys
from comity.cli.app import run
from comity.config.main import services
code = run(services(), ["--help"])
slow = ("comity.kernel.", "django", "psycopg", "cedarpy", "pydantic")
print(code, [name for name in sys.modules if name.startswith(slow)], file=sys.stderr)
"""


def test_help_imports_no_kernel() -> None:
    ended = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    code, slow = ended.stderr.split(maxsplit=1)
    assert (code, slow.strip()) == ("0", "[]")
    for command in ("demo", "serve", "submit", "import", "rebuild", "upgrade", "doctor", "profile", "member", "agency"):
        assert command in ended.stdout


def test_a_member_is_invited_redeems_once_and_is_suspended(comity: Command, people: Path) -> None:
    name = f"Agent {uuid.uuid4().hex[:8]}"
    refused = comity("member", "invite", "atf", "--name", name, "--role", "special_agent", "--json")
    assert (refused.code, refused.json["code"]) == (1, "not_allowed")  # the operator lets in the first member only
    invited = comity("member", "invite", "atf", "--name", name, "--role", "special_agent", *ADMINISTRATOR, "--json")
    assert invited.code == 0, invited
    redeemed = comity("member", "redeem", invited.json["code"], "--json")
    assert redeemed.json["name"] == name
    assert comity("member", "redeem", invited.json["code"], "--json").json["code"] == "code_expired"
    tokens = people / "keys" / "tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    mine = ("--as", "atf", "--seat", name)
    assert comity("find", "investigation.case", *mine, "--json").code == 0
    assert name in comity("member", "list", "atf", "--seat", "Lindqvist").out
    suspended = comity("member", "suspend", name, "--reason", "left", *ADMINISTRATOR, "--json")
    assert suspended.json["state"] == "suspended"
    assert comity("find", "investigation.case", *mine, "--json").json["code"] == "member_suspended"
    assert comity("member", "suspend", name, "--reason", "back", "--lift", *ADMINISTRATOR).code == 0
    assert comity("find", "investigation.case", *mine, "--json").code == 0
    assert comity("member", "suspend", name, "--reason", "x", *AGENT, "--json").json["code"] == "not_allowed"


def test_an_agency_is_suspended_at_once(comity: Command) -> None:
    assert comity("agency", "suspend", "dea", "--reason", "an inquiry", *AGENT, "--json").json["code"] == "not_allowed"
    assert comity("agency", "suspend", "dea", "--reason", "an inquiry", "--json").json["state"] == "suspended"
    try:
        assert comity("find", "investigation.case", "--as", "dea", "--json").json["code"] == "agency_suspended"
        assert "suspended" in comity("agency", "list").out
    finally:
        assert comity("agency", "resume", "dea", "--reason", "it ended", "--json").json["state"] == "active"
    assert comity("find", "investigation.case", "--as", "dea", "--json").code == 0


@pytest.mark.parametrize("named", size(small=[("atf",)], deep=[(), ("atf",)]))
def test_the_shipped_definitions_hold(comity: Command, named: tuple[str, ...]) -> None:
    """All of them at once are checked beside a new pillar too (tests/docs), and by `make check`."""
    report = comity("profile", "check", *named, "--json")
    assert report.code == 0, report.out[:2000]
    wanted = set(named) or {"atf", "cpd", "dea"}
    assert wanted <= {one["name"] for one in report.json["layers"] if one["kind"] == "agency"}
    one = comity("profile", "check", "atf")
    assert "agency atf: holds" in one.out and "cpd" not in one.out


def test_definitions_are_refused_by_file_and_line(comity: Command, tmp_path: Path) -> None:
    folder = tmp_path / "agencies" / "xyz"
    (folder / "types").mkdir(parents=True)
    (folder / "agency.yml").write_text(
        "agency: xyz\ntitle: Test\njurisdiction: us-federal\nzone: America/New_York\npurpose: investigation\n"
    )
    (folder / "roles.yml").write_text("roles:\n  agent: { title: Agent, is: [agent], read: { '*': all } }\n")
    (folder / "types" / "case.yml").write_text("extends: investigation.case\nfields:\n  title: null\n")
    report = comity("profile", "check", str(folder), "--json")
    assert report.code == 1
    faults = [fault for layer in report.json["layers"] for fault in layer["faults"]]
    assert ("layer_removes_field", "types/case.yml:3") in {(one["code"], one["path"]) for one in faults}
    page = comity("profile", "check", str(folder))
    assert page.code == 1 and "types/case.yml:3" in page.out
    installed = comity("profile", "install", str(folder), "--json")
    assert (installed.code, installed.json["code"]) == (1, "definitions_refused")


def test_definitions_are_installed_by_the_operator_only(comity: Command) -> None:
    again = comity("profile", "install", "atf", "--json")
    assert again.code == 0 and again.json["unchanged"] is True
    assert comity("profile", "install", "atf", *ADMINISTRATOR, "--json").json["code"] == "not_allowed"
    listed = {one["agency"]: one for one in comity("profile", "list", "--json").json["items"]}
    assert listed["atf"]["types"] > 10 and len(listed["atf"]["digest"]) == 64


def test_a_moved_core_is_compared(comity: Command, tmp_path: Path) -> None:
    from comity.config import paths

    for source in paths.pillars().rglob("*.yml"):
        target = tmp_path / source.relative_to(paths.pillars())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    same = comity("profile", "check", "atf", "--against", str(tmp_path), "--json")
    assert same.code == 0, same.out[:2000]
    case = tmp_path / "investigation" / "types" / "case.yml"
    case.write_text(case.read_text().replace("maxLength: 200", "maxLength: 150"))
    moved = comity("profile", "check", "atf", "--against", str(tmp_path), "--json")
    assert any(layer["upgrade"]["changes"] for layer in moved.json["layers"] if layer.get("upgrade"))


def test_an_upgrade_goes_on_past_an_agency_whose_definitions_are_refused(
    comity: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.config import paths

    shutil.copytree(paths.agencies(), tmp_path / "agencies")
    file = tmp_path / "agencies" / "cpd" / "agency.yml"
    file.write_text(file.read_text().replace("purpose: investigation\n", ""))
    monkeypatch.setattr(paths, "agencies", lambda: tmp_path / "agencies")
    upgraded = comity("upgrade", "--dry-run", "--json")
    states = {one["agency"]: one for one in upgraded.json["agencies"]}
    assert upgraded.code != 0 and states["atf"]["state"] == "as shipped"
    assert states["cpd"]["state"] == "refused, left as it is"
    assert [(one["code"], one["path"]) for one in states["cpd"]["faults"]] == [("purpose_missing", "agency.yml:1")]
    page = comity("upgrade", "--dry-run")
    assert "agency.yml:1" in page.out and "add purpose: one of" in page.out


def test_rebuild_upgrade_doctor_and_database(comity: Command) -> None:
    rebuilt = comity("rebuild", "--json")
    assert rebuilt.code == 0 and rebuilt.json["equal"] is True, rebuilt
    upgraded = comity("upgrade", "--json")
    assert upgraded.code == 0, upgraded
    assert {one["agency"]: one["state"] for one in upgraded.json["agencies"]}["atf"] == "as shipped"
    assert comity("db", "migrate", "--json").json == {"applied": []}
    state = comity("db", "status", "--json").json
    assert state["running"] is True and state["pending"] == []
    examined = comity("doctor", "--json")
    assert {"database", "migrations"} <= {one["name"] for one in examined.json["findings"]}


def test_a_file_is_imported_twice_and_entered_once(comity: Command, tmp_path: Path) -> None:
    from comity.config import paths

    mapping = next((paths.agencies() / "cpd" / "mappings").glob("*.yml"))
    absent = comity("import", str(tmp_path / "no.csv"), "--mapping", str(mapping), "--as", "cpd", "--json")
    assert absent.json["code"] == "import_refused" and absent.code == 1
    mapping = paths.agencies() / "cpd" / "mappings" / "chicago.yml"
    lines = (paths.samples() / "chicago_incidents.csv").read_text("utf-8").splitlines(keepends=True)[:3]
    (tmp_path / "some.csv").write_text("".join([*lines, "cut,off\n"]), "utf-8")
    given = ("--mapping", str(mapping), "--as", "cpd", "--json", "--rejects", str(tmp_path / "no"), "--dry-run")
    some = comity("import", str(tmp_path / "some.csv"), *given)
    assert (some.code, some.json["rows"], some.json["rows_rejected"]) == (1, 3, 1), some
    (tmp_path / "good.csv").write_text("".join(lines), "utf-8")
    good = comity("import", str(tmp_path / "good.csv"), *given)
    assert (good.code, good.json["rows"], good.json["rows_rejected"]) == (0, 2, 0), good


def test_the_types_are_listed_and_two_owners_exclude_each_other(comity: Command) -> None:
    agent = ("--as", "atf", "--seat", "Special Agent Rivera")
    known = comity("profile", "types", *agent, "--json").json["items"]
    assert all(one["title"] for one in known) and "investigation.case" in {one["type"] for one in known}
    assert "investigation.case" in comity("profile", "types", *agent).out
    both = comity("due", "--owner", "usao", "--everyone", *agent, "--json")
    assert (both.code, both.json["code"]) == (2, "request_invalid")


@pytest.mark.parametrize("name", ["COMITY_BIND", "COMITY_TRUSTED_PROXY"])
def test_a_setting_that_is_wrong_stops_before_anything(
    comity: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "nonsense")
    said = comity("serve", "--json")
    assert (said.code, said.json["cause"]) == (75, "setting_invalid")


def test_serving_the_world_in_clear_text_is_refused(comity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_BIND", "0.0.0.0:0")
    assert comity("serve", "--json").json["code"] == "bind_refused"


def test_an_unforeseen_failure_is_a_document_without_content(comity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("canary-77")

    monkeypatch.setattr("comity.kernel.views.list_page.list_page", fail)
    said = comity("find", *AGENT, "--json")
    assert (said.code, said.json["code"]) == (70, "internal")
    assert "canary-77" not in said.out + said.err and "ValueError" in said.json["detail"]


def test_seats_are_kept_by_many_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from comity.cli import credentials; home = pathlib.Path(sys.argv[1])\n"
        "for n in range(20): credentials.remember(home, agency='atf', member=f'{sys.argv[2]}-{n}', name='N', token='t')"
    )
    many = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(4)]
    assert [one.wait(60) for one in many] == [0] * 4
    assert len(credentials.known(tmp_path)) == 80
    (tmp_path / "keys" / "tokens.json").write_text(json.dumps({"seats": 3}))
    with pytest.raises(Problem) as refused:
        credentials.known(tmp_path)
    assert refused.value.code == "seat_unknown"
