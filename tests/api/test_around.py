"""What lies around the records: types, the caller, health, metrics, OpenAPI, receipts, the inbox."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from comity.api.metrics import Counts
from comity.problems import STATUSES
from tests.api.test_records import refused


def test_who_is_signed_in(call: Any) -> None:
    me = call("supervisor")("GET", "/me").json()
    assert (me["agency"], me["name"], me["kind"]) == ("atf", "Group Supervisor Okafor", "member")
    assert "supervisor" in me["roles"] and me["purpose"] == "investigation"


def test_types_are_the_agencys_own(call: Any) -> None:
    names = {one["type"] for one in call("agent")("GET", "/types").json()["items"]}
    assert {"investigation.case", "evidence.item"} <= names
    atf = call("agent")("GET", "/types/investigation.case").json()
    dea = call("dea")("GET", "/types/investigation.case").json()
    assert "atf:nibin_lead" in atf["fields"] and "atf:nibin_lead" not in dea["fields"]
    assert "preliminary" in atf["states"] and atf["states"]["preliminary"]["core"] == "open"
    assert atf["schema"]["properties"]["title"]["maxLength"] == 200
    assert atf["acts"]["convert"]["by"] == ["supervisor"]
    refused(call("agent")("GET", "/types/no.such"), 404, "type_unknown")


def test_health_needs_no_token(call: Any) -> None:
    response = call("")("GET", "/health")
    assert response.status_code == 200
    health = response.json()
    assert (health["status"], health["database"]) == ("ok", "ok")
    assert health["sequencer"]["pending"] >= 0


def test_metrics_are_for_this_machine(call: Any) -> None:
    call("agent")("GET", "/me")
    text = call("")("GET", "/metrics").content.decode()
    assert re.search(r'comity_requests_total\{method="GET",route="/api/v1/me",status="200"\} \d+', text)
    assert 'comity_request_seconds_bucket{method="GET",route="/api/v1/me",le="+Inf"}' in text
    assert "comity_sequencer_pending" in text and "comity_database_up 1" in text
    refused(call("")("GET", "/metrics", headers={"X-Forwarded-For": "10.0.0.9"}), 404, "route_unknown")
    from django.test import Client

    away = Client(raise_request_exception=False, SERVER_NAME="localhost", REMOTE_ADDR="10.0.0.9")
    refused(away.get("/api/v1/metrics"), 404, "route_unknown")


def test_the_processes_of_a_server_count_together(tmp_path: Any) -> None:
    mine = Counts(tmp_path)
    mine.add("GET", "/api/v1/me", 200, 0.003)
    mine.add("GET", "/api/v1/me", 200, 3.0)
    other = {"requests": [["GET", "/api/v1/me", 200, 5]], "durations": [["GET", "/api/v1/me", *([1.0] * 13)]]}
    (tmp_path / "999999.json").write_text(json.dumps(other))
    (tmp_path / "999998.json").write_text("{ torn")
    text = mine.text()
    assert 'comity_requests_total{method="GET",route="/api/v1/me",status="200"} 7' in text
    assert 'comity_request_seconds_bucket{method="GET",route="/api/v1/me",le="0.005"} 2' in text
    assert 'comity_request_seconds_count{method="GET",route="/api/v1/me"} 3' in text


def test_openapi_is_whole(call: Any) -> None:
    response = call("")("GET", "/openapi.json")
    assert response.status_code == 200
    document = response.json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    assert schemas["investigation.case"]["properties"]["title"]["maxLength"] == 200
    assert "atf:nibin_lead" not in json.dumps(schemas)
    assert set(document["x-comity-types"]) <= set(schemas)
    for ref in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)):
        assert ref in schemas, ref
    wanted = {
        "/records/{type}": {"get", "post"}, "/records/id/{id}": {"get", "patch"},
        "/records/id/{id}/acts/{act}": {"post"},
        "/records/id/{id}/answers/{name}": {"post"}, "/records/id/{id}/history": {"get"},
        "/records/id/{id}/files": {"post"}, "/records/id/{id}/submissions": {"post"}, "/files/{id}": {"get"},
        "/inbox": {"get"}, "/batch": {"post"}, "/types": {"get"}, "/types/{name}": {"get"}, "/entries/{id}": {"get"},
        "/records/id/{id}/emergency": {"post"}, "/emergencies": {"get"}, "/emergencies/{id}/review": {"post"},
        "/subscriptions": {"get", "post"}, "/subscriptions/{id}": {"delete"}, "/subscriptions/{id}/replay": {"post"},
        "/webhooks": {"get", "post"}, "/webhooks/{id}": {"delete"}, "/feed/tickets": {"post"},
        "/dead-letters": {"get"}, "/dead-letters/{id}/replay": {"post"},
        "/statistics": {"get"}, "/statistics/{name}": {"get"},
        "/me": {"get"}, "/problems": {"get"}, "/problems/{code}": {"get"},
        "/health": {"get"}, "/metrics": {"get"}, "/openapi.json": {"get"},
    }  # fmt: skip
    told = {path.removeprefix("/api/v1"): set(one) for path, one in document["paths"].items()}
    assert {path: told.get(path) for path in wanted} == wanted
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
    assert set(schemas["Problem"]["properties"]["code"]["enum"]) == set(STATUSES)
    security = {path: one.get("security") for path, item in document["paths"].items() for one in item.values()}
    assert [path for path, needed in security.items() if not needed] == [
        f"/api/v1/{name}" for name in ("openapi.json", "health", "metrics")
    ]


def test_a_receipt_has_an_address(call: Any, case: Any) -> None:
    found = call("agent")("GET", case["address"].removeprefix("/api/v1"))
    assert found.status_code == 200
    assert (found.json()["entry"], found.json()["leaf"]) == (case["entry"], case["leaf"])
    assert "place" in found.json()
    absent = call("dea")("GET", f"/entries/{uuid.uuid4()}")
    hidden = call("dea")("GET", f"/entries/{case['entry']}")
    refused(absent, 404, "not_found")
    assert absent.content == hidden.content


def test_statistics_are_listed_and_shown(call: Any) -> None:
    (listed,) = call("agent")("GET", "/statistics").json()["items"]
    assert (listed["name"], listed["columns"]) == ("activity", ["day", "type", "act", "entries"])
    shown = call("agent")("GET", "/statistics/activity", query={"since": "2026-01-01"})
    assert shown.status_code == 200 and all(set(one) == set(listed["columns"]) for one in shown.json()["items"])
    assert call("agent")("GET", "/statistics/activity", query={"since": "soon"}).json()["code"] == "request_invalid"
    assert call("agent")("GET", "/statistics/weather").json()["code"] == "statistic_unknown"


def test_the_inbox_answers(call: Any) -> None:
    assert isinstance(call("agent")("GET", "/inbox").json()["items"], list)


def test_an_emergency_opens_what_an_agreement_allows(call: Any, case: Any) -> None:
    path = f"/records/id/{case['record']}"
    problem = refused(call("dea")("POST", f"{path}/emergency", {"hours": 99}), 422, "invalid")
    assert {fault["path"] for fault in problem["faults"]} == {"reason", "lasting"}
    refused(call("dea")("GET", path), 404, "not_found")
    opened = call("dea")("POST", f"{path}/emergency", {"reason": "a life is in danger"})
    assert opened.status_code == 201, opened.content
    assert call("dea")("GET", path).status_code == 200
    kinds = {(one["kind"], one["record"]) for one in call("supervisor")("GET", "/inbox").json()["items"]}
    assert ("emergency", case["record"]) in kinds
    review = f"/emergencies/{opened.json()['id']}/review"
    assert call("supervisor")("POST", review, {"finding": "justified"}).status_code == 200
    refused(call("supervisor")("POST", review, {"finding": "again"}), 409, "act_out_of_turn")
    mine = {one["id"]: one for one in call("supervisor")("GET", "/emergencies").json()["items"]}
    assert mine[opened.json()["id"]]["finding"] == "justified"


def test_an_emergency_without_an_agreement_is_not_found(call: Any, case: Any) -> None:
    said = {"reason": "a life is in danger"}
    hidden = call("detective")("POST", f"/records/id/{case['record']}/emergency", said)
    absent = call("detective")("POST", f"/records/id/{uuid.uuid4()}/emergency", said)
    refused(hidden, 404, "not_found")
    assert hidden.content == absent.content
    refused(call("supervisor")("POST", f"/emergencies/{uuid.uuid4()}/review", {"finding": "x"}), 404, "not_found")
