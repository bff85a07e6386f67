"""The order of the tests: as written, or by chance, so that a test that needs another's leftovers is found.

As written, files of over a minute come first: last, they would keep one worker while the other has nothing to do.
COMITY_TEST_ORDER is a number; the same number gives the same order. Folders change places, and files in a folder; the
tests of a file keep theirs.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

VARIABLE = "COMITY_TEST_ORDER"
LONG = (
    "docs/test_followed.py", "demos/test_demos.py", "orders/test_reconcile.py", "upgrade/test_recorded_versions.py",
    "faults/test_kill.py", "cli/test_running.py", "api/test_serve.py",
)  # fmt: skip


def by_chance(files: Sequence[Path], number: str) -> list[Path]:
    """The files with every folder in one piece."""
    chance = random.Random(number)
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    pieces = list(folders.values())
    chance.shuffle(pieces)
    for piece in pieces:
        chance.shuffle(piece)
    return [file for piece in pieces for file in piece]


def long_first(files: Sequence[Path]) -> list[Path]:
    """As written, but for the longest."""
    return sorted(files, key=lambda file: "/".join(file.parts[-2:]) not in LONG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    number, files = os.environ.get(VARIABLE), list(dict.fromkeys(one.path for one in items))
    ordered = by_chance(files, number) if number else long_first(files)
    place = {file: at for at, file in enumerate(ordered)}
    items.sort(key=lambda one: place[one.path])
