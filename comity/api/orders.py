"""What was ordered and what came of it, and what the law asks by when, over HTTP."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.answers import answer
from comity.api.caller import actor_of
from comity.api.documents import told

router = Router(tags=["orders"])


@router.get(
    "/reconcile",
    **told("Orders given and acts done, and each difference", gives="Reconciliation", refusals=(400, 401, 404),
           query={"case": "Only what hangs on this record.", "at": "As it was known, or will be overdue, then."}),
)  # fmt: skip
def reconcile(request: HttpRequest) -> HttpResponse:
    from comity.kernel.records.reconcile import reconcile as verb

    asked = body.query(request, "case", "at")
    case = str(body.id_of(asked["case"])) if "case" in asked else None
    at = body.instant(asked.get("at"), "at")
    return answer(verb(service.node(), actor_of(request), case=case, at=at).as_json())


@router.get(
    "/records/id/{id}/due",
    **told("What is due on a record under the law, with the working and citation of each clock", gives="Dues",
           query={"at": "As it would have been answered then, by what was known then."}),
)  # fmt: skip
def due(request: HttpRequest, id: str) -> HttpResponse:
    from comity.kernel.records.clocks import due as verb

    at = body.instant(body.query(request, "at").get("at"), "at")
    return answer(verb(service.node(), actor_of(request), body.id_of(id), at=at).as_json())
