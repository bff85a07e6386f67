"""Idempotency keys: what was asked under one, what was answered, and doing a verb only once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger.canonical import canonical
from comity.kernel.ledger.columns import columns
from comity.kernel.policy.actor import Actor
from comity.kernel.work import on_behalf
from comity.kernel.work.change import Change
from comity.kernel.work.locking import Retry, attempts, contended
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Receipt
from comity.kernel.work.subject import readable
from comity.sentences import say

T = TypeVar("T")


def digest_of(*asked: Any) -> bytes:
    """What an idempotency key stands for: SHA-256 over the canonical request."""
    return hashlib.sha256(canonical(list(asked))).digest()


def actor_key(actor: Actor) -> list[Any]:
    """What a key's digest holds besides: on whose behalf it was asked."""
    return list(on_behalf.item(actor.behalf).values()) if actor.behalf else []


def when_asked(given: datetime | None) -> str | None:
    """An instant that was asked for, as it goes into a key's digest."""
    return clock.show_instant(given) if given else None


def store(work: Work, changes: Sequence[Change]) -> None:
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
        raise Retry


def once(
    node: Node, actor: Actor, key: str | None, digest: bytes, do: Callable[[Work], T], again: Callable[[Receipt], T]
) -> T:
    """Do a verb in a transaction of its own; under a key only once, and a repetition is given the first receipt.

    Of two repetitions at one moment, the one that comes second is overtaken at whatever step it is: it looks again.
    """
    for _ in attempts():
        try:
            with node.work(actor) as work:
                before = earlier_receipt(work, key, digest)
                return again(before) if before else do(work)
        except Retry:
            continue
        except Problem:
            if not key:
                raise
            with node.work(actor) as work:
                before = earlier_receipt(work, key, digest)
            if before is None:
                raise
            return again(before)
    raise contended()


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """An earlier use of a key. Its receipt is for the member who did it and for whoever may read the record now: to
    anybody else a key only is taken, whatever for."""

    digest: bytes
    receipt: Receipt | None

    def answer(self, key: str, digest: bytes) -> Receipt | Problem:
        """What a request under the key is told."""
        if self.receipt is None or self.digest != digest:
            return reused(key, self.receipt.record if self.receipt else None)
        return self.receipt


def earlier_uses(work: Work, keys: Sequence[str]) -> dict[str, EarlierUse]:
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
        key: EarlierUse(
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


def earlier_receipt(work: Work, key: str | None, digest: bytes) -> Receipt | None:
    """The receipt of an earlier use of this key; Problem `idempotency_key_reused` when it was for other content, or
    is not this actor's to see."""
    if not key:
        return None
    found = earlier_uses(work, [key]).get(key)
    if found is None:
        return None
    answer = found.answer(key, digest)
    if isinstance(answer, Problem):
        raise answer
    return answer


def reused(key: str, record: str | None) -> Problem:
    """`record` None says nothing of what the key stands for, nor whether it was the same that is asked now."""
    if record is None:
        return Problem("idempotency_key_reused", say("idempotency_key_reused.key_is_taken", key=key))
    return Problem(
        "idempotency_key_reused", say("idempotency_key_reused.key_was_used_for_other", key=key), record=record,
    )  # fmt: skip
