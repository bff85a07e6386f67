"""The whole of /api/v1, put together: routers, who calls, and one way to refuse."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja.errors import ValidationError

from comity.api import (
    batches,
    emergencies,
    files,
    gate,
    orders,
    problems,
    records,
    refusals,
    reports,
    sharing_routes,
    system,
)
from comity.api.ninja_api import api
from comity.api.responses import refusal
from comity.errors import Fault, Problem
from comity.sentences import Given

for part in (records, batches, files, emergencies, orders, reports, refusals, sharing_routes, problems, system):
    api.add_router("", part.router)


def addresses() -> list[URLPattern | URLResolver]:
    """The patterns below /api/v1/, without ninja's own page for people: it has none to show."""
    return [one for one in api.urls[0] if getattr(one, "name", "") != "api-root"]


@api.exception_handler(ValidationError)
def _not_well_formed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        Fault("wrong_kind", "/".join(str(step) for step in one.get("loc", ())), Given(str(one.get("msg", ""))))
        for one in error.errors
    ]
    return refusal(Problem("request_invalid", faults=faults))


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return gate.failed(request, error)  # type: ignore[return-value]
