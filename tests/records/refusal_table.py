"""What is told of refused acts, and what their table holds: how the tests of refusals look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from comity.kernel.views.refusals import refusals
from tests.world import World


def told(world: World, seat: str, **asked: Any) -> list[Mapping[str, Any]]:
    """What a seat is told of refusals, all pages of it."""
    page = refusals(world.node, world.seats[seat], **asked)
    found = [*page.items]
    while page.next:
        page = refusals(world.node, world.seats[seat], **asked, cursor=page.next)
        found += page.items
    return found


def brief(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return one["verb"], one["type"], one["act"], one["record"], one["code"], one["times"]


def held(world: World, seat: str) -> str:
    """All that the table holds of a member, as text, whoever may see it."""
    member = world.seats[seat].member
    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        rows = conn.execute("select r::text from comity.refusal r where member = %s", (member,)).fetchall()
    return "\n".join(row[0] for row in rows)


@contextmanager
def as_superuser(world: World, before: str, after: str) -> Iterator[None]:
    """A change of the database for a while: what an operator's mistake could do to it."""
    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        conn.execute(before)
        try:
            yield
        finally:
            conn.execute(after)
