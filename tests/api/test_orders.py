"""GET /reconcile: what the verb answers, over HTTP."""

from __future__ import annotations

from typing import Any


def test_an_agency_without_orders_has_nothing_given(call: Any) -> None:
    answer = call("agent")("GET", "/reconcile")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["given"], told["done"], told["open"], told["differences"]) == (0, 0, [], [])


def test_what_is_asked_wrongly_is_refused(call: Any) -> None:
    assert call("agent")("GET", "/reconcile", query={"at": "yesterday"}).json()["code"] == "request_invalid"
    assert call("agent")("GET", "/reconcile", query={"since": "x"}).json()["code"] == "request_invalid"
    assert call("agent")("GET", "/reconcile", query={"case": "no id"}).json()["code"] == "not_found"
    hidden = call("agent")("GET", "/reconcile", query={"case": "00000000-0000-4000-8000-000000000000"})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
