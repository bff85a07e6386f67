"""Many entries in one request and one transaction: the way in for systems that feed records."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import BEHALF, speaking
from comity.api.documents import route_docs
from comity.api.records import entered
from comity.api.responses import answer
from comity.errors import Fault, Problem
from comity.sentences import say

router = Router(tags=["records"])
MOST = 1000


@router.post(
    "/batch",
    **route_docs(
        "Enter up to 1,000 records; a refused one does not stop the others", takes="Batch", gives="BatchResults",
        headers=("Idempotency-Key",), refusals=(400, 401, 413, 415),
    ),
)  # fmt: skip
def batch(request: HttpRequest) -> HttpResponse:
    """Each operation's own `key` makes it repeatable; without one it takes the request's key and its place."""
    from comity.kernel.records.enter import enter_many
    from comity.kernel.work.results import Draft

    said = body.members(body.read_object(request, body.BATCH_LIMIT), operations=list, **BEHALF)
    actor, operations = speaking(request, said), _operations(said)
    whole = body.idempotency_key(request)
    results: list[dict[str, Any]] = [{} for _ in operations]
    drafts: dict[int, Draft] = {}
    for place, operation in enumerate(operations):
        try:
            drafts[place] = _draft(operation, place, whole)
        except Problem as problem:
            results[place] = _refused(problem)
    done = enter_many(service.node(), actor, list(drafts.values())) if drafts else []
    for place, one in zip(drafts, done, strict=True):
        results[place] = _refused(one) if isinstance(one, Problem) else {"status": 201, "receipt": one.as_json()}
    return answer({"results": results})


def _operations(said: dict[str, Any]) -> list[Any]:
    operations: list[Any] = said.get("operations", [])
    if not 1 <= len(operations) <= MOST:
        fault = Fault("wrong_size", "operations", say("wrong_size.must_hold_1_to_operations", most=MOST))
        raise Problem(
            "request_invalid", say("request_invalid.batch_has_operations", count=len(operations)), faults=[fault]
        )
    return operations


def _draft(operation: Any, place: int, whole: str | None) -> Any:
    from comity.kernel.work.results import Draft

    path = f"operations.{place}"
    if not isinstance(operation, dict):
        raise Problem("request_invalid", faults=[Fault("wrong_kind", path, say("wrong_kind.must_be_object"))])
    said = entered(operation, f"{path}.", type=str, key=str, group=int)
    if "type" not in said:
        raise Problem("request_invalid", faults=[Fault("needed", f"{path}.type", say("needed.type_must_be_named"))])
    if "key" in said and body.KEY.fullmatch(said["key"]) is None:
        raise Problem(
            "request_invalid", faults=[Fault("wrong_kind", f"{path}.key", say("wrong_kind.must_be_1_to_200"))]
        )
    if "key" not in said and whole is not None:
        said["key"] = f"{whole}:{place}"
    return Draft(fields=said.pop("fields", {}), **said)


def _refused(problem: Problem) -> dict[str, Any]:
    shown = Problem("not_found") if problem.code == "not_found" else problem
    return {"status": shown.status, "problem": shown.as_json()}
