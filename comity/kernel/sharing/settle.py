"""What follows by itself in an agency's own log: an answered offer moves its record, an expired one ends.

What stands on a record that so comes to a new state follows it in the same transaction, as after an act
(records/cascades).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from comity.kernel.ledger.offer_side import OFFERED, WITHDRAWING, OfferSide
from comity.kernel.records import offers
from comity.kernel.records.cascades import cascades
from comity.kernel.records.offer_moves import hold, leave_withdrawn
from comity.kernel.records.write import write
from comity.kernel.sharing import outbox
from comity.kernel.work.change import Step, changed
from comity.kernel.work.follower import Follower
from comity.kernel.work.locking import lock
from comity.kernel.work.node import Node, Work, system
from comity.kernel.work.subject import find_subject

NAME = "settle"


def settle(node: Node, agency: str) -> int:
    """Answer for one agency's offers: for each answer that came, the offerer's own entry that names it; what is over.

    An effect: (settle, answer's entry, record) is done once, in the same transaction as the entry it makes.
    """
    with node.work(system(agency)) as work:
        waiting = work.conn.execute(
            """select answer_entry, id::text from comity.offer
                where from_agency = comity.me() and answer_entry is not null and settled_entry is null"""
        ).fetchall()
        outbox.owe(work.conn, NAME, agency, waiting, work.now)
        owed = outbox.due(work.conn, NAME, agency)
        late = _late(work)
        work = lock(work, _stood_on(work, [*(record for _, record in owed), *late]))  # before any row is held
        for entry, record in sorted(owed, key=lambda one: one[1]):  # in the order in which records/cascades locks
            _settle(work, entry, record)
        return len(owed) + _expire(work, late) + leave_withdrawn(work)


def _stood_on(work: Work, records: Sequence[str]) -> list[UUID]:
    """Those of the records on which others may stand: what reads or moves these waits for its turn."""
    kinds = [of.name for of in work.catalogue.types.values() if of.stood_on]
    if not kinds or not records:
        return []
    rows = work.conn.execute(
        """select id from comity.record
            where id = any(%s::uuid[]) and agency = comity.me() and (type = any(%s) or core_type = any(%s))""",
        (list(records), kinds, kinds),
    ).fetchall()
    return [row[0] for row in rows]


def _settle(work: Work, answer: UUID, record: str) -> None:
    sides = hold(work.conn, record)
    offer = next(one for one in sides if one["answer_entry"] == answer)
    if offer["settled_entry"] is None:
        subject = find_subject(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        change = offers.settled(work, of, subject, offer, sides)
        write(work, [change, *cascades(work, change)])
    outbox.done(work.conn, NAME, answer, record, work.now)


def _late(work: Work) -> list[str]:
    """The records of the agency's own offers whose time is over."""
    rows = work.conn.execute(
        """select distinct id::text from comity.offer
            where agency = comity.me() and from_agency = comity.me() and state = 'offered' and expires_at <= %s
            order by 1""",
        (work.now,),
    ).fetchall()
    return [record for (record,) in rows]


def _expire(work: Work, late: Sequence[str]) -> int:
    """End offers whose time is over: silence until then was a state with a date."""
    for record in late:
        sides = [OfferSide.of(row) for row in hold(work.conn, record) if row["state"] == OFFERED]
        if not sides:  # it was answered, withdrawn or ended by another while this one waited
            continue
        subject = find_subject(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        rule = of.offer.expired if of.offer and subject.folded.state == of.initial else None
        done = Step("act", "expired", rule.to if rule else subject.folded.state)
        change = offers.ended(changed(work, of, subject.folded, subject.id, done, {}), sides)
        write(work, [change, *cascades(work, change)])
    return len(late)


FOLLOWER = Follower(
    NAME, "effect", settle, when="at_once", agencies="select comity.unsettled()", forgets=True,
    pending=f"""exists (select from comity.offer where from_agency = comity.me() and answer_entry is not null
             and settled_entry is null)
        or exists (select from comity.offer where from_agency = comity.me() and state = 'offered'
             and expires_at <= %(now)s)
        or exists (select from comity.offer o join comity.agency a on a.id = o.to_agency
             where o.agency = comity.me() and o.state = '{WITHDRAWING}'
               and (a.state = 'suspended' or a.membership <> 'member'))
        or {outbox.owes(NAME)}""",
)  # fmt: skip
