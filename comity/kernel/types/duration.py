"""Durations as definitions write them: days, hours and minutes, such as P14D, PT48H or P1DT12H. No months or weeks."""

from __future__ import annotations

import re

_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?)?\Z", re.ASCII)


def read_duration(text: str) -> tuple[int, int] | None:
    """(days, minutes); None for what is not read as one: how long a month is depends on where it begins."""
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return days, hours * 60 + minutes
