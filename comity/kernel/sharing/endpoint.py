"""Webhooks: the addresses outside to which an agency lets its deliveries be sent, each with a secret of its own.

Who keeps the agency's endpoints adds and removes them; both are entries in the agency's log. The secret is shown once
and kept wrapped with the agency's key, because signing needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity import names
from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import KEEP_ENDPOINTS
from comity.kernel.sharing import channels, outbox, signature
from comity.kernel.work.node import Conn, Node, Work
from comity.kernel.work.results import as_uuid
from comity.sentences import say

TYPE = "kernel.endpoint"
MOST_OF_AGENCY = 50


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`state`: active · stopped (it failed for days, or said 410) · removed. `secret` is in the first answer only."""

    id: UUID
    agency: str
    url: str
    state: str
    reason: str
    failures: int
    paused_until: datetime | None
    added_at: datetime
    secret: str = ""

    def as_json(self) -> dict[str, Any]:
        out = {
            "id": str(self.id), "url": self.url, "state": self.state, "reason": self.reason or None,
            "failures": self.failures, "added_at": show_instant(self.added_at),
            "paused_until": show_instant(self.paused_until) if self.paused_until else None,
        }  # fmt: skip
        return {**out, "secret": self.secret} if self.secret else out


_COLUMNS = "id, agency, url, state, reason, failures, nullif(paused_until, '-infinity') as paused_until, added_at"


def add_webhook(node: Node, actor: Actor, url: str) -> Endpoint:
    """Let deliveries go to an address; the answer shows its secret, once. Problem: not_allowed, channel_unknown (no
    channel sends to such), and what its channel refuses: webhook_refused.

    The name is resolved at each delivery, not here: what it leads to may change.
    """
    judge = channels.speaking(url).judge
    if judge is not None:
        judge(node, url)
    with node.work(actor) as work:
        work.demand(KEEP_ENDPOINTS)
        row = work.conn.execute("select count(*) from comity.endpoint where state <> 'removed'").fetchone()
        if row and row[0] >= MOST_OF_AGENCY:
            raise Problem("too_many", say("too_many.has_webhooks", agency=work.agency, row=row[0]))
        made, secret = names.new_id(), signature.new_secret()
        work.conn.execute(
            "insert into comity.endpoint (id, agency, url, secret, added_at) values (%s, %s, %s, %s, %s)",
            (made, work.agency, url, node.keys.wrap(work.agency, secret), work.now),
        )
        _append(work, made, "add", 1, ("", "active"), items.set_fields({"url": url}))
        return Endpoint(made, work.agency, url, "active", "", 0, None, work.now, signature.shown(secret))


def webhooks(node: Node, actor: Actor) -> list[Endpoint]:
    """The agency's webhooks, for its members: to name one in a subscription."""
    with node.work(actor) as work:
        return endpoints(work.conn, "state <> 'removed'")


def remove_webhook(node: Node, actor: Actor, endpoint: str) -> Endpoint:
    """Send nothing there any more. The subscriptions that delivered there are ended."""
    with node.work(actor) as work:
        work.demand(KEEP_ENDPOINTS)
        found = endpoints(work.conn, "id = %s and state <> 'removed'", as_uuid(endpoint))
        if not found:
            raise Problem("not_found", say("not_found.no_such_webhook_of_agency"))
        one = found[0]
        row = work.conn.execute(
            "update comity.endpoint set state = 'removed', version = version + 1 where id = %s returning version",
            (one.id,),
        ).fetchone()
        assert row is not None
        ended = work.conn.execute(
            "update comity.subscription set state = 'ended' where endpoint = %s and state <> 'ended' returning id",
            (one.id,),
        ).fetchall()
        for (subscription,) in ended:
            outbox.dismiss(work.conn, subscription, work.now)
        _append(work, one.id, "remove", row[0], ("active", "removed"), {})
        return Endpoint(one.id, one.agency, one.url, "removed", "", 0, None, one.added_at)


def endpoints(conn: Conn, condition: str, *params: Any) -> list[Endpoint]:
    rows = conn.cursor(row_factory=dict_row).execute(
        f"select {_COLUMNS} from comity.endpoint where {condition} order by added_at, id", params
    )
    return [Endpoint(**row) for row in rows]


def secret_of(work: Work, endpoint: UUID) -> bytes:
    row = work.conn.execute("select secret from comity.endpoint where id = %s", (endpoint,)).fetchone()
    assert row is not None
    return work.node.keys.unwrap(work.agency, bytes(row[0]))


def _append(
    work: Work, endpoint: UUID, act: str, version: int, states: tuple[str, str], content: Mapping[str, Any]
) -> None:
    append(work.conn, [
        Entry(
            id=names.new_id(), agency=work.agency, record=endpoint, type=TYPE, type_version=0, kind="act", act=act,
            actor=UUID(work.actor.member), occurred_at=work.now, entered_at=work.now, version=version,
            state_from=states[0], state_to=states[1], content=content,
        )
    ])  # fmt: skip
