"""Subscriptions, webhooks, dead letters and tickets to the live feed, over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.responses import answer

router = Router(tags=["sharing"])
_FILTER = {"types": list, "acts": list, "linked": str, "link": str, "where": str}
_WRITES = (400, 401, 404, 413, 415, 422, 429)


def _filter(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in _FILTER if name in said}


@router.post(
    "/subscriptions",
    **route_docs("Be told of acts on records, from now on", takes="Subscribe", gives="Subscription", status=201,
           refusals=_WRITES),
)  # fmt: skip
def subscribe(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.subscribe import subscribe as verb

    said = body.members(body.read_object(request), **_FILTER, name=str, for_role=str, webhook=str)
    made = verb(
        service.node(), actor_of(request), _filter(said), name=said.get("name", ""),
        for_role=said.get("for_role", ""), webhook=said.get("webhook", ""),
    )  # fmt: skip
    return answer(made.as_json(), status=201)


@router.get("/subscriptions", **route_docs("The subscriptions that concern this member", gives="Subscriptions"))
def subscriptions(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.subscribe import subscriptions as verb

    return answer({"items": [one.as_json() for one in verb(service.node(), actor_of(request))]})


@router.delete("/subscriptions/{id}", **route_docs("End a subscription", gives="Subscription"))
def unsubscribe(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.sharing.subscribe import unsubscribe as verb

    return answer(verb(service.node(), actor_of(request), body.id_of(id)).as_json())


@router.post(
    "/feed/tickets",
    **route_docs("A ticket that opens the live feed once, within half a minute", takes="Filter", gives="Ticket",
                 status=201, refusals=_WRITES),
)  # fmt: skip
def ticket(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.ticket import issue_ticket

    said = body.members(body.read_object(request), **_FILTER)
    token = request.headers.get("Authorization", "").partition(" ")[2]
    made = issue_ticket(service.node(), actor_of(request), _filter(said), token=token or None)
    return answer({**made.as_json(), "feed": service.service().feed_address}, status=201)


@router.post(
    "/webhooks",
    **route_docs("Let deliveries go to an address; its secret is in this answer only", takes="AddWebhook",
                 gives="Webhook", status=201, refusals=(*_WRITES, 403)),
)  # fmt: skip
def add_webhook(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.endpoint import add_webhook as verb

    said = body.members(body.read_object(request), url=str)
    return answer(verb(service.node(), actor_of(request), said.get("url", "")).as_json(), status=201)


@router.get("/webhooks", **route_docs("The addresses to which this agency lets deliveries go", gives="Webhooks"))
def webhooks(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.endpoint import webhooks as verb

    return answer({"items": [one.as_json() for one in verb(service.node(), actor_of(request))]})


@router.delete(
    "/webhooks/{id}", **route_docs("Send nothing there any more", gives="Webhook", refusals=(400, 401, 403, 404))
)
def remove_webhook(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.sharing.endpoint import remove_webhook as verb

    return answer(verb(service.node(), actor_of(request), body.id_of(id)).as_json())


@router.get(
    "/dead-letters", **route_docs("Deliveries that could not be made, with the reason of each", gives="DeadLetters")
)
def dead_letters(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.dead_letters import dead_letters as verb

    return answer({"items": [one.as_json() for one in verb(service.node(), actor_of(request))]})


@router.post("/dead-letters/{id}/replay", **route_docs("Deliver a dead letter again", gives="Replayed"))
def replay(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.sharing.dead_letters import replay as verb

    return answer({"replayed": verb(service.node(), actor_of(request), id)})


@router.post(
    "/subscriptions/{id}/replay", **route_docs("Deliver all dead letters of a subscription again", gives="Replayed")
)
def replay_all(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.sharing.dead_letters import replay_all as verb

    return answer({"replayed": verb(service.node(), actor_of(request), body.id_of(id))})
