"""Signing webhooks as the Standard Webhooks specification says (`v1`): HMAC-SHA256 over id.timestamp.body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as its receiver is given it, once: `whsec_` and its bytes in base64."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secret: bytes, *, message: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a delivery. `timestamp` is in seconds of Unix time: that of the attempt."""
    signed = b".".join((message.encode(), str(timestamp).encode(), body))
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
