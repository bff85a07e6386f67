"""The limit of a write over HTTP: a bare WSGI endpoint that commits one row, under the same server settings as ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

ADDRESS = "BENCH_DATABASE_URL"
PORT = "BENCH_PORT"


def application() -> Callable[..., Iterable[bytes]]:
    """Called once by each HTTP worker."""
    from psycopg_pool import ConnectionPool

    from comity.config import wsgi
    from comity.config.children import end_with_parent

    end_with_parent(os.getppid())
    pool: ConnectionPool[Any] = ConnectionPool(
        os.environ[ADDRESS], min_size=1, max_size=2 * wsgi.THREADS + 2, open=True, timeout=10
    )

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with pool.connection() as conn:
            conn.execute("insert into bench_row (body) values (%s)", (body.decode(),))
        answer = b'{"done":true}'
        start("201 Created", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    return app


def serve() -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from comity.config import wsgi
    from comity.config.settings import settings

    of = settings()
    Granian(
        "bench.bare:application", factory=True, address=of.bind_host, port=int(os.environ[PORT]),
        interface=Interfaces.WSGI, workers=of.workers, blocking_threads=wsgi.THREADS, websockets=False,
        log_level=LogLevels.warning, log_access=False, respawn_failed_workers=True, workers_kill_timeout=10,
    ).serve()  # fmt: skip


if __name__ == "__main__":
    serve()
