"""Counts how often the database is asked: every statement that goes out by any cursor of the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are executed meanwhile, in this process."""
    asked: list[str] = []
    before = psycopg.Cursor.execute

    def execute(cursor: Any, query: Any, *given: Any, **more: Any) -> Any:
        asked.append(str(query))
        return before(cursor, query, *given, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", execute)
        yield asked
