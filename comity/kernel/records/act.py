"""One-sided acts on a record of the own agency: approve, close, convert. Two-sided ones are offers and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from comity.errors import Fault, Problem
from comity.kernel.duties import lateness
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.ledger.fold import Folded
from comity.kernel.policy.actor import Actor
from comity.kernel.records import guards, links, offers
from comity.kernel.records.amend import check_version, field_content, fixed, link_content
from comity.kernel.records.cascades import cascades
from comity.kernel.records.enter import needs, said
from comity.kernel.records.write import write
from comity.kernel.types import lifecycle, shape
from comity.kernel.types.catalogue import Act, Type
from comity.kernel.work.change import Change, changed
from comity.kernel.work.effective_time import occurred_at
from comity.kernel.work.idempotency import actor_key, digest_of, once, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Receipt
from comity.kernel.work.subject import Subject, allow, own


def act(
    node: Node,
    actor: Actor,
    record: str,
    name: str,
    *,
    version: int | None = None,
    fields: Mapping[str, Any] | None = None,
    links: Mapping[str, Sequence[str]] | None = None,
    reason: str | None = None,
    key: str | None = None,
    occurred_at: datetime | None = None,
    late_cause: str | None = None,
) -> Receipt:
    """Do a named act. A version, when given, must be the one that the record has now.

    `withdrawn` on an offer of one's own withdraws it. Raises Problem: not_found, not_allowed, act_unknown,
    act_out_of_turn, version_conflict, same_member, invalid, offer_already_answered.
    """
    refuse_unspellable(fields=fields, reason=reason, late_cause=late_cause)
    given, pointed = fields or {}, links or {}
    asked = [dict(given), {n: list(i) for n, i in pointed.items()}, reason]
    digest = digest_of("act", record, name, version, asked, when_asked(occurred_at), *actor_key(actor)) if key else b""

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, own, pointed)
        if version is not None:
            check_version(subject, version)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        if of.offer and of.offer.withdrawn and name in ("withdraw", "withdrawn"):
            change = offers.withdrawal(work, of, subject, reason)
        else:
            change = plan(work, of, subject, name, given, pointed, reason, occurred_at, late_cause)
        return write(work, [_keyed(change, key, digest), *cascades(work, change)])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def _keyed(change: Change, key: str | None, digest: bytes) -> Change:
    return replace(change, key=key, digest=digest) if key else change


def plan(
    work: Work,
    of: Type,
    subject: Subject,
    name: str,
    given: Mapping[str, Any],
    pointed: Mapping[str, Sequence[str]],
    reason: str | None,
    when: datetime | None = None,
    late_cause: str | None = None,
) -> Change:
    """The change that the act makes, or Problem with every fault of it."""
    rule = of.acts.get(name)
    if rule is None or name in ("enter", "amend"):
        lifecycle.step(of, name, subject.folded.state) if name in of.forbid else None
        open_now = ", ".join(sorted(n for n in of.acts if n not in ("enter", "amend"))) or "none"
        raise Problem("act_unknown", f"{of.name} has no act {name}", fix=f"its acts are {open_now}")
    if rule.package:
        raise Problem("act_unknown", f"{name} offers a package", fix="use submit, naming the receiving agency")
    allow(work, "act", subject.resource(), act=name)
    state = lifecycle.step(of, name, subject.folded.state)
    guards.refuse_same_member(work, of, subject.id, rule.not_by, name)
    when, faults = occurred_at(work, of, {}, when)
    content, more = judged(work, of, subject.folded, rule, given, pointed, reason, state, subject)
    faults += more
    if faults:
        raise Problem("invalid", f"{rule.label or name} is refused", faults=faults)
    content |= said(reason=reason, cause=late_cause)
    change = changed(
        work, of, subject.folded, record=subject.id, kind="act", act=name, content=content, state_to=state,
        occurred_at=when,
    )  # fmt: skip
    return lateness.timed(work, change)


def judged(
    work: Work,
    of: Type,
    before: Folded,
    rule: Act,
    given: Mapping[str, Any],
    pointed: Mapping[str, Sequence[str]],
    reason: str | None,
    state: str,
    subject: Subject,
) -> tuple[dict[str, Any], list[Fault]]:
    """The content of an act with every fault: only what the act `sets` may be given with it."""
    settable = f"it sets {', '.join(rule.sets) or 'nothing'}"
    faults = [
        Fault("not_set_by_act", f"fields.{one}", f"{rule.name} does not set {one}", settable)
        for one in given
        if one not in rule.sets
    ] + [
        Fault("not_set_by_act", f"links.{one}", f"{rule.name} does not set the link {one}")
        for one in pointed
        if one not in rule.sets
    ]  # fmt: skip
    content, after, supplied = field_content(before.fields, given)
    content |= link_content(before.links, pointed, {})
    faults += fixed(of, content) + shape.judge(
        of, work.catalogue, before=before.fields, after=after, state=state, supplied=supplied, act=rule.name
    )
    if pointed:
        known = links.targets(work, [(of, pointed)])
        faults += links.faults(of, pointed, known)
        content |= links.passed_on(of, pointed, known, before.marks)
    content |= {f"unmark/{mark}": True for mark in rule.lifts if mark in before.marks}
    faults += needs(rule.needs, {**before.fields, **given} if not rule.sets else {**given}, pointed, reason)
    folded = changed(
        work, of, before, record=subject.id, kind="act", act=rule.name, content=content, state_to=state
    ).after
    faults += links.required(of, folded.links, state)
    if not faults:
        faults += guards.faults(
            work, of, rule.guards, record=subject.id, after=folded, state=before.state, given=given,
            reason=reason or "", subject=subject, act=rule.name,
        )  # fmt: skip
    return content, faults
