"""Who calls: one member of one agency, as a provider of identity says, and the purpose that the caller states."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja.security.base import AuthBase

from comity.api import service
from comity.errors import Fault, Problem
from comity.sentences import say

if TYPE_CHECKING:
    from comity.kernel.policy.actor import Actor

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


class Bearer(AuthBase):
    """Signs the caller in for one request, by the first of the service's providers that finds its proof among the
    headers. Raises Problem `token_invalid`, `member_suspended`, `agency_suspended`, and what the provider refuses.

    It is named for what the interface's description says of it: the token, which every node takes.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Actor:
        from comity.kernel.policy.identity import Credentials, shown, sign_in

        headers = {name.lower(): value for name, value in request.headers.items()}
        found = shown(service.service().identities, Credentials(headers=headers))
        purpose = request.headers.get("Comity-Purpose", "")
        if purpose and _PURPOSE.fullmatch(purpose) is None:
            raise Problem("request_invalid", say("request_invalid.comity_purpose_is_one_word"))
        actor = sign_in(service.node(), found, purpose)
        request.actor = actor  # type: ignore[attr-defined]
        return actor


caller = Bearer()


BEHALF: dict[str, type] = {"on_behalf": str, "document": UUID}
"""The members of a body that say whose act it is, and which record shows it."""


def speaking(request: HttpRequest, said: dict[str, Any]) -> Actor:
    """The signed-in actor, on behalf of the agency that the body names; takes both members out of `said`."""
    agency, document = said.pop("on_behalf", None), said.pop("document", None)
    if agency is None:
        if document is not None:
            fault = Fault("needed", "on_behalf", say("needed.document_goes_with_agency_whose"))
            raise Problem("request_invalid", say("request_invalid.body_does_not_fit_this"), faults=[fault])
        return actor_of(request)
    from comity.kernel.policy.actor import Behalf

    return replace(actor_of(request), behalf=Behalf(agency, str(document or "")))


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in actor of a route that asks for one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
