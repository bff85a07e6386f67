"""What begins again because others were quicker: how often, and what is said when it was never first."""

from __future__ import annotations

from collections.abc import Iterator

from comity import clock
from comity.errors import Problem

PAUSES = (0, 20, 50, 100, 200, 400, 800)
"""Milliseconds before each try of what others overtake."""


class Retry(Exception):
    """Another transaction used the same idempotency key first, or marked what this one derives from; the verb starts
    again and replays the receipt, or reads the marks."""


def attempts() -> Iterator[int]:
    """How often one was Repeated before: 0, 1, 2 and so on, with a pause before each that grows, 1.6 s together."""
    for before, pause in enumerate(PAUSES):
        clock.pause(pause / 1000)
        yield before


def contended() -> Problem:
    """What is said to who was Repeated at every try."""
    return Problem(
        "unavailable", "The same keys are being used, or the records that this derives from marked, by others just now",
        fix="try again",
    )  # fmt: skip
