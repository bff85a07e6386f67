"""What every code means. The codes of Comity and of its pillars are open to all; an agency's own, to its members."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import service
from comity.api.caller import caller
from comity.api.documents import route_docs
from comity.api.responses import answer

router = Router(tags=["problems"])
BRIEF = ("code", "type", "kind", "status", "title", "source")


def _open_to_all(summary: str, gives: str, refusals: tuple[int, ...]) -> dict[str, Any]:
    """The description of a route that a token opens further and that needs none."""
    described = route_docs(summary, gives=gives, refusals=refusals)
    described["openapi_extra"]["security"] = [{}, {"Bearer": []}]
    return described


@router.get("/problems", auth=None, **_open_to_all("Every code: problems, faults and the rest", "ProblemCodes", (401,)))
def problems(request: HttpRequest) -> HttpResponse:
    items = [{name: one[name] for name in BRIEF} for one in _known(request).values()]
    return answer({"items": items}, headers=_HEADERS)


@router.get(
    "/problems/{code}", auth=None, **_open_to_all("What a code means and what to do", "ProblemCode", (401, 404))
)
def problem_code(request: HttpRequest, code: str) -> HttpResponse:
    from comity.kernel.definitions.problem_codes import look_up

    return answer(look_up(code, _known(request)), headers=_HEADERS)


_HEADERS = {"Vary": "Authorization, Accept-Language"}


def _known(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """The codes that the caller may read. A token, where one is sent, must be in force: Problem `token_invalid`."""
    if "Authorization" not in request.headers:
        return _public()
    from comity.kernel.definitions.problem_codes import explained

    return explained(service.node().catalogue(caller(request).agency))


@lru_cache(maxsize=1)
def _public() -> dict[str, dict[str, Any]]:
    """The same for every caller, and for the life of the process."""
    from comity.kernel.definitions.problem_codes import explained

    return explained(service.service().core())
