"""What deliveries owe: rows of the outbox, unique on (follower, entry, target), the target being the subscription.

`notice` and `webhook` are the two effects. A row of `subscription` is the subscription itself, when it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from comity.errors import Problem
from comity.kernel.work.node import Conn

NOTICE, WEBHOOK, STOPPED = "notice", "webhook", "subscription"
UNDECIDED = "undecided"
"""The error of a delivery that a stopped subscription still owed. Nobody decided whether its reader may know of it, so
it is not listed: the letter of the subscription speaks for all of them, and brings them back when it is replayed."""
_DELIVERY = UUID("6d1f2c3e-2f0b-5c57-9a43-0f6d8f3f5c11")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one delivery ended: done, or dead with its reason."""

    entry: UUID
    target: str
    error: str = ""


def delivery_id(subscription: UUID | str, entry: UUID | str) -> UUID:
    """The id of a delivery: however often it is sent, the receiver knows it again."""
    return uuid5(_DELIVERY, f"{subscription} {entry}")


def reason(problem: Problem) -> str:
    """A refusal as a dead letter keeps it: its code and what happened, without what a record says."""
    return f"{problem.code}: {problem.detail}"[:500]


def mark(conn: Conn, follower: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Mark deliveries done, or dead where they carry an error, in the transaction of their effect."""
    if outcomes:
        conn.execute(
            """update comity.outbox o set attempts = attempts + 1, error = given.error, changed_at = %s,
                   state = case given.error when '' then 'done' else 'dead' end
                 from unnest(%s::uuid[], %s::text[], %s::text[]) as given (entry, target, error)
                where o.follower = %s and o.entry = given.entry and o.target = given.target""",
            (
                now, [one.entry for one in outcomes], [one.target for one in outcomes],
                [one.error for one in outcomes], follower,
            ),
        )  # fmt: skip


def bury(conn: Conn, subscription: UUID, agency: str, why: str, now: datetime) -> None:
    """The dead letter of a subscription that was stopped."""
    conn.execute(
        """insert into comity.outbox (follower, entry, target, agency, state, error, changed_at)
           values (%s, %s, %s, %s, 'dead', %s, %s)
           on conflict (follower, entry, target) do update
              set state = 'dead', error = excluded.error, changed_at = excluded.changed_at""",
        (STOPPED, subscription, str(subscription), agency, why, now),
    )


def dismiss(conn: Conn, subscription: UUID, now: datetime) -> None:
    """Nothing of a subscription is owed any more: it was ended."""
    conn.execute(
        """update comity.outbox set state = 'done', error = 'ended', changed_at = %s
            where target = %s and state in ('due', 'dead')""",
        (now, str(subscription)),
    )
