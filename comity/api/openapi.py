"""The OpenAPI document: the routes as ninja knows them, and each core type's shape as a component of its name.

It is the same for every caller: an agency's own layers are at `/types/{name}`, after signing in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from comity.api import service
from comity.api.documents import SCHEMAS
from comity.api.ninja_api import api
from comity.kernel.types.record_schema import object_schema

PREFIX = "api/v1/"


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    core = service.service().core()
    types = {name: object_schema(core.type(name)) for name in sorted(core.types)}
    found["components"] = {**found.get("components", {}), "schemas": {**SCHEMAS, **types}}
    found["info"]["version"] = service.service().version
    found["x-comity-types"] = {name: f"#/components/schemas/{name}" for name in types}
    return found
