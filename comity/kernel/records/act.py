"""One-sided acts on a record of the own agency: approve, close, convert. Two-sided ones are offers and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from comity.errors import Problem
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.policy.actor import Actor
from comity.kernel.records import offers
from comity.kernel.records.amend import check_version
from comity.kernel.records.cascades import cascades
from comity.kernel.records.proposal import Proposal, Words, rule_of
from comity.kernel.records.validate import validate
from comity.kernel.records.write import write
from comity.kernel.types.catalogue import Act, Answer, Type
from comity.kernel.types.language import called
from comity.kernel.work.idempotency import actor_key, digest_of, once, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import Receipt
from comity.kernel.work.subject import Subject, own
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Doing:
    """What is given with an act or an answer: the fields and links that it sets, the reason, when it happened.

    `override`: the conditions of an act that are overridden, by their codes. `key` makes a repetition harmless.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reason: str | None = None
    occurred_at: datetime | None = None
    late_cause: str | None = None
    key: str | None = None
    override: Sequence[str] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Doing:
        """From keyword arguments, of which None is as good as absent. Raises Problem for what cannot be spelled."""
        made = cls(**{name: value for name, value in given.items() if value is not None})
        refuse_unspellable(fields=made.fields, reason=made.reason, late_cause=made.late_cause)
        return made


@traced(lambda record, name, **_: Attempt("act", record=record, act=name))
def act(
    node: Node, actor: Actor, record: str, name: str, *, version: int | None = None, **given: Any
) -> Receipt:  # fmt: skip
    """Do a named act; `given` are the members of Doing. A version, when given, must be the one that the record has now.

    `withdrawn` on an offer of one's own withdraws it, as does `withdraw` where the type has no such act. Raises
    Problem: not_found, not_allowed, act_unknown, act_out_of_turn, version_conflict, same_member, invalid,
    offer_already_answered, late_cause_needed.
    """
    done = Doing.of(given)
    key = done.key
    asked: list[Any] = [dict(done.fields), {n: list(i) for n, i in done.links.items()}, done.reason]
    asked += [sorted(done.override)] if done.override else []
    digest = b""
    if key:
        digest = digest_of("act", record, name, version, asked, when_asked(done.occurred_at), *actor_key(actor))

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, own, done.links)
        if version is not None:
            check_version(subject, version)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        if of.offer and of.offer.withdrawn and _withdraws(of, name):
            sides = offers.held(work, subject)
            change = offers.ended(validate(work, _propose(of, of.offer.withdrawn, subject, done)), sides)
        else:
            change = validate(work, propose_act(of, subject, name, done))
        return write(work, [replace(change, key=key, digest=digest), *cascades(work, change)])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def _withdraws(of: Type, name: str) -> bool:
    return name == "withdrawn" or (name == "withdraw" and name not in of.acts)


def propose_act(of: Type, subject: Subject, name: str, done: Doing = Doing()) -> Proposal:
    """The proposal of a named act on an own record. Raises act_unknown, act_forbidden."""
    if name in ("enter", "amend"):
        raise Problem("act_unknown", say("act_unknown.is_verb_of_its_own", name=name))
    rule = rule_of(of, name, subject)
    if rule.package:
        raise Problem("act_unknown", say("act_unknown.offers_package", name=called(rule)))
    return _propose(of, rule, subject, done)


def _propose(of: Type, rule: Act | Answer, subject: Subject, done: Doing) -> Proposal:
    return Proposal(
        "act", of, rule, subject, fields=done.fields, links=done.links,
        words=Words(done.reason, late_cause=done.late_cause, override=done.override), occurred_at=done.occurred_at,
    )  # fmt: skip
