"""Sending webhooks: claimed and decided again, sent, marked, each in its own step, so that none is lost.

A claim is a lease: a sender that is killed between sending and marking leaves a row that is due again when the lease
ends, and it is sent once more under the same `webhook-id`, by which its receiver knows that it has it.
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
from comity.kernel.sharing import outbox, signature
from comity.kernel.sharing.deliver import count_errors
from comity.kernel.sharing.endpoint import Endpoint, endpoints, secret_of
from comity.kernel.sharing.http_client import HttpClient
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
    """One delivery in hand: its body is signed as it stands here."""

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
    """The agencies for which a webhook is due."""
    with node.transaction("node") as (conn, _):
        return [row[0] for row in conn.execute("select * from comity.webhooks_due(%s)", (clock.now(),))]


def ready(node: Node, agency: str) -> list[Endpoint]:
    """The agency's addresses that are neither stopped nor paused after a failure. Problem `agency_suspended`."""
    with node.work(system(agency)) as work:
        return endpoints(work.conn, "state = 'active' and paused_until <= %s", work.now)


def send_due(node: Node, outward: HttpClient, agency: str, endpoint: Endpoint) -> int:
    """Send what is due at one address, one after another, until one fails; how many it took."""
    taken = 0
    for _ in range(AT_A_TIME):
        claim = claim_next(node, agency, endpoint)
        if claim is None:
            break
        if claim.body and not send(node, outward, claim):
            break
        taken += bool(claim.body)
    return taken


def claim_next(node: Node, agency: str, endpoint: Endpoint) -> Claim | None:
    """Take the next delivery of an address and decide it; None when nothing is due.

    A claim without a body is one that ended here: its subscriber may not be told, or its subscription erred. What a
    claim with a body shows is in the log of disclosures when this returns.
    """
    with node.work(system(agency)) as work:
        row = work.conn.execute(
            """update comity.outbox set due_at = %(until)s, attempts = attempts + 1, changed_at = %(now)s
                where (follower, entry, target) = (
                    select o.follower, o.entry, o.target from comity.outbox o
                      join comity.subscription s on s.id::text = o.target
                     where o.agency = %(agency)s and o.follower = %(follower)s and o.state = 'due'
                       and o.due_at <= %(now)s and s.endpoint = %(endpoint)s
                     order by o.due_at, o.changed_at limit 1 for update of o skip locked)
            returning entry, target, attempts""",
            {
                "until": work.now + LEASE, "now": work.now, "agency": agency, "follower": WEBHOOK,
                "endpoint": endpoint.id,
            },
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        entry, target, attempts = row
        one = selected(work.conn, "id = %s", UUID(target))[0]
        body = _body(work, one, entry)
        return Claim(agency, endpoint, one.id, entry, attempts, body, secret_of(work, endpoint.id) if body else b"")


def send(node: Node, outward: HttpClient, claim: Claim) -> bool:
    """Send a claimed delivery and mark how it went; whether it was taken."""
    headers = {
        "Content-Type": "application/json", "User-Agent": "Comity",
        **signature.headers(
            claim.secret, message=claim.id, timestamp=int(clock.now().timestamp()), body=claim.body
        ),
    }  # fmt: skip
    try:
        outward.post(claim.endpoint.url, headers, claim.body)
    except Problem as problem:
        _failed(node, claim, problem)
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


def _body(work: Work, one: Subscription, entry: UUID) -> bytes:
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
    disclosure.told(with_rights, "webhook", [(subject, ["pointer"]) for subject in seen])
    return orjson.dumps(
        {
            "type": f"{verdict.type}.{verdict.act}", "timestamp": show_instant(verdict.at),
            "data": {**verdict.as_json(), "subscription": target},
        }
    )  # fmt: skip


def _failed(node: Node, claim: Claim, problem: Problem) -> None:
    """Try again later, or give up: a refused address and the last try are dead at once. The address rests meanwhile."""
    with node.transaction(claim.agency) as (conn, _):
        now = clock.now()
        dead = problem.code != "webhook_failed" or claim.attempts >= TRIES
        conn.execute(
            """update comity.outbox set error = %s, changed_at = %s, due_at = %s, state = %s
                where follower = %s and entry = %s and target = %s and state = 'due'""",
            (
                outbox.reason(problem), now, now + back_off(claim.attempts), "dead" if dead else "due", WEBHOOK,
                claim.entry, str(claim.subscription),
            ),
        )  # fmt: skip
        row = conn.execute(
            "update comity.endpoint set failures = failures + 1 where id = %s returning failures", (claim.endpoint.id,)
        ).fetchone()
        failures = int(row[0]) if row else 1
        conn.execute(
            "update comity.endpoint set paused_until = %s where id = %s",
            (now + back_off(failures), claim.endpoint.id),
        )
        if problem.code == "endpoint_gone" or failures >= TRIES:
            why = f"{outbox.reason(problem)} ({failures} failures in a row)"[:500]
            conn.execute(
                "update comity.endpoint set state = 'stopped', reason = %s where id = %s and state = 'active'",
                (why, claim.endpoint.id),
            )
            conn.execute(
                """update comity.outbox o set state = 'dead', changed_at = %s,
                          error = case o.attempts when 0 then %s else %s end from comity.subscription s
                    where s.id::text = o.target and s.endpoint = %s and o.follower = %s and o.state = 'due'""",
                (now, outbox.UNDECIDED, why, claim.endpoint.id, WEBHOOK),
            )
            for one in selected(conn, "endpoint = %s and state = 'active'", claim.endpoint.id):
                stop(conn, one, why, now)


class Sender:
    """Sends what is due: several addresses at a time, to each one delivery at a time. A slow one holds up no other."""

    def __init__(self, node: Node, outward: HttpClient) -> None:
        self._node, self._outward = node, outward
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="comity-webhook")
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
            return send_due(self._node, self._outward, agency, endpoint)
        except Problem:
            return 0
        finally:
            with self._lock:
                self._busy.discard(endpoint.id)
