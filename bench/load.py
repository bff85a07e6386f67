"""Clients over loopback: each keeps one connection and sends its next request when the last one is answered."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from comity import clock

Request = Callable[[int], bytes]
"""The bytes of a client's n-th request."""


@dataclass(slots=True)
class Answered:
    """What the clients of one round got: answers a second, the milliseconds of each, and those not as wanted."""

    done: int = 0
    elapsed: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.done / self.elapsed


@dataclass(slots=True)
class _Client:
    sock: socket.socket
    request: Request
    sent: int = 0
    since: float = 0.0
    held: bytes = b""

    def send(self) -> None:
        self.since = clock.monotonic()
        self.sock.sendall(self.request(self.sent))
        self.sent += 1
        self.held = b""

    def answer(self) -> bytes | None:
        """The whole answer, or None while some of it is missing."""
        part = self.sock.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.held += part
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found:
            return None
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return self.held if len(body) >= int(line[15:]) else None
        raise ConnectionError("an answer without a length")


def hammer(host: str, port: int, requests: Sequence[Request], seconds: float, wanted: int) -> Answered:
    """Every client sends for `seconds`; only answers that came count. `wanted` is the status that acknowledges."""
    found = Answered()
    good = f"HTTP/1.1 {wanted} ".encode()
    with selectors.DefaultSelector() as selector:
        clients = [_Client(socket.create_connection((host, port), timeout=30), one) for one in requests]
        try:
            began = clock.monotonic()
            for one in clients:
                one.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(one.sock, selectors.EVENT_READ, one)
                one.send()
            open_now = len(clients)
            while open_now:
                ready = selector.select(30)
                if not ready:
                    raise TimeoutError("the server does not answer")
                for key, _ in ready:
                    one = key.data
                    answer = one.answer()
                    if answer is None:
                        continue
                    now = clock.monotonic()
                    if answer.startswith(good):
                        found.done += 1
                        found.milliseconds.append((now - one.since) * 1000)
                    else:
                        found.refused.append(answer[:400].decode("utf-8", "replace"))
                    if now - began < seconds:
                        one.send()
                    else:
                        selector.unregister(one.sock)
                        open_now -= 1
            found.elapsed = clock.monotonic() - began
        finally:
            for one in clients:
                one.sock.close()
    return found


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A POST on a connection that stays open. Header names are written with `_` for `-`."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
