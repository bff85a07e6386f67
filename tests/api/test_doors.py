"""What is refused at the door: bodies, tokens, addresses, methods; and what an unforeseen failure tells."""

from __future__ import annotations

import dataclasses
import io
import logging
import sys
import uuid
from typing import Any

import psycopg
import pytest

from comity.api import service
from comity.errors import Problem
from tests.api.conftest import CASE
from tests.api.test_records import PROBLEM, refused

CASES = "/records/investigation.case"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"fields": {"title": NaN}}', "json_nan"),
        (b'{"fields": {"title": Infinity}}', "json_nan"),
        (b'{"fields": {"title": "a", "title": "b"}}', "json_duplicate_key"),
        (b'{"fields": {"title": "a\\u0000b"}}', "json_nul"),
        (b'{"fields": {"title": "\\ud800"}}', "json_surrogate"),
        (b'{"fields": {"title": ' + b"[" * 65 + b"]" * 65 + b"}}", "json_depth"),
        (b'{"fields": {"title": 9007199254740992}}', "json_integer"),
        (b'{"fields": ', "json_syntax"),
        (b'{"fields": {"title": "\xff"}}', "json_syntax"),
        (b"\xef\xbb\xbf{", "json_syntax"),
    ],
)
def test_json_that_two_programs_could_read_differently(call: Any, body: bytes, code: str) -> None:
    problem = refused(call("agent")("POST", CASES, raw=body), 400, "json_refused")
    assert code in {fault["code"] for fault in problem["faults"]}, problem


@pytest.mark.parametrize("body", [b"[]", b"3", b'"x"', b"null"])
def test_a_body_is_an_object(call: Any, body: bytes) -> None:
    refused(call("agent")("POST", CASES, raw=body), 400, "request_invalid")


def test_a_body_has_a_limit(call: Any) -> None:
    large = b'{"fields": {"title": "' + b"x" * (1 << 20) + b'"}}'
    refused(call("agent")("POST", CASES, raw=large), 413, "body_too_large")
    assert call("agent")("POST", "/batch", raw=large).status_code == 400  # the batch reads it and finds no operations


def test_a_body_says_its_kind(call: Any) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused(call("agent")("POST", CASES, raw=b"{}", content_type=kind), 415, "media_type_unsupported")
    assert call("agent")("POST", CASES, CASE, content_type="application/json; charset=utf-8").status_code == 201


def test_a_body_says_its_length_and_keeps_it(application: Any, call: Any) -> None:
    token = call("agent").token
    assert _bare(application, token, b"{}", {"HTTP_TRANSFER_ENCODING": "chunked"})[0] == 411
    assert _bare(application, token, b'{"fie', {"CONTENT_LENGTH": "50"})[0] == 400
    assert _bare(application, token, b"{}", {"CONTENT_LENGTH": "two"})[0] == 400
    assert _bare(application, token, b"{}", {"CONTENT_LENGTH": "-1"})[0] == 400


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Basic abc", "Bearer ", "Bearer not-a-token", "Bearer a b", "Bearer \xfe"]
)
def test_a_token_is_needed(application: Any, token: str) -> None:
    from django.test import Client

    client = Client(
        raise_request_exception=False, SERVER_NAME="localhost", **({"HTTP_AUTHORIZATION": token} if token else {})
    )
    response = client.get("/api/v1/me")
    refused(response, 401, "token_invalid")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_purpose_is_a_word(call: Any) -> None:
    refused(call("agent")("GET", "/me", headers={"Comity-Purpose": "x y"}), 400, "request_invalid")
    assert call("agent")("GET", "/me", headers={"Comity-Purpose": "deconfliction"}).json()["purpose"] == "deconfliction"
    assert call("agent")("GET", "/me").json()["purpose"] == "investigation", "the agency's own"
    strange = call("agent")("GET", "/me", headers={"Comity-Purpose": "curiosity"})
    refused(strange, 400, "request_invalid")
    assert strange.json()["faults"][0]["code"] == "purpose_unknown"


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/records", "/records/", "/records/a.b/c", "/records/id/"])
def test_an_unknown_address(call: Any, path: str) -> None:
    refused(call("agent")("GET", path), 404, "route_unknown")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", CASES), ("PUT", "/me"), ("GET", "/batch"), ("TRACE", "/health")]
)
def test_an_address_that_does_not_answer_to_the_method(call: Any, method: str, path: str) -> None:
    response = call("agent")(method, path)
    assert refused(response, 405, "method_not_allowed")["allow"]
    assert response["Allow"]


