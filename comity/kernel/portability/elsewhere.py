"""An agency whose log is kept on another node: its definitions are known here, nobody acts in its name (ADR 0019)."""

from __future__ import annotations

from comity import clock, names
from comity.errors import Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy.actor import Actor
from comity.kernel.work.node import NODE, OPERATOR, Node
from comity.sentences import say


def keep_elsewhere(node: Node, actor: Actor, agency: str) -> None:
    """Say that an installed agency is kept on another node. The node's log says it; again changes nothing.

    Raises Problem: not_allowed (only an operator), agency_unknown, already_here (it has a log of its own here).
    """
    if actor.kind != "operator":
        raise Problem("not_allowed", say("not_allowed.where_agency_is_kept_is"))
    with node.transaction(agency) as (conn, begun):
        if begun.agency_state is None or agency == NODE:
            raise Problem("agency_unknown", say("agency_unknown.is_not_installed_here", agency=agency))
        row = conn.execute(
            """select elsewhere, exists (
                          select 1 from comity.entry e where e.agency = a.id and e.type <> 'kernel.layer')
                 from comity.agency a where id = comity.me()"""
        ).fetchone()
        assert row is not None
        if row[0]:
            return
        if row[1]:
            raise Problem(
                "already_here", say("already_here.has_log_on_this_node", agency=agency),
            )  # fmt: skip
    with node.transaction(NODE) as (conn, _):
        now = clock.now()
        append(conn, [
            Entry(
                id=names.new_id(), agency=NODE, record=names.new_id(), type="kernel.agency", type_version=0, kind="act",
                act="keep_elsewhere", actor=OPERATOR, occurred_at=now, entered_at=now, version=1,
                state_from=begun.agency_state, state_to=begun.agency_state,
                content=items.set_fields({"agency": agency}),
            )
        ])  # fmt: skip
        conn.execute("update comity.agency set elsewhere = true where id = %s", (agency,))
        conn.execute("update comity.epoch set n = n + 1")
