"""What a code means is one request away from every refusal; an agency's own codes are for its members."""

from __future__ import annotations

from typing import Any

from comity.problems import CODES
from tests.api.test_records import refused


def test_each_refusal_and_each_of_its_faults_is_explained_where_it_points(call: Any) -> None:
    sent = {"fields": {"program": "spaceships", "colour": "red"}}
    problem = refused(call("agent")("POST", "/records/investigation.case", sent), 422, "invalid")
    codes = {fault["code"] for fault in problem["faults"]}
    assert {"code_unknown", "unknown_field", "required"} <= codes
    for address in (problem["type"], *(f"/api/v1/problems/{code}" for code in codes)):
        found = call("")("GET", address.removeprefix("/api/v1"))
        assert found.status_code == 200, found.content
        one = found.json()
        assert one["type"] == address and one["code"] == address.rpartition("/")[2]
        assert one["meaning"] and one["remedy"] and one["title"]
    whole = call("")("GET", "/problems/invalid").json()
    assert (whole["kind"], whole["status"], whole["source"]) == ("problem", 422, "comity")
    assert whole["title"] == problem["title"]
    part = call("")("GET", "/problems/required").json()
    assert (part["kind"], part["status"], part["uses"]) == ("fault", None, [])


def test_the_list_needs_no_token_and_holds_nothing_of_an_agency(call: Any) -> None:
    response = call("")("GET", "/problems")
    assert response.status_code == 200
    items = {one["code"]: one for one in response.json()["items"]}
    assert list(items) == sorted(items) and set(CODES) <= set(items)
    assert {one["source"].split()[0] for one in items.values()} == {"comity", "pillar"}
    assert {one["kind"] for one in items.values()} == {"problem", "fault", "decision", "startup", "duty"}
    assert items["hold_active"]["source"] == "pillar custody"
    assert items["not_found"]["status"] == 404


def test_a_code_of_the_definitions_says_who_brings_it_and_where(call: Any) -> None:
    one = call("")("GET", "/problems/carrier_missing").json()
    assert one["source"] == "pillar evidence" and one["remedy"] == "Set carrier and tracking_number."
    assert [use["at"].startswith("evidence.custody_transfer.acts.") for use in one["uses"]] == [True]
    several = call("")("GET", "/problems/no_unsealing_order").json()
    assert {use["source"] for use in several["uses"]} == {"pillar court", "pillar prosecution"}
    assert several["source"] == "pillar court"
    duty = call("")("GET", "/problems/released").json()
    assert (duty["kind"], duty["source"], duty["title"]) == (
        "duty", "pillar custody", "Whoever is ordered released is released"
    )  # fmt: skip


def test_an_agencys_own_codes_are_for_its_members(call: Any) -> None:
    mine = call("agent")("GET", "/problems/not_certified")
    assert mine.status_code == 200 and mine.json()["source"] == "agency atf"
    assert "not_certified" in {one["code"] for one in call("agent")("GET", "/problems").json()["items"]}
    of_law = call("agent")("GET", "/problems/expiry_missing").json()
    assert of_law["source"] == "jurisdiction us-federal"
    unknown = call("dea")("GET", "/problems/no_such_code_anywhere")
    for seat in ("dea", ""):
        hidden = call(seat)("GET", "/problems/not_certified")
        refused(hidden, 404, "problem_unknown")
        assert "not_certified" not in {one["code"] for one in call(seat)("GET", "/problems").json()["items"]}
    refused(unknown, 404, "problem_unknown")
    refused(call("")("GET", "/problems/gdep_missing"), 404, "problem_unknown")
    assert call("dea")("GET", "/problems/gdep_missing").json()["source"] == "agency dea"


def test_a_misspelt_code_is_answered_with_the_nearest_that_may_be_read(call: Any) -> None:
    assert refused(call("")("GET", "/problems/not_fuond"), 404, "problem_unknown")["fix"] == "did you mean not_found?"
    near = refused(call("dea")("GET", "/problems/not_certifed"), 404, "problem_unknown")["fix"]
    assert "not_certified" not in near


def test_a_token_that_is_sent_must_be_in_force(call: Any) -> None:
    for path in ("/problems", "/problems/not_found"):
        refused(call("")("GET", path, headers={"Authorization": "Bearer spent"}), 401, "token_invalid")


def test_openapi_says_that_a_token_is_not_needed(call: Any) -> None:
    document = call("")("GET", "/openapi.json").json()
    for path, gives in (("/problems", "ProblemCodes"), ("/problems/{code}", "ProblemCode")):
        described = document["paths"][f"/api/v1{path}"]["get"]
        assert {} in described["security"] and len(described["security"]) == 2
        schema = described["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{gives}"}
    wanted = set(document["components"]["schemas"]["ProblemCode"]["properties"])
    assert set(call("")("GET", "/problems/not_found").json()) == wanted
    assert [{} in one for one in [document["paths"]["/api/v1/me"]["get"]["security"]]] == [False]
