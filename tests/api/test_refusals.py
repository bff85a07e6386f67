"""What was refused, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from comity.kernel.work import refusals as traces
from tests.api.test_records import refused


@pytest.fixture(autouse=True)
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests had refused to the same seat today is no bound to these."""
    monkeypatch.setattr(traces, "DAILY", 1_000_000)


def test_what_was_refused_is_listed_for_its_own_agency(call: Any, case: Any) -> None:
    canary = f"q{uuid4().hex}"
    refused(call("agent")("POST", f"/records/id/{case['record']}/acts/convert", {"reason": canary}), 403, "not_allowed")
    batch = {"operations": [{"type": "investigation.case", "fields": {"title": canary}}] * 3}
    assert call("agent")("POST", "/batch", batch).status_code == 200
    answered = call("agent")("GET", "/refusals", query={"limit": "200"})
    assert answered.status_code == 200 and canary not in answered.content.decode()
    items = answered.json()["items"]
    act = next(one for one in items if one["record"] == case["record"])
    assert (act["verb"], act["act"], act["code"], act["name"]) == (
        "act", "convert", "not_allowed", "Special Agent Rivera",
    )  # fmt: skip
    lacking = call("agent")("GET", "/refusals", query={"code": "required"}).json()["items"]
    entered = next(one for one in lacking if one["times"] >= 3)  # other tests of this seat lack something, too
    assert (entered["verb"], entered["type"]) == ("enter", "investigation.case")
    assert {"code": "required", "path": "fields.program"} in entered["faults"]
    seen = call("supervisor")("GET", "/refusals", query={"member": act["member"], "code": "not_allowed"}).json()[
        "items"
    ]
    assert act["id"] in {one["id"] for one in seen} and {one["code"] for one in seen} == {"not_allowed"}
    assert act["id"] not in {one["id"] for one in call("dea")("GET", "/refusals").json()["items"]}


def test_what_is_asked_wrongly_is_refused(call: Any) -> None:
    refused(call("agent")("GET", "/refusals", query={"member": "Group Supervisor Okafor"}), 403, "not_allowed")
    refused(call("agent")("GET", "/refusals", query={"limit": "0"}), 400, "request_invalid")
    refused(call("agent")("GET", "/refusals", query={"since": "yesterday"}), 400, "request_invalid")
    refused(call("agent")("GET", "/refusals", query={"cursor": "x"}), 400, "cursor_invalid")
    refused(call("agent")("GET", "/refusals", query={"who": "x"}), 400, "request_invalid")
    refused(call("")("GET", "/refusals"), 401, "token_invalid")
    later = call("agent")("GET", "/refusals", query={"since": "2199-01-01"})
    assert later.json() == {"items": [], "next": None}


def test_the_items_are_what_openapi_says(call: Any, case: Any) -> None:
    refused(call("agent")("POST", f"/records/id/{case['record']}/acts/convert", {"reason": "r"}), 403, "not_allowed")
    shape = call("")("GET", "/openapi.json").json()["components"]["schemas"]["Refusals"]["properties"]["items"]["items"]
    for one in call("agent")("GET", "/refusals").json()["items"]:
        assert set(one) == set(shape["properties"])
