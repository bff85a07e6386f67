"""The one way a change is written: append, then project, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from comity.errors import Fault, Problem
from comity.kernel.ledger.append import append
from comity.kernel.records import deconfliction, mark_propagation, project, reports
from comity.kernel.records.numbers import draw
from comity.kernel.work.change import Change
from comity.kernel.work.idempotency import store
from comity.kernel.work.node import Work
from comity.kernel.work.results import Receipt
from comity.kernel.work.retry import Retry


def write(work: Work, changes: Sequence[Change]) -> list[Receipt]:
    """Append and project within the work's transaction; true once that commits. Numbers are drawn last.

    What derives from a record whose marks move follows in the same log (records/inheriting); its receipts are not the
    caller's. Raises `version_conflict` when somebody moved a record first, and Repeated when a source was marked
    meanwhile. Lock: none is held before but a turn; the unique index on (agency, record, version) lets one of two
    writers win.
    """
    changes = numbered(work, changes)
    if mark_propagation.moved(changes):
        mark_propagation.lock_exclusive(work)
    if mark_propagation.stale(work, changes):
        raise Retry
    written = [*changes, *mark_propagation.propagate(work, changes)]
    try:
        sealed = append(work.conn, [one.entry for one in written])[: len(changes)]
        store(work, changes)
        project.records(work.conn, [one for one in written if one.projected])
        mark_propagation.enqueue(work, written)
        project.offers(work.conn, changes)
        reports.write(work, changes)
        met = deconfliction.met(work, [one for one in changes if one.projected])
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name not in ("entry_agency_record_version_key", "record_pkey"):
            raise
        if len(written) > len(changes):  # it may be one that follows which was moved: what follows is found anew
            raise Retry from None
        raise _overtaken(changes) from None
    receipts = []
    for one, seal in zip(changes, sealed, strict=True):
        e = one.entry
        receipts.append(
            Receipt(
                entry=str(e.id),
                record=str(e.record),
                agency=e.agency,
                type=e.type,
                number=one.after.number,
                version=e.version,
                state=e.state_to,
                leaf=seal.leaf.hex(),
                at=e.entered_at,
                pointers=tuple(met.get(e.record, ())),
            )
        )
    return receipts


def _overtaken(changes: Sequence[Change]) -> Problem:
    """Why a version was there before: an id given twice, or another act."""
    if all(one.before.version == 0 for one in changes):
        return id_taken()
    return Problem(
        "version_conflict", "The record was changed by another act in the meantime",
        fix="read it again and decide on what it says now",
    )  # fmt: skip


def id_taken() -> Problem:
    faults = [Fault("id_taken", "id", "this id cannot be given", "leave it out, or make a new random one")]
    return Problem("invalid", "The id is taken", faults=faults)


def numbered(work: Work, changes: Sequence[Change]) -> list[Change]:
    """Give every new record of a numbered type its number: the last thing that is decided about an entry."""
    new: dict[str, list[int]] = {}
    for at, one in enumerate(changes):
        if one.before.version == 0 and one.projected and one.type.number:
            new.setdefault(one.type.name, []).append(at)
    out = list(changes)
    for places in new.values():
        for at, number in zip(places, draw(work, out[places[0]].type, len(places)), strict=True):
            content = {**out[at].entry.content, "number": number}
            out[at] = replace(out[at], entry=replace(out[at].entry, content=content))
    return out
