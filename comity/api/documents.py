"""How routes describe themselves in OpenAPI: the components that are the same for every caller, written once."""

from __future__ import annotations

from typing import Any

from comity.api.responses import PROBLEM
from comity.problems import STATUSES

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
ID = {"type": "string", "format": "uuid"}
INSTANT = {"type": "string", "format": "date-time", "description": "With its zone, as 2026-11-22T09:30:00-05:00."}
OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}
LINKS = {
    "type": "object",
    "description": "Ids by the name of the link; `key:K` is the record that was entered with the idempotency key K.",
    "additionalProperties": {"type": "array", "items": TEXT},
}
FIELDS = {**OBJECT, "description": "Shaped as the component that is named like the record's type."}
IN_WORDS = {**OBJECT, "description": "The same as a page says it, in the reader's language: labels beside names."}
OVERRIDE = {
    "type": "array",
    "items": TEXT,
    "description": "Codes of conditions that are overridden, where the type lets the caller; with a reason.",
}
MARKS = {"type": "array", "items": TEXT, "description": "Handling marks to put on the record."}


def closed(required: str = "", /, **properties: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**out, "required": required.split()} if required else out


def opened(required: str = "", /, **properties: Any) -> dict[str, Any]:
    return {**closed(required, **properties), "additionalProperties": True}


