"""A file that a docstring, a comment or a page names by its room, as in work/locking, is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT

KERNEL = ROOT / "comity" / "kernel"
ROOMS = sorted(room.name for room in KERNEL.iterdir() if (room / "__init__.py").exists() or room.name == "schema")
NAMED = re.compile(rf"(?<![/\w.{{-])(?:kernel/)?({'|'.join(ROOMS)})/([a-z_]+)\b(?!/)")


def texts() -> Iterator[Path]:
    for folder, suffixes in (("comity", {".py", ".sql"}), ("docs", {".md"})):
        found = sorted(one for one in (ROOT / folder).rglob("*") if one.suffix in suffixes)
        yield from (one for one in found if "_data" not in one.parts)
    yield ROOT / "README.md"


def absent(text: str) -> list[str]:
    found = ((room, name) for room, name in NAMED.findall(text))
    return [
        f"{room}/{name}"
        for room, name in found
        if not (KERNEL / room / f"{name}.py").exists() and not (KERNEL / room / name).exists()
    ]


def test_every_file_that_is_named_by_its_room_is_there() -> None:
    found = {str(file.relative_to(ROOT)): gone for file in texts() if (gone := absent(file.read_text("utf-8")))}
    assert found == {}


def test_a_file_that_was_moved_is_found() -> None:
    assert absent("Locks are taken by `work/locking`; see (records/turns) and kernel/policy/nothing.") == [
        "records/turns", "policy/nothing",
    ]  # fmt: skip
    assert absent("GET /records/id/x, types/case.yml of an agency is named in full: agencies/x/types/case.yml") == [
        "types/case"
    ]
