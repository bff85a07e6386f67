"""A provider of identity of its own: a gateway says in a header which member it has signed in, and signs that."""

from __future__ import annotations

import hmac
from uuid import UUID

from comity.errors import Problem
from comity.kernel.policy.identity import Credentials, Directory, Identity, Known, member_of
from comity.sentences import Given

HEADER = "comity-gateway"
_KEY = b"shared with the gateway by the operator"


def signed(agency: str, member: str) -> str:
    """What the gateway sends."""
    said = f"{agency} {member}"
    return f"{said} {hmac.digest(_KEY, said.encode(), 'sha256').hex()}"


def proof(credentials: Credentials) -> str | None:
    return credentials.headers.get(HEADER)


def who(node: Directory, shown: str) -> Known:
    said, _, mark = shown.rpartition(" ")
    agency, _, member = said.partition(" ")
    if not hmac.compare_digest(hmac.digest(_KEY, said.encode(), "sha256").hex(), mark):
        raise Problem("token_invalid", Given("The gateway did not sign this"))
    return member_of(node, agency, UUID(member))


GATEWAY = Identity("gateway", f"{HEADER} as the gateway signs it", proof, who)
