"""Who calls: a bearer token of one member of one agency, and the purpose that the caller states."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja.security.base import AuthBase

from comity.api import service
from comity.errors import Fault, Problem

if TYPE_CHECKING:
    from comity.kernel.policy.actor import Actor

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}\Z")


class Bearer(AuthBase):
    """Signs the caller in for one request. Raises Problem `token_invalid`, `member_suspended`, `agency_suspended`."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Actor:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or _TOKEN.fullmatch(token) is None:
            raise Problem("token_invalid", fix="send Authorization: Bearer and the token that `member redeem` gave")
        purpose = request.headers.get("Comity-Purpose", "")
        if purpose and _PURPOSE.fullmatch(purpose) is None:
            raise Problem("request_invalid", "Comity-Purpose is one word, a purpose that the definitions declare")
        from comity.kernel.policy.tokens import sign_in

        actor = sign_in(service.node(), token, purpose)
        request.actor = actor  # type: ignore[attr-defined]
        return actor


bearer = Bearer()


BEHALF: dict[str, type] = {"on_behalf": str, "document": UUID}
"""The members of a body that say whose act it is, and which record shows it."""


def speaking(request: HttpRequest, said: dict[str, Any]) -> Actor:
    """The signed-in actor, on behalf of the agency that the body names; takes both members out of `said`."""
    agency, document = said.pop("on_behalf", None), said.pop("document", None)
    if agency is None:
        if document is not None:
            fault = Fault("needed", "on_behalf", "a document goes with the agency whose act it shows")
            raise Problem("request_invalid", "the body does not fit this operation", faults=[fault])
        return actor_of(request)
    from comity.kernel.policy.actor import Behalf

    return replace(actor_of(request), behalf=Behalf(agency, str(document or "")))


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in actor of a route that asks for one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
