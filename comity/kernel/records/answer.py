"""Answering an offer. The answer is an entry in the answerer's own log; the first answer wins; nothing is retyped.

The offerer's record moves by an entry in its own log that names the answer (sharing/settle). Until then, and for ever
after, both see the offer's row and the answer in it. What an institution that is outside answers is recorded by the
offerer, on its behalf: then the entry stands in the offerer's log and moves its record at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from comity import names
from comity.errors import Fault, Problem
from comity.kernel.duties import lateness
from comity.kernel.ledger.append import append
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy.actor import Actor
from comity.kernel.records import guards
from comity.kernel.records.act import _keyed
from comity.kernel.records.enter import needs, said
from comity.kernel.records.write import write
from comity.kernel.types import shape
from comity.kernel.types.catalogue import Answer, Type
from comity.kernel.work.change import Change, changed
from comity.kernel.work.effective_time import occurred_at
from comity.kernel.work.idempotency import actor_key, digest_of, once, store, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Receipt, as_uuid
from comity.kernel.work.subject import Subject, allow, find_subject


def answer(
    node: Node,
    actor: Actor,
    record: str,
    name: str,
    *,
    fields: Mapping[str, Any] | None = None,
    reason: str | None = None,
    key: str | None = None,
    occurred_at: datetime | None = None,
    late_cause: str | None = None,
) -> Receipt:
    """Accept, return, decline: one of the answers that the offered record's type has.

    Raises Problem: not_found, answer_unknown, not_allowed, offer_already_answered, same_member, invalid,
    late_cause_needed.
    """
    refuse_unspellable(fields=fields, reason=reason, late_cause=late_cause)
    given = fields or {}
    digest = (
        digest_of("answer", record, name, [dict(given), reason], when_asked(occurred_at), *actor_key(actor))
        if key
        else b""
    )

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, _offered, {})
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        rule = _rule(of, name)
        offer = _open_offer(work, subject)
        allow(work, "answer", subject.resource(), act=name)
        when, faults = _effective(work, of, occurred_at)
        faults += _judged(work, of, subject, rule, given, reason)
        if faults:
            raise Problem("invalid", f"The answer {name} is refused", faults=faults)
        content = {f"answer/{name}": value for name, value in given.items()} | said(reason=reason, cause=late_cause)
        if offer["from_agency"] == work.agency:
            told = lateness.timed(work, _reported(work, subject, of, offer, rule, content, when))
            receipt = write(work, [_keyed(told, key, digest)])[0]
            _lock(work, offer, told.entry, rule, given, reason, settles=True)
            return receipt
        own = Change(_entry(work, subject, of, offer, rule, content, when), of, subject.folded, projected=False)
        own = lateness.timed(work, own, owner=subject.agency)
        entry = own.entry
        sealed = append(work.conn, [entry])[0]
        store(work, [_keyed(own, key, digest)])
        _lock(work, offer, entry, rule, given, reason)
        return Receipt(
            entry=str(entry.id), record=str(subject.id), agency=work.agency, type=of.name,
            number=subject.folded.number, version=entry.version, state=rule.to, leaf=sealed.leaf.hex(),
            at=entry.entered_at,
        )  # fmt: skip

    return once(node, actor, key, digest, do, again=lambda before: before)


def _rule(of: Type, name: str) -> Answer:
    rule = of.offer.answers.get(name) if of.offer else None
    if rule is None:
        answers = ", ".join(of.offer.answers) if of.offer else "none: it is not an offer"
        raise Problem("answer_unknown", f"{of.name} has no answer {name}", fix=f"its answers are {answers}")
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
        """select case when state = 'offered' and expires_at <= comity.now() then 'expired' else state end
             from comity.offer where id = %s and to_agency = comity.me()""",
        (as_uuid(record),),
    ).fetchone()
    if row and row[0] != "offered":
        raise Problem("offer_already_answered", f"The offer was already {row[0]}", state=row[0])


def _open_offer(work: Work, subject: Subject) -> dict[str, Any]:
    """The offer, locked until this transaction ends: of two answers, or an answer and a withdrawal, one wins."""
    row = (
        work.conn.cursor(row_factory=dict_row)
        .execute("select * from comity.offer where id = %s for update", (subject.id,))
        .fetchone()
    )
    if row is None:
        raise Problem("answer_unknown", "The record is not an offer")
    if work.actor.behalf and row["from_agency"] != work.agency:
        raise Problem(
            "not_allowed", f"The offer was made by {row['from_agency']}",
            fix="only the offerer records what an outsider answered",
        )  # fmt: skip
    if row["to_agency"] != work.actor.institution:
        raise Problem("not_allowed", f"The offer was made to {row['to_agency']}", fix="only it can answer")
    if row["state"] != "offered":
        raise Problem("offer_already_answered", f"The offer was already {row['state']}", state=row["state"])
    if row["expires_at"] is not None and row["expires_at"] <= work.now:
        raise Problem("offer_already_answered", "The offer has expired", state="expired")
    return row


def _effective(work: Work, of: Type, given: datetime | None) -> tuple[datetime | None, list[Fault]]:
    return occurred_at(work, of, {}, given)


def _judged(
    work: Work, of: Type, subject: Subject, rule: Answer, given: Mapping[str, Any], reason: str | None
) -> list[Fault]:
    """What is wrong with the answer's own fields, its needs and its conditions."""
    settable = f"it sets {', '.join(rule.sets) or 'nothing'}"
    faults = [
        Fault("not_set_by_act", f"fields.{one}", f"{rule.name} does not set {one}", settable)
        for one in given
        if one not in rule.sets
    ]  # fmt: skip
    before = dict(subject.folded.fields)
    faults += shape.judge(
        of, work.catalogue, before=before, after={**before, **given}, state=subject.folded.state,
        supplied=set(given), act=rule.name,
    )  # fmt: skip
    faults += needs(rule.needs, given, {}, reason)
    guards.refuse_same_member(work, of, subject.id, rule.not_by, rule.name)
    if not faults:
        faults += guards.faults(
            work, of, rule.guards, record=subject.id, after=subject.folded, state=subject.folded.state, given=given,
            reason=reason or "", subject=subject,
        )  # fmt: skip
    return faults


