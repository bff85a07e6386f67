"""A log of one's own: `log(agency)` appends plain entries, as a test's own institution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from comity import clock
from comity.config.database import Database
from comity.config.settings import Settings
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.work.node import Node
from tests.world import node_on


@pytest.fixture(scope="module")
def bare(database: Database, node_settings: Settings) -> Iterator[Node]:
    """A node without any agency: the ledger asks for none."""
    made = node_on(database, node_settings)
    yield made
    made.close()


def an_entry(
    agency: str, content: Mapping[str, Any] | None = None, *, record: UUID | None = None, version: int = 1,
    kind: str = "enter", refers: UUID | None = None, at: datetime | None = None,
) -> Entry:  # fmt: skip
    now = at or clock.now()
    return Entry(
        id=uuid4(), agency=agency, record=record or uuid4(), type="investigation.case", type_version=1, kind=kind,
        act=kind, actor=UUID(int=7), occurred_at=now, entered_at=now, version=version, state_from="",
        state_to="open", content=content or {}, refers=refers,
    )  # fmt: skip


@pytest.fixture
def agency() -> str:
    """An agency that nobody else uses."""
    return f"a-{uuid4().hex[:12]}"


@pytest.fixture
def log(bare: Node, agency: str) -> Callable[..., Entry]:
    """`log({"set/title": "A"})` appends an entry to the test's agency and commits."""

    def write(content: Mapping[str, Any] | None = None, **rest: Any) -> Entry:
        made = an_entry(agency, content, **rest)
        with bare.transaction(agency) as (conn, _):
            append(conn, [made])
        return made

    return write
