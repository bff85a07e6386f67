"""Whose definitions a folder may bring: its agency's own as the log laid them, and core and law that the node has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import digest, read_folder
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.departure_check import check
from comity.kernel.ledger.entry import commitment, leaf_data, leaf_hash
from comity.kernel.policy import tokens
from comity.kernel.portability import arrive_definitions, rebuild
from comity.kernel.portability.leave import Left
from comity.kernel.records.install import install
from tests.leaving.conftest import Elsewhere
from tests.leaving.remade import remade
from tests.leaving.shipped import SHIPPED, arrive
from tests.leaving.test_commands import comity
from tests.leaving.test_spoiled import lines, nothing, proof, put
from tests.world import World, refused

LAYERS = "rows/layer.jsonl"
Row = dict[str, Any]
MARK = ("receivers: { roles: [attorney, judge] }", "receivers: { roles: [attorney, judge, agent], agencies: [atf] }")
LATER = "select name, version, agency, digest from comity.layer order by 1, 2"


@pytest.fixture(scope="module")
def empty(elsewhere: Elsewhere) -> World:
    return elsewhere()


@pytest.fixture(scope="module")
def partners(elsewhere: Elsewhere) -> World:
    """A node with agencies of its own, to which a stranger's folder is brought."""
    other = elsewhere()
    law = read_folder(paths.jurisdictions() / "us-federal")
    for agency in ("dea", "usao"):
        own = read_folder(paths.agencies() / agency)
        install(other.node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
    return other


def the(rows: list[Row], name: str) -> Row:
    (found,) = [one for one in rows if one["name"] == name]
    return found


def rewritten(folder: Path, name: str, change: Callable[[Row], None]) -> None:
    """A layer changed by a host that makes every digest anew."""
    rows = lines(folder, LAYERS)
    change(the(rows, name))
    put(folder, rows, LAYERS)
    remade(folder, entries=False)


def doctored(row: Row) -> None:
    text = row["files"]["registry/pillar.yml"]
    assert MARK[0] in text
    row["files"]["registry/pillar.yml"] = text.replace(*MARK)
    row["digest"] = digest(row["files"])


def added(**changes: Any) -> Callable[[Path], None]:
    """One more layer, made from the agency's own."""

    def spoil(folder: Path) -> None:
        rows = lines(folder, LAYERS)
        files = {"agency.yml": "agency: cpd\n"}
        put(folder, [*rows, the(rows, "agency/atf") | {"files": files, "digest": digest(files)} | changes], LAYERS)
        remade(folder, entries=False)

    return spoil


def dropped(folder: Path) -> None:
    put(folder, [one for one in lines(folder, LAYERS) if one["name"] != "agency/atf"], LAYERS)
    remade(folder, entries=False)


def changed(name: str, change: Callable[[Row], Any]) -> Callable[[Path], None]:
    return lambda folder: rewritten(folder, name, lambda row: change(row) and None)


def commented(row: Row) -> None:
    row["files"]["agency.yml"] += "\n# another hand\n"
    row["digest"] = digest(row["files"])


def relaid(folder: Path) -> None:
    """The entry itself lays another agency's layer: a host that makes leaf, root and states anew."""
    log = lines(folder)
    line = next(one for one in log if one["header"]["type"] == "kernel.layer")
    items = json.loads(line["content"]) | {"set/name": "agency/cpd"}
    salts = bytes.fromhex(line["salts"])
    entry = UUID(line["header"]["entry"]).bytes
    held = sorted(
        commitment(entry, path, salts[16 * at :][:16], canonical(items[path])) for at, path in enumerate(ordered(items))
    )
    line |= {
        "content": canonical(items).decode(), "commitments": [one.hex() for one in held],
        "leaf": leaf_hash(leaf_data(canonical(line["header"]), held)).hex(),
    }  # fmt: skip
    put(folder, log)
    remade(folder)


def in_force(**changes: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        layers = {one["name"]: one["version"] for one in lines(folder, LAYERS)}
        proof(layers=layers | {name.replace("__", "/").replace("_", "-"): at for name, at in changes.items()})(folder)

    return spoil


SPOILED: dict[str, Callable[[Path], None]] = {
    "its own layer other than its log": changed("agency/atf", commented),
    "its own layer with another digest": changed("agency/atf", lambda row: row.update(digest="0" * 64)),
    "its own layer by another entry": changed("agency/atf", lambda row: row.update(entry="0" * 8)),
    "its own layer at another time": changed("agency/atf", lambda row: row.update(installed_at="2020-01-01T00:00Z")),
    "its own layer as the node's": changed("agency/atf", lambda row: row.update(agency="node")),
    "its own layer not there": dropped,
    "its own layer in a version that no entry has": added(version=2),
    "a layer of another agency, in the node's name": added(name="agency/cpd", version=40, agency="node"),
    "a layer of another agency, in its name": added(name="agency/cpd", version=1, agency="cpd"),
    "a layer of another agency, in its own name": added(name="agency/cpd", version=1),
    "a layer of no name": added(name=["agency/cpd"], version=1),
    "an entry that lays a layer of another agency": relaid,
    "the core in its own name": changed("core", lambda row: row.update(agency="atf")),
    "another law": added(name="jurisdiction/elsewhere", agency="node"),
    "the core twice": lambda folder: added(**the(lines(folder, LAYERS), "core"))(folder),
    "files that are none": changed("core", lambda row: row.update(files=["registry/pillar.yml"])),
    "another agency's layer in force": in_force(agency__cpd=40),
    "two laws in force": in_force(jurisdiction__elsewhere=1),
    "an own layer in force that was not laid last": in_force(agency__atf=0),
    "a version that is none": in_force(core=True),
}


@pytest.mark.parametrize("what", SPOILED)
def test_layers_that_a_folder_may_not_bring_are_told_and_refused(copy: Path, what: str, empty: World) -> None:
    SPOILED[what](copy)
    found = check(copy)
    assert found.faults and "cannot be read" not in str(found.faults), what
    refusal = refused(arrive, empty.node, tokens.operator(), copy, with_definitions=True)
    assert refusal.code == "folder_refused" and refusal.faults
    assert nothing(empty)


def test_the_honest_layers_hold(left: Left) -> None:
    assert check(left.folder).faults == []
    assert {one["name"] for one in lines(left.folder, LAYERS)} == {"core", "jurisdiction/us-federal", "agency/atf"}


def test_a_folder_changed_after_it_was_checked_is_refused_too(
    copy: Path, empty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layers of the transaction itself are compared, whatever was there when the folder was checked."""
    sound = arrive_definitions.brought

    def changed_now(*given: Any) -> Any:
        rewritten(copy, "agency/atf", commented)
        return sound(*given)

    monkeypatch.setattr(arrive_definitions, "brought", changed_now)
    refusal = refused(arrive, empty.node, tokens.operator(), copy)
    assert refusal.code == "folder_refused" and "other definitions" in str(refusal.faults)
    assert nothing(empty)


@pytest.mark.parametrize("name", ["core", "jurisdiction/us-federal"])
def test_core_and_law_of_the_folder_are_not_taken_for_the_nodes(copy: Path, partners: World, name: str) -> None:
    """The opponent's folder: a core whose mark `sealed` lets the stranger's own agency read what partners sealed."""
    before = partners.rows("atf", LATER)

    def change(row: Row) -> None:
        if name == "core":
            return doctored(row)
        row["files"]["jurisdiction.yml"] += "\n# another law\n"
        row["digest"] = digest(row["files"])

    rewritten(copy, name, change)
    for given in (SHIPPED, {}):
        refusal = refused(arrive, partners.node, tokens.operator(), copy, shipped=given)
        assert refusal.code == "definitions_differ"
        (fault,) = refusal.faults
        theirs = the(lines(copy, LAYERS), name)["digest"]
        file = "registry/pillar.yml" if name == "core" else "jurisdiction.yml"
        assert fault.path == name and theirs in fault.message and digest(SHIPPED[name]) in fault.message
        assert fault.message.endswith(f"changed: {file}"), fault.message
    assert partners.rows("atf", LATER) == before and not partners.rows(
        "atf", "select 1 from comity.agency where id = 'atf'"
    )


def without(folder: Path, name: str) -> None:
    rows = [one for one in lines(folder, LAYERS) if one["name"] != name]
    put(folder, rows, LAYERS)
    proof(layers={one["name"]: one["version"] for one in rows})(folder)
    remade(folder, entries=False)


def test_the_law_of_the_folder_is_neither_left_out_nor_called_otherwise(copy: Path, empty: World) -> None:
    other = Path(shutil.copytree(copy, copy.parent / "other"))
    bare = Path(shutil.copytree(copy, copy.parent / "bare"))
    without(copy, "jurisdiction/us-federal")
    refusal = refused(arrive, empty.node, tokens.operator(), copy)
    assert refusal.code == "definitions_refused", "ATF's own layer builds on it"
    rewritten(other, "jurisdiction/us-federal", lambda row: row.update(name="jurisdiction/elsewhere"))
    proof(layers={one["name"]: one["version"] for one in lines(other, LAYERS)})(other)
    assert check(other).faults == []
    refusal = refused(arrive, empty.node, tokens.operator(), other, with_definitions=True)
    assert refusal.code == "folder_refused" and "us-federal" in str(refusal.faults)
    without(bare, "core")
    assert refused(arrive, empty.node, tokens.operator(), bare).code in ("folder_refused", "definitions_refused")
    assert nothing(empty)


def test_an_agency_that_could_do_without_its_law_may_not(empty: World) -> None:
    own = {"agency.yml": "agency: atf\ntitle: ATF\njurisdiction: us-federal\npurpose: investigation\n"}
    brought = arrive_definitions.Brought("atf", {"core": SHIPPED["core"], "agency/atf": own})
    absent = brought.without_law(brought.catalogue())
    with empty.node.transaction("node") as (conn, _):
        refusal = refused(arrive_definitions.refuse_strange, conn, absent, SHIPPED)
        assert refusal.code == "definitions_differ" and "only here: " in refusal.faults[0].message
        arrive_definitions.refuse_strange(conn, absent, {})  # this node knows of no such law either


def test_a_doctored_core_that_is_only_history_is_never_in_force(copy: Path, elsewhere: Elsewhere) -> None:
    """Nor does it come to be one that this node has, so that a later folder could name it."""
    other = elsewhere()
    later = Path(shutil.copytree(copy, copy.parent / "later"))
    rows = lines(copy, LAYERS)
    old = deepcopy(the(rows, "core")) | {"version": 7}
    doctored(old)
    put(copy, [*rows, old], LAYERS)
    remade(copy, entries=False)
    arrive(other.node, tokens.operator(), copy)
    assert other.rows("atf", "select digest from comity.layer where name = 'core'") == [(digest(SHIPPED["core"]),)]
    rewritten(later, "core", doctored)
    assert refused(arrive, elsewhere().node, tokens.operator(), later).code == "definitions_differ"
    other.follow()
    assert rebuild.run(other.node).equal


def test_the_operator_may_take_them_and_has_been_shown_what_differs(copy: Path, elsewhere: Elsewhere) -> None:
    other = elsewhere()
    install(
        other.node, tokens.operator(), agency="dea", core=SHIPPED["core"],
        jurisdiction=SHIPPED["jurisdiction/us-federal"], own=read_folder(paths.agencies() / "dea"),
    )  # fmt: skip
    before = other.rows("atf", LATER)
    rewritten(copy, "core", doctored)
    home = other.node.home
    said = comity(home, "leave", "import", str(copy), "--dry-run", code=4)
    words = " ".join((said.stdout + said.stderr).split())
    assert "registry/pillar.yml" in words and "--with-definitions" in words
    comity(home, "leave", "import", str(copy), "--with-definitions")
    layers = other.rows("atf", LATER)
    assert set(before) < set(layers), "what was there stays as it was"
    assert ("core", 2, "node", the(lines(copy, LAYERS), "core")["digest"]) in layers
    ((dea,),) = other.rows("dea", "select layers ->> 'core' from comity.agency where id = 'dea'")
    assert dea == "1", "nobody else is moved to it"
    other.follow()
    assert rebuild.run(other.node).equal


def test_a_folder_with_a_core_that_the_node_has_is_taken_though_this_release_ships_another(
    copy: Path, elsewhere: Elsewhere
) -> None:
    other = elsewhere()
    law = SHIPPED["jurisdiction/us-federal"]
    own = read_folder(paths.agencies() / "dea")
    install(other.node, tokens.operator(), agency="dea", core=SHIPPED["core"], jurisdiction=law, own=own)
    newer = {"core": {**SHIPPED["core"], "registry/new.yml": ""}, "jurisdiction/us-federal": law}
    assert arrive(other.node, tokens.operator(), copy, shipped=newer).records
    ((version,),) = other.rows("atf", "select layers ->> 'core' from comity.agency where id = 'atf'")
    assert version == "1"