def listed(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_ENTER = {
    "fields": FIELDS, "links": LINKS, "marks": MARKS, "reason": TEXT, "occurred_at": INSTANT, "late_cause": TEXT,
    "id": {**ID, "description": "A random UUIDv4 of the caller's own; left out, the server draws one."},
    "field_marks": {"type": "object", "description": "Marks by field.", "additionalProperties": MARKS},
    "override": OVERRIDE,
}  # fmt: skip
_BEHALF = {
    "on_behalf": {**TEXT, "description": "The agency whose act it is, while that is outside."},
    "document": {**ID, "description": "With on_behalf: the caller's own document whose file shows the act."},
}
_FILTER: dict[str, dict[str, Any]] = {
    "types": {"type": "array", "items": TEXT, "maxItems": 50}, "acts": {"type": "array", "items": TEXT, "maxItems": 50},
    "linked": {**ID, "description": "Wanted is what happens to this record and to those that link to it."},
    "link": {**TEXT, "description": "Only by the link of this name."},
    "where": {**TEXT, "description": "CEL over record, state, links, act, agency, type, actor and today."},
}  # fmt: skip
_MISSING = opened(
    "code severity message about owed_by since",
    code=TEXT, severity={"enum": ["error", "warning"]}, message=TEXT, about=TEXT, about_label=TEXT, owed_by=TEXT,
    since={"type": "string", "format": "date"}, fix=TEXT, citation=TEXT,
)  # fmt: skip

_KIND = {
    "enum": ["problem", "fault", "decision", "startup", "duty"],
    "description": "A refusal as a whole; a line of `faults`; what a person must decide about a clock; why a node does "
    "not start; what is owed under an order.",
}
_SOURCE = {
    **TEXT,
    "description": "Who brings it: `comity`, or as in `pillar court`, `jurisdiction federal`, `agency atf`.",
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": opened(
        "type title status code detail",
        type={**TEXT, "format": "uri-reference", "description": "Where the code is explained: GET it."},
        title=TEXT, status=WHOLE, detail=TEXT, fix={**TEXT, "description": "What to do next."},
        code={"enum": list(STATUSES), "description": "Never changes its meaning."},
        faults={
            "type": "array",
            "items": closed("code path message", code=TEXT, path=TEXT, message=TEXT, fix=TEXT),
            "description": "All that is wrong, each with the path of its field; /problems/{code} explains each too.",
        },
    ),
    "ProblemCode": closed(
        "code type kind status title meaning remedy source uses", code=TEXT, type=TEXT, kind=_KIND,
        status=nullable(WHOLE), title=TEXT, meaning=TEXT, remedy=TEXT, source=_SOURCE,
        uses={
            "type": "array", "description": "The places of the definitions that say it; none for Comity's own.",
            "items": closed("at source message fix", at=TEXT, source=TEXT, message=TEXT, fix=TEXT),
        },
    ),
    "ProblemCodes": closed(
        "items",
        items={
            "type": "array",
            "items": closed(
                "code type kind status title source", code=TEXT, type=TEXT, kind=_KIND, status=nullable(WHOLE),
                title=TEXT, source=_SOURCE,
            ),
        },
    ),
    "Receipt": opened(
        "entry record agency type version state leaf at replayed address",
        entry=ID, record=ID, agency=TEXT, type=TEXT, number=nullable(TEXT), version=WHOLE, state=TEXT, leaf=TEXT,
        at=INSTANT, replayed={"type": "boolean"}, address=TEXT,
    ),
    "Enter": closed("fields", **_ENTER, **_BEHALF),
    "Amend": closed(
        fields={**FIELDS, "description": "Fields to set; null unsets one."}, links=LINKS, unlink=LINKS, reason=TEXT,
        marks=MARKS, field_marks=_ENTER["field_marks"], late_cause=TEXT, authority=TEXT, occurred_at=INSTANT,
        override=OVERRIDE,
        corrects={**ID, "description": "The entry that is corrected; left out, this is a change."}, **_BEHALF,
    ),
    "Act": closed(
        fields=FIELDS, links=LINKS, reason=TEXT, occurred_at=INSTANT, late_cause=TEXT, override=OVERRIDE, **_BEHALF
    ),
    "Answer": closed(fields=FIELDS, reason=TEXT, occurred_at=INSTANT, late_cause=TEXT, **_BEHALF),
    "Batch": closed(
        "operations",
        operations={
            "type": "array", "maxItems": 1000,
            "items": closed("type fields", **_ENTER, type=TEXT, key=TEXT, group=WHOLE),
        },
        **_BEHALF,
    ),
    "BatchResults": closed(
        "results",
        results={
            "type": "array",
            "items": closed(
                "status", status=WHOLE, receipt={"$ref": "#/components/schemas/Receipt"},
                problem={"$ref": "#/components/schemas/Problem"},
            ),
        },
    ),
    "Record": opened(
        "id type agency state version fields links masked acts entered_at",
        id=ID, type=TEXT, agency=TEXT, number=nullable(TEXT), title=TEXT, state=TEXT, core_state=TEXT, version=WHOLE,
        fields=FIELDS, links=LINKS, masked={"type": "array", "items": OBJECT}, marks=MARKS, offer=nullable(OBJECT),
        acts={"type": "array", "items": TEXT, "description": "What is open to this caller now."}, entered_at=INSTANT,
        seen_by={"type": "array", "items": TEXT}, on_behalf=TEXT, as_sent=nullable(OBJECT),
        in_error={"type": "boolean", "description": "It was entered in error and counts for nothing."},
        replaced_by={"type": "array", "items": OBJECT, "description": "What takes the place of a record in error."},
        reported={**TEXT, "description": "What is to be said of a record entered on behalf of another agency."},
        overrides={
            "type": "array", "description": "The entries that overrode conditions of their act.",
            "items": closed(
                "entry act entered_at codes reason", entry=ID, act=TEXT, entered_at=INSTANT, reason=TEXT,
                codes={"type": "array", "items": TEXT},
            ),
        },
        page=IN_WORDS,
    ),
    "Page": closed("items next", items={"type": "array", "items": OBJECT}, next=nullable(TEXT), page=IN_WORDS),
    "HistoryLine": opened(
        "entry act at agency version overrides", entry=ID, act=TEXT, at=INSTANT, agency=TEXT, version=WHOLE,
        overrides={"type": "array", "items": TEXT, "description": "Codes of the conditions that it overrode."},
    ),
    "History": closed("items", items=listed("HistoryLine")),
    "Missing": _MISSING,
    "Submission": opened(
        "ready missing manifest",
        ready={"type": "boolean"}, dry_run={"type": "boolean"},
        receipt=nullable({"$ref": "#/components/schemas/Receipt"}),
        missing=listed("Missing"), manifest={"type": "array", "items": OBJECT},
    ),
    "EntryAddress": opened(
        "entry record agency leaf", entry=ID, record=ID, agency=TEXT, leaf=TEXT, place=nullable(WHOLE)
    ),
    "Verdict": closed(reason=TEXT),
    "Report": opened(
        "entry agency by_agency record act document at state said",
        entry=ID, agency=TEXT, by_agency=TEXT, record=ID, act=TEXT, document=ID, at=INSTANT, said=TEXT, reason=TEXT,
        state={"enum": ["open", "confirmed", "disputed"]},
    ),
    "Reports": closed("items", items=listed("Report")),
    "OpenInEmergency": closed("reason", reason=TEXT, hours={"type": "integer", "minimum": 1, "maximum": 24}),
    "Emergency": opened("id record owner agency reason until", id=ID, record=ID, owner=TEXT, agency=TEXT, reason=TEXT),
    "Emergencies": closed("items", items=listed("Emergency")),
    "Review": closed("finding", finding=TEXT),
    "Statistics": closed("items", items={"type": "array", "items": closed(
        "name title columns", name=TEXT, title=TEXT, columns={"type": "array", "items": TEXT},
    )}),
    "Statistic": closed("items", items={"type": "array", "items": OBJECT}),
    "Filter": closed(**_FILTER),
    "Subscribe": closed(
        **_FILTER, name=TEXT, webhook={**ID, "description": "Left out, it delivers to the inbox."},
        for_role={**TEXT, "description": "For everybody who holds this role of the agency."},
    ),
    "Subscription": opened(
        "id name state purpose", **{name: nullable(one) for name, one in _FILTER.items()}, id=ID, name=TEXT,
        channel={**TEXT, "description": "By which it is told; empty where none serves its address."}, purpose=TEXT,
        state={"enum": ["active", "stopped", "ended"]}, reason=nullable(TEXT),
    ),
    "Subscriptions": closed("items", items=listed("Subscription")),
    "Ticket": closed("ticket feed expires_at", ticket=TEXT, feed=TEXT, expires_at=INSTANT),
    "AddWebhook": closed("url", url=TEXT),
    "Webhook": opened(
        "id url state", id=ID, url=TEXT, state={"enum": ["active", "stopped", "removed"]}, reason=nullable(TEXT),
        secret={**TEXT, "description": "Shown once, when the webhook is added."},
    ),
    "Webhooks": closed("items", items=listed("Webhook")),
    "DeadLetter": opened(
        "id kind subscription code", id=TEXT, kind={"enum": ["notice", "webhook", "subscription"]}, subscription=ID,
        name=TEXT, entry=nullable(ID), code=TEXT, detail=TEXT, attempts=WHOLE, since=INSTANT,
    ),
    "DeadLetters": closed("items", items=listed("DeadLetter")),
    "Replayed": closed("replayed", replayed=WHOLE),
    "Duty": opened(
        "code joint record agency owed_by since due state message", record=ID, since=INSTANT, due=INSTANT,
        state={"enum": ["done", "open", "difference"]},
    ),
    "Dues": opened(
        "record at jurisdiction dues", record=ID, at=INSTANT, jurisdiction=TEXT,
        dues={"type": "array", "items": opened("rule title state working citation verified", rule=TEXT, title=TEXT)},
    ),
    "Agenda": closed(
        "at agency zone counts types items next", at=INSTANT, agency=TEXT, zone=TEXT, counts=OBJECT,
        types={"type": "array", "items": TEXT}, next=nullable(TEXT),
        items={"type": "array", "items": opened(
            "record type agency rule clock standing due days_left decisions consequence citation verified", record=ID,
            number=nullable(TEXT), rule=TEXT, clock=TEXT, due=nullable(TEXT), day=nullable(TEXT),
            standing={"enum": ["overdue", "lapsed", "running", "undecided", "done", "permitted", "answered"]},
        )},
    ),
    "Reconciliation": opened(
        "at agency given done open differences unjudged late", at=INSTANT, given=WHOLE, done=WHOLE, open=listed("Duty"),
        differences=listed("Duty"),
    ),
    "Refusals": closed(
        "items next", next=nullable(TEXT),
        items={"type": "array", "items": closed(
            "id first_at last_at times member name on_behalf verb type act record code faults rules",
            id=ID, first_at=INSTANT, last_at=INSTANT, times=WHOLE, member=ID, name=TEXT, on_behalf=TEXT, verb=TEXT,
            type=TEXT, act=TEXT, record=nullable(ID), code=TEXT, rules={"type": "array", "items": TEXT},
            faults={"type": "array", "items": closed("code path", code=TEXT, path=TEXT)},
        )},
    ),
    "Inbox": closed("items", items={"type": "array", "items": OBJECT}),
    "Types": closed("items", items={"type": "array", "items": OBJECT}),
    "Type": opened("type title fields states acts schema form", type=TEXT, title=TEXT, schema=OBJECT, form=IN_WORDS),
    "Me": opened("agency member name roles purpose", agency=TEXT, member=ID, name=TEXT, purpose=TEXT),
    "Health": opened("status version", status={"enum": ["ok", "unavailable"]}, version=TEXT),
}  # fmt: skip

