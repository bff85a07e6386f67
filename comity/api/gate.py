"""What every request passes: its reference, its time, one log line without content, and problem documents for all.

A log line says method, route template, status, milliseconds, agency and reference. It never holds a path as it was
sent, a query, a body, a member or a record.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import threading
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
from django.http import HttpRequest, HttpResponseBase

from comity import clock
from comity.api import language, service
from comity.api.metrics import Counts
from comity.api.responses import PROBLEM, code_for, refusal
from comity.errors import Problem
from comity.sentences import say

log = logging.getLogger("comity.request")
faults = logging.getLogger("comity.fault")
UNMATCHED = "unmatched"
LAST_BYTES = 0.2
"""Seconds in which the server writes out what it was handed."""
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
counts = Counts()


def count_into(folder: Path | None) -> None:
    """Where this process's counts go; called once, before the first request."""
    global counts
    counts = Counts(folder)


class UnderWay:
    """The requests that are being answered, so that a process can end between them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self.leaving = False

    def begin(self) -> bool:
        """Whether the request may begin; none does once the process is leaving."""
        with self._changed:
            self._count += not self.leaving
            return not self.leaving

    def end(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def leave(self, *, patience: float) -> None:
        """Let no request begin, and wait until none is under way, at most `patience` seconds."""
        with self._changed:
            self.leaving = True
            self._changed.wait_for(lambda: not self._count, patience)
        clock.pause(LAST_BYTES)


under_way = UnderWay()


class Gate:
    """Django middleware, the outermost one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language.reading.set(request)
        if not under_way.begin():
            return refusal(Problem("unavailable", say("unavailable.this_server_is_ending")))
        try:
            response = self._answer(request)
        except BaseException:
            under_way.end()
            raise
        # The server closes the response once it has the last byte.
        response._resource_closers.append(under_way.end)  # type: ignore[attr-defined]
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        started = clock.monotonic()
        request.reference = uuid.uuid4().hex  # type: ignore[attr-defined]
        if request.method == "HEAD":  # answered as GET; the server leaves the body out
            request.method = "GET"
        response = self.get_response(request)
        if response.status_code >= 400 and response.get("Content-Type") != PROBLEM:
            response = _as_problem(response)
        response["Comity-Request"] = request.reference  # type: ignore[attr-defined]
        response["X-Content-Type-Options"] = "nosniff"
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        seconds = clock.monotonic() - started
        route = route_of(request)
        counts.add(request.method or "", route, response.status_code, seconds)
        actor = getattr(request, "actor", None)
        log.info(
            "method=%s route=%s status=%s ms=%.1f agency=%s request=%s",
            request.method if request.method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD") else "OTHER",
            route,
            response.status_code,
            seconds * 1000,
            actor.agency if actor is not None else "-",
            request.reference,  # type: ignore[attr-defined]
        )
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        return failed(request, error)


def route_of(request: HttpRequest) -> str:
    """The template of the address, such as `/api/v1/records/{type}`: never the address itself."""
    match = request.resolver_match
    return "/" + _PARAMETER.sub(r"{\1}", match.route) if match is not None else UNMATCHED


def failed(request: HttpRequest, error: Exception) -> HttpResponseBase:
    """The answer to an exception that no refusal foresaw: what the caller may know, and a line for the operator."""
    if isinstance(error, Problem):
        if error.code == "unavailable":
            _renew_connections()
        return refusal(error)
    known = _known(error)
    if known is not None:
        faults.warning("%s request=%s", type(error).__name__, _reference(request))
        return refusal(known)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in reversed(frames))
    faults.error("%s request=%s at %s", type(error).__name__, _reference(request), where)
    return refusal(
        Problem(
            "internal",
            say("internal.operation_failed_what_it_had"),
            reference=_reference(request),
        )
    )


def _known(error: Exception) -> Problem | None:
    if isinstance(error, psycopg.errors.DiskFull) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return Problem("disk_full", fix=say("disk_full.operator_must_make_room_nothing.fix"))
    if isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected):
        return Problem("unavailable", say("unavailable.another_request_was_in_way"))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        _renew_connections()
        return Problem("unavailable", fix=say("unavailable.send_same_request_again_with.fix"))
    return None


def _renew_connections() -> None:
    """After a lost connection the pool's others are likely lost too: let it look before the next request does."""
    with contextlib.suppress(Exception):
        service.node().pool.check()


def _reference(request: HttpRequest) -> str:
    return str(getattr(request, "reference", "-"))


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    allowed = sorted(one.strip() for one in response.get("Allow", "").split(",") if one.strip())
    code = code_for(response.status_code)
    return refusal(Problem(code, allow=allowed) if allowed else Problem(code))
