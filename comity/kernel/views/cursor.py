"""The cursor of a list that is ordered by an instant and an id: opaque to who sends it back, and without a right."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from comity.clock import parse_instant, show_instant
from comity.errors import Problem
from comity.sentences import say


def make_cursor(at: datetime, id: str) -> str:
    """The cursor of what follows the item of this instant and id."""
    return base64.urlsafe_b64encode(f"{show_instant(at)}|{id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """The instant and the id that a cursor was made of. Raises Problem `cursor_invalid`."""
    try:
        at, _, id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        return parse_instant(at), str(UUID(id))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise Problem("cursor_invalid", say("cursor_invalid.cursor_is_not_one_of")) from None
