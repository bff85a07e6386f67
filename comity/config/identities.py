"""The providers of identity there are, in the order in which they are asked: what both ways in iterate."""

from __future__ import annotations

from comity.cli.seat import SEAT
from comity.kernel.policy.identity import Identity
from comity.kernel.policy.tokens import TOKEN

IDENTITIES: tuple[Identity, ...] = (TOKEN, SEAT)
