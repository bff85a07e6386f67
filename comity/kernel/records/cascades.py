"""What follows by itself, in the same transaction, when a record that others stand on comes to a new state.

An order that is recalled takes back what was served under it. The type of the service says so (`follows` of an act, or
of the offer's withdrawal); the act is the system's, in the log of the agency whose act it follows, and names its entry.
Only records of that agency follow: what another institution keeps is its own to move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from comity.kernel.ledger import items
from comity.kernel.ledger.offer_side import OfferSide
from comity.kernel.records import offer_moves, offers
from comity.kernel.types import lifecycle
from comity.kernel.types.catalogue import Act, Answer
from comity.kernel.work.change import Change, Step, changed
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, find_subject


def cascades(work: Work, cause: Change) -> list[Change]:
    """The changes that follow `cause`. The caller holds the turn of its record (work/locking), and so theirs."""
    of, state = cause.type, cause.type.core_state(cause.after.state)
    waiting = set(_waiting(work, state)) if of.stood_on and state != of.core_state(cause.before.state) else set()
    if not waiting:
        return []
    rows = work.conn.execute(
        """select distinct l.record::text from comity.link l
             join unnest(%s::text[], %s::text[]) as w (type, name) on w.type = l.type and w.name = l.name
            where l.target = %s and l.agency = comity.me() order by 1""",
        ([kind for kind, _ in waiting], [name for _, name in waiting], cause.entry.record),
    ).fetchall()
    doer = work.as_system()
    said = of.states[cause.after.state].label or state.replace("_", " ")
    content = items.say(reason=f"{of.title} {cause.after.number or ''}: {said}")
    return [change for (record,) in rows for change in _follow(doer, record, cause, state, content)]


def _waiting(work: Work, state: str) -> Iterator[tuple[str, str]]:
    """(type, link) of the records that follow a target into this state."""
    for kind in work.catalogue.types.values():
        acts: list[Act | Answer] = [*kind.acts.values(), *lifecycle.answers(kind.offer).values()]
        for act in acts:
            for name, states in act.follows.items():
                if state in states:
                    yield kind.name, name


def _follow(work: Work, record: str, cause: Change, state: str, content: Mapping[str, Any]) -> list[Change]:
    """What becomes of one record. An open offer is withdrawn; an answer that just came is settled first."""
    sides = offer_moves.hold(work.conn, record)
    subject = find_subject(work, record)
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    settled = any(one["settled_entry"] is not None for one in sides)  # of several: what comes later moves nothing
    if not settled and any(one["state"] == "offered" for one in sides):
        back = of.offer.withdrawn if of.offer else None
        if back is None or not _follows(back, subject, cause, state):
            return []
        done = Step("act", back.name, back.to, refers=cause.entry.id)
        end = changed(work, of, subject.folded, subject.id, done, content)
        return [offers.ended(end, [OfferSide.of(one) for one in sides])]
    before: list[Change] = []
    for offer in sides:
        if offer["answer_entry"] is not None and offer["settled_entry"] is None:
            before.append(offers.settled(work, of, subject, offer, sides))
            subject = replace(subject, folded=before[-1].after)
            offer["settled_entry"] = before[-1].entry.id
    now = subject.folded
    acts = [one for one in of.acts.values() if now.state in one.from_ and _follows(one, subject, cause, state)]
    if not acts:
        return before
    act = acts[0].name
    done = Step("act", act, lifecycle.step(of, act, now.state), refers=cause.entry.id)
    return [*before, changed(work, of, now, subject.id, done, content)]


def _follows(one: Act | Answer, subject: Subject, cause: Change, state: str) -> bool:
    return any(
        state in states and str(cause.entry.record) in subject.folded.links.get(name, ())
        for name, states in one.follows.items()
    )
