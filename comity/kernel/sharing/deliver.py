"""The follower of subscriptions: what the stream brings is matched, owed, decided again and delivered.

Two steps in two transactions. `match` moves the agency's place and puts what each subscription names into the outbox,
without looking at rights. `deliver` decides with the subscriber's rights of that moment and writes the notice in the
transaction that marks it done. Whatever ends a process in between, the next round goes on, and a notice has one id.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger import follow
from comity.kernel.sharing import channels, outbox
from comity.kernel.sharing.channel import Notice
from comity.kernel.sharing.outbox import NOTICE, Outcome
from comity.kernel.sharing.stream_event import (
    Pointer,
    StreamEvent,
    chosen,
    judge,
    stream_end,
    stream_events,
    stream_events_of,
)
from comity.kernel.sharing.subscribe import FOLLOWER, Subscription, reader, selected, stop
from comity.kernel.work.follower import Follower, behind_stream
from comity.kernel.work.node import Node, Work, system

PAGE = 1_000
IN_A_ROW = 50
"""A subscription whose filter errs on so many entries in a row is stopped; each is a dead letter until then."""


def follow_subscriptions(node: Node, agency: str) -> int:
    """One round for one agency; how much moved. Problem `agency_suspended`: see `shelve`."""
    with node.work(system(agency)) as work:
        row = work.conn.execute(
            """select exists (select 1 from comity.subscription where state = 'active')
                      and coalesce((select place from comity.follower where name = %s and agency = %s), 0)
                          < comity.stream_end(),
                      exists (select 1 from comity.outbox where agency = %s and follower = %s and state = 'due')""",
            (FOLLOWER, agency, agency, NOTICE),
        ).fetchone()
    matches, owes = row or (False, False)
    moved = match(node, agency) if matches else 0
    return moved + (deliver(node, agency) if owes or moved else 0)


def match(node: Node, agency: str) -> int:
    """Owe every active subscription what it names in the next page of the stream; how many deliveries."""
    with node.work(system(agency)) as work:
        active = selected(work.conn, "state = 'active'")
        if not active:
            return 0
        end = stream_end(work.conn)
        if _place(work) >= end:
            return 0
        place = follow.place_of(work.conn, FOLLOWER, agency)
        found = stream_events(work.conn, after=place, until=end, limit=PAGE)
        owed = sum(_owe(work, one, found) for one in active if not _broken(work, one))
        follow.move(work.conn, FOLLOWER, agency, found[-1].place if len(found) == PAGE else end)
        return owed + (1 if len(found) == PAGE else 0)


def catch_up(work: Work, one: Subscription) -> None:
    """Owe a stopped subscription what came since; with replay, in its transaction. The caller holds its row's lock."""
    until, place = follow.place_of(work.conn, FOLLOWER, work.agency), one.place
    while place < until:
        found = stream_events(work.conn, after=place, until=until, limit=PAGE)
        _owe(work, one, found)
        place = found[-1].place if len(found) == PAGE else until


def _place(work: Work) -> int:
    row = work.conn.execute(
        "select place from comity.follower where name = %s and agency = %s", (FOLLOWER, work.agency)
    ).fetchone()
    return int(row[0]) if row else 0


def _owe(work: Work, one: Subscription, found: Sequence[StreamEvent]) -> int:
    hits = [hit for hit in chosen(work.conn, one.wanted, found) if hit.place > one.place]
    outbox.owe(work.conn, one.effect, work.agency, [(hit.entry, str(one.id)) for hit in hits], work.now)
    return len(hits)


def _broken(work: Work, one: Subscription) -> bool:
    try:
        reader(work, one)
    except Problem as problem:
        stop(work.conn, one, outbox.reason(problem), work.now)
        return True
    return False


def deliver(node: Node, agency: str) -> int:
    """Keep, by the channel that needs no address, what is due and may be told now; how many deliveries ended."""
    with node.work(system(agency)) as work:
        by_target: dict[str, list[UUID]] = {}
        for entry, target in outbox.due(work.conn, channels.keeping().effect, agency):
            by_target.setdefault(target, []).append(entry)
        if not by_target:
            return 0
        ended = 0
        for one in selected(work.conn, "id = any(%s::uuid[])", list(by_target)):
            outcomes = _notices(work, one, by_target.pop(str(one.id)))
            outbox.mark(work.conn, NOTICE, outcomes, work.now)
            ended += len(outcomes)
        return ended


def _notices(work: Work, one: Subscription, entries: Sequence[UUID]) -> list[Outcome]:
    target = str(one.id)
    try:
        verdicts = verdicts_for(work, one, entries)
    except Problem as problem:
        if one.state == "active":
            stop(work.conn, one, outbox.reason(problem), work.now)
        return [Outcome(entry, target, outbox.UNDECIDED) for entry in entries]
    told = [verdict for verdict in verdicts.values() if isinstance(verdict, Pointer)]
    keep = channels.keeping().keep
    if told and keep is not None:
        keep(work, Notice(one.id, one.member, one.role, told))
    outcomes = []
    for entry in entries:
        verdict = verdicts.get(entry)
        outcomes.append(Outcome(entry, target, outbox.reason(verdict) if isinstance(verdict, Problem) else ""))
    count_errors(work, one, outcomes, told)
    return outcomes


def verdicts_for(work: Work, one: Subscription, entries: Sequence[UUID]) -> dict[UUID, Pointer | Problem]:
    """What the subscriber may be told of these entries now. Problem: the subscriber is no longer one."""
    found = stream_events_of(work.conn, entries)
    verdicts, _ = judge(reader(work, one), one.wanted, list(found.values()))
    return dict(verdicts)


def count_errors(work: Work, one: Subscription, outcomes: Sequence[Outcome], told: Sequence[Pointer]) -> None:
    """Stop a subscription that does nothing but err; one delivery in between forgives the errors before it."""
    erred = [outcome.error for outcome in outcomes if outcome.error]
    if told and one.errors:
        work.conn.execute("update comity.subscription set errors = 0 where id = %s", (one.id,))
    if erred and not told:
        count = one.errors + len(erred)
        work.conn.execute("update comity.subscription set errors = %s where id = %s", (count, one.id))
        if count >= IN_A_ROW and one.state == "active":
            stop(work.conn, one, f"{erred[-1]} ({count} times in a row)"[:500], work.now)


def shelve(node: Node, agency: str) -> int:
    """A suspended agency is told nothing: what it was owed is dead, and its subscriptions are stopped; how many."""
    with node.transaction(agency) as (conn, begun):
        if begun.agency_state != "suspended":
            return 0
        now = clock.now()
        why = "agency_suspended: the agency was suspended"
        outbox.shelve(conn, agency, channels.effects(), now)
        active = selected(conn, "state = 'active'")
        for one in active:
            stop(conn, one, why, now)
        return len(active)


_BEHIND = f"exists (select from comity.subscription where state = 'active') and {behind_stream(FOLLOWER)}"
DELIVERIES = Follower(
    FOLLOWER, "effect", follow_subscriptions, pending=f"{_BEHIND} or {outbox.owes(NOTICE)}",
    agencies=f"select comity.subscribers('{FOLLOWER}', '{NOTICE}')", suspended=shelve,
)  # fmt: skip
