"""Tickets to the live feed: asked for with a token, good once and for a short time.

A stream is opened by an address, because a browser's EventSource can send no header; an address lands in logs and
histories. So the address bears a ticket that is spent when it is used, and never the token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from comity import clock
from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.sharing.filter import Filter, read_filter
from comity.kernel.work.node import Node
from comity.sentences import say

LIFE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Ticket:
    ticket: str
    expires_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {"ticket": self.ticket, "expires_at": show_instant(self.expires_at)}


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may open a stream, for what, and under which token: the stream ends with any of them."""

    agency: str
    member: UUID
    token: bytes | None
    purpose: str
    wanted: Filter


def issue_ticket(node: Node, actor: Actor, wanted: Mapping[str, Any], *, token: str | None = None) -> Ticket:
    """A ticket for the actor, with the filter of its stream. Problem `invalid` for a filter that is not one.

    `token` is the one the actor came with: revoked, it ends the stream too.
    """
    with node.work(actor) as work:
        chosen = read_filter(work, wanted)
        ticket = secrets.token_urlsafe(24)
        made = Ticket(ticket, work.now + LIFE)
        work.conn.execute(
            """insert into comity.feed_ticket (hash, agency, member, token, purpose, wanted, expires_at)
               values (%s, %s, %s, %s, %s, %s::jsonb, %s)""",
            (
                _hash(ticket), work.agency, UUID(work.actor.member), _hash(token) if token else None,
                work.actor.purpose, chosen.as_text(), made.expires_at,
            ),
        )  # fmt: skip
        return made


def redeem_ticket(node: Node, ticket: str) -> Admitted:
    """Spend a ticket. Problem `ticket_invalid` for one that is spent, expired or unknown."""
    hashed, now = _hash(ticket), clock.now()
    refused = Problem("ticket_invalid", fix=say("ticket_invalid.ask_for_new_one_post.fix"))
    with node.transaction("-") as (conn, _):
        conn.execute("select set_config('comity.token', %s, true)", (hashed.hex(),))
        row = conn.execute("select agency from comity.feed_ticket where hash = %s", (hashed,)).fetchone()
    if row is None:
        raise refused
    with node.transaction(row[0]) as (conn, _):
        taken = conn.execute(
            """update comity.feed_ticket set used_at = %(now)s
                where hash = %(hash)s and used_at is null and expires_at > %(now)s
            returning agency, member, token, purpose, wanted""",
            {"now": now, "hash": hashed},
        ).fetchone()
    if taken is None:
        raise refused
    token = bytes(taken[2]) if taken[2] is not None else None
    return Admitted(taken[0], taken[1], token, taken[3], Filter.from_json(taken[4]))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.strip().encode("utf-8", "replace")).digest()
