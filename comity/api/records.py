"""Records over HTTP. Each route parses, calls one verb of the kernel, and renders."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, language, service
from comity.api.caller import BEHALF, actor_of, speaking
from comity.api.documents import route_docs
from comity.api.language import LANGUAGE_QUERY
from comity.api.responses import VARIES, answer, expected_version, tagged, version_tag
from comity.errors import Fault, Problem
from comity.sentences import say

router = Router(tags=["records"])

PAGE_LIMIT = 200
RESERVED = ("q", "limit", "cursor", "owner", "fits", "page", "language")
ENTER: dict[str, type] = {
    "fields": dict, "links": dict, "marks": list, "field_marks": dict, "reason": str, "occurred_at": datetime,
    "late_cause": str, "id": UUID, "override": list,
}  # fmt: skip


@router.post(
    "/records/{type}",
    **route_docs(
        "Enter a record", takes="Enter", gives="Receipt", status=201, headers=("Idempotency-Key",),
        refusals=(400, 401, 403, 404, 409, 413, 415, 422),
    ),
)  # fmt: skip
def enter(request: HttpRequest, type: str) -> HttpResponse:
    from comity.kernel.records.enter import enter as verb

    said = entered(body.read_object(request), "", **BEHALF)
    actor = speaking(request, said)
    receipt = verb(service.node(), actor, type, said.pop("fields", {}), key=body.idempotency_key(request), **said)
    return written(receipt, status=201)


@router.get(
    "/records/{type}",
    **route_docs(
        "List or find records of a type",
        gives="Page",
        query={
            "q": "Words to find.", "limit": "How many, 20 unless said.", "cursor": "The `next` of the page before.",
            "owner": "An agency that owns the records.",
            "fits": "A link, as type.link: only what it may be set to.",
            "in_error": "true: only what was entered in error, which is left out otherwise.",
            "page": "true: the list in words too, with columns, under `page`.", **LANGUAGE_QUERY,
            "FIELD": "Any findable field: FIELD=value; where.FIELD=value when it is named as one of these.",
        },
    ),
)  # fmt: skip
def find(request: HttpRequest, type: str) -> HttpResponse:
    from comity.kernel.views.find import find as verb
    from comity.kernel.views.list_page import list_page

    asked = body.query(request, *RESERVED, others=True)
    wanted = {
        "type": type,
        "text": asked.get("q"),
        "where": {name.removeprefix("where."): value for name, value in asked.items() if name not in RESERVED} or None,
        "limit": body.whole(asked.get("limit"), "limit", default=20, least=1, most=PAGE_LIMIT),
        "cursor": asked.get("cursor"),
        "owner": asked.get("owner"),
        "fits": asked.get("fits"),
    }
    if not body.truth(asked.get("page"), "page"):
        return answer(verb(service.node(), actor_of(request), **wanted).as_json())
    page = list_page(service.node(), actor_of(request), language=language.wanted(request, asked), **wanted)
    return answer({**page.found.as_json(), "page": page.as_json()}, headers=VARIES)


@router.get(
    "/records/id/{id}",
    **route_docs(
        "Read a record", gives="Record", headers=("If-None-Match",),
        query={
            "as_entered": "As it stood in the log at an instant.", "as_of": "As it was in fact at an instant.",
            "page": "true: its page in words too, under `page`.", **LANGUAGE_QUERY,
        },
    ),
)  # fmt: skip
def read(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.views.page import page
    from comity.kernel.views.read import read as verb

    asked = body.query(request, "as_entered", "as_of", "page", "language")
    then = {name: body.instant(asked.get(name), name) for name in ("as_entered", "as_of")}
    if not body.truth(asked.get("page"), "page"):
        view = verb(service.node(), actor_of(request), body.id_of(id), **then)
        return tagged(request, view.as_json(), version=view.version)
    wanted = language.wanted(request, asked)
    made = page(service.node(), actor_of(request), body.id_of(id), language=wanted, **then)
    return tagged(request, {**made.view.as_json(), "page": made.as_json()}, version=made.view.version, worded=True)


@router.patch(
    "/records/id/{id}",
    **route_docs(
        "Change or correct a record", takes="Amend", gives="Receipt", headers=("If-Match!", "Idempotency-Key"),
        refusals=(400, 401, 403, 404, 409, 412, 413, 415, 422, 428),
    ),
)  # fmt: skip
def amend(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.records.amend import amend as verb

    record = body.id_of(id)
    version = expected_version(request, required=True)
    said = body.members(
        body.read_object(request), fields=dict, links=dict, unlink=dict, marks=list, field_marks=dict, reason=str,
        corrects=UUID, authority=str, occurred_at=datetime, late_cause=str, override=list, **BEHALF,
    )  # fmt: skip
    key, actor = body.idempotency_key(request), speaking(request, said)
    assert version is not None
    return written(verb(service.node(), actor, record, version=version, key=key, **plain(said)))


@router.post(
    "/records/id/{id}/acts/{act}",
    **route_docs(
        "Do an act on a record", takes="Act", gives="Receipt", headers=("If-Match", "Idempotency-Key"),
        refusals=(400, 401, 403, 404, 409, 412, 413, 415, 422),
    ),
)  # fmt: skip
def act(request: HttpRequest, id: str, act: str) -> HttpResponse:
    from comity.kernel.records.act import act as verb

    record = body.id_of(id)
    version = expected_version(request, required=False)
    said = body.members(
        body.read_object(request), fields=dict, links=dict, reason=str, occurred_at=datetime, late_cause=str,
        override=list, **BEHALF,
    )  # fmt: skip
    key, actor = body.idempotency_key(request), speaking(request, said)
    return written(verb(service.node(), actor, record, act, version=version, key=key, **plain(said)))


@router.post(
    "/records/id/{id}/answers/{name}",
    **route_docs(
        "Answer an offer, or withdraw one", takes="Answer", gives="Receipt", headers=("Idempotency-Key",),
        refusals=(400, 401, 403, 404, 409, 413, 415, 422),
    ),
)  # fmt: skip
def answer_offer(request: HttpRequest, id: str, name: str) -> HttpResponse:
    from comity.kernel.records.answer import answer as verb

    record = body.id_of(id)
    said = body.members(
        body.read_object(request), fields=dict, reason=str, occurred_at=datetime, late_cause=str, **BEHALF
    )
    key, actor = body.idempotency_key(request), speaking(request, said)
    return written(verb(service.node(), actor, record, name, key=key, **said))


@router.post(
    "/records/id/{id}/submissions",
    **route_docs(
        "Submit a record to another agency, or say what is missing", gives="Submission", status=201,
        headers=("Idempotency-Key",), query={
            "to": "The receiving agency.", "dry_run": "true: only say what is missing.",
            "act": "The act of the record's type that builds the package; submit when left out.",
        },
        refusals=(400, 401, 403, 404, 409, 422),
    ),
)  # fmt: skip
def submit(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.exchange.submit import submit as verb

    record = body.id_of(id)
    asked = body.query(request, "to", "dry_run", "act")
    if not asked.get("to"):
        fault = Fault("needed", "?to", say("needed.receiving_agency_must_be_named"))
        raise Problem("request_invalid", say("request_invalid.submission_names_no_receiver"), faults=[fault])
    dry_run = body.truth(asked.get("dry_run"), "dry_run")
    key = body.idempotency_key(request)
    done = verb(
        service.node(), actor_of(request), record, to=asked["to"], act=asked.get("act", "submit"), dry_run=dry_run,
        key=key,
    )  # fmt: skip
    if dry_run:
        return answer(done.as_json())
    if done.receipt is None:
        raise Problem("not_ready", fix=say("not_ready.see_missing_each_line_says.fix"), **done.as_json())
    return answer(done.as_json(), status=201, headers={"Location": f"/api/v1/records/id/{done.receipt.record}"})


@router.get("/records/id/{id}/history", **route_docs("The acts on a record, oldest first", gives="History"))
def history(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.views.history import history as verb

    lines = verb(service.node(), actor_of(request), body.id_of(id))
    return answer({"items": [one.as_json() for one in lines]})


def entered(said: dict[str, Any], path: str = "", **more: type) -> dict[str, Any]:
    """The members of an entry that were given, as the verb takes them."""
    return plain(body.members(said, path, **ENTER, **more))


def plain(said: dict[str, Any]) -> dict[str, Any]:
    """Ids as text; links as lists of ids, each checked to be one, or `key:` and the idempotency key of an entry.
    What is overridden is a list of texts."""
    for name in ("links", "unlink"):
        if name in said:
            said[name] = {link: _ids(ids, f"{name}.{link}") for link, ids in said[name].items()}
    if not all(isinstance(one, str) for one in said.get("override", ())):
        fault = Fault("wrong_kind", "override", say("wrong_kind.must_be_list_of_codes"))
        raise Problem("request_invalid", say("request_invalid.body_does_not_fit_this"), faults=[fault])
    return {name: str(value) if isinstance(value, UUID) else value for name, value in said.items()}


def _ids(value: Any, path: str) -> list[str]:
    if isinstance(value, str):
        value = [value]
    try:
        return [one if isinstance(one, str) and one.startswith("key:") else str(UUID(one)) for one in value]
    except (TypeError, ValueError, AttributeError):
        fault = Fault("wrong_kind", path, say("wrong_kind.must_be_list_of_ids"))
        raise Problem("request_invalid", say("request_invalid.body_does_not_fit_this"), faults=[fault]) from None


def written(receipt: Any, *, status: int = 200) -> HttpResponse:
    """A receipt; a replayed one is answered as the first time."""
    return answer(
        receipt.as_json(),
        status=status,
        headers={"ETag": version_tag(receipt.version), "Location": f"/api/v1/records/id/{receipt.record}"},
    )