_HEADERS: dict[str, tuple[bool, str]] = {
    "Idempotency-Key": (False, "The same request with the same key is done once; its receipt says replayed."),
    "If-Match": (False, "The ETag of the version that was read."),
    "If-Match!": (True, "The ETag of the version that was read."),
    "If-None-Match": (False, "The ETag that the caller holds: 304 when nothing changed."),
    "Comity-Purpose": (False, "What the caller reads for; the purpose of its agency when left out."),
}


def route_docs(
    summary: str,
    *,
    gives: str | None = None,
    status: int = 200,
    takes: str | None = None,
    headers: tuple[str, ...] = (),
    query: dict[str, str] | None = None,
    refusals: tuple[int, ...] = (400, 401, 404),
) -> dict[str, Any]:
    """The keyword arguments with which a route is registered: its line, its parameters, what it takes and gives."""
    parameters = [
        {"in": "header", "name": name.rstrip("!"), "required": must, "description": line, "schema": TEXT}
        for name, (must, line) in ((one, _HEADERS[one]) for one in (*headers, "Comity-Purpose"))
    ] + [
        {"in": "query", "name": name, "required": False, "description": line, "schema": TEXT}
        for name, line in (query or {}).items()
    ]
    good: dict[str, Any] = {"description": summary}
    if gives:
        good["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{gives}"}}}
    refused = {"$ref": "#/components/schemas/Problem"}
    answers: dict[int, Any] = {status: good}
    for code in refusals:
        answers[code] = {"description": "A refusal", "content": {PROBLEM: {"schema": refused}}}
    extra: dict[str, Any] = {"parameters": parameters, "responses": answers}
    if takes:
        schema = {"$ref": f"#/components/schemas/{takes}"}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "response": {status: None}, "openapi_extra": extra}
