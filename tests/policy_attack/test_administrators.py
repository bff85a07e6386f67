"""Who lets members in: never locked out, and never by the operator's hand into what an agency keeps."""

from __future__ import annotations

from comity.kernel.policy import tokens
from tests.world import World, refused


def test_the_last_administrator_stays_and_the_operator_lets_in_one_where_none_is(world: World) -> None:
    operator = tokens.operator()
    invite = {"agency": "fsl", "name": "Someone new"}
    assert refused(tokens.invite, world.node, operator, **invite, roles=["analyst"]).code == "not_allowed"
    both = ["administrator", "analyst"]
    assert refused(tokens.invite, world.node, operator, **invite, roles=both).code == "not_allowed"
    ((there,),) = world.rows(
        "fsl", "select count(*) from comity.member where state = 'active' and 'administrator' = any(roles)"
    )
    if not there:
        code = tokens.invite(world.node, operator, agency="fsl", name="First administrator", roles=["administrator"])
        tokens.redeem(world.node, code.code)
    assert refused(tokens.invite, world.node, operator, **invite, roles=["administrator"]).code == "not_allowed"
    ((last,),) = world.rows(
        "fsl", "select min(id::text) from comity.member where state = 'active' and 'administrator' = any(roles)"
    )
    others = world.rows(
        "fsl", "select id::text from comity.member where state = 'active' and 'administrator' = any(roles)"
    )
    if len(others) == 1:
        ((name,),) = world.rows("fsl", "select name from comity.member where id::text = %s", last)
        issued = tokens.Member(last, "fsl", name, ("administrator",), "active")
        actor = tokens.Actor.of(world.node.catalogue("fsl"), member=issued.id, name=issued.name, held=["administrator"])
        assert refused(tokens.suspend_member, world.node, actor, last, reason="Leaves").code == "not_allowed"
