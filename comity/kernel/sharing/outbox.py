"""What effects owe: rows of the outbox, unique on (follower, entry, target). The one place that writes them.

An effect's target is done once, in the transaction of the effect, is resumed after a crash, and is never rebuilt. Of
deliveries the target is the subscription: `notice` is what is kept here and `webhook` what is sent to an address, by
whichever channel serves it; a row of `subscription` is the subscription itself, when it was stopped.
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


def owes(follower: str) -> str:
    """The condition, in SQL, that something is due that the transaction's agency owes by a follower."""
    return (
        f"exists (select from comity.outbox where agency = comity.me() and follower = '{follower}' and state = 'due')"
    )


def owe(conn: Conn, follower: str, agency: str, targets: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Put (entry, target) pairs into the outbox; those that are there already stay as they are."""
    if targets:
        conn.execute(
            """insert into comity.outbox (follower, entry, target, agency, changed_at)
               select %s, entry, target, %s, %s from unnest(%s::uuid[], %s::text[]) as t (entry, target)
               on conflict do nothing""",
            (follower, agency, now, [entry for entry, _ in targets], [target for _, target in targets]),
        )


def due(conn: Conn, follower: str, agency: str, limit: int = 200, *, start: str = "") -> list[tuple[UUID, str]]:
    """What an effect still owes, locked so that a second worker passes by. `start`: how its targets begin."""
    return conn.execute(
        """select entry, target from comity.outbox where agency = %s and follower = %s and state = 'due'
              and starts_with(target, %s) order by changed_at, entry limit %s for update skip locked""",
        (agency, follower, start, limit),
    ).fetchall()


def done(conn: Conn, follower: str, entry: UUID, target: str, now: datetime, *, error: str = "") -> None:
    """Mark a target done, in the transaction of its effect, or count a failure: after eight it is a dead letter."""
    conn.execute(
        """update comity.outbox set attempts = attempts + 1, error = %(error)s, changed_at = %(now)s,
               state = case when %(error)s = '' then 'done' when attempts >= 7 then 'dead' else 'due' end
            where follower = %(follower)s and entry = %(entry)s and target = %(target)s""",
        {"error": error[:500], "now": now, "follower": follower, "entry": entry, "target": target},
    )


def told(conn: Conn, follower: str, entries: Sequence[UUID], start: str, now: datetime) -> None:
    """Whoever the targets that begin so stand for has these entries: they are done, however often that is said."""
    conn.execute(
        """update comity.outbox set state = 'done', changed_at = %s
            where follower = %s and agency = comity.me() and entry = any(%s) and starts_with(target, %s)
              and state = 'due'""",
        (now, follower, list(entries), start),
    )


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


def claim(conn: Conn, agency: str, endpoint: UUID, now: datetime, until: datetime) -> tuple[UUID, str, int] | None:
    """Take an address's next webhook delivery until an instant: (entry, target, attempts); None: nothing is due."""
    row: tuple[UUID, str, int] | None = conn.execute(
        """update comity.outbox set due_at = %(until)s, attempts = attempts + 1, changed_at = %(now)s
            where (follower, entry, target) = (
                select o.follower, o.entry, o.target from comity.outbox o
                  join comity.subscription s on s.id::text = o.target
                 where o.agency = %(agency)s and o.follower = %(follower)s and o.state = 'due'
                   and o.due_at <= %(now)s and s.endpoint = %(endpoint)s
                 order by o.due_at, o.changed_at limit 1 for update of o skip locked)
        returning entry, target, attempts""",
        {"until": until, "now": now, "agency": agency, "follower": WEBHOOK, "endpoint": endpoint},
    ).fetchone()
    return row


def postpone(conn: Conn, failed: Outcome, now: datetime, until: datetime | None) -> None:
    """A webhook delivery that failed is tried again then, or is dead where `until` is None."""
    conn.execute(
        """update comity.outbox set error = %s, changed_at = %s, due_at = coalesce(%s, due_at), state = %s
            where follower = %s and entry = %s and target = %s and state = 'due'""",
        (failed.error, now, until, "due" if until else "dead", WEBHOOK, failed.entry, failed.target),
    )


def give_up(conn: Conn, endpoint: UUID, why: str, now: datetime) -> None:
    """All that a webhook's address is still owed is dead; what was never tried was never decided."""
    conn.execute(
        """update comity.outbox o set state = 'dead', changed_at = %s,
                  error = case o.attempts when 0 then %s else %s end from comity.subscription s
            where s.id::text = o.target and s.endpoint = %s and o.follower = %s and o.state = 'due'""",
        (now, UNDECIDED, why, endpoint, WEBHOOK),
    )


def shelve(conn: Conn, agency: str, followers: Sequence[str], now: datetime) -> None:
    """All that these effects owe an agency is dead, undecided."""
    conn.execute(
        """update comity.outbox set state = 'dead', error = %s, changed_at = %s
            where agency = %s and state = 'due' and follower = any(%s)""",
        (UNDECIDED, now, agency, list(followers)),
    )


def revive(
    conn: Conn, subscription: UUID, now: datetime, *, kinds: Sequence[str], entry: UUID | None, stopped: bool
) -> list[str]:
    """Dead letters of a subscription are due again: those of these followers, all or one entry's. Answers of which.

    `stopped`: it is taken up again because it was stopped. The letter of the subscription itself brings back what was
    undecided.
    """
    rows = conn.execute(
        """update comity.outbox set attempts = 0, error = '', changed_at = %(now)s, due_at = '-infinity',
                  state = case follower when %(stopped)s then 'done' else 'due' end
            where target = %(target)s and state = 'dead' and follower = any(%(followers)s)
              and (%(entry)s::uuid is null or entry = %(entry)s or %(whole)s and error = %(undecided)s)
        returning follower""",
        {
            "now": now, "stopped": STOPPED, "target": str(subscription), "entry": entry,
            "followers": list(kinds), "whole": stopped, "undecided": UNDECIDED,
        },
    ).fetchall()  # fmt: skip
    return [row[0] for row in rows]


def drop(conn: Conn, agency: str, followers: Sequence[str], before: datetime, limit: int) -> int:
    """Delete the oldest that were done before an instant; how many. A row that another transaction holds is passed."""
    return conn.execute(
        """with old as materialized (
               select follower, entry, target from comity.outbox
                where agency = %s and state = 'done' and follower = any(%s) and changed_at < %s
                order by changed_at limit %s for update skip locked)
           delete from comity.outbox o using old
            where (o.follower, o.entry, o.target) = (old.follower, old.entry, old.target)""",
        (agency, list(followers), before, limit),
    ).rowcount
