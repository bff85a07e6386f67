"""Marks that were put on another agency's record, or taken off, follow to the own records that derive from it.

An effect: (marks, entry, agency record mark) is done once, in the transaction of the entry that it makes in the own
log. What cannot follow now stays due: a mark is never given up.
"""

from __future__ import annotations

from uuid import UUID

from comity.errors import Problem
from comity.kernel.ledger import follow
from comity.kernel.records import inheriting
from comity.kernel.records.change import write
from comity.kernel.records.contention import Repeated
from comity.kernel.records.node import Node, Work, system

NAME = "marks"


def pass_on(node: Node, agency: str) -> int:
    """Let one agency's records follow the marks of what they derive from; how many marks did."""
    done = 0
    with node.work(system(agency)) as work:
        owed = follow.due(work.conn, NAME, agency)
        if owed:
            inheriting.alone(work)
        for entry, target in owed:
            try:
                with work.conn.transaction():
                    _follow(work, entry, target)
                    follow.done(work.conn, NAME, entry, target, work.now)
                    done += 1
            except (Problem, Repeated):
                continue
    return done


def _follow(work: Work, entry: UUID, target: str) -> None:
    _, record, moved = target.split(" ", 2)
    mark, source = frozenset({moved[1:]}), UUID(record)
    row = work.conn.execute("select marks from comity.record where id = %s", (source,)).fetchone()
    if moved[0] == "+" and (row is None or mark <= set(row[0])):  # else it was taken off again
        one = inheriting.Moved(source, entry, mark, frozenset())
    else:
        one = inheriting.Moved(source, entry, frozenset(), mark)
    changes = inheriting.heirs(work, [one], {})
    if changes:
        write(work, changes)
