"""The whole of /api/v1, put together: routers, who calls, and one way to refuse."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.operation import Operation

from comity.api import around, batches, emergencies, files, gate, orders, problems, records, reports, sharing_routes
from comity.api.answers import refusal
from comity.api.caller import bearer
from comity.errors import Fault, Problem


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function: generated clients then read as the verbs do."""
        return str(operation.view_func.__name__)


api = Api(
    title="Comity",
    version="1",
    description="One justice record that many institutions keep together. Each refusal is a problem document.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    auth=bearer,
)
for part in (records, batches, files, emergencies, orders, reports, sharing_routes, problems, around):
    api.add_router("", part.router)


def addresses() -> list[URLPattern | URLResolver]:
    """The patterns below /api/v1/, without ninja's own page for people: it has none to show."""
    return [one for one in api.urls[0] if getattr(one, "name", "") != "api-root"]


@api.exception_handler(ValidationError)
def _not_well_formed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        Fault("wrong_kind", "/".join(str(step) for step in one.get("loc", ())), str(one.get("msg", "")))
        for one in error.errors
    ]
    return refusal(Problem("request_invalid", faults=faults))


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return gate.failed(request, error)  # type: ignore[return-value]
