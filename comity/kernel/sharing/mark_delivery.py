"""Marks that were put on another agency's record, or taken off, follow to the own records that derive from it.

An effect: (marks, entry, agency record mark) is done once, in the transaction of the entry that it makes in the own
log. What cannot follow now stays due: a mark is never given up.
"""

from __future__ import annotations

from uuid import UUID

from comity.errors import Problem
from comity.kernel.records import mark_propagation
from comity.kernel.records.write import write
from comity.kernel.sharing import outbox
from comity.kernel.work.follower import Follower
from comity.kernel.work.locking import Retry
from comity.kernel.work.node import Node, Work, system

NAME = "marks"


def deliver_marks(node: Node, agency: str) -> int:
    """Let one agency's records follow the marks of what they derive from; how many marks did."""
    done = 0
    with node.work(system(agency)) as work:
        owed = outbox.due(work.conn, NAME, agency)
        if owed:
            mark_propagation.lock_exclusive(work)
        for entry, target in owed:
            try:
                with work.conn.transaction():
                    _follow(work, entry, target)
                    outbox.done(work.conn, NAME, entry, target, work.now)
                    done += 1
            except (Problem, Retry):
                continue
    return done


def _follow(work: Work, entry: UUID, target: str) -> None:
    _, record, moved = target.split(" ", 2)
    mark, source = frozenset({moved[1:]}), UUID(record)
    row = work.conn.execute("select marks from comity.record where id = %s", (source,)).fetchone()
    if moved[0] == "+" and (row is None or mark <= set(row[0])):  # else it was taken off again
        one = mark_propagation.Moved(source, entry, mark, frozenset())
    else:
        one = mark_propagation.Moved(source, entry, frozenset(), mark)
    changes = mark_propagation.dependants(work, [one], {})
    if changes:
        write(work, changes)


FOLLOWER = Follower(
    NAME, "effect", deliver_marks, pending=outbox.owes(NAME), when="at_once", agencies="select comity.unmarked()"
)
