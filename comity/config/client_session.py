"""The database as its operator attends to it: is it running, hold it up, stop it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any

from comity import clock
from comity.config.database import migrate, open_database, pending_migrations
from comity.config.embedded_folders import door
from comity.config.settings import Settings
from comity.config.startup import StartupRefused
from comity.sentences import say

STOP_LIMIT = 90.0


def state(of: Settings) -> Mapping[str, Any]:
    """Which database it is, whether it runs, its version and what its tables lack. Starts nothing."""
    kind = "DATABASE_URL" if of.database_url else "embedded"
    found: dict[str, Any] = {"database": kind, "home": str(of.home)}
    if not of.database_url and not _runs(of):
        return {**found, "running": False}
    import psycopg

    with open_database(of) as database:
        try:
            with psycopg.connect(database.app_url, connect_timeout=10) as connection:
                found |= {"running": True, "postgresql": connection.info.server_version // 10000}
        except psycopg.OperationalError:
            return {**found, "running": False}
        try:
            found["pending"] = pending_migrations(database.owner_url or database.app_url)
        except StartupRefused as refused:
            found["pending"] = str(refused)
    return found


def hold(of: Settings, ready: Callable[[], None]) -> None:
    """Keep the database up until SIGTERM or SIGINT; `ready` is called once it answers."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with open_database(of) as database:
        database.keep()
        migrate(database)
        ready()
        while not ended.wait(0.5):
            pass


def stop(of: Settings) -> bool:
    """End the embedded database; False when it was not running. `comity serve` would start it again: end that first."""
    if of.database_url:
        raise StartupRefused("not_embedded", say("not_embedded.database_is_not_comity_to"))
    pid = _supervisor(of)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = clock.monotonic() + STOP_LIMIT
    while clock.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        clock.pause(0.05)
    raise StartupRefused("supervisor_stuck", say("supervisor_stuck.database_does_not_end", home=of.home))


def _runs(of: Settings) -> bool:
    return _supervisor(of) is not None


def _supervisor(of: Settings) -> int | None:
    """The process behind the supervisor's socket; None when nobody answers."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(door(of.home)))
        except OSError:
            return None
        told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[0])
