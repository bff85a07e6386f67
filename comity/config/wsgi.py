"""The application that an HTTP worker runs. It opens the node at the first request that needs it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler

from comity import __version__
from comity.api import gate, service
from comity.config import loader, log
from comity.config.children import end_with_parent
from comity.config.identities import IDENTITIES
from comity.config.settings import Settings, settings
from comity.config.startup import StartupRefused
from comity.errors import Problem

if TYPE_CHECKING:
    from comity.kernel.work.node import Node

GATE = "comity.api.gate.Gate"
THREADS = 4
"""Threads of one HTTP worker: enough to wait for the disk with, few enough not to fight over the interpreter."""

BURST = 32
"""So many numbers at most a worker reserves at a time while many records are entered."""
HTTP_PARENT = "COMITY_HTTP_PARENT"
LAST_REQUESTS = 5.0
"""Seconds for the requests that are under way when a worker is asked to end."""
WARM = 50
"""So many agencies' definitions are loaded at the start."""


def make(of: Settings) -> WSGIHandler:
    """The application for these settings, with logging and counting in place."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.config.django_settings")
    django.setup(set_prefix=False)
    from django.conf import settings as of_django

    if GATE not in of_django.MIDDLEWARE:
        of_django.MIDDLEWARE = [GATE, *of_django.MIDDLEWARE]
    log.configure()
    folder = metrics_folder(of)
    gate.count_into(folder)

    def open_node() -> Node:
        try:
            node = loader.open_node(of, threads=THREADS)
        except StartupRefused as refused:
            raise loader.as_problem(refused) from None
        node.burst = BURST
        return node

    service.attach(
        service.Service(
            open_node=open_node,
            core=loader.core_catalogue,
            version=__version__,
            identities=IDENTITIES,
            metrics_folder=folder,
            metrics_open=getattr(of, "metrics_open", False),
            feed_address=of.feed_address,
        )
    )
    return WSGIHandler()


def metrics_folder(of: Settings) -> Path:
    """Where the HTTP workers of one server leave their counts for each other."""
    return of.home / "metrics"


def application() -> WSGIHandler:
    """Called once by each HTTP worker, which ends with the server that started it."""
    end_with_parent(int(os.environ.get(HTTP_PARENT, os.getppid())), signal.SIGKILL)
    leave_between_requests()
    made = make(settings())
    threading.Thread(target=_warm, name="comity-warm", daemon=True).start()
    return made


def leave_between_requests() -> None:
    """On SIGTERM answer what is under way, then end.

    In place of granian's own handler: that one holds the interpreter while it waits for the threads that answer, and
    they wait for the interpreter (seen with granian 2.8 under load), so that only SIGKILL ends the worker.
    """
    from granian import _signals
    from granian._granian import WorkerSignal

    def set_sync_signals() -> WorkerSignal:
        def leave(number: int, frame: FrameType | None) -> None:
            threading.Thread(target=_leave, name="comity-leave", daemon=True).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        return WorkerSignal()

    _signals.set_sync_signals = set_sync_signals


def _leave() -> None:
    gate.under_way.leave(patience=LAST_REQUESTS)
    gate.counts.write()
    os._exit(0)


def _warm() -> None:
    """Open the node and load the definitions before the first request asks for them. A failure is told to that one."""
    with contextlib.suppress(Problem):
        node = service.node()
        for name in node.agencies()[:WARM]:
            node.catalogue(name)
