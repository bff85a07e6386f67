"""Records over HTTP: entered, read, changed, acted on, found; each refusal by its code."""

from __future__ import annotations

import uuid
from typing import Any

from tests.api.conftest import CASE

PROBLEM = "application/problem+json"


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem, after its form was checked."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"/api/v1/problems/{code}"
    return problem


def test_a_record_is_entered_and_read_back(call: Any) -> None:
    entered = call("agent")("POST", "/records/investigation.case", CASE)
    assert entered.status_code == 201
    receipt = entered.json()
    assert entered["ETag"] == '"v1"'
    assert entered["Location"] == f"/api/v1/records/id/{receipt['record']}"
    assert receipt["number"].startswith("ATF-2026-") and receipt["replayed"] is False
    seen = call("agent")("GET", f"/records/id/{receipt['record']}")
    assert seen.status_code == 200
    assert seen.json()["fields"]["title"] == CASE["fields"]["title"]
    assert seen["ETag"].startswith('"v1-')
    assert seen["Cache-Control"] == "private, no-cache"
    assert "Authorization" in seen["Vary"]


def test_all_faults_come_at_once_with_their_paths(call: Any) -> None:
    sent = {"fields": {"program": "spaceships", "colour": "red"}}
    problem = refused(call("agent")("POST", "/records/investigation.case", sent), 422, "invalid")
    assert {"fields.title", "fields.program", "fields.colour"} <= {fault["path"] for fault in problem["faults"]}


