"""The channel of webhooks: one signed POST to a public address (sharing/http_client, sharing/signature)."""

from __future__ import annotations

from functools import lru_cache

from comity import clock
from comity.kernel.sharing import signature
from comity.kernel.sharing.channel import Channel, Message
from comity.kernel.sharing.http_client import HttpClient
from comity.kernel.work.node import Node


def webhook(client: HttpClient | None = None) -> Channel:
    """The channel. Without a client, one that reaches public addresses and the node's networks (`Node.outward`)."""

    def judge(node: Node, address: str) -> None:
        (client or _client(node.outward)).judged(address)

    def send(node: Node, message: Message) -> None:
        headers = {
            "Content-Type": "application/json", "User-Agent": "Comity",
            **signature.headers(
                message.secret, message=message.id, timestamp=int(clock.now().timestamp()), body=message.body
            ),
        }  # fmt: skip
        (client or _client(node.outward)).post(message.address, headers, message.body)

    return Channel(
        "webhook", send=send, judge=judge, schemes=("https", "http"), passing=frozenset({"webhook_failed"}),
        final=frozenset({"endpoint_gone"}),
    )  # fmt: skip


@lru_cache(maxsize=8)
def _client(outward: tuple[str, ...]) -> HttpClient:
    return HttpClient(allowed=outward)


WEBHOOK = webhook()
