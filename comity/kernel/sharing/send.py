"""Sending to addresses: claimed and decided again, sent, marked, each in its own step, so that none is lost.

How it is sent is the channel's of the address (sharing/channels); when, and how often, is the same for all.

A claim is a lease: a sender that is killed between sending and marking leaves a row that is due again when the lease
ends, and it is sent once more under the same id, by which its receiver knows that it has it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from comity import clock
from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.sharing import channels, outbox
from comity.kernel.sharing.channel import Channel, Message
from comity.kernel.sharing.deliver import count_errors
from comity.kernel.sharing.endpoint import Endpoint, endpoints, secret_of
from comity.kernel.sharing.outbox import WEBHOOK, Outcome
from comity.kernel.sharing.stream_event import Pointer, judge, stream_events_of
from comity.kernel.sharing.subscribe import Subscription, reader, selected, stop
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work, system

LEASE = timedelta(seconds=90)
FIRST, LONGEST = 5.0, 86_400.0
TRIES = 10
"""A delivery that failed so often, over some days, is a dead letter; an address that did is stopped."""
AT_A_TIME = 50
WORKERS = 8


def back_off(failures: int) -> timedelta:
    """How long to wait after so many failures: 5 s, 20 s, 80 s ... a day at most, give or take a fifth."""
    return timedelta(seconds=min(LONGEST, FIRST * 4.0 ** (failures - 1) * random.uniform(0.8, 1.2)))


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery in hand."""

    agency: str
    endpoint: Endpoint
    subscription: UUID
    entry: UUID
    attempts: int
    body: bytes
    secret: bytes

    @property
    def id(self) -> str:
        return f"msg_{outbox.delivery_id(self.subscription, self.entry).hex}"


def due_agencies(node: Node) -> list[str]:
    """The agencies for which something is due at an address."""
    with node.transaction("node") as (conn, _):
        return [row[0] for row in conn.execute("select * from comity.webhooks_due(%s)", (clock.now(),))]


def ready(node: Node, agency: str) -> list[Endpoint]:
    """The agency's addresses that are neither stopped nor paused after a failure. Problem `agency_suspended`.

    What is owed to an address that no channel serves here waits until one does.
    """
    with node.work(system(agency)) as work:
        found = endpoints(work.conn, "state = 'active' and paused_until <= %s", work.now)
        return [one for one in found if channels.served(one.url)]


def send_due(node: Node, agency: str, endpoint: Endpoint) -> int:
    """Send what is due at one address, one after another, until one fails; how many it took."""
    taken = 0
    for _ in range(AT_A_TIME):
        claim = claim_next(node, agency, endpoint)
        if claim is None:
            break
        if claim.body and not send(node, claim):
            break
        taken += bool(claim.body)
    return taken


def claim_next(node: Node, agency: str, endpoint: Endpoint) -> Claim | None:
    """Take the next delivery of an address and decide it; None when nothing is due.

    A claim without a body is one that ended here: its subscriber may not be told, or its subscription erred. What a
    claim with a body shows is in the log of disclosures when this returns.
    """
    with node.work(system(agency)) as work:
        row = outbox.claim(work.conn, agency, endpoint.id, work.now, work.now + LEASE)
        if row is None:
            return None
        entry, target, attempts = row
        one = selected(work.conn, "id = %s", UUID(target))[0]
        body = _body(work, one, entry, channels.speaking(endpoint.url).name)
        return Claim(agency, endpoint, one.id, entry, attempts, body, secret_of(work, endpoint.id) if body else b"")


def send(node: Node, claim: Claim) -> bool:
    """Send a claimed delivery and mark how it went; whether it was taken."""
    channel = channels.speaking(claim.endpoint.url)
    assert channel.send is not None, "a channel with schemes sends"
    try:
        channel.send(node, Message(claim.agency, claim.endpoint.url, claim.id, claim.body, claim.secret))
    except Problem as problem:
        _failed(node, claim, problem, channel)
        return False
    with node.transaction(claim.agency) as (conn, _):
        done = Outcome(claim.entry, str(claim.subscription))
        outbox.mark(conn, WEBHOOK, [done], clock.now())
        conn.execute(
            """update comity.endpoint set failures = 0, paused_until = '-infinity'
                where id = %s and failures > 0""",
            (claim.endpoint.id,),
        )
    return True


