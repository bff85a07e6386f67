"""What lies around the records: types, the caller, the inbox, receipts; and for operators health and metrics."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, gate, language, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.language import LANGUAGE_QUERY
from comity.api.responses import VARIES, answer, refusal
from comity.api.type_pages import described, listed
from comity.errors import Problem

if TYPE_CHECKING:
    from comity.kernel.types.catalogue import Catalogue
    from comity.kernel.types.language import Languages

router = Router(tags=["around"])
SLOW_SECONDS = 60.0


@router.get("/types", **route_docs("The types this agency knows", gives="Types", query=LANGUAGE_QUERY))
def types(request: HttpRequest) -> HttpResponse:
    catalogue = _worded(request)
    return answer({"items": [listed(one) for one in catalogue.types.values()]}, headers=VARIES)


@router.get(
    "/types/{name}",
    **route_docs("One type, as this agency's layers make it, with the form of entering it", gives="Type",
           query=LANGUAGE_QUERY),
)  # fmt: skip
def one_type(request: HttpRequest, name: str) -> HttpResponse:
    from comity.kernel.views.form_page import enter_form

    catalogue = _worded(request)
    form = enter_form(service.node(), actor_of(request), name, language=_language(request))
    return answer({**described(catalogue, catalogue.type(name)), "form": form.as_json()}, headers=VARIES)


def _language(request: HttpRequest) -> Languages:
    return language.wanted(request, body.query(request, "language"))


def _worded(request: HttpRequest) -> Catalogue:
    """The definitions of the caller's agency in the caller's language."""
    from comity.kernel.types.language import chosen, in_language

    catalogue = service.node().catalogue(actor_of(request).agency)
    return in_language(catalogue, chosen(catalogue, _language(request)))


@router.get("/me", **route_docs("Who is signed in", gives="Me"))
def me(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    return answer(
        {
            "agency": actor.agency,
            "member": actor.member,
            "name": actor.name,
            "roles": sorted(actor.roles),
            "purpose": actor.purpose,
            "kind": actor.kind,
        }
    )


@router.get("/inbox", **route_docs("What waits for this agency: offers, obligations, pointers, notices", gives="Inbox"))
def inbox(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.inbox import inbox as verb

    return answer({"items": [one.as_json() for one in verb(service.node(), actor_of(request))]})


@router.get("/statistics", **route_docs("The statistics that are kept of this agency's log", gives="Statistics"))
def statistics(request: HttpRequest) -> HttpResponse:
    from comity.kernel.sharing.followers import statistics as kept

    shown = [{"name": name, "title": one.title, "columns": list(one.columns)} for name, one in kept().items()]
    return answer({"items": shown})


@router.get(
    "/statistics/{name}",
    **route_docs("One statistic of this agency, newest first", gives="Statistic",
           query={"since": "From this day (UTC) on."}),
)  # fmt: skip
def statistic(request: HttpRequest, name: str) -> HttpResponse:
    from comity.kernel.sharing.followers import statistic as kept

    since = body.day(body.query(request, "since").get("since"), "since")
    found = kept(name)
    return answer({"items": [one.as_json() for one in found.rows(service.node(), actor_of(request), since)]})


@router.get(
    "/entries/{id}", **route_docs("The address of a receipt: the entry's leaf and its place", gives="EntryAddress")
)
def entry(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.views.receipt import receipt as verb

    return answer(verb(service.node(), actor_of(request), body.id_of(id)).as_json())


@router.get("/openapi.json", auth=None, **route_docs("This interface, as OpenAPI 3.1"))
def openapi(request: HttpRequest) -> HttpResponse:
    from comity.api.openapi import document

    return answer(document(), headers={"Cache-Control": "public, max-age=300"})


@router.get("/health", auth=None, **route_docs("Whether this server can record", gives="Health", refusals=(503,)))
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers. `slow`: entries wait for their place longer than a minute; `set_aside`: so many
    cannot have one, and `comity doctor` names them."""
    version = service.service().version
    try:
        lag = service.node().lag()
    except Exception as error:  # noqa: BLE001  whatever the reason, the answer is that it is not well
        response = gate.failed(request, error)
        return response if response.status_code == 503 else refusal(Problem("unavailable"))  # type: ignore[return-value]
    sequencer: dict[str, Any] = {**lag, "state": "slow" if lag["oldest_seconds"] > SLOW_SECONDS else "ok"}
    return answer({"status": "ok", "version": version, "database": "ok", "sequencer": sequencer})


@router.get("/metrics", auth=None, **route_docs("Counts and durations for Prometheus, without content"))
def metrics(request: HttpRequest) -> HttpResponse:
    if not service.service().metrics_open and not _from_this_machine(request):
        raise Problem("route_unknown")
    gauges: dict[str, tuple[str, float]] = {}
    try:
        lag = service.node().lag()
        gauges["comity_database_up"] = ("Whether the database answers.", 1)
        free = service.node().files.free()
        if free is not None:
            gauges["comity_files_free_bytes"] = ("Room in the store of files.", float(free))
        gauges["comity_sequencer_pending"] = ("Entries that wait for their place.", float(lag["pending"]))
        gauges["comity_sequencer_set_aside"] = ("Entries that cannot have a place.", float(lag["set_aside"]))
        gauges["comity_sequencer_oldest_seconds"] = ("How long the oldest waits.", float(lag["oldest_seconds"]))
    except Exception as error:  # noqa: BLE001  the counts are told also while the database is away
        gate.failed(request, error)
        gauges["comity_database_up"] = ("Whether the database answers.", 0)
    return HttpResponse(gate.counts.text(gauges), content_type="text/plain; version=0.0.4; charset=utf-8")


def _from_this_machine(request: HttpRequest) -> bool:
    """Whether the request comes from a loopback address itself; one that a proxy passes on does not."""
    if any(request.headers.get(name) for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP")):
        return False
    address = request.META.get("REMOTE_ADDR", "")
    try:
        return ipaddress.ip_address(address.rsplit(":", 1)[0] if address.count(":") == 1 else address).is_loopback
    except ValueError:
        return False
