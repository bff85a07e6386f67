"""A refusal tells of no type whose records always bear a mark to a colleague who does not receive that mark."""

from __future__ import annotations

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from tests.records.refusal_table import told
from tests.world import World, refused

OWN = {
    "agency.yml": "agency: vaults\ntitle: Vaults\njurisdiction: us-federal\nzone: UTC\nmembership: member\n"
    "kind: police\npurpose: investigation\npillars: [registry]\n",
    "roles.yml": 'roles:\n  keeper: { title: Keeper, is: [agent], read: { "*": all }, marks: [informant] }\n'
    '  chief: { title: Chief, is: [administrator], read: { "*": all } }\n',
    "types/vault.yml": "type: vaults.vault\ntitle: Vault\nhandling: [informant]\n"
    "fields: { name: { type: string, maxLength: 20, required: true } }\n"
    "states: { kept: { initial: true, final: true } }\nacts: { enter: { by: [agent] } }\n",
}


def test_the_type_is_told_to_who_asked_and_to_who_receives_its_mark(world: World) -> None:
    law = read_folder(paths.jurisdictions() / "us-federal")
    install(world.node, tokens.operator(), agency="vaults", core=loader.core_files(), jurisdiction=law, own=OWN)
    keeper, chief = world.seat("vaults", "keeper"), world.seat("vaults", "chief")
    assert refused(world.enter, keeper, "vaults.vault", {}).code == "invalid"
    assert refused(world.enter, keeper, "registry.person", {}).code == "invalid"
    mine = {one["type"]: one for one in told(world, keeper)}
    theirs = {one["type"]: one for one in told(world, chief)}
    assert set(mine) == {"vaults.vault", "registry.person"} and mine["vaults.vault"]["faults"]
    assert set(theirs) == {"", "registry.person"}
    hidden = theirs[""]
    assert (hidden["code"], hidden["faults"], hidden["name"]) == ("not_found", [], mine["vaults.vault"]["name"])
    assert [one["type"] for one in told(world, chief, code="required")] == ["registry.person"]
