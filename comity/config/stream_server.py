"""The process of the live feed: small, asynchronous, on an origin of its own. A child of `comity serve`."""

from __future__ import annotations

import os

from comity.api.streaming import Feed
from comity.config import loader, log
from comity.config.children import end_with_parent
from comity.config.settings import settings

THREADS = 4
"""Rooms ask the database in threads: so many at a time."""


def application() -> Feed:
    """Called once by granian's one worker, which ends with the server that started it."""
    end_with_parent(os.getppid())
    log.configure()
    node = loader.open_node(settings(), threads=THREADS)
    return Feed(node, str(node.pool.conninfo))


def feed() -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    of = settings()
    Granian(
        "comity.config.stream_server:application",
        factory=True,
        address=of.feed_host,
        port=of.feed_port,
        interface=Interfaces.ASGI,
        workers=1,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
        ssl_cert=of.tls_cert,
        ssl_key=of.tls_key,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=5,
    ).serve()


if __name__ == "__main__":
    feed()
