"""The worker: gives entries their place and lets followers follow. One works at a time; a second one waits its turn.

It works in three threads, so that none waits for another: the first gives places, the second lets the followers
follow, the third sends webhooks. Run by `comity serve` as a process of its own (`python -m comity.config.worker`), and
inline by a command that wrote while no worker ran.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger import sequence
from comity.kernel.records import owed
from comity.kernel.records.node import Node
from comity.kernel.sharing import activity, deliver, digest, escalate, pass_on, prune, settle
from comity.kernel.sharing.outward import Outward
from comity.kernel.sharing.send import Sender

TURN = 4_801_002
IDLE, BUSY = 0.02, 0.001
"""Seconds between two looks at what waits: when nothing came for a while, and when something just did."""
LINGER = 1.0
TIMERS = 2.0
BREATH = 0.01
"""Seconds of rest after a round of the followers: the next one takes together what came meanwhile."""
PRUNES = 60.0
"""Seconds between two looks at what may leave the outbox: a batch of each agency at a time."""
SWITCH = 0.0005
"""Seconds after which a thread that only computes lets the others on: giving places must not wait for a follower."""


def once(node: Node, conn: psycopg.Connection[Any]) -> int:
    """Sequence what waits and run every follower until nothing moves; answers how many entries were placed.

    `conn` is the sequencer role's. Followers' own entries are placed as well.
    """
    total = 0
    for _ in range(50):
        placed = 0
        while batch := sequence.drain(conn, clock.now()):
            placed += batch
        total += placed
        if not placed and not follow_all(node):
            break
        if placed:
            follow_all(node)
    return total


def follow_all(node: Node, *, by_the_clock: bool = True) -> int:
    """One round of every follower of every agency; how much moved. What only the day brings may be left out.

    Between two agencies, and before the first, comes what cannot wait.
    """
    moved = _first(node)
    for agency in node.agencies():
        moved += _follow(node, agency, by_the_clock=by_the_clock) + _first(node)
    return moved


def _first(node: Node) -> int:
    """Let marks follow, which close what is open until then, and then the offers their answers, for which somebody
    waits: at the agencies where there are any. What cannot now, can in the next round."""
    row = node.ask("select array(select comity.unmarked()), array(select comity.unsettled())", ())
    marked, answered = row or ((), ())
    moved = 0
    for follower, agencies in ((pass_on.pass_on, marked), (settle.settle, answered)):
        for agency in agencies:
            with suppress(Problem):
                moved += follower(node, agency)
    return moved


def _follow(node: Node, agency: str, *, by_the_clock: bool) -> int:
    """One agency's followers. A suspended agency's wait; a failing one is told and does not stop the others."""
    try:
        moved = len(owed.close_met(node, agency))
        if by_the_clock:
            moved += settle.settle(node, agency) + digest.write_due(node, agency) + escalate.escalate(node, agency)
        activity.advance(node, agency)
        return moved + deliver.follow_subscriptions(node, agency)
    except Problem as problem:
        if problem.code == "agency_suspended":
            deliver.shelve(node, agency)
        if problem.code not in ("agency_suspended", "version_conflict"):
            print(f"worker: {agency}: {problem.code}", file=sys.stderr, flush=True)
        return 0


def prune_all(node: Node) -> int:
    """Let a batch of every agency's old deliveries leave the outbox; how many."""
    return sum(prune.prune(node, agency, clock.now()) for agency in node.agencies())


def inline(node: Node, sequencer_url: str) -> bool:
    """Do a worker's round in this process if none is at work; False when one is, or without an address."""
    if not sequencer_url:
        return False
    with psycopg.connect(sequencer_url, autocommit=True) as conn:
        row = conn.execute("select pg_try_advisory_lock(%s)", (TURN,)).fetchone()
        if not row or not row[0]:
            return False
        once(node, conn)
        return True


def run(node: Node, sequencer_url: str) -> None:
    """Work until SIGTERM. Reconnects with patience when the database goes away."""
    stopping: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: stopping.append(number))
    while not stopping:
        with suppress(psycopg.Error, Problem):
            _turn(node, sequencer_url, stopping)
        if not stopping:
            clock.pause(0.5)


def _turn(node: Node, sequencer_url: str, stopping: list[int]) -> None:
    with psycopg.connect(sequencer_url, autocommit=True, application_name="comity-worker") as conn:
        while not stopping:
            row = conn.execute("select pg_try_advisory_lock(%s)", (TURN,)).fetchone()
            if row and row[0]:
                break
            clock.pause(0.5)
        sys.setswitchinterval(SWITCH)
        placed, over = threading.Event(), threading.Event()
        sender = Sender(node, Outward(allowed=node.outward))
        beside = [
            threading.Thread(target=_follow_on, args=(node, placed, over.is_set), name="comity-followers"),
            threading.Thread(target=sender.run, args=(over.is_set,), name="comity-webhooks"),
        ]
        for thread in beside:
            thread.start()
        try:
            _place(conn, placed, stopping)
        finally:
            over.set()
            placed.set()
            for thread in beside:
                thread.join(20)


def _place(conn: psycopg.Connection[Any], placed: threading.Event, stopping: list[int]) -> None:
    """Give places, looking often while entries come and seldom when none do."""
    last = 0.0
    while not stopping:
        waits = conn.execute("select exists (select 1 from comity.pending)").fetchone()
        if waits and waits[0]:
            while sequence.drain(conn, clock.now()) and not stopping:
                placed.set()
            last = clock.monotonic()
        else:
            clock.pause(BUSY if clock.monotonic() - last < LINGER else IDLE)


def _follow_on(node: Node, placed: threading.Event, over: Callable[[], bool]) -> None:
    """Let the followers follow whenever something got its place, and from time to time for what is due by the clock."""
    last, pruned = 0.0, -PRUNES
    while not over():
        placed.wait(TIMERS)
        placed.clear()
        by_the_clock = clock.monotonic() - last > TIMERS
        last = clock.monotonic() if by_the_clock else last
        try:
            while not over() and follow_all(node, by_the_clock=by_the_clock) and not placed.is_set():
                pass
            if clock.monotonic() - pruned > PRUNES:
                pruned = clock.monotonic()
                prune_all(node)
            clock.pause(BREATH)
        except (Problem, psycopg.Error) as error:
            print(f"worker: followers: {getattr(error, 'code', type(error).__name__)}", file=sys.stderr, flush=True)
            clock.pause(0.5)


def main() -> None:
    from comity.config import log
    from comity.config.database import open_database
    from comity.config.loader import open_node
    from comity.config.settings import settings

    log.configure()
    chosen = settings()
    with open_database(chosen) as database:
        database.keep()
        run(open_node(chosen), database.sequencer_url)


if __name__ == "__main__":
    main()
