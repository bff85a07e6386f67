"""Taking turns on a common record, so that what a guard read is still true when the act is written.

A guard reads around a record that several institutions act on: a stay with its holds, an item with its transfers. Two
acts at once would each see what was there before the other and both pass. A link that the type marks `serial: true`
says on what its record stands; whoever enters or acts on such a record, or acts on the record that is stood upon,
takes an advisory lock on its id before anything is judged and keeps it until the transaction ends. Who comes second
reads what the first has committed. Such a lock asks for no right on the row, so it holds across agencies.

What cannot take a turn is tried again: a verb that another has overtaken raises Retry and begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from comity import clock
from comity.errors import Problem
from comity.kernel.types.catalogue import Type
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject
from comity.sentences import say

LOCK = 4_801_006
PLACES = 512
"""Locks that there are: a batch of thousands does not use up the lock table; unrelated records seldom meet in one."""
PAUSES = (0, 20, 50, 100, 200, 400, 800)
"""Milliseconds before each try of what others overtake."""


def lock_targets(of: Type, record: str | UUID, *links: Mapping[str, Sequence[str]]) -> set[UUID]:
    """The records whose turn an act on this one takes: the targets of its serial links, and itself if stood upon."""
    serial = {name for name, link in of.links.items() if link.serial}
    given = [target for some in links for name in serial & some.keys() for target in some[name]]
    return {one for one in map(_as_id, [*given, *([record] if of.stood_on else [])]) if one is not None}


def lock(work: Work, ids: Iterable[UUID]) -> Work:
    """Wait for the turn on all of these; one order for everybody, so that nobody waits in a circle.

    Lock: pg_advisory_xact_lock(TURNS, place) until the transaction ends; taken before any row lock. The answered work
    has the time after the wait, so that the times in the log tell the same order as its places.
    """
    places = sorted({one.int % PLACES for one in ids})
    if not places:
        return work
    work.conn.execute("select pg_advisory_xact_lock(%s, place) from unnest(%s::int[]) place", (LOCK, places))
    return replace(work, now=clock.now())


def read_locked(
    work: Work, record: str, find: Callable[[Work, str], Subject], pointed: Mapping[str, Sequence[str]]
) -> tuple[Work, Subject]:
    """The record that an act is about, read when it is this act's turn. `pointed` are the links that the act adds."""
    subject = find(work, record)
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    ids = lock_targets(of, subject.id, subject.folded.links, pointed)
    if not ids:
        return work, subject
    work = lock(work, ids)
    subject = find(work, record)
    if not lock_targets(of, subject.id, subject.folded.links, pointed) <= ids:
        raise Problem("version_conflict", say("version_conflict.changed_in_the_meantime"))
    return work, subject


def _as_id(text: str | UUID) -> UUID | None:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        return None


class Retry(Exception):
    """Another transaction used the same idempotency key first, or marked what this one derives from; the verb starts
    again and replays the receipt, or reads the marks."""


def attempts() -> Iterator[int]:
    """How often one had to begin again: 0, 1, 2 and so on, with a pause before each that grows, 1.6 s together."""
    for before, pause in enumerate(PAUSES):
        clock.pause(pause / 1000)
        yield before


def contended() -> Problem:
    """The refusal of who had to begin again at every try."""
    return Problem(
        "unavailable", say("unavailable.same_keys_are_being_used"),
    )  # fmt: skip
