"""The worker: gives entries their place and lets followers follow. One works at a time; a second one waits its turn.

It works in three threads, so that none waits for another: the first gives places, the second lets the followers
follow (sharing/followers declares them), the third sends to addresses (sharing/channels). Run by `comity serve` as a
process of its own (`python -m comity.config.worker`), and inline by a command that wrote while no worker ran.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import psycopg

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger import sequence
from comity.kernel.sharing import followers, prune
from comity.kernel.sharing.pending_work import agencies_waiting, pending_work
from comity.kernel.sharing.send import Sender
from comity.kernel.work.follower import Follower
from comity.kernel.work.node import Node

TURN = 4_801_002
IDLE, BUSY = 0.02, 0.001
"""Seconds between two looks at what waits: when nothing came for a while, and when something just did."""
LINGER = 1.0
TIMERS = 2.0
"""Seconds after which everything is looked at, whether or not anybody was told of it."""
BREATH = 0.01
"""Seconds between two rounds of the followers for whom nobody waits: the next takes together what came meanwhile."""
PRUNES = 60.0
"""Seconds between two looks at what was kept long enough: a batch of each agency at a time."""
SAME, LINES = 60.0, 1_000
"""Seconds after which the same line is told again, and how many lines are remembered for that."""
SWITCH = 0.0005
"""Seconds after which a thread that only computes lets the others on: giving places must not wait for a follower."""
_told: dict[str, float] = {}


class Heard:
    """What the thread that gives places tells the one that follows. Nothing is lost that TIMERS does not find again."""

    def __init__(self) -> None:
        self._stirred = threading.Event()
        self._lock = threading.Lock()
        self._agencies: set[str] = set()

    def tell(self, agencies: Collection[str] = ()) -> None:
        """Something came; the logs of these agencies grew."""
        with self._lock:
            self._agencies.update(agencies)
        self._stirred.set()

    @property
    def waits(self) -> bool:
        return self._stirred.is_set()

    def take(self, patience: float) -> set[str]:
        """Wait until something came, at most so many seconds; the agencies that were named since."""
        self._stirred.wait(patience)
        self._stirred.clear()
        with self._lock:
            named, self._agencies = self._agencies, set()
            return named


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


def follow_all(node: Node, watching: set[str] | None = None) -> int:
    """One round of every follower of every agency; how much moved. `watching` learns for whom entries of others may
    bring something to do.

    Between two agencies, and before the first, comes what cannot wait.
    """
    moved, known = _first(node), watching if watching is not None else set()
    for agency in node.agencies():
        moved += _follow(node, agency, known, followers.FOLLOWERS) + _first(node)
    return moved


def follow_placed(node: Node, agencies: Collection[str], watching: set[str]) -> int:
    """One round of the followers that the growth of these agencies' logs concerns; how much moved.

    Those of the agencies themselves, of those who are watched, and of those whom a follower finds across all.
    """
    soon = [one for one in followers.FOLLOWERS if one.when != "clock"]
    found = agencies_waiting(node, [one for one in soon if one.when == "entries"])
    moved = 0
    for agency in sorted({*agencies, *watching, *(name for _, names in found for name in names)}):
        moved += _follow(node, agency, watching, soon) + _first(node)
    return moved


def _first(node: Node) -> int:
    """Let those follow for whom somebody waits, at the agencies where anybody does: marks, which close what is open
    until then, before the offers' answers. What cannot now, can in the next round."""
    moved = 0
    for follower, agencies in agencies_waiting(node, [one for one in followers.FOLLOWERS if one.when == "at_once"]):
        for agency in agencies:
            try:
                moved += follower.step(node, agency)
            except Problem as problem:
                moved += _failed(node, agency, problem, follower.name)
    return moved


def _follow(node: Node, agency: str, watching: set[str], among: Sequence[Follower]) -> int:
    """One agency's followers; what effects moved. A suspended agency's wait; what fails is told and stops no other."""
    try:
        found = pending_work(node, agency)
    except Problem as problem:
        return _failed(node, agency, problem)
    watched = any(one.of_any and one.name in found for one in followers.FOLLOWERS)
    (watching.add if watched else watching.discard)(agency)
    if found.suspended:
        _suspend(node, agency)
    moved = 0
    for one in among:
        if one.name in found:
            try:
                stepped = one.step(node, agency)
            except Problem as problem:
                stepped = _failed(node, agency, problem, one.name)
            moved += stepped if one.kind == "effect" else 0
    return moved


