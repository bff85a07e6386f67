"""How large a harness is: small in `make test`, whole in `make test-deep` (COMITY_TEST_DEEP=1).

A harness is any test with a number in it that could be larger: examples, probes, kills, rows, seeds, turns of a random
schedule. It says both numbers where it uses them, `size(small=100, deep=2_000)`, in a decorator too.
"""

from __future__ import annotations

import os
import sys
from typing import TypeVar

import pytest

VARIABLE = "COMITY_TEST_DEEP"
DEEP = os.environ.get(VARIABLE, "") not in ("", "0")
ONLY_DEEP = "only in make test-deep"
Value = TypeVar("Value")

deep_only = pytest.mark.skipif(not DEEP, reason=ONLY_DEEP)
"""For a test that has no small size; the summary names it."""

_reduced: set[str] = set()


def size(*, small: Value, deep: Value) -> Value:
    """The one of the two that this run wants."""
    if not DEEP and small != deep:
        caller = sys._getframe(1)
        _reduced.add(f"{caller.f_globals['__name__']}:{caller.f_lineno}")
    return deep if DEEP else small


def small() -> frozenset[str]:
    """Where this process was given a small size so far: `module:line`."""
    return frozenset(_reduced)
