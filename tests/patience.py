"""No test is timed: how fast a thing is, the bench says. What a test asks is whether a thing ends or comes about.

The bounds are those of a hang. A machine that is busy with other work meets them too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

PATIENCE = 60.0
HANG = 20.0
Found = TypeVar("Found")


@contextmanager
def no_hang() -> Iterator[None]:
    """What is inside takes the processor for less than HANG seconds, however long it waited for the processor."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < HANG


def eventually(what: Callable[[], Found], within: float = PATIENCE) -> Found:
    """Ask until it holds, and give what it then is."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found
