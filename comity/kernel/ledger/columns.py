"""Rows as one array literal for each column, for `unnest`: a batch of any size is one statement with few parameters.

The driver's own lists cost several times as much, because it looks up how to write each value by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID


def columns(rows: Iterable[Sequence[Any]]) -> list[str]:
    """One PostgreSQL array literal for each column of `rows`, of which there is at least one.

    Takes None, text, bytes, numbers, truths, UUIDs and aware instants. TypeError for anything else.
    """
    return [array(column) for column in zip(*rows, strict=True)]


def array(values: Iterable[Any]) -> str:
    """The values as one array literal; the statement casts it."""
    return "{" + ",".join([_spell(value) for value in values]) + "}"


def _spell(value: Any) -> str:
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f'"{value.isoformat()}"'
    raise TypeError(f"a {type(value).__name__} has no place in a column")
