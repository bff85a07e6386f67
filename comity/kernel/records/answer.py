"""Answering an offer. The answer is an entry in the answerer's own log; the first answer wins; nothing is retyped.

The offerer's record moves by an entry in its own log that names the answer (sharing/settle). Until then, and for ever
after, both see the offer's row and the answer in it. What an institution that is outside answers is recorded by the
offerer, on its behalf: then the entry stands in the offerer's log and moves its record at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records import offers
from comity.kernel.records.act import Doing
from comity.kernel.records.offer_moves import hold
from comity.kernel.records.proposal import Proposal, Words
from comity.kernel.records.validate import validate
from comity.kernel.records.write import write
from comity.kernel.types.catalogue import Answer, Type
from comity.kernel.types.language import called, with_name
from comity.kernel.types.lifecycle import offer_ended
from comity.kernel.work.idempotency import actor_key, digest_of, once, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import Receipt, as_uuid
from comity.kernel.work.subject import Subject, find_subject
from comity.sentences import say


@traced(lambda record, name, **_: Attempt("answer", record=record, act=name))
def answer(node: Node, actor: Actor, record: str, name: str, **given: Any) -> Receipt:
    """Accept, return, decline: one of the answers that the offered record's type has. `given`: members of Doing.

    Raises Problem: not_found, answer_unknown, not_allowed, offer_already_answered, same_member, invalid,
    late_cause_needed.
    """
    done = Doing.of(given)
    key, digest = done.key, b""
    if key:
        asked = [dict(done.fields), done.reason]
        digest = digest_of("answer", record, name, asked, when_asked(done.occurred_at), *actor_key(actor))

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, _offered, {})
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        rule = _rule(of, name)
        proposal = Proposal(
            "answer", of, rule, subject, fields=done.fields, links=done.links, occurred_at=done.occurred_at,
            words=Words(done.reason, late_cause=done.late_cause, override=done.override),
            offer=_open_offer(work, of, subject),
        )  # fmt: skip
        change = offers.answered(proposal, validate(work, proposal))
        return write(work, [replace(change, key=key, digest=digest)])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def _rule(of: Type, name: str) -> Answer:
    rule = of.offer.answers.get(name) if of.offer else None
    if rule is None:
        if of.offer is None:
            raise Problem("answer_unknown", say("answer_unknown.is_not_offer", name=called(of)))
        known = of.offer.answers
        said = say("answer_unknown.has_no_answer", name=called(of), name2=name, answers=with_name(known, known))
        raise Problem("answer_unknown", said)
    return rule


def _offered(work: Work, record: str) -> Subject:
    """The offered record. One that is over may no longer be read; that it is over, its receiver may know."""
    _refuse_ended(work, record)
    try:
        return find_subject(work, record)
    except Problem:
        _refuse_ended(work, record)  # it may have ended between the two looks
        raise


def _refuse_ended(work: Work, record: str) -> None:
    row = work.conn.execute(
        """select type, case when state = 'offered' and expires_at <= comity.now() then 'expired' else state end
             from comity.offer where id = %s and to_agency = comity.me()""",
        (as_uuid(record),),
    ).fetchone()
    if row and row[1] != "offered":
        said = say(
            "offer_already_answered.offer_was_already", state=offer_ended(work.catalogue.types.get(row[0]), row[1])
        )
        raise Problem("offer_already_answered", said, state=row[1])


def _open_offer(work: Work, of: Type, subject: Subject) -> dict[str, Any]:
    """The own side of the offer, held until this transaction ends: of two answers, or an answer and a withdrawal, one
    wins. Of an offer to several, that to the institution which answers."""
    rows = hold(work.conn, subject.id)
    if not rows:
        raise Problem("answer_unknown", say("answer_unknown.record_is_not_offer"))
    row = next((one for one in rows if one["to_agency"] == work.actor.institution), rows[0])
    if work.actor.behalf and row["from_agency"] != work.agency:
        raise Problem(
            "not_allowed", say("not_allowed.offer_was_made_by", from_agency=row['from_agency']),
        )  # fmt: skip
    if row["to_agency"] != work.actor.institution:
        raise Problem("not_allowed", say("not_allowed.offer_was_made_to", to_agency=row["to_agency"]))
    if row["state"] != "offered":
        raise Problem(
            "offer_already_answered",
            say("offer_already_answered.offer_was_already", state=offer_ended(of, row["state"])),
            state=row["state"],
        )
    if row["expires_at"] is not None and row["expires_at"] <= work.now:
        raise Problem("offer_already_answered", say("offer_already_answered.offer_has_expired"), state="expired")
    return row
