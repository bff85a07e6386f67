"""What an agency's followers have to do now: asked in one statement and without its definitions, which are large.

Each follower looks again under its own locks. Here it is only found which of them need not begin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from comity import clock
from comity.kernel.sharing import followers
from comity.kernel.work.follower import Follower
from comity.kernel.work.node import Node


@dataclass(frozen=True, slots=True)
class PendingWork:
    """The names of the followers that have something to do; none for a suspended agency."""

    suspended: bool
    names: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return name in self.names


def pending_work(node: Node, agency: str) -> PendingWork:
    """What is to be done for an agency of this node; nothing for a suspended one."""
    now = clock.now()
    with node.transaction(agency) as (conn, begun):
        if begun.agency_state != "active":
            return PendingWork(suspended=True)
        asked = ", ".join(f"({one.pending})" for one in followers.FOLLOWERS)
        row = conn.execute(f"select {asked}", {"now": now}).fetchone() or ()
        return PendingWork(False, frozenset(one.name for one, due in zip(followers.FOLLOWERS, row, strict=True) if due))


def agencies_waiting(node: Node, among: Iterable[Follower]) -> list[tuple[Follower, list[str]]]:
    """Of each of these followers that can ask across all agencies: those that have something for it. One round trip."""
    asking = [one for one in among if one.agencies]
    if not asking:
        return []
    row = node.ask("select " + ", ".join(f"array({one.agencies})" for one in asking), ())
    return [(one, list(found)) for one, found in zip(asking, row or (), strict=False)]
