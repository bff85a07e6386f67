"""The headings of the tables that commands print, in one place: what a translation of them has to give."""

from __future__ import annotations

TIMELINE = ("", "happened", "act", "by", "what")
SENT = ("record", "version", "of", "sent as", "ground")
