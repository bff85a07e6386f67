"""Acknowledged entries a second through the API, beside a bare endpoint that commits one row."""

from __future__ import annotations

import json
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench.bare import ADDRESS, PORT
from bench.figures import ROUNDS, Line, Spread, against, percentile
from bench.load import Answered, Request, hammer, post
from bench.stage import PERSON, Stage, child, persons
from comity import clock

CLIENTS = 16
PATH = f"/api/v1/records/{PERSON}"


def run(stage: Stage, *, quick: bool) -> list[Line]:
    """16 clients, each a member with its own token and a key for each entry; the worker sequences meanwhile."""
    length = 1.2 if quick else 3.0
    ours, bare = entering(stage), bare_rows()
    with served(stage) as (host, port), served_bare(stage) as bare_port:
        hammer(host, port, ours, length, 201)
        hammer(host, bare_port, bare, 1.0, 201)
        rounds: list[tuple[Answered, Answered]] = []
        for _ in range(ROUNDS):
            rounds.append((hammer(host, port, ours, length, 201), hammer(host, bare_port, bare, length, 201)))
        alone = [hammer(host, port, ours[:1], length / 2, 201).rate for _ in range(ROUNDS)]
        behind = _until_placed(stage)
    refused = [text for pair in rounds for text in pair[0].refused]
    if refused:
        raise RuntimeError(f"{len(refused)} entries were refused, the first with: {refused[0]}")
    found = [one for one, _ in rounds]
    half, most = ([percentile(one.milliseconds, share) for one in found] for share in (0.5, 0.99))
    return [
        against(
            "entries a second through the API, 16 clients", [one.rate for one in found],
            [one.rate for _, one in rounds], "/s", "limit: bare WSGI POST that commits one row",
        ),
        Line("the same, one client", Spread.of(alone, "/s")),
        Line("the same, 16 clients: an answer, p50", Spread.of(half, "ms")),
        Line("the same, 16 clients: an answer, p99", Spread.of(most, "ms")),
        Line("until the last of them had its place", Spread.of([behind], "s"), note="after the load ended"),
    ]  # fmt: skip


def entering(stage: Stage) -> list[Request]:
    """One maker of requests for each client: new invented persons under keys that are used once."""
    run_id = f"{clock.monotonic():.6f}"
    people = persons(2_000, seed=7)

    def maker(at: int, token: str) -> Request:
        bearer = f"Bearer {token}"

        def request(n: int) -> bytes:
            fields = dict(people[(n * CLIENTS + at) % len(people)])
            fields["name"] += f" {maker.serial:x}"  # type: ignore[attr-defined]
            maker.serial += 1  # type: ignore[attr-defined]
            body = json.dumps({"fields": fields}).encode()
            return post(PATH, body, Authorization=bearer, Idempotency_Key=f"{run_id}-{maker.serial}")  # type: ignore[attr-defined]

        return request

    maker.serial = 0  # type: ignore[attr-defined]
    return [maker(at, issued.token) for at, issued in enumerate(stage.members(CLIENTS))]


def bare_rows() -> list[Request]:
    body = json.dumps({"fields": persons(1, seed=3)[0]}).encode()
    whole = post("/", body)
    return [lambda n: whole] * CLIENTS


@contextmanager
def served(stage: Stage) -> Iterator[tuple[str, int]]:
    """`comity serve` on a free port, with its worker."""
    script = "from comity.config.main import main; main()"
    with child([script, "serve", "--json"], stage.environment) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise RuntimeError("comity serve did not come up")
        at = urllib.parse.urlsplit(json.loads(said)["address"])
        assert at.hostname and at.port
        yield at.hostname, at.port


@contextmanager
def served_bare(stage: Stage) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**stage.environment, ADDRESS: stage.database.app_url, PORT: str(port)}
    with child(["from bench.bare import serve; serve()"], environment) as process:
        deadline = clock.monotonic() + 30
        while clock.monotonic() < deadline and process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                clock.pause(0.05)
        else:
            raise RuntimeError("the bare endpoint did not come up")
        yield port


def _until_placed(stage: Stage) -> float:
    began = clock.monotonic()
    while stage.node.lag()["pending"] and clock.monotonic() - began < 60:
        clock.pause(0.01)
    return clock.monotonic() - began
