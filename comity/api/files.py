"""Files of records: streamed in and out, never whole in memory, never shown by the browser as a page."""

from __future__ import annotations

import re
from typing import IO, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Router

from comity.api import body, service
from comity.api.caller import actor_of
from comity.api.documents import route_docs
from comity.api.records import written
from comity.errors import Fault, Problem
from comity.sentences import say

router = Router(tags=["files"])
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@router.post(
    "/records/id/{id}/files",
    **route_docs(
        "Attach a file: the request's body is the file", gives="Receipt", status=201, headers=("Idempotency-Key",),
        query={"name": "The file's name.", "media_type": "Its media type; the Content-Type header when left out."},
        refusals=(400, 401, 403, 404, 409, 411, 413, 422),
    ),
)  # fmt: skip
def attach(request: HttpRequest, id: str) -> HttpResponseBase:
    from comity.kernel.records.attach import attach as verb

    record = body.id_of(id)
    asked = body.query(request, "name", "media_type")
    name = asked.get("name", "")
    if not name.strip() or len(name) > 255 or _CONTROL.search(name):
        fault = Fault("needed", "?name", say("needed.file_needs_name_of_1"))
        raise Problem("request_invalid", say("request_invalid.file_has_no_usable_name"), faults=[fault])
    given = asked.get("media_type") or request.META.get("CONTENT_TYPE") or ""
    media_type = given.split(";", 1)[0].strip().lower()
    if _MEDIA_TYPE.fullmatch(media_type) is None:
        media_type = "application/octet-stream"
    stream = body.Upload(request, service.service().file_limit)
    receipt = verb(
        service.node(), actor_of(request), record, name=name, media_type=media_type, stream=cast("IO[bytes]", stream),
        key=body.idempotency_key(request),
    )  # fmt: skip
    return written(receipt, status=201)


@router.get("/files/{id}", **route_docs("The bytes of a file"))
def fetch(request: HttpRequest, id: str) -> HttpResponseBase:
    from comity.kernel.records.attach import fetch as verb

    info, parts = verb(service.node(), actor_of(request), body.id_of(id))
    response = StreamingHttpResponse(parts, content_type=info.media_type)
    response["Content-Length"] = str(info.size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(info.name, safe='')}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Repr-Digest"] = f"sha-256=:{_base64(info.sha256)}:"
    response["Cache-Control"] = "private, no-store"
    return response


def _base64(digest: str) -> str:
    from base64 import b64encode

    return b64encode(bytes.fromhex(digest)).decode("ascii")