def _failed(node: Node, agency: str, problem: Problem, follower: str = "followers") -> int:
    """What failed moved nothing, and is tried in the next round."""
    if problem.code == "agency_suspended":
        _suspend(node, agency)
    elif problem.code != "version_conflict":
        _tell(f"{agency}: {follower}: {problem.code}")
    return 0


def _suspend(node: Node, agency: str) -> None:
    for one in followers.FOLLOWERS:
        if one.suspended is not None:
            one.suspended(node, agency)


def prune_all(node: Node) -> int:
    """Delete a batch of every agency's old deliveries and traces of refused acts; how many."""
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
        try:
            _turn(node, sequencer_url, stopping)
        except (psycopg.Error, Problem) as error:
            said = getattr(error, "code", "") or getattr(error, "sqlstate", "") or type(error).__name__
            _tell(f"sequencer: {said}; it tries again")
        if not stopping:
            clock.pause(0.5)


def _tell(line: str) -> None:
    """A line for the operator; the same one at most once in SAME seconds, for as long as its cause lasts."""
    now = clock.monotonic()
    if now - _told.get(line, now - SAME) < SAME:
        return
    if len(_told) >= LINES:
        _told.clear()
    _told[line] = now
    print(f"worker: {line}", file=sys.stderr, flush=True)


def _turn(node: Node, sequencer_url: str, stopping: list[int]) -> None:
    with psycopg.connect(sequencer_url, autocommit=True, application_name="comity-worker") as conn:
        while not stopping:
            row = conn.execute("select pg_try_advisory_lock(%s)", (TURN,)).fetchone()
            if row and row[0]:
                break
            clock.pause(0.5)
        sys.setswitchinterval(SWITCH)
        sequence.again(conn)
        heard, over = Heard(), threading.Event()
        sender = Sender(node)
        beside = [
            threading.Thread(target=_follow_on, args=(node, heard, over.is_set), name="comity-followers"),
            threading.Thread(target=sender.run, args=(over.is_set,), name="comity-sender"),
        ]
        for thread in beside:
            thread.start()
        try:
            _place(conn, heard, stopping)
        finally:
            over.set()
            heard.tell()
            for thread in beside:
                thread.join(20)


def _place(conn: psycopg.Connection[Any], heard: Heard, stopping: list[int]) -> None:
    """Give places, looking often while entries come and seldom when none do."""
    last = 0.0
    while not stopping:
        waits = conn.execute("select exists (select 1 from comity.pending where reason = '')").fetchone()
        if waits and waits[0]:
            heard.tell()  # an answer is followed while its entry gets its place
            placed = sequence.place(conn, clock.now())
            heard.tell(placed.agencies)
            for entry in placed.aside:
                _tell(f"sequencer: entry {entry} cannot have a place and is set aside")
            last = clock.monotonic()
        else:
            clock.pause(BUSY if clock.monotonic() - last < LINGER else IDLE)


def _follow_on(node: Node, heard: Heard, over: Callable[[], bool]) -> None:
    """Let the followers follow: marks and answered offers at once, what else was placed soon, everything at times.

    What an error or a kill left undone, and what nobody told, is found by the round of everything.
    """
    named: set[str] = set()
    watching: set[str] = set()
    last = everything = 0.0
    pruned = -PRUNES
    more = False
    while not over():
        named |= heard.take(BREATH if named or more else TIMERS)
        try:
            if clock.monotonic() - everything > TIMERS:
                everything = clock.monotonic()
                while follow_all(node, watching) and not heard.waits and not over():
                    pass
            _first(node)
            if (named or more) and clock.monotonic() - last > BREATH:
                placed, named, more = named, set(), False
                more = follow_placed(node, placed, watching) > 0
                last = clock.monotonic()
            if clock.monotonic() - pruned > PRUNES:
                pruned = clock.monotonic()
                prune_all(node)
        except (Problem, psycopg.Error) as error:
            _tell(f"followers: {getattr(error, 'code', type(error).__name__)}")
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
