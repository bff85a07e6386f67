"""How long from the commit of an entry until another agency's open stream has it, and from a suspension to its end.

A server of its own with worker and feed; one agency enters at a paced rate, another reads the live feed over HTTP.
Beside it, alternately, the bare floor: a row and a NOTIFY in one commit, heard and read by another connection.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import psycopg

from bench.figures import Line, against, percentile, shown
from comity.config import demo, loader
from comity.config.database import open_database
from comity.config.settings import settings
from comity.config.stories import referral
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter
from comity.kernel.sharing.ticket import issue_ticket
from comity.kernel.work.node import Node

RATES = (20, 100, 300)
SECONDS = 4.0
ROUNDS = 3


@dataclass
class Reader:
    """Reads a stream and keeps when each record was seen, and when it was told to be closed."""

    connection: socket.socket
    seen: dict[str, float] = field(default_factory=dict)
    opened: threading.Event = field(default_factory=threading.Event)
    closed: float | None = None
    reading: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reading = threading.Thread(target=self.run, daemon=True)
        self.reading.start()

    def run(self) -> None:
        rest = b""
        while part := self._part():
            at = time.monotonic()
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line == b"event: open":
                    self.opened.set()
                elif line.startswith(b"data: ") and b'"record":"' in line:
                    self.seen[json.loads(line[6:])["record"]] = at
                elif line.startswith(b"data: ") and b'"code":"member_suspended"' in line:
                    self.closed = at

    def _part(self) -> bytes:
        try:
            return self.connection.recv(1 << 16)
        except OSError:
            return b""


def paced(rate: int, do: Callable[[], str]) -> dict[str, float]:
    """When each commit returned, by record, at so many a second."""
    done: dict[str, float] = {}
    began = time.monotonic()
    for at in range(int(rate * SECONDS)):
        if (left := began + at / rate - time.monotonic()) > 0:
            time.sleep(left)
        record = do()
        done[record] = time.monotonic()
    return done


def ours(node: Node, seats: dict[str, Any], reader: Reader, rate: int) -> list[float]:
    serial = iter(range(10**9))

    def one() -> str:
        fields = {"incident_number": f"B{time.time_ns()}{next(serial)}", "offense_code": "143A"}
        return enter(node, seats["cpd_records"], "investigation.incident", fields).record

    done = paced(rate, one)
    deadline = time.monotonic() + 5
    while not all(record in reader.seen for record in done) and time.monotonic() < deadline:
        time.sleep(0.05)
    lost = [record for record in done if record not in reader.seen]
    if lost:
        print(f"  {len(lost)} of {len(done)} never came", file=sys.stderr)
    return [1000 * (reader.seen[one] - at) for one, at in done.items() if one in reader.seen]


def floor(url: str, rate: int) -> list[float]:
    """A row and its NOTIFY in one commit; a second connection hears it and a third reads the row."""
    seen: dict[str, float] = {}
    ready, over = threading.Event(), threading.Event()
    with psycopg.connect(url, autocommit=True) as writing:
        writing.execute("create table if not exists public.bench_arrival (id bigserial primary key, body text)")

        def hear() -> None:
            with psycopg.connect(url, autocommit=True) as hearing, psycopg.connect(url, autocommit=True) as reading:
                hearing.execute("listen bench_arrival")
                ready.set()
                while not over.is_set():
                    for heard in hearing.notifies(timeout=0.2):
                        reading.execute(
                            "select body from public.bench_arrival where id = %s", (heard.payload,)
                        ).fetchone()
                        seen[heard.payload] = time.monotonic()

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        ready.wait(5)

        def one() -> str:
            row = writing.execute(
                """with made as (insert into public.bench_arrival (body) values (repeat('x', 900)) returning id)
                   select id::text, pg_notify('bench_arrival', id::text) from made"""
            ).fetchone()
            assert row is not None
            return str(row[0])

        done = paced(rate, one)
        time.sleep(0.3)
        over.set()
        thread.join(2)
    return [1000 * (seen[one] - at) for one, at in done.items() if one in seen]


def run(*, quick: bool) -> list[Line]:
    """A node and a server of its own; at each rate, rounds of ours and of the floor in turns."""
    with tempfile.TemporaryDirectory(prefix="comity-bench-", ignore_cleanup_errors=True) as folder:
        kept = {name: os.environ.get(name) for name in ("COMITY_HOME", "COMITY_BIND", "COMITY_WORKERS")}
        os.environ.update(COMITY_HOME=folder, COMITY_BIND="127.0.0.1:0", COMITY_WORKERS="1")
        try:
            return _measured(RATES[:1] if quick else RATES, 2 if quick else ROUNDS)
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _measured(rates: Sequence[int], rounds: int) -> list[Line]:
    of, lines = settings(), []
    with open_database(of) as database:
        node = loader.node_on(of, database, 4)
        seats = demo.prepare(node, of, referral.SCRIPT)
        server = subprocess.Popen(
            [sys.executable, "-c", "from comity.config.main import main; main()", "serve", "--json"],
            stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            feed = urlsplit(json.loads(server.stdout.readline())["feed"])
            reader = _reading(node, seats["atf_agent"], feed)
            time.sleep(1)
            ours(node, seats, reader, 50)  # warms everything
            for rate in rates:
                turns = [(ours(node, seats, reader, rate), floor(database.superuser_url, rate)) for _ in range(rounds)]
                lines.append(_line(rate, turns))
            reader.connection.shutdown(socket.SHUT_RDWR)
            lines.append(_revocations(node, feed, 5 if len(rates) == 1 else 20))
        finally:
            server.terminate()
            server.wait(30)
            node.close()
    return lines


def _revocations(node: Node, feed: SplitResult, times: int) -> Line:
    """From the commit of a member's suspension until its open stream is told so and closed: at most a second."""
    took = []
    chief = tokens.sign_in(node, tokens.admit(node, "atf", "A. Bench", ["administrator"]).token)
    for number in range(times):
        member = tokens.sign_in(node, tokens.admit(node, "atf", f"Agent {number}", ["special_agent"]).token)
        reader = _reading(node, member, feed)
        reader.opened.wait(30)
        tokens.suspend_member(node, chief, member.member, reason="bench")
        done = time.monotonic()
        reader.reading.join(30)
        took.append(max(0.0, 1000 * ((reader.closed or float("inf")) - done)))  # it may be told before we know
    note = f"the slowest of {times} took {shown(max(took))} ms; beside it the second that is allowed"
    return against("suspension to the end of its open stream", took, [1000.0] * times, "ms", note)


def _line(rate: int, turns: Sequence[tuple[list[float], list[float]]]) -> Line:
    """The medians of the rounds, and in the note how long the slowest in a hundred took."""
    slow = percentile([one for mine, _ in turns for one in mine], 0.99)
    return against(
        f"commit to another agency's open stream, {rate}/s",
        [percentile(mine, 0.5) for mine, _ in turns], [percentile(bare, 0.5) for _, bare in turns], "ms",
        f"1 in 100 took over {shown(slow)} ms; beside it a row and a NOTIFY in one commit",
    )  # fmt: skip


def _reading(node: Node, actor: Actor, feed: SplitResult) -> Reader:
    """A reader of the incidents that the actor may see, reading in a thread."""
    ticket = issue_ticket(node, actor, {"types": ["investigation.incident"]}).ticket
    reader = Reader(_connected(feed.hostname or "", feed.port or 0))
    reader.connection.sendall(
        f"GET /feed?ticket={ticket} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()
    )
    return reader


def _connected(host: str, port: int) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((host, port), timeout=60)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
