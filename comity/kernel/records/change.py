"""A change about to be written, and the one way it is written: append, then project, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from comity import clock, names
from comity.errors import Fault, Problem
from comity.kernel.ledger.append import append
from comity.kernel.ledger.canonical import canonical
from comity.kernel.ledger.columns import columns
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.fold import Folded, step
from comity.kernel.policy.actor import Actor
from comity.kernel.records import behalf, pointers, project
from comity.kernel.records.contention import Repeated, contended, tries
from comity.kernel.records.node import Node, Work
from comity.kernel.records.numbers import draw
from comity.kernel.records.results import Receipt
from comity.kernel.records.subject import readable
from comity.kernel.types.catalogue import Type

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry with what it does to its record. `before` is the state that was read; version 0 means a new record.

    `after` follows from both and is folded once, when the change is made. `digest` is what the idempotency key was
    used for. A change of another's record (an answer) has no `type` row of its own: `projected` is False and only the
    ledger and the offer move.
    """

    entry: Entry
    type: Type
    before: Folded
    key: str | None = None
    digest: bytes = b""
    offer: Mapping[str, Any] | None = None
    shares: Sequence[Mapping[str, Any]] = ()
    projected: bool = True
    after: Folded = field(init=False, compare=False)

    def __post_init__(self) -> None:
        e = self.entry
        after = step(
            self.before, version=e.version, type=e.type, type_version=e.type_version, state_to=e.state_to,
            actor=str(e.actor), content=e.content,
        )  # fmt: skip
        object.__setattr__(self, "after", after)


def changed(
    work: Work,
    of: Type,
    before: Folded,
    *,
    record: UUID,
    kind: str,
    act: str,
    content: Mapping[str, Any],
    state_to: str,
    occurred_at: datetime | None = None,
    refers: UUID | None = None,
    key: str | None = None,
    digest: bytes = b"",
) -> Change:
    """The change that an act of this work makes to a record of the own agency; one on behalf says so."""
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.name, type_version=work.version, kind=kind,
        act=act, actor=UUID(work.actor.member), occurred_at=occurred_at or work.now, entered_at=work.now,
        version=before.version + 1, state_from=before.state, state_to=state_to,
        content={**content, **behalf.item(work.actor)}, refers=refers,
    )  # fmt: skip
    return Change(entry, of, before, key, digest)


def write(work: Work, changes: Sequence[Change]) -> list[Receipt]:
    """Append and project within the work's transaction; true once that commits. Numbers are drawn last.

    What derives from a record whose marks move follows in the same log (records/inheriting); its receipts are not the
    caller's. Raises `version_conflict` when somebody moved a record first, and Repeated when a source was marked
    meanwhile. Lock: none is held before but a turn; the unique index on (agency, record, version) lets one of two
    writers win.
    """
    from comity.kernel.records import inheriting

    changes = numbered(work, changes)
    if inheriting.moved(changes):
        inheriting.alone(work)
    if inheriting.overtaken(work, changes):
        raise Repeated
    written = [*changes, *inheriting.along(work, changes)]
    try:
        sealed = append(work.conn, [one.entry for one in written])[: len(changes)]
        remember(work, changes)
        project.records(work.conn, [one for one in written if one.projected])
        inheriting.owe(work, written)
        project.offers(work.conn, changes)
        behalf.report(work, changes)
        met = pointers.met(work, [one for one in changes if one.projected])
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name not in ("entry_agency_record_version_key", "record_pkey"):
            raise
        if len(written) > len(changes):  # it may be one that follows which was moved: what follows is found anew
            raise Repeated from None
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


def digest_of(*asked: Any) -> bytes:
    """What an idempotency key stands for: SHA-256 over the canonical request."""
    return hashlib.sha256(canonical(list(asked))).digest()


def spoken(actor: Actor) -> list[Any]:
    """What a key's digest holds besides: on whose behalf it was asked."""
    return list(behalf.item(actor).values())


def when_asked(given: datetime | None) -> str | None:
    """An instant that was asked for, as it goes into a key's digest."""
    return clock.show_instant(given) if given else None


