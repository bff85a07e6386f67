"""Which acts were refused, over HTTP: to a member its own, to who has the power the agency's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.responses import answer

router = Router(tags=["refusals"])


@router.get(
    "/refusals",
    **route_docs(
        "Which acts of this agency's members were refused, by which rule; nothing of their content", gives="Refusals",
        query={
            "since": "Last refused on this day of the agency's zone, or at this instant, or later.",
            "member": "Of this member, by id or name.",
            "code": "With this code, of the refusal or of a fault, or by this rule.",
            "limit": "At most so many, 1 to 200; 50 when left out.",
            "cursor": "The `next` of the page before.",
        },
        refusals=(400, 401, 403),
    ),
)  # fmt: skip
def refusals(request: HttpRequest) -> HttpResponse:
    from comity.kernel.views.refusals import refusals as verb

    said = body.query(request, "since", "member", "code", "limit", "cursor")
    page = verb(
        service.node(), actor_of(request), since=body.when(said.get("since"), "since"), member=said.get("member"),
        code=said.get("code"), limit=body.whole(said.get("limit"), "limit", default=50, least=1, most=200),
        cursor=said.get("cursor"),
    )  # fmt: skip
    return answer(page.as_json())
