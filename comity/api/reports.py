"""Entries made on behalf of an agency over HTTP: it lists them, and confirms or disputes each."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.records import written
from comity.api.responses import answer

router = Router(tags=["reports"])


@router.get("/reports", **route_docs("What was reported in this agency's name, and by it of others", gives="Reports"))
def reports(request: HttpRequest) -> HttpResponse:
    from comity.kernel.exchange.reported import reports as verb

    return answer({"items": [one.as_json() for one in verb(service.node(), actor_of(request))]})


@router.post(
    "/reports/{entry}/confirm",
    **route_docs(
        "Confirm that this agency did what an entry reports", takes="Verdict", gives="Receipt",
        headers=("Idempotency-Key",), refusals=(400, 401, 403, 404, 409, 413, 415, 422),
    ),
)  # fmt: skip
def confirm(request: HttpRequest, entry: str) -> HttpResponse:
    from comity.kernel.exchange.reported import confirm as verb

    reported = body.id_of(entry)
    said = body.members(body.read_object(request), reason=str)
    key = body.idempotency_key(request)
    return written(verb(service.node(), actor_of(request), reported, reason=said.get("reason"), key=key))


@router.post(
    "/reports/{entry}/dispute",
    **route_docs(
        "Dispute what an entry reports of this agency", takes="Verdict", gives="Receipt",
        headers=("Idempotency-Key",), refusals=(400, 401, 403, 404, 409, 413, 415, 422),
    ),
)  # fmt: skip
def dispute(request: HttpRequest, entry: str) -> HttpResponse:
    from comity.kernel.exchange.reported import dispute as verb

    reported = body.id_of(entry)
    said = body.members(body.read_object(request), reason=str)
    key = body.idempotency_key(request)
    return written(verb(service.node(), actor_of(request), reported, reason=said.get("reason", ""), key=key))