def _entry(
    work: Work, subject: Subject, of: Type, offer: Mapping[str, Any], rule: Answer,
    content: Mapping[str, Any], when: datetime | None,
) -> Entry:  # fmt: skip
    """The answerer's own entry about the offerer's record: it names the offer's entry, so that both logs meet."""
    row = work.conn.execute(
        "select coalesce(max(version), 0) from comity.entry where record = %s and agency = %s",
        (subject.id, work.agency),
    ).fetchone()
    return Entry(
        id=names.new_id(), agency=work.agency, record=subject.id, type=of.core_name, type_version=work.version,
        kind="answer", act=rule.name, actor=UUID(work.actor.member), occurred_at=when or work.now,
        entered_at=work.now, version=(row[0] if row else 0) + 1, state_from=offer["state"], state_to=rule.to,
        content=dict(content), refers=offer["offer_entry"],
    )  # fmt: skip


def _reported(
    work: Work, subject: Subject, of: Type, offer: Mapping[str, Any], rule: Answer,
    content: Mapping[str, Any], when: datetime | None,
) -> Change:  # fmt: skip
    """The answer in the offerer's own log: what an outsider told it, or its own to what it reports of an outsider.

    The offer is its own record, so the same entry moves it.
    """
    return changed(
        work, of, subject.folded, record=subject.id, kind="answer", act=rule.name, content=content, state_to=rule.to,
        occurred_at=when, refers=offer["offer_entry"],
    )  # fmt: skip


def _lock(
    work: Work, offer: Mapping[str, Any], entry: Entry, rule: Answer, given: Mapping[str, Any], reason: str | None,
    *, settles: bool = False,
) -> None:  # fmt: skip
    """Close the offer with its answer; when the answer ends the grant, what was shared is no longer readable.

    `settles`: the entry is the offerer's own and moved its record already.
    """
    said_with = {**dict(given), **({"reason": reason} if reason else {})}
    work.conn.execute(
        """update comity.offer set state = %s, ends = %s, answered_at = %s, answer_entry = %s, answer = %s,
               seen_at = coalesce(seen_at, %s), settled_entry = %s where id = %s""",
        (
            rule.name,
            rule.ends,
            entry.entered_at,
            entry.id,
            Jsonb(said_with),
            entry.entered_at,
            entry.id if settles else None,
            offer["id"],
        ),
    )
    if rule.ends:
        work.conn.execute(
            "update comity.share set live = false where offer = %s and to_agency = %s",
            (offer["id"], offer["to_agency"]),
        )
