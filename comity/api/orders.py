"""What was ordered and what came of it, and what the law asks by when, over HTTP."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, language, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.language import LANGUAGE_QUERY
from comity.api.responses import answer

router = Router(tags=["orders"])


@router.get(
    "/reconcile",
    **route_docs("Orders given and acts done, and each difference", gives="Reconciliation", refusals=(400, 401, 404),
           query={"case": "Only what hangs on this record.", "at": "As it was known, or will be overdue, then."}),
)  # fmt: skip
def reconcile(request: HttpRequest) -> HttpResponse:
    from comity.kernel.duties.reconcile import reconcile as verb

    asked = body.query(request, "case", "at")
    case = str(body.id_of(asked["case"])) if "case" in asked else None
    at = body.instant(asked.get("at"), "at")
    return answer(verb(service.node(), actor_of(request), case=case, at=at).as_json())


@router.get(
    "/records/id/{id}/due",
    **route_docs("What is due on a record under the law, with the working and citation of each clock", gives="Dues",
           query={"at": "As it would have been answered then, by what was known then."}),
)  # fmt: skip
def due(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.duties.clocks import due as verb

    at = body.when(body.query(request, "at").get("at"), "at")
    return answer(verb(service.node(), actor_of(request), body.id_of(id), at=at).as_json())


_AGENDA = {
    "type": "Only clocks that records of this type started.", "at": "As it would have been answered then.",
    "by": "Due on that day or before.", "within": "Due within so many days from then: 30d, 2w.",
    "overdue": "Only what is overdue or has lapsed.", "person_must_decide": "Only where a person must decide.",
    "all": "What is done too, and what is no deadline.", "owner": "On records of that agency; the own without it.",
    "everyone": "On every agency's records that may be found.", "limit": "At most 200.", "cursor": "The next page's.",
    **LANGUAGE_QUERY,
}  # fmt: skip


@router.get(
    "/due",
    **route_docs("What is due on all records of the office, overdue first", gives="Agenda", refusals=(400, 401, 404),
           query=_AGENDA),
)  # fmt: skip
def agenda(request: HttpRequest) -> HttpResponse:
    from comity.kernel.duties.agenda import MOST
    from comity.kernel.duties.agenda import agenda as verb

    asked = body.query(request, *_AGENDA)
    found = verb(
        service.node(), actor_of(request), type=asked.get("type"), at=body.when(asked.get("at"), "at"),
        until=body.day(asked.get("by"), "by"), within=body.days(asked.get("within"), "within"),
        overdue=body.truth(asked.get("overdue"), "overdue"), every=body.truth(asked.get("all"), "all"),
        person=body.truth(asked.get("person_must_decide"), "person_must_decide"), owner=asked.get("owner"),
        everyone=body.truth(asked.get("everyone"), "everyone"), cursor=asked.get("cursor"),
        limit=body.whole(asked.get("limit"), "limit", default=50, least=1, most=MOST),
        language=language.wanted(request, asked),
    )  # fmt: skip
    return answer(found.as_json())
