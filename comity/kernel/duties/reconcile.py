"""Orders given and acts done: each duty of the joints in force, whether it was done, is still within its time, or not.

An agency reconciles what it may see. A duty whose act stands in another's log is that one's to find: it is judged here
only where the given record itself shows the act. What `law/obligation_rules` calls given and done is data, and
so is each word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from comity.errors import Problem
from comity.kernel.duties.duty import Duty, NodeReconciliation, Reconciliation
from comity.kernel.duties.lateness import late_entries
from comity.kernel.duties.obligation_walk import Walk
from comity.kernel.policy.actor import Actor
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work, system
from comity.kernel.work.subject import Subject, find_subject, subjects
from comity.kernel.work.visibility import visibility

STEPS = 5
MOST = 5_000


def reconcile(node: Node, actor: Actor, *, case: str | None = None, at: datetime | None = None) -> Reconciliation:
    """Every duty that this actor may see given and done, the oldest open first. Problem `not_found` for the case.

    `case` limits it to what hangs on that record. `at`: as it was known at a past instant, or, later than now, what
    will be overdue by then. Others' records that were read are disclosed to their owners.
    """
    with node.work(actor) as work:
        return _reconciled(work, case, at or work.now)


def reconcile_all(node: Node, *, at: datetime | None = None) -> NodeReconciliation:
    """The node's own summary, each agency with its own system's rights. A suspended agency is named, not read."""
    each: dict[str, Reconciliation] = {}
    merged: dict[tuple[str, str, str], Duty] = {}
    suspended = []
    for agency in node.agencies():
        try:
            with node.work(system(agency)) as work:
                asked = at or work.now
                walk = Walk(work, asked, None)
                duties = walk.duties()
                each[agency] = _summed(work, asked, duties, walk.unjudged)
        except Problem as problem:
            if problem.code != "agency_suspended":
                raise
            suspended.append(agency)
            continue
        for one in duties:
            key = one.joint, one.record, one.each
            merged[key] = _weightier(merged.get(key), one)
    duties = list(merged.values())
    latest = max((one.at for one in each.values()), default=at)
    assert latest is not None, "a node without agencies has nothing to reconcile"
    return NodeReconciliation(
        latest, each, len(duties), sum(one.state == "done" for one in duties),
        _those(duties, "open"), _those(duties, "difference"), tuple(suspended),
    )  # fmt: skip


_WEIGHT = ("done", "difference", "open")


def _weightier(held: Duty | None, one: Duty) -> Duty:
    """Of two readings of one duty: an act that one of them saw is there, also where the other may not see it."""
    if held is None:
        return one
    first = min if not one.never else max
    return first(held, one, key=lambda duty: _WEIGHT.index(duty.state))


def _reconciled(work: Work, case: str | None, at: datetime) -> Reconciliation:
    within = _hanging_on(work, find_subject(work, case)) if case else None
    walk = Walk(work, at, within)
    duties = walk.duties()
    disclosure.told(work, "reconcile", [(one, ["number"]) for one in walk.read.values()])
    whole = [(one, visibility(work, one.type(work), one).whole) for one in walk.own.values()]
    return replace(_summed(work, at, duties, walk.unjudged), late=tuple(late_entries(work, whole)))


def _summed(work: Work, at: datetime, duties: Sequence[Duty], unjudged: set[str]) -> Reconciliation:
    return Reconciliation(
        at, work.agency, len(duties), sum(one.state == "done" for one in duties), _those(duties, "open"),
        _those(duties, "difference"), tuple(sorted(unjudged)),
    )  # fmt: skip


def _those(duties: Sequence[Duty], state: str) -> tuple[Duty, ...]:
    return tuple(sorted((one for one in duties if one.state == state), key=lambda one: (one.since, one.joint)))


def _hanging_on(work: Work, case: Subject) -> set[str]:
    """The case and what points at it, directly or over at most STEPS records that this actor sees."""
    found = {str(case.id)}
    edge = [str(case.id)]
    for _ in range(STEPS):
        rows = work.conn.execute("select record::text from comity.link where target = any(%s::uuid[])", (edge,))
        edge = list(subjects(work, sorted({row[0] for row in rows} - found)))
        found.update(edge)
        if not edge or len(found) > MOST:
            break
    return found
