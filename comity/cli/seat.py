"""The provider of identity of the command line: a seat of this machine, by the token kept in its home (credentials)."""

from __future__ import annotations

from pathlib import Path

from comity.cli import credentials
from comity.kernel.policy.identity import Credentials, Identity
from comity.kernel.policy.tokens import bearer

HOME, AGENCY, NAME = "home", "agency", "seat"
"""What a command says of itself: the node's home, and the agency and the member to speak for, as far as it was told."""


def proof(shown: Credentials) -> str | None:
    """The token of the one seat that fits. Problem: seat_unknown, several_seats."""
    if HOME not in shown.here:
        return None
    return credentials.choose(Path(shown.here[HOME]), shown.here.get(AGENCY), shown.here.get(NAME))


SEAT = Identity("seat", "", proof, bearer)
