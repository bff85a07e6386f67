"""The order of the tests: as written, or by chance, so that a test that needs another's leftovers is found.

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    number = os.environ.get(VARIABLE)
    if number:
        place = {file: at for at, file in enumerate(by_chance(list(dict.fromkeys(one.path for one in items)), number))}
        items.sort(key=lambda one: place[one.path])
