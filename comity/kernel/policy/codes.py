"""The one-time code of an invitation: written so that it can be read out over a telephone and typed by hand.

Letters and digits only, so that no code is taken for an option of a command; the alphabet is Crockford's base 32
(https://www.crockford.com/base32.html), in which no two signs look alike.
"""

from __future__ import annotations

import secrets

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 4, 5
ALIKE = str.maketrans("OIL", "011", "- ")


def new_code() -> str:
    """Twenty signs, 100 bits, in groups of five: `7KQ2M-...`."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))


def as_made(typed: str) -> str:
    """What was typed, in the signs of `new_code`: hyphens, spaces, case, and O, I, L for 0 and 1 do not matter."""
    return typed.strip().upper().translate(ALIKE)
