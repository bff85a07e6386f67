"""How much of the kernel one reads to follow a plain write: the files that run while a record is entered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import pytest

from tests.architecture.sources import PACKAGE
from tests.world import World

MOST = 22
KERNEL = f"{PACKAGE / 'kernel'}/"


def kernel_files(do: Callable[[], object]) -> dict[str, set[str]]:
    """The kernel files of which code runs while something is done, each with the functions that ran."""
    ran: dict[str, set[str]] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(KERNEL):
            ran.setdefault(code.co_filename.removeprefix(KERNEL), set()).add(code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        do()
    finally:
        sys.setprofile(before)
    return ran


@pytest.mark.parametrize(
    ("seat", "type", "fields"),
    [
        ("usao_attorney", "registry.place", {"address": "12 Elm Street"}),
        ("atf_agent", "investigation.case", {"title": "A shop", "program": "firearms", "opened": "2026-01-05"}),
    ],
)
def test_a_plain_enter_runs_through_few_files(world: World, seat: str, type: str, fields: Mapping[str, Any]) -> None:
    """An unlinked record, at a node that has entered its like: definitions are loaded and caches filled."""

    def enter() -> object:
        return world.enter(seat, type, fields)

    enter()
    ran = kernel_files(enter)
    said = "\n".join(f"{name}: {', '.join(sorted(ran[name]))}" for name in sorted(ran))
    assert {"records/enter.py", "records/validate.py", "records/write.py", "ledger/append.py"} <= ran.keys(), said
    assert len(ran) <= MOST, f"{len(ran)} files, and no more than {MOST} are wanted:\n{said}"
