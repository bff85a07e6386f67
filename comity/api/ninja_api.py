"""The API object of django-ninja, before any route: routes adds to it, openapi reads from it."""

from __future__ import annotations

from ninja import NinjaAPI
from ninja.operation import Operation

from comity.api.caller import caller


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
    auth=caller,
)