def test_the_same_key_enters_once(call: Any) -> None:
    key = {"Idempotency-Key": f"test-{uuid.uuid4()}"}
    first = call("agent")("POST", "/records/investigation.case", CASE, headers=key)
    again = call("agent")("POST", "/records/investigation.case", CASE, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["record"] == first.json()["record"] and again.json()["replayed"] is True
    other = {"fields": {**CASE["fields"], "title": "Another"}}
    refused(call("agent")("POST", "/records/investigation.case", other, headers=key), 409, "idempotency_key_reused")


def test_what_is_overridden_is_a_list_of_codes_that_may_be(call: Any) -> None:
    agent = call("agent")
    given = {**CASE, "override": ["invented"], "reason": "So it was"}
    problem = refused(agent("POST", "/records/investigation.case", given), 422, "invalid")
    assert [(one["code"], one["path"]) for one in problem["faults"]] == [("override_unknown", "override")]
    for wrong in ([1], "invented", [["invented"]]):
        answered = agent("POST", "/records/investigation.case", {**CASE, "override": wrong})
        assert refused(answered, 400, "request_invalid")["faults"][0]["code"] == "wrong_kind"
    entered = agent("POST", "/records/investigation.case", {**CASE, "override": []}).json()["record"]
    assert agent("GET", f"/records/id/{entered}").json()["overrides"] == []
    [line] = agent("GET", f"/records/id/{entered}/history").json()["items"]
    assert line["overrides"] == []
    converted = call("supervisor")("POST", f"/records/id/{entered}/acts/convert", {"override": ["x"], "reason": "Full"})
    assert [one["code"] for one in refused(converted, 422, "invalid")["faults"]] == ["override_unknown"]


def test_a_list_of_what_a_link_may_be_set_to(call: Any) -> None:
    agent = call("agent")
    assert agent("GET", "/records/court.order", query={"fits": "court.order.recalled_by"}).json()["items"] == []
    wrong = agent("GET", "/records/court.order", query={"fits": "court.order.nothing"})
    assert refused(wrong, 422, "invalid")["faults"][0]["code"] == "unknown_link"
    page = agent("GET", "/types/court.order").json()
    asked = {"kind": ["recall"], "state": ["entered", "fulfilled"]}
    assert page["links"]["recalled_by"]["where"] == page["schema"]["x-links"]["recalled_by"]["where"] == asked
    assert agent("GET", "/types/custody.intake").json()["acts"]["enter"]["overrides"] == {
        "authority_recalled": {
            "by": ["supervisor"], "needs": "reason", "raises": "custody.orders.kept_on_a_recalled_authority"
        }
    }  # fmt: skip


def test_a_key_must_be_plain_ascii(call: Any) -> None:
    response = call("agent")("POST", "/records/investigation.case", CASE, headers={"Idempotency-Key": "a b"})
    refused(response, 400, "request_invalid")


def test_an_amend_names_the_version_it_read(call: Any, case: Any) -> None:
    path = f"/records/id/{case['record']}"
    change = {"fields": {"summary": "Three purchases in one week."}}
    refused(call("agent")("PATCH", path, change), 428, "version_required")
    refused(call("agent")("PATCH", path, change, headers={"If-Match": "*"}), 428, "version_required")
    refused(call("agent")("PATCH", path, change, headers={"If-Match": "abc"}), 400, "request_invalid")
    refused(call("agent")("PATCH", path, change, headers={"If-Match": '"v7"'}), 412, "version_conflict")
    read = call("agent")("GET", path)
    done = call("agent")("PATCH", path, change, headers={"If-Match": read["ETag"]})
    assert done.status_code == 200 and done["ETag"] == '"v2"'
    refused(call("agent")("PATCH", path, change, headers={"If-Match": '"v1"'}), 412, "version_conflict")
    unset = call("agent")("PATCH", path, {"fields": {"summary": None}}, headers={"If-Match": '"v2"'})
    assert unset.status_code == 200
    assert "summary" not in call("agent")("GET", path).json()["fields"]


def test_what_is_unchanged_is_not_sent_again(call: Any, case: Any) -> None:
    path = f"/records/id/{case['record']}"
    tag = call("agent")("GET", path)["ETag"]
    same = call("agent")("GET", path, headers={"If-None-Match": tag})
    assert same.status_code == 304 and same.content == b"" and same["ETag"] == tag
    call("agent")("PATCH", path, {"fields": {"summary": "New."}}, headers={"If-Match": '"v1"'})
    assert call("agent")("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_absent_and_forbidden_are_the_same_bytes(call: Any, case: Any) -> None:
    absent = call("dea")("GET", f"/records/id/{uuid.uuid4()}")
    forbidden = call("dea")("GET", f"/records/id/{case['record']}")
    no_id = call("dea")("GET", "/records/id/not-an-id")
    refused(absent, 404, "not_found")
    assert absent.content == forbidden.content == no_id.content
    for method, path in (
        ("PATCH", ""),
        ("GET", "/history"),
        ("POST", "/acts/amend"),
        ("POST", "/answers/accepted"),
        ("POST", "/submissions?to=usao"),
        ("POST", "/files?name=a.txt"),
    ):
        answers = [
            call("dea")(
                method, f"/records/id/{id}{path}", {} if method != "GET" else None, headers={"If-Match": '"v1"'}
            )
            for id in (uuid.uuid4(), case["record"])
        ]  # fmt: skip
        assert answers[0].content == answers[1].content, path
        assert answers[0].status_code == answers[1].status_code == 404, (path, answers[0].content)


def test_an_act_out_of_turn_and_an_act_not_allowed(call: Any, case: Any) -> None:
    path = f"/records/id/{case['record']}"
    refused(call("agent")("POST", f"{path}/acts/convert"), 403, "not_allowed")
    problem = refused(call("supervisor")("POST", f"{path}/acts/convert"), 422, "invalid")
    assert [(fault["code"], fault["path"]) for fault in problem["faults"]] == [("needs", "reason")]
    done = call("supervisor")("POST", f"{path}/acts/convert", {"reason": "Two buys corroborate the tip."})
    assert done.status_code == 200 and done.json()["state"] == "full", done.content
    refused(call("supervisor")("POST", f"{path}/acts/convert", {"reason": "again"}), 409, "act_out_of_turn")
    refused(call("supervisor")("POST", f"{path}/acts/fly"), 404, "act_unknown")


def test_history_tells_each_act(call: Any, case: Any) -> None:
    call("agent")("PATCH", f"/records/id/{case['record']}", {"fields": {"summary": "S"}}, headers={"If-Match": '"v1"'})
    lines = call("agent")("GET", f"/records/id/{case['record']}/history").json()["items"]
    assert [one["act"] for one in lines] == ["enter", "amend"]
    assert lines[0]["entry"] == case["entry"]


def test_lists_filter_and_turn_pages(call: Any) -> None:
    mark = uuid.uuid4().hex
    for place in range(5):
        fields = {"incident_number": f"{mark}-{place}", "offense_description": f"Shots fired {mark}"}
        assert call("detective")("POST", "/records/investigation.incident", {"fields": fields}).status_code == 201
    first = call("detective")("GET", "/records/investigation.incident", query={"q": mark, "limit": "2"}).json()
    assert len(first["items"]) == 2 and first["next"]
    seen = [one["id"] for one in first["items"]]
    cursor = first["next"]
    while cursor:
        page = call("detective")(
            "GET", "/records/investigation.incident", query={"q": mark, "limit": "2", "cursor": cursor}
        ).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5
    one = call("detective")("GET", "/records/investigation.incident", query={"incident_number": f"{mark}-3"}).json()
    assert [item["fields"]["incident_number"] for item in one["items"]] == [f"{mark}-3"]
    theirs = call("agent")("GET", "/records/investigation.incident", query={"q": mark, "owner": "cpd"}).json()
    assert len(theirs["items"]) == 5
    assert not call("agent")("GET", "/records/investigation.incident", query={"q": mark, "owner": "atf"}).json()[
        "items"
    ]


def test_lists_refuse_what_they_do_not_know(call: Any) -> None:
    path = "/records/investigation.incident"
    refused(call("agent")("GET", path, query={"cursor": "zzz"}), 400, "cursor_invalid")
    refused(call("agent")("GET", path, query={"limit": "many"}), 400, "request_invalid")
    refused(call("agent")("GET", path, query={"limit": "0"}), 400, "request_invalid")
    refused(call("agent")("GET", f"{path}?q=a&q=b"), 400, "request_invalid")
    refused(call("agent")("GET", path, query={"narrative": "x"}), 422, "invalid")
    refused(call("agent")("GET", "/records/no.such"), 404, "type_unknown")
    refused(call("agent")("GET", f"/records/id/{uuid.uuid4()}?as_of=yesterday"), 400, "request_invalid")
    refused(call("agent")("GET", f"/records/id/{uuid.uuid4()}?colour=red"), 400, "request_invalid")


def test_a_batch_answers_each_operation(call: Any) -> None:
    key = f"batch-{uuid.uuid4()}"
    good = {"type": "investigation.case", **CASE}
    operations = [good, {"type": "investigation.case", "fields": {}}, "no", {"type": "no.such", "fields": {}}, good]
    response = call("agent")("POST", "/batch", {"operations": operations}, headers={"Idempotency-Key": key})
    assert response.status_code == 200, response.content
    results = response.json()["results"]
    assert [one["status"] for one in results] == [201, 422, 400, 404, 201]
    assert results[1]["problem"]["code"] == "invalid"
    again = call("agent")("POST", "/batch", {"operations": operations}, headers={"Idempotency-Key": key}).json()
    assert again["results"][0]["receipt"]["record"] == results[0]["receipt"]["record"]
    assert again["results"][4]["receipt"]["replayed"] is True


def test_a_batch_has_a_size(call: Any) -> None:
    refused(call("agent")("POST", "/batch", {"operations": []}), 400, "request_invalid")
    refused(call("agent")("POST", "/batch", {"operations": [{}] * 1001}), 400, "request_invalid")


def test_members_of_a_body_are_known_by_name_and_kind(call: Any) -> None:
    sent = {"feilds": {}, "reason": 3, "occurred_at": "2026-11-20", "links": {"assigned": ["me"]}}
    problem = refused(call("agent")("POST", "/records/investigation.case", sent), 400, "request_invalid")
    by_path = {fault["path"]: fault for fault in problem["faults"]}
    assert by_path["feilds"]["fix"] == "did you mean fields?"
    assert {"reason", "occurred_at"} <= set(by_path)
    sent = {"fields": {}, "links": {"assigned": ["me"]}}
    problem = refused(call("agent")("POST", "/records/investigation.case", sent), 400, "request_invalid")
    assert problem["faults"][0]["path"] == "links.assigned"


def test_a_late_cause_is_said_with_an_amendment_and_an_answer(call: Any) -> None:
    nowhere = "/records/id/00000000-0000-4000-8000-000000000000"
    told = {"late_cause": "Found on Monday"}
    refused(call("agent")("POST", f"{nowhere}/answers/accepted", told), 404, "not_found")
    refused(call("agent")("PATCH", nowhere, told, headers={"If-Match": '"v1"'}), 404, "not_found")
    problem = refused(call("agent")("POST", f"{nowhere}/answers/accepted", {"late_cause": 3}), 400, "request_invalid")
    assert [fault["path"] for fault in problem["faults"]] == ["late_cause"]
