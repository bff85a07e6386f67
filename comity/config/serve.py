"""`comity serve`: the database, its migrations and checks, the worker, the HTTP workers; all end with it.

The process that was called only tends: the HTTP server (granian, one process per worker) and `comity.config.worker`
(sequencer and followers) are its children. A child that is killed is started again; granian does so for its workers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import sys
import urllib.request
from dataclasses import replace
from types import FrameType

from comity import clock
from comity.config import children, wsgi
from comity.config.database import migrate, open_database
from comity.config.settings import Settings, settings
from comity.config.startup import StartupRefused, check
from comity.names import briefly
from comity.sentences import say

WORKER = "comity.config.worker"
FEED = "comity.config.stream_server"
READY_LIMIT = 60.0


def serve(of: Settings, *, as_json: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; 0 then, 70 when a part does not come up. Raises StartupRefused before that."""
    of = replace(of, bind_port=_free_port(of.bind_host, of.bind_port, "COMITY_BIND"))
    of = replace(of, feed_port=_free_port(of.feed_host, of.feed_port, "COMITY_FEED_BIND"))
    stop = _Stop()
    with open_database(of) as database:
        database.keep()
        applied = migrate(database)
        check(database.app_url)
        if applied:
            _say(f"applied {briefly(applied)}")
        _forget_counts(of)
        bound = {
            "COMITY_HOME": str(of.home),
            "COMITY_BIND": _spelled(of.bind_host, of.bind_port),
            "COMITY_FEED_BIND": _spelled(of.feed_host, of.feed_port),
        }
        parts = [children.Child("http", "comity.config.serve", bound), children.Child("feed", FEED, bound)]
        if importlib.util.find_spec(WORKER):
            parts.append(children.Child("worker", WORKER, bound))
        try:
            return _tend(parts, of, stop, as_json=as_json)
        finally:
            children.end_all(parts)


def _tend(parts: list[children.Child], of: Settings, stop: _Stop, *, as_json: bool) -> int:
    told = False
    deadline = clock.monotonic() + READY_LIMIT
    while not stop.asked:
        for part in parts:
            if not part.tend():
                _say(f"{part.name} does not come up; what it said is above")
                return 70
        if not told and (_listens(of) or clock.monotonic() > deadline):
            told = True
            _tell(of, as_json=as_json)
        clock.pause(0.2 if told else 0.05)
    return 0


def address(of: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(of.bind_host, of.bind_host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if of.tls_cert else 'http'}://{host}:{of.bind_port}"


def _tell(of: Settings, *, as_json: bool) -> None:
    where = f"{address(of)}/api/v1"
    if as_json:
        print(json.dumps({"address": where, "feed": of.feed_address, "workers": of.workers}), flush=True)
    else:
        _say(f"serves {where} with {of.workers} workers; {where}/health says how it is, Ctrl-C ends it")


def _say(line: str) -> None:
    print(f"comity: {line}", file=sys.stderr, flush=True)


class _Stop:
    """Whether the server was asked to end; the first signal counts."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _spelled(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _free_port(host: str, port: int, setting: str) -> int:
    """The port, found free; 0 asks for any."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise StartupRefused(
            "address_in_use",
            say("address_in_use.cannot_be_served", host=host, port=port, strerror=error.strerror, setting=setting),
        ) from error


def _forget_counts(of: Settings) -> None:
    from comity.api.metrics import forget

    forget(wsgi.metrics_folder(of))


def _listens(of: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(of.bind_host, of.bind_host)
    if of.tls_cert:
        try:
            with socket.create_connection((host, of.bind_port), timeout=1):
                return True
        except OSError:
            return False
    try:
        with urllib.request.urlopen(f"{address(of)}/api/v1/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def http() -> None:
    """The HTTP server itself, as a child of `serve`: granian starts one process per worker and tends them."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    of = settings()
    os.environ[wsgi.HTTP_PARENT] = str(os.getpid())
    Granian(
        "comity.config.wsgi:application",
        factory=True,
        address=of.bind_host,
        port=of.bind_port,
        interface=Interfaces.WSGI,
        workers=of.workers,
        blocking_threads=wsgi.THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
        ssl_cert=of.tls_cert,
        ssl_key=of.tls_key,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    http()
