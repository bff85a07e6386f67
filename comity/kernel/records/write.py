"""The one way a change is written: number, append, then project, in one transaction.

A number such as ATF-2026-000123 is drawn from a block that the process reserves, so that no writer waits for another.
A block is reserved in its own short transaction with an asynchronous commit: a number that is used is on disk before
its entry is, because the log of the database is written in order. What a block leaves unused is a gap, explained by
comity.number_block. A server draws one at a time for people and more when they are wanted in quick succession: then the
block doubles, up to `burst` of the node, so that a number mostly costs nothing and few are left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import psycopg

from comity import clock, names
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.records import deconfliction, grants, mark_propagation, offer_moves, project
from comity.kernel.types.catalogue import Type
from comity.kernel.work.change import Change
from comity.kernel.work.idempotency import store
from comity.kernel.work.locking import Retry
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Receipt
from comity.sentences import say

QUICK = timedelta(seconds=1)
"""A block that was used up within it is followed by one of twice its size."""


def write(work: Work, changes: Sequence[Change]) -> list[Receipt]:
    """Append and project within the work's transaction; true once that commits. Numbers are drawn last.

    What derives from a record whose marks move follows in the same log (mark_propagation); its receipts are not the
    caller's. Raises `version_conflict` when somebody moved a record first, and Retry when a source was marked
    meanwhile. Lock: none is held before but a turn; the unique index on (agency, record, version) lets one of two
    writers win.
    """
    changes = _numbered(work, changes)
    marking = any(one.moves_marks for one in changes)
    if marking:
        mark_propagation.lock_exclusive(work)
    if any(one.new_sources for one in changes) and mark_propagation.stale(work, changes):
        raise Retry
    written = [*changes, *(mark_propagation.propagate(work, changes) if marking else ())]
    projected = [one for one in written if one.projected]
    try:
        sealed = append(work.conn, [one.entry for one in written])[: len(changes)]
        if any(one.key for one in changes):
            store(work, changes)
        project.records(work.conn, projected)
        if marking:
            mark_propagation.enqueue(work, written)
        if any(one.opens for one in changes):
            grants.offer(work.conn, changes)
            offer_moves.move(work, changes)
            grants.report(work, changes)
        compared = [one for one in changes if one.projected and (one.type.deconflict or one.type.ties)]
        met = deconfliction.met(work, compared) if compared else {}
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name not in ("entry_agency_record_version_key", "record_pkey"):
            raise
        if len(written) > len(changes):  # it may be one that follows which was moved: what follows is found anew
            raise Retry from None
        raise _overtaken(changes) from None
    return [_receipt(one, seal.leaf, met.get(one.entry.record, ())) for one, seal in zip(changes, sealed, strict=True)]


def _receipt(one: Change, leaf: bytes, met: Sequence[str]) -> Receipt:
    e = one.entry
    return Receipt(
        entry=str(e.id), record=str(e.record), agency=e.agency, type=e.type, number=one.after.number,
        version=e.version, state=e.state_to, leaf=leaf.hex(), at=e.entered_at, pointers=tuple(met),
    )  # fmt: skip


@contextmanager
def as_if_written(work: Work) -> Iterator[Callable[[Change], None]]:
    """Suppose changes of records, one after another, for what is judged within; in the end nothing was written.

    An id that is taken ends the supposing: writing will say so.
    """

    def suppose(change: Change) -> None:
        project.records(work.conn, [change])
        grants.offer(work.conn, [change])

    with suppress(psycopg.errors.UniqueViolation), work.conn.transaction(force_rollback=True):
        yield suppose


def _overtaken(changes: Sequence[Change]) -> Problem:
    """Why a version was there before: an id given twice, or another act."""
    if all(one.before.version == 0 for one in changes):
        return id_taken()
    return Problem(
        "version_conflict", say("version_conflict.changed_in_the_meantime"),
    )  # fmt: skip


def id_taken() -> Problem:
    """The refusal of an id that some record has; it does not say whose."""
    faults = [Fault("id_taken", "id", say("id_taken.this_id_cannot_be_given"))]
    return Problem("invalid", say("invalid.id_is_taken"), faults=faults)


def _numbered(work: Work, changes: Sequence[Change]) -> list[Change]:
    """Give every new record of a numbered type its number: the last thing that is decided about an entry."""
    new: dict[str, list[int]] = {}
    for at, one in enumerate(changes):
        if one.before.version == 0 and one.projected and one.type.number:
            new.setdefault(one.type.name, []).append(at)
    out = list(changes)
    for places in new.values():
        for at, number in zip(places, _draw(work, out[places[0]].type, len(places)), strict=True):
            out[at] = out[at].saying(items.number(number))
    return out


def _draw(work: Work, of: Type, count: int = 1) -> list[str | None]:
    """The next numbers for new records of a type; Nones when its records carry none."""
    if not of.number:
        return [None] * count
    definition = work.catalogue.definition
    key = names.number_key(
        of.number, agency=work.agency, type_name=of.name, year=clock.today(definition.zone).year,
        station=definition.station,
    )  # fmt: skip
    return [names.number_text(of.number, key, seq) for seq in _take(work.node, work.agency, key, count)]


def _take(node: Node, agency: str, key: str, count: int) -> list[int]:
    with node._lock:
        held = node._numbers.setdefault((agency, key), [])
        if len(held) < count:
            size = max(_block(node, agency, key), count - len(held))
            first = _reserve(node, agency, key, size)
            held.extend(range(first, first + size))
        taken, node._numbers[(agency, key)] = held[:count], held[count:]
        return taken


def _block(node: Node, agency: str, key: str) -> int:
    """How many to reserve now, as far as it is for the future."""
    now = clock.now()
    size, at = node._blocks.get((agency, key), (0, now))
    size = max(node.block, min(2 * size, node.burst) if now - at < QUICK else 0)
    node._blocks[(agency, key)] = (size, now)
    return size


def _reserve(node: Node, agency: str, key: str, size: int) -> int:
    return int(node.ask("select comity.reserve(%s, %s, %s, %s)", (agency, key, size, clock.now()))[0])
