"""Who lets members in: never locked out, and never by the operator's hand into what an agency keeps."""

from __future__ import annotations

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from tests.world import World, refused

LOCKED = {
    "agency.yml": "agency: locked\ntitle: An agency without an administrator\njurisdiction: us-federal\nzone: UTC\n"
    "membership: member\npurpose: investigation\nkind: police\npillars: [registry]\n",
    "roles.yml": 'roles:\n  officer: { title: Officer, is: [agent, officer, records], read: { "*": all } }\n'
    "  administrator: { title: Administrator, is: [administrator] }\n",
    "agreements.yml": "agreements: []\n",
}


def test_the_last_administrator_stays_and_the_operator_lets_in_one_where_none_is(world: World) -> None:
    operator, law = tokens.operator(), read_folder(paths.jurisdictions() / "us-federal")
    install(world.node, operator, agency="locked", core=loader.core_files(), jurisdiction=law, own=LOCKED)
    tokens.admit(world.node, "locked", "An officer who came first", ["officer"])
    invite = {"agency": "locked", "name": "Someone new"}
    for roles in (["officer"], ["administrator", "officer"]):
        assert refused(tokens.invite, world.node, operator, **invite, roles=roles).code == "not_allowed"
    invited = tokens.invite(world.node, operator, agency="locked", name="The new one", roles=["administrator"])
    first = tokens.redeem(world.node, invited.code)
    assert refused(tokens.invite, world.node, operator, **invite, roles=["administrator"]).code == "not_allowed"
    actor = tokens.sign_in(world.node, first.token)
    assert refused(tokens.suspend_member, world.node, actor, first.member, reason="Leaves").code == "not_allowed"
    second = tokens.redeem(
        world.node,
        tokens.invite(world.node, actor, agency="locked", name="The second", roles=["administrator"]).code,
    )
    tokens.suspend_member(world.node, tokens.sign_in(world.node, second.token), first.member, reason="Leaves")
    assert refused(tokens.sign_in, world.node, first.token).code == "member_suspended"
