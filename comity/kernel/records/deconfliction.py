"""Pointers: two agencies learn that something of theirs collides, and whom to call. Nothing else of it is told.

Both learn it at once and for good. An agency that fishes with a thousand invented targets gets no more than that, needs
a record of its own for each, and tells everybody whom it meets that it asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from comity.errors import Fault, Problem
from comity.kernel.ledger.columns import array, columns
from comity.kernel.ledger.fold import Folded
from comity.kernel.types.catalogue import Type
from comity.kernel.work.change import Change
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Conn, Work
from comity.sentences import say


def met(work: Work, changes: Sequence[Change]) -> Mapping[UUID, Sequence[str]]:
    """The agencies with which each changed record collides; pointers are left with them and with one's own."""
    found = [collisions(work, changes), ties(work, changes)]
    return {record: sorted({*found[0].get(record, ()), *found[1].get(record, ())}) for record in {*found[0], *found[1]}}


def collisions(work: Work, changes: Sequence[Change]) -> Mapping[UUID, Sequence[str]]:
    """Deconfliction: the agencies whose target, place or operation collides with each record; they learn the same."""
    changed = [one for one in changes if one.type.deconflict and one.after != one.before]
    for one in changed:
        for rule in one.type.deconflict:
            rule.refuse_unreadable(one.type.core_state(one.after.state), one.after.fields)
    records = [(one.entry.record, one.type, one.after) for one in changed]
    moved = [one.entry.record for one in changed if one.before.version]
    return deconflicted(work.conn, work.node.keys, records, moved, work.now)


def deconflicted(
    conn: Conn, keys: KeyRing, records: Iterable[tuple[UUID, Type, Folded]], moved: Sequence[UUID], now: datetime
) -> Mapping[UUID, Sequence[str]]:
    """The same for records as they now stand; `moved` are those that may have stood otherwise before."""
    asked = [
        (keys.collision(text), record, about)
        for record, of, after in records
        for text, about in collision_texts(of, after)
    ]
    if not asked and not moved:
        return {}
    found: dict[UUID, list[str]] = {}
    for record, other in conn.execute(
        "select * from comity.deconflict(%s::bytea[], %s::uuid[], %s::text[], %s::uuid[], %s) order by 2",
        (*(columns(asked) if asked else ("{}", "{}", "{}")), array(moved), now),
    ):
        found.setdefault(record, []).append(other)
    return found


def collision_texts(of: Type, after: Folded) -> Iterator[tuple[str, str]]:
    """(text, about) for each rule that applies.

    Only targets, and none that was entered in error: a court's defendant or a defender's client tells no investigator
    that anybody has an interest.
    """
    if of.core_state(after.state) in of.error_states:
        return
    for name, targets in of.deconflict_when.items():
        if of.fields[name].core_code(str(after.fields.get(name))) not in targets:
            return
    for rule in of.deconflict:
        for text in rule.texts(of.core_name, of.core_state(after.state), after.fields):
            yield text, rule.about


def ties(work: Work, changes: Sequence[Change]) -> Mapping[UUID, Sequence[str]]:
    """Claims that cannot be true together with others': the agencies whose claims they are; they learn the same.

    Raises Problem `invalid` (chains_strangers) when all of them are the own agency's: it can put its own claims right.
    """
    found: dict[UUID, Sequence[str]] = {}
    met = tied(work.conn, [(one.entry.record, one.type, one.after) for one in changes], work.now)
    for claim, agencies in met.items():
        if set(agencies) == {work.agency}:
            faults = [
                Fault("chains_strangers", "links", say("chains_strangers.with_your_own_agency_certain"))
            ]  # fmt: skip
            raise Problem("invalid", say("invalid.claim_chains_certain_strangers"), faults=faults)
        found[claim] = [one for one in agencies if one != work.agency]
    return found


def tied(conn: Conn, records: Iterable[tuple[UUID, Type, Folded]], now: datetime) -> Mapping[UUID, Sequence[str]]:
    """The claims among records as they now stand, tied; for each that cannot be true, whose claims say otherwise."""
    claims = []
    for record, of, after in records:
        ends = claimed(of, after)
        if ends is not None:
            tie = tie_of(of, after)
            claims.append((record, *(tie or (*ends, False, False)), tie is not None))
    if not claims:
        return {}
    rows = conn.execute(
        """select * from comity.tie_claims(%s::uuid[], %s::uuid[], %s::uuid[], %s::boolean[], %s::boolean[],
                                           %s::boolean[], %s)""",
        (*columns(claims), now),
    )
    return {claim: list(agencies) for claim, agencies in rows}


def claimed(of: Type, after: Folded) -> tuple[UUID, UUID] | None:
    """The two records that a claim is about, live or not; None for what is no claim."""
    ends = [after.links.get(end, ()) for end in of.ties.ends] if of.ties else []
    return (UUID(ends[0][0]), UUID(ends[1][0])) if ends and all(ends) else None


def tie_of(of: Type, after: Folded) -> tuple[UUID, UUID, bool, bool] | None:
    """The tie of a live claim: its ends, whether it says that they are two, whether it is certain."""
    ends, rule = claimed(of, after), of.ties
    if ends is None or rule is None or of.core_state(after.state) not in rule.live:
        return None
    return *ends, rule.is_apart(after.fields), rule.is_certain(after.fields)
