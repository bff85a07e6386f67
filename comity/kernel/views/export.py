"""A find's result as a file of rows: all pages of it, for the owner of the process alone, bounded in number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comity.errors import Fault, Problem
from comity.formats.open_file import new_table, writable
from comity.kernel.policy.actor import Actor
from comity.kernel.views.find import MOST, find
from comity.kernel.work.node import Node
from comity.sentences import NOTHING, Text, say

MOST_ROWS = 10_000
FIRST = ("number", "type", "title", "state", "agency", "on_behalf", "version", "entered_at", "id", "masked")
"""The columns before those of the fields, each of which is called `fields.` and its name."""


@dataclass(frozen=True, slots=True)
class Exported:
    """`more`: there was more to find than is written to one file."""

    path: str
    format: str
    rows: int
    more: bool

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "format": self.format, "rows": self.rows, "more": self.more}


def export(node: Node, actor: Actor, file: Path, **asked: Any) -> Exported:
    """Write what the actor finds to a new file, in the format of its suffix; `asked` are the members of find's Search.

    It is disclosed as finding it is. Nothing is written when it cannot be found. Raises what find raises, and Problem
    import_refused for a name that no format writes, request_invalid where a file is there already or cannot be made.
    """
    kind = writable(file).name
    if file.exists():
        raise _unwritten("file_exists", say("file_exists.exists_already", out=file))
    rows: list[dict[str, Any]] = []
    cursor = asked.pop("cursor", None)
    while True:
        page = find(node, actor, **{**asked, "cursor": cursor, "limit": min(MOST, MOST_ROWS - len(rows))})
        rows += [_row(one) for one in page.items]
        cursor = page.next
        if not cursor or len(rows) >= MOST_ROWS:
            break
    named = sorted({name for row in rows for name in row} - set(FIRST))
    try:
        with new_table(file, [*FIRST, *named]) as write:
            for row in rows:
                write(row)
    except OSError as error:
        fix = say("export.choose_folder_that_is_there.fix")
        raise _unwritten(
            "file_unwritable", say("file_unwritable.because", file=file, strerror=error.strerror), fix
        ) from error
    return Exported(str(file), kind, len(rows), bool(cursor))


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in FIRST} | {f"fields.{name}": one for name, one in item["fields"].items()}


def _unwritten(code: str, message: Text, fix: Text = NOTHING) -> Problem:
    return Problem(
        "request_invalid", say("request_invalid.nothing_was_written"), faults=[Fault(code, "path", message, fix)]
    )