def _body(work: Work, one: Subscription, entry: UUID, channel: str) -> bytes:
    target = str(one.id)
    try:
        with_rights = reader(work, one)
        found = list(stream_events_of(work.conn, [entry]).values())
        verdicts, seen = judge(with_rights, one.wanted, found)
    except Problem as problem:
        if one.state == "active":
            stop(work.conn, one, outbox.reason(problem), work.now)
        outbox.mark(work.conn, WEBHOOK, [Outcome(entry, target, outbox.UNDECIDED)], work.now)
        return b""
    verdict = verdicts.get(entry)
    if not isinstance(verdict, Pointer):
        error = outbox.reason(verdict) if isinstance(verdict, Problem) else ""
        outcome = Outcome(entry, target, error)
        outbox.mark(work.conn, WEBHOOK, [outcome], work.now)
        count_errors(work, one, [outcome], [])
        return b""
    disclosure.told(with_rights, channel, [(subject, ["pointer"]) for subject in seen])
    return orjson.dumps(
        {
            "type": f"{verdict.type}.{verdict.act}", "timestamp": show_instant(verdict.at),
            "data": {**verdict.as_json(), "subscription": target},
        }
    )  # fmt: skip


def _failed(node: Node, claim: Claim, problem: Problem, channel: Channel) -> None:
    """Try again later, or give up: a refused address and the last try are dead at once. The address rests meanwhile."""
    with node.transaction(claim.agency) as (conn, _):
        now = clock.now()
        dead = problem.code not in channel.passing or claim.attempts >= TRIES
        failed = Outcome(claim.entry, str(claim.subscription), outbox.reason(problem))
        outbox.postpone(conn, failed, now, None if dead else now + back_off(claim.attempts))
        row = conn.execute(
            "update comity.endpoint set failures = failures + 1 where id = %s returning failures", (claim.endpoint.id,)
        ).fetchone()
        failures = int(row[0]) if row else 1
        conn.execute(
            "update comity.endpoint set paused_until = %s where id = %s",
            (now + back_off(failures), claim.endpoint.id),
        )
        if problem.code in channel.final or failures >= TRIES:
            why = f"{outbox.reason(problem)} ({failures} failures in a row)"[:500]
            conn.execute(
                "update comity.endpoint set state = 'stopped', reason = %s where id = %s and state = 'active'",
                (why, claim.endpoint.id),
            )
            outbox.give_up(conn, claim.endpoint.id, why, now)
            for one in selected(conn, "endpoint = %s and state = 'active'", claim.endpoint.id):
                stop(conn, one, why, now)


class Sender:
    """Sends what is due: several addresses at a time, to each one delivery at a time. A slow one holds up no other."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="comity-send")
        self._busy: set[UUID] = set()
        self._lock = threading.Lock()

    def round(self) -> list[Future[int]]:
        """Start sending at every address where something is due and nothing is being sent; does not wait."""
        started = []
        for agency in due_agencies(self._node):
            try:
                found = ready(self._node, agency)
            except Problem:
                continue
            for one in found:
                with self._lock:
                    if one.id in self._busy or len(self._busy) >= WORKERS:
                        continue
                    self._busy.add(one.id)
                started.append(self._pool.submit(self._send, agency, one))
        return started

    def run(self, stopping: Callable[[], bool], pause: float = 0.1) -> None:
        """Until told to stop; a database that goes away is waited for."""
        while not stopping():
            try:
                self.round()
            except Problem:
                clock.pause(1.0)
            clock.pause(pause)
        self.close()

    def close(self) -> None:
        """Begin nothing more. What is being sent ends by itself, or is sent again when its lease is over."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _send(self, agency: str, endpoint: Endpoint) -> int:
        try:
            return send_due(self._node, agency, endpoint)
        except Problem:
            return 0
        finally:
            with self._lock:
                self._busy.discard(endpoint.id)
