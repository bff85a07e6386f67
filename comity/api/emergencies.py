"""Emergency access over HTTP: opened with a reason and for hours, told to the owner, reviewed by it."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.responses import answer

router = Router(tags=["emergencies"])


@router.post(
    "/records/id/{id}/emergency",
    **route_docs(
        "Open a record in an emergency, where an agreement allows it", takes="OpenInEmergency", gives="Emergency",
        status=201, refusals=(400, 401, 404, 413, 415, 422),
    ),
)  # fmt: skip
def open_in_emergency(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.records.emergency import open_in_emergency as verb

    record = body.id_of(id)
    said = body.members(body.read_object(request), reason=str, hours=int)
    lasting = timedelta(hours=min(max(said.get("hours", 4), 0), 1_000))
    opened = verb(service.node(), actor_of(request), record, reason=said.get("reason", ""), lasting=lasting)
    return answer(opened.as_json(), status=201)


@router.get("/emergencies", **route_docs("Emergency openings by this agency and of its records", gives="Emergencies"))
def emergencies(request: HttpRequest) -> HttpResponse:
    from comity.kernel.records.emergency import openings

    return answer({"items": [one.as_json() for one in openings(service.node(), actor_of(request))]})


@router.post(
    "/emergencies/{id}/review",
    **route_docs(
        "Say, for the owner, whether an opening was justified", takes="Review", gives="Emergency",
        refusals=(400, 401, 403, 404, 409, 422),
    ),
)  # fmt: skip
def review(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.records.emergency import review as verb

    emergency = body.id_of(id)
    said = body.members(body.read_object(request), finding=str)
    return answer(verb(service.node(), actor_of(request), emergency, finding=said.get("finding", "")).as_json())
