"""The worker: gives entries their place and lets followers follow. One works at a time; a second one waits its turn.

Run by `comity serve` as a process of its own (`python -m comity.config.worker`), and inline by a command that wrote
while no worker ran.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any

import psycopg

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger import sequence
from comity.kernel.records import owed
from comity.kernel.records.node import Node
from comity.kernel.sharing import activity, digest, settle

TURN = 4_801_002
IDLE = 0.05
TIMERS = 2.0


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
        moved = sum(_follow(node, agency) for agency in node.agencies())
        if not placed and not moved:
            break
    return total


def _follow(node: Node, agency: str) -> int:
    """One agency's followers. A suspended agency's wait; a failing one is told and does not stop the others."""
    try:
        moved = settle.settle(node, agency) + len(owed.close_met(node, agency)) + digest.write_due(node, agency)
        activity.advance(node, agency)
        return moved
    except Problem as problem:
        if problem.code not in ("agency_suspended", "version_conflict"):
            print(f"worker: {agency}: {problem.code}", file=sys.stderr, flush=True)
        return 0


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
        last = 0.0
        while not stopping:
            waits = conn.execute("select exists (select 1 from comity.pending)").fetchone()
            if (waits and waits[0]) or clock.monotonic() - last > TIMERS:
                once(node, conn)
                last = clock.monotonic()
            else:
                clock.pause(IDLE)


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