def test_head_is_answered_as_get(call: Any) -> None:
    response = call("agent")("HEAD", "/me")
    assert response.status_code == 200 and response["Content-Type"] == "application/json"


def test_another_host_name_is_refused_as_a_problem(application: Any) -> None:
    from django.test import Client

    refused(
        Client(raise_request_exception=False, SERVER_NAME="evil.example").get("/api/v1/health"), 400, "request_invalid"
    )


def test_an_unforeseen_failure_tells_nothing(
    call: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("canary-91c2 in the message")

    monkeypatch.setattr("comity.kernel.views.find.find", fail)
    with caplog.at_level(logging.INFO):
        response = call("agent")("GET", CASES, query={"q": "canary-91c2"})
    problem = refused(response, 500, "internal")
    assert problem["reference"] == response["Comity-Request"]
    assert b"canary-91c2" not in response.content and b"ValueError" not in response.content
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert problem["reference"] in lines and "ValueError" in lines
    assert "canary-91c2" not in lines


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (psycopg.OperationalError("server closed the connection"), 503, "unavailable"),
        (psycopg.InterfaceError("the connection is closed"), 503, "unavailable"),
        (psycopg.errors.DeadlockDetected(), 503, "unavailable"),
        (psycopg.errors.DiskFull(), 507, "disk_full"),
        (OSError(28, "No space left on device"), 507, "disk_full"),
    ],
)
def test_a_failing_database_is_told_as_such(
    call: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("comity.kernel.views.find.find", fail)
    response = call("agent")("GET", CASES)
    refused(response, status, code)
    assert (response.get("Retry-After") is not None) == (status == 503)


def test_while_the_database_is_away(call: Any, node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Problem("unavailable")

    monkeypatch.setattr(service, "_node", None)
    monkeypatch.setattr(service, "_service", dataclasses.replace(service.service(), open_node=away))  # type: ignore[arg-type]
    for path in ("/me", "/health"):
        response = call("agent")("GET", path)
        refused(response, 503, "unavailable")
        assert response["Retry-After"] == "5"
    assert b"comity_database_up 0" in call("")("GET", "/metrics").content


def test_the_log_holds_no_content(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    canary = uuid.uuid4().hex
    with caplog.at_level(logging.DEBUG):
        entered = call("agent")("POST", CASES, {"fields": {**CASE["fields"], "title": canary}}).json()
        call("agent")("GET", f"/records/id/{entered['record']}")
        call("agent")("GET", CASES, query={"q": canary, canary: canary})
        call("agent")("GET", f"/{canary}")
        call("agent")(canary[:8].upper(), "/me")
    lines = [record.getMessage() for record in caplog.records if record.name == "comity.request"]
    assert len(lines) == 5
    assert "method=POST route=/api/v1/records/{type} status=201" in lines[0] and "agency=atf" in lines[0]
    assert "route=/api/v1/records/id/{id}" in lines[1]
    assert "route=unmatched" in lines[3]
    whole = "\n".join(record.getMessage() for record in caplog.records)
    for hidden in (canary, canary[:8].upper(), entered["record"], entered["number"], call("agent").token):
        assert hidden not in whole


def _bare(application: Any, token: str, body: bytes, more: dict[str, str]) -> tuple[int, bytes]:
    """A request as a server hands it on, with headers that a client library would not send."""
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": f"/api/v1{CASES}", "QUERY_STRING": "", "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {token}", **more,
    }  # fmt: skip
    response = application(environ, lambda status, headers: told.append(status))
    assert response["Content-Type"] == PROBLEM, response.content
    return int(told[0].split()[0]), b"".join(response)
