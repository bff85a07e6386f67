"""GET /reconcile: what the verb answers, over HTTP."""

from __future__ import annotations

from typing import Any


def test_an_agency_without_orders_has_nothing_given(idle: Any) -> None:
    answer = idle("GET", "/reconcile")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["given"], told["done"], told["open"], told["differences"]) == (0, 0, [], [])


def test_what_is_asked_wrongly_is_refused(call: Any) -> None:
    assert call("agent")("GET", "/reconcile", query={"at": "yesterday"}).json()["code"] == "request_invalid"
    assert call("agent")("GET", "/reconcile", query={"since": "x"}).json()["code"] == "request_invalid"
    assert call("agent")("GET", "/reconcile", query={"case": "no id"}).json()["code"] == "not_found"
    hidden = call("agent")("GET", "/reconcile", query={"case": "00000000-0000-4000-8000-000000000000"})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")


COUNT = {"statute": "18 USC 922(g)(1)", "offense_date": "2023-03-17", "count": 1}


def test_what_is_due_in_the_office_in_pages(call: Any, case: Any, idle: Any) -> None:
    agent = call("agent")
    person = agent("POST", "/records/registry.person", {"fields": {"name": "Ida", "role": "subject"}}).json()["record"]
    links = {"case": [case["record"]], "subject": [person]}
    made = {
        agent("POST", "/records/investigation.offense", {"fields": {**COUNT, "offense_date": day}, "links": links})
        .json()["record"]: day
        for day in ("2019-03-18", "2023-03-17")
    }  # fmt: skip
    found, cursor = [], {"limit": "1"}
    while cursor:
        page = agent("GET", "/due", query={"type": "investigation.offense", **cursor})
        assert page.status_code == 200 and len(page.json()["items"]) == 1
        found += page.json()["items"]
        cursor = {"limit": "1", "cursor": page.json()["next"]} if page.json()["next"] else {}
    told = [(one["standing"], one["day"], one["days_left"] < 0) for one in found if one["record"] in made]
    assert told == [("overdue", "2024-03-18", True), ("running", "2028-03-17", False)]
    overdue = agent("GET", "/due", query={"overdue": "true", "limit": "200"}).json()
    assert {one["standing"] for one in overdue["items"]} <= {"overdue", "lapsed"} and overdue["counts"]["overdue"] >= 1
    before = agent("GET", "/due", query={"at": "2026-01-01"}).json()
    assert (before["items"], before["at"]) == ([], "2026-01-02T04:59:59.999999Z")
    assert idle("GET", "/due").json()["items"] == []


def test_what_is_due_asked_wrongly_is_refused(call: Any) -> None:
    agent = call("agent")
    for name, value in (("within", "soon"), ("by", "x"), ("at", "x"), ("overdue", "maybe"), ("limit", "0")):
        refused = agent("GET", "/due", query={name: value}).json()
        assert (refused["code"], refused["faults"][0]["path"]) == ("request_invalid", f"?{name}")
    assert agent("GET", "/due", query={"state": "x"}).json()["code"] == "request_invalid"
    unknown = agent("GET", "/due", query={"type": "investigation.ofense"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "type_unknown")
    assert agent("GET", "/due", query={"cursor": "x"}).json()["code"] == "cursor_invalid"
