"""Dead letters: deliveries that could not be made and subscriptions that were stopped, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import KEEP_SUBSCRIPTIONS
from comity.kernel.sharing import channels, outbox
from comity.kernel.sharing.deliver import catch_up
from comity.kernel.sharing.outbox import NOTICE, STOPPED, UNDECIDED
from comity.kernel.sharing.subscribe import Subscription, tended
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import as_uuid
from comity.sentences import say


def kinds() -> list[str]:
    """What a dead letter may be: a delivery of a channel, or a subscription that was stopped."""
    return [*channels.effects(), STOPPED]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`kind`: notice · webhook (a delivery) · subscription (it was stopped; replayed, it goes on where it stopped)."""

    kind: str
    entry: UUID
    subscription: UUID
    name: str
    reason: str
    attempts: int
    since: datetime

    @property
    def id(self) -> str:
        return f"{self.kind}.{self.entry}.{self.subscription}"

    def as_json(self) -> dict[str, Any]:
        code, _, detail = self.reason.partition(": ")
        return {
            "id": self.id, "kind": self.kind, "subscription": str(self.subscription), "name": self.name,
            "entry": None if self.kind == STOPPED else str(self.entry), "code": code, "detail": detail,
            "attempts": self.attempts, "since": show_instant(self.since),
        }  # fmt: skip


def dead_letters(node: Node, actor: Actor, *, limit: int = 500) -> list[DeadLetter]:
    """Those of the member's own subscriptions, or of the whole agency for who sees to them; newest first."""
    with node.work(actor) as work:
        return letters_of(work, limit=limit)


def letters_of(work: Work, *, limit: int) -> list[DeadLetter]:
    """The same within a transaction that is already open."""
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select o.follower as kind, o.entry, s.id as subscription, s.name, o.error as reason, o.attempts,
                  o.changed_at as since
             from comity.outbox o join comity.subscription s on s.id::text = o.target
            where o.agency = %(agency)s and o.state = 'dead' and o.follower = any(%(followers)s)
              and o.error <> %(undecided)s and (%(all)s or s.member::text = %(member)s)
            order by o.changed_at desc, o.entry limit %(limit)s""",
        {
            "agency": work.agency, "followers": kinds(), "all": work.may(KEEP_SUBSCRIPTIONS),
            "member": work.actor.member, "limit": limit, "undecided": UNDECIDED,
        },
    )  # fmt: skip
    return [DeadLetter(**row) for row in rows]


def replay(node: Node, actor: Actor, letter: str) -> int:
    """Deliver one dead letter again, or let a stopped subscription go on; how many. Problem `not_found`.

    It is decided again like any delivery: what the subscriber may not read now is not delivered.
    """
    kind, _, rest = letter.partition(".")
    entry, _, target = rest.partition(".")
    if kind not in kinds():
        raise Problem("not_found", say("not_found.no_such_dead_letter"))
    with node.work(actor) as work:
        return _again(work, tended(work, as_uuid(target)), kind=kind, entry=as_uuid(entry))


def replay_all(node: Node, actor: Actor, subscription: str) -> int:
    """Everything of a subscription that is dead, and the subscription itself if it was stopped; how many letters."""
    with node.work(actor) as work:
        return _again(work, tended(work, as_uuid(subscription)), kind=None, entry=None)


def _again(work: Work, one: Subscription, *, kind: str | None, entry: UUID | None) -> int:
    one_kind = [kind] if kind in channels.effects() else kinds()
    rows = outbox.revive(work.conn, one.id, work.now, kinds=one_kind, entry=entry, stopped=kind == STOPPED)
    if not rows and entry is not None:
        raise Problem("not_found", say("not_found.no_such_dead_letter"))
    if one.state == "stopped" and (kind is None or kind == STOPPED):
        work.conn.execute(
            "update comity.subscription set state = 'active', reason = '', errors = 0 where id = %s", (one.id,)
        )
        catch_up(work, one)
    if one.endpoint and any(kind != NOTICE for kind in rows):
        work.conn.execute(
            """update comity.endpoint set state = 'active', reason = '', failures = 0, paused_until = '-infinity'
                where id = %s and state = 'stopped'""",
            (one.endpoint,),
        )
    return len(rows)
