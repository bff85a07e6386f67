"""What the stories of sharing share: incidents of the city, subscriptions of the bureau, a receiver of webhooks."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from comity.kernel.sharing import deliver
from comity.kernel.sharing.inbox import InboxItem, inbox
from comity.kernel.sharing.subscribe import Subscription, subscribe, unsubscribe
from comity.kernel.work.results import Receipt
from tests.patience import PATIENCE
from tests.world import World

_count = itertools.count(1)
LOOPBACK = ("127.0.0.1/32",)


def incident(world: World, *, code: str = "143A", **rest: Any) -> Receipt:
    """An incident that the city's police enter; the bureau may read it by agreement."""
    fields = {"incident_number": f"S{next(_count):06}", "offense_code": code, "victim_count": 1}
    return world.enter("cpd_records", "investigation.incident", {**fields, **rest.pop("fields", {})}, **rest)


def case(world: World, **rest: Any) -> Receipt:
    fields = {"title": f"Case {next(_count)}", "program": "firearms", "opened": "2026-11-20"}
    return world.enter("atf_agent", "investigation.case", fields, **rest)


def place_all(world: World) -> None:
    """Give everything its place, and let no follower follow."""
    import psycopg

    from comity import clock
    from comity.kernel.ledger import sequence

    with psycopg.connect(world.database.sequencer_url, autocommit=True) as conn:
        while sequence.drain(conn, clock.now()):
            pass


def match(world: World, agency: str = "atf") -> int:
    return deliver.match(world.node, agency)


def notices(world: World, seat: str, one: Subscription | None = None) -> list[InboxItem]:
    found = [item for item in inbox(world.node, world.seats[seat]) if item.kind == "notice"]
    return [item for item in found if one is None or one.name in item.message]


def outbox(world: World, one: Subscription) -> list[tuple[str, str, str]]:
    """(follower, state, error) of what a subscription was owed."""
    return world.rows(
        one.agency,
        "select follower, state, error from comity.outbox where target = %s order by changed_at",
        str(one.id),
    )


@contextmanager
def subscribed(world: World, seat: str, wanted: dict[str, Any], **more: Any) -> Iterator[Subscription]:
    """A subscription for the time of a story."""
    place_all(world)
    made = subscribe(world.node, world.seats[seat], wanted, name=more.pop("name", f"story {next(_count)}."), **more)
    try:
        yield made
    finally:
        keeper = world.seat(made.agency, "administrator")
        unsubscribe(world.node, world.seats[keeper], str(made.id))


@dataclass
class Receiver:
    """A receiver of webhooks on loopback: answers as told, keeps what it was sent, ends by itself."""

    answer: Callable[[int], bytes] = lambda _: b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    tls: ssl.SSLContext | None = None
    hold: threading.Event | None = None  # answers only once this is set, or at the end

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        with socket.create_server(("127.0.0.1", self.port)) as server:
            self.port = server.getsockname()[1]
            server.settimeout(0.1)
            ending = threading.Event()
            thread = threading.Thread(target=self._serve, args=(server, ending), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                ending.set()
                thread.join(5)

    def _serve(self, server: socket.socket, ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(PATIENCE)
            with suppress(OSError), self._spoken(connection) as speaking:
                self.got.append(_request(speaking))
                while self.hold and not (self.hold.wait(0.05) or ending.is_set()):
                    pass
                speaking.sendall(self.answer(len(self.got)))

    @contextmanager
    def _spoken(self, connection: socket.socket) -> Iterator[socket.socket]:
        """The connection, over TLS where the receiver has a certificate."""
        with connection:
            if self.tls is None:
                yield connection
                return
            with self.tls.wrap_socket(connection, server_side=True) as over:
                yield over


def _request(connection: socket.socket) -> tuple[dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return headers, body