def remember(work: Work, changes: Sequence[Change]) -> None:
    """Keep the keys of this write. A key that came in meanwhile makes the whole write a repetition: `Repeated`."""
    keyed = [one for one in changes if one.key]
    if not keyed:
        return
    kept = work.conn.execute(
        """insert into comity.idempotency (agency, key, digest, entry, record)
           select %s, * from unnest(%s::text[], %s::bytea[], %s::uuid[], %s::uuid[]) on conflict do nothing""",
        (work.agency, *columns([(one.key, one.digest, one.entry.id, one.entry.record) for one in keyed])),
    ).rowcount
    if kept != len(keyed):
        raise Repeated


def once(
    node: Node, actor: Actor, key: str | None, digest: bytes, do: Callable[[Work], T], again: Callable[[Receipt], T]
) -> T:
    """Do a verb in a transaction of its own; under a key only once, and a repetition is given the first receipt.

    Of two repetitions at one moment, the one that comes second is overtaken at whatever step it is: it looks again.
    """
    for _ in tries():
        try:
            with node.work(actor) as work:
                before = replayed(work, key, digest)
                return again(before) if before else do(work)
        except Repeated:
            continue
        except Problem:
            if not key:
                raise
            with node.work(actor) as work:
                before = replayed(work, key, digest)
            if before is None:
                raise
            return again(before)
    raise contended()


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier use of a key. Its receipt is for the member who did it and for whoever may read the record now: to
    anybody else a key only is taken, whatever for."""

    digest: bytes
    receipt: Receipt | None

    def answer(self, key: str, digest: bytes) -> Receipt | Problem:
        """What a request under the key is told."""
        if self.receipt is None or self.digest != digest:
            return reused(key, self.receipt.record if self.receipt else None)
        return self.receipt


def replays(work: Work, keys: Sequence[str]) -> dict[str, Remembered]:
    """The earlier uses of these keys by this agency; what colleagues did is looked up as one reads."""
    if not keys:
        return {}
    which = "any(%s)" if len(keys) > 1 else "%s"  # a plan for one key is kept, one for an array is made each time
    rows = work.conn.execute(
        f"""select i.key, i.digest, e.id, e.record, e.type, r.number, e.version, e.state_to, e.leaf, e.entered_at,
             e.actor from comity.idempotency i join comity.entry e on e.id = i.entry
             left join comity.record r on r.id = e.record and r.agency = e.agency
            where i.agency = %s and i.key = {which}""",
        (work.agency, list(keys) if len(keys) > 1 else keys[0]),
    ).fetchall()
    me = UUID(work.actor.member)
    seen = readable(work, {row[3] for row in rows if row[-1] != me})
    return {
        key: Remembered(
            digest,
            Receipt(
                entry=str(entry),
                record=str(record),
                agency=work.agency,
                type=of,
                number=number,
                version=version,
                state=state,
                leaf=leaf.hex(),
                at=at,
                replayed=True,
            )
            if actor == me or record in seen
            else None,
        )
        for key, digest, entry, record, of, number, version, state, leaf, at, actor in rows
    }


def replayed(work: Work, key: str | None, digest: bytes) -> Receipt | None:
    """The receipt of an earlier use of this key; Problem `idempotency_key_reused` when it was for other content, or
    is not this actor's to see."""
    if not key:
        return None
    found = replays(work, [key]).get(key)
    if found is None:
        return None
    answer = found.answer(key, digest)
    if isinstance(answer, Problem):
        raise answer
    return answer


def reused(key: str, record: str | None) -> Problem:
    """`record` None says nothing of what the key stands for, nor whether it was the same that is asked now."""
    if record is None:
        return Problem("idempotency_key_reused", f"the key {key!r} is taken", fix="use a new key")
    return Problem(
        "idempotency_key_reused", f"the key {key!r} was used for other content", record=record,
        fix="use a new key for a new act, or send exactly what was sent first",
    )  # fmt: skip
