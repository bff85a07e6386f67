"""How answers leave: JSON, problem documents (RFC 9457), entity tags. The only place that writes a response body."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse

from comity.api import language
from comity.errors import Problem
from comity.sentences import Text, say

PROBLEM = "application/problem+json"
RETRY_SECONDS = {"unavailable": 5}
_TAG = re.compile(r'(?:W/)?"v([1-9][0-9]{0,8})(?:-[0-9a-f]+)?"\Z')
VARIES = {"Vary": "Authorization, Comity-Purpose, Accept-Language"}
"""Of an answer in the reader's language."""
_PLAIN = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS


def json_bytes(payload: Any) -> bytes:
    """The payload as it leaves, each text of it in the words of who asked."""
    return orjson.dumps(payload, default=_spell, option=_PLAIN)


def _spell(value: Any) -> Any:
    if isinstance(value, Text):
        return value.to(language.locale())
    if hasattr(value, "as_json"):
        return value.as_json()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):  # of a class of its own
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def answer(payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(json_bytes(payload), status=status, content_type="application/json")
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def refusal(problem: Problem) -> HttpResponse:
    """The problem as a response. Every `not_found` has the same bytes: absent and forbidden look alike."""
    body = Problem("not_found").as_json() if problem.code == "not_found" else problem.as_json()
    response = HttpResponse(json_bytes(body), status=problem.status, content_type=PROBLEM)
    response["Vary"] = VARIES["Vary"]
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="comity"'
    if problem.code in RETRY_SECONDS:
        response["Retry-After"] = str(RETRY_SECONDS[problem.code])
    if "allow" in problem.extra:
        response["Allow"] = ", ".join(problem.extra["allow"])
    return response


_BY_STATUS = {
    401: "token_invalid", 404: "route_unknown", 405: "method_not_allowed", 411: "length_required",
    413: "body_too_large", 415: "media_type_unsupported", 503: "unavailable",
}  # fmt: skip


def code_for(status: int) -> str:
    """The code of an answer that the web framework made by itself."""
    return _BY_STATUS.get(status, "request_invalid" if status < 500 else "internal")


def version_tag(version: int) -> str:
    """The entity tag of a version that was written: what `If-Match` wants back."""
    return f'"v{version}"'


def tagged(request: HttpRequest, payload: Any, *, version: int, worded: bool = False) -> HttpResponse:
    """A record as read, or 304 when the reader already has these bytes.

    The tag names the version and a digest of the body: what is masked, offered or open to this reader can change
    while the version does not. `worded`: its words are in the reader's language.
    """
    body = json_bytes(payload)
    tag = f'"v{version}-{hashlib.sha256(body).hexdigest()[:16]}"'
    asked = request.headers.get("If-None-Match", "")
    seen = {one.strip().removeprefix("W/") for one in asked.split(",")}
    if tag in seen or "*" in seen:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type="application/json")
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Comity-Purpose" + (", Accept-Language" if worded else "")
    return response


def expected_version(request: HttpRequest, *, required: bool) -> int | None:
    """The version that `If-Match` names. Problem `version_required` when it must be there and is not, or is `*`."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        if required:
            raise Problem(
                "version_required",
                fix=say("version_required.read_record_and_send_etag.fix"),
            )
        return None
    found = _TAG.fullmatch(text)
    if found is None:
        raise Problem("request_invalid", say("request_invalid.if_match_does_not_name"))
    return int(found[1])
