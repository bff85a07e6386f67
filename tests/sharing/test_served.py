"""The whole way, as `comity serve` serves it: a ticket over the API, the feed on its own port, routes, and the end."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from comity.config.settings import Settings
from comity.kernel.policy import tokens
from tests.api.test_serve import Server
from tests.patience import PATIENCE, eventually
from tests.sharing.stage import incident
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture(scope="module")
def server(world: World, node_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(node_settings.home, tmp_path_factory.mktemp("serve") / "errors.log")
    yield made
    if made.process.poll() is None:
        made.end()


class Streamed:
    """A stream over a real connection."""

    def __init__(self, server: Server, token: str, wanted: dict[str, Any] | None = None) -> None:
        status, made = server.ask("/feed/tickets", token, wanted or {"types": []})
        assert status == 201, made
        parts = urlsplit(made["feed"])
        assert parts.hostname and parts.port
        self.connection = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
        line = f"GET {parts.path}?ticket={made['ticket']} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        self.connection.sendall(line.encode())
        self.data = b""
        while b"event: open" not in self.data:
            assert self.more()

    def more(self) -> bool:
        part = self.connection.recv(65536)
        self.data += part
        return bool(part)

    def until(self, what: bytes) -> bool:
        deadline = time.monotonic() + PATIENCE
        while what not in self.data and (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            try:
                if not self.more():
                    break
            except TimeoutError:
                break
        return what in self.data


def test_a_stream_tells_and_ends_with_its_member(world: World, server: Server) -> None:
    seat = world.seat("atf", "special_agent", also="served")
    chief = world.seats[world.seat("atf", "administrator")]
    eventually(lambda: _listens(server, world.issued[seat].token))
    stream = Streamed(server, world.issued[seat].token)
    known = incident(world)
    assert stream.until(known.record.encode())
    tokens.suspend_member(world.node, chief, world.seats[seat].member, reason="inquiry")
    try:
        assert stream.until(b'"code":"member_suspended"')
        assert stream.until(b"\r\n0\r\n\r\n"), "the answer is complete"
    finally:
        tokens.suspend_member(world.node, chief, world.seats[seat].member, reason="ended", lift=True)


def _listens(server: Server, token: str) -> bool:
    _, made = server.ask("/feed/tickets", token, {"types": []})
    try:
        with urllib.request.urlopen(made["feed"].removesuffix("/feed") + "/health", timeout=PATIENCE) as answer:
            return bool(json.loads(answer.read())["status"] == "ok")
    except (OSError, TypeError, KeyError):
        return False


def test_a_ticket_opens_one_stream_only(world: World, server: Server) -> None:
    eventually(lambda: _listens(server, world.issued["atf_agent"].token))
    _, made = server.ask("/feed/tickets", world.issued["atf_agent"].token, {"types": []})
    with urllib.request.urlopen(f"{made['feed']}?ticket={made['ticket']}", timeout=PATIENCE) as first:
        assert first.status == 200 and first.headers["Content-Type"].startswith("text/event-stream")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{made['feed']}?ticket={made['ticket']}", timeout=PATIENCE)
        assert caught.value.code == 401


def test_subscriptions_are_kept_over_the_api(world: World, server: Server) -> None:
    token = world.issued["atf_agent"].token
    status, made = server.ask(
        "/subscriptions", token, {"types": ["investigation.incident"], "name": "the city's incidents"}
    )
    assert status == 201 and made["state"] == "active"
    known = incident(world)
    eventually(lambda: any(one["record"] == known.record for one in _notices(server, token)))
    assert made["id"] in {one["id"] for one in server.ask("/subscriptions", token)[1]["items"]}
    status, refused = server.ask("/subscriptions", token, {"where": "record."})
    assert status == 422 and refused["faults"][0]["path"] == "where"
    assert server.ask("/webhooks", token, {"url": "https://hooks.example/x"})[0] == 403
    chief = world.issued[world.seat("atf", "administrator")].token
    status, refused = server.ask("/webhooks", chief, {"url": "https://10.0.0.1/x"})
    assert (status, refused["code"]) == (422, "webhook_refused")
    status, hook = server.ask("/webhooks", chief, {"url": "https://hooks.example/x"})
    assert status == 201 and hook["secret"].startswith("whsec_")
    assert server.ask("/dead-letters", token)[1] == {"items": []}
    assert server.ask("/dead-letters/notice.1.2/replay", token, {"a": 1})[0] == 404
    for path in (f"/subscriptions/{made['id']}", f"/webhooks/{hook['id']}"):
        assert _delete(server, path, chief) == 200
    assert _delete(server, f"/subscriptions/{made['id']}", token) == 404


def _notices(server: Server, token: str) -> list[dict[str, Any]]:
    return [one for one in server.ask("/inbox", token)[1]["items"] if one["kind"] == "notice"]


def _delete(server: Server, path: str, token: str) -> int:
    request = urllib.request.Request(f"{server.address}{path}", method="DELETE")
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_log_of_the_feed_holds_no_ticket_and_nothing_is_left_when_it_ends(
    world: World, server: Server, tmp_path: Path
) -> None:
    _, made = server.ask("/feed/tickets", world.issued["atf_agent"].token, {"types": []})
    with urllib.request.urlopen(f"{made['feed']}?ticket={made['ticket']}", timeout=PATIENCE):
        pass
    tree = server.tree()
    assert any("comity.config.stream_server" in line for line in tree.values())
    assert server.end() == 0
    assert made["ticket"] not in server.log.read_text()
    eventually(lambda: not [pid for pid in tree if Path(f"/proc/{pid}").exists()])
