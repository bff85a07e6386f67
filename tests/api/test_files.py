"""Files over HTTP: the bytes come back as they were sent, and never as a page of ours."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from typing import Any

from comity.api import service
from tests.api.test_records import refused

CONTENT = os.urandom(300_000)


def test_a_file_goes_in_and_comes_back(call: Any, case: Any) -> None:
    sent = call("agent")(
        "POST", f"/records/id/{case['record']}/files", raw=CONTENT, content_type="image/png",
        query={"name": 'Überwachung "1".png'},
    )  # fmt: skip
    assert sent.status_code == 201, sent.content
    files = call("agent")("GET", f"/records/id/{case['record']}").json()["files"]
    (file,) = files
    back = call("agent")("GET", f"/files/{file}")
    assert back.status_code == 200
    assert b"".join(back.streaming_content) == CONTENT
    assert back["Content-Type"] == "image/png" and back["Content-Length"] == str(len(CONTENT))
    assert back["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%9Cberwachung%20%221%22.png"
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert back["Repr-Digest"] == f"sha-256=:{digest}:"
    assert "sandbox" in back["Content-Security-Policy"] and back["X-Content-Type-Options"] == "nosniff"
    refused(call("dea")("GET", f"/files/{file}"), 404, "not_found")


def test_a_file_needs_a_name(call: Any, case: Any) -> None:
    for name in ("", " ", "a\nb", "x" * 256):
        response = call("agent")("POST", f"/records/id/{case['record']}/files", raw=b"x", query={"name": name})
        refused(response, 400, "request_invalid")


def test_a_file_has_a_limit(call: Any, case: Any, monkeypatch: Any) -> None:
    of = service.service()
    small = dataclasses.replace(of, file_limit=10)
    monkeypatch.setattr(service, "_service", small)
    response = call("agent")("POST", f"/records/id/{case['record']}/files", raw=b"x" * 11, query={"name": "a"})
    refused(response, 413, "body_too_large")


def test_a_name_cannot_break_a_header(call: Any, case: Any) -> None:
    response = call("agent")(
        "POST", f"/records/id/{case['record']}/files", raw=b"x", content_type="text/html\r\nX-Evil: 1",
        query={"name": "a.html"},
    )  # fmt: skip
    assert response.status_code in (201, 400)
    if response.status_code == 201:
        (file,) = call("agent")("GET", f"/records/id/{case['record']}").json()["files"]
        assert call("agent")("GET", f"/files/{file}")["Content-Type"] == "application/octet-stream"
