"""Submitting a package to another institution with one act: complete, or the exact list of what is missing.

What the receiver needs is the receiver's data: its profile. A pillar's package function gathers the facts and answers
with a parcel; what blocks becomes an obligation of whoever owes it, and closes by itself once met (see obligations).
"""

from __future__ import annotations

from dataclasses import replace

from psycopg.types.json import Jsonb

from comity.errors import Fault, Problem
from comity.extensions import Parcel
from comity.kernel.exchange import obligations, packages
from comity.kernel.ledger import items
from comity.kernel.policy.actor import Actor
from comity.kernel.records import offers
from comity.kernel.records.cascades import cascades
from comity.kernel.records.enter import proposal
from comity.kernel.records.proposal import Proposal
from comity.kernel.records.validate import validate
from comity.kernel.records.write import write
from comity.kernel.types.catalogue import Act, Type
from comity.kernel.types.language import called, called_in, with_name
from comity.kernel.work.change import Change
from comity.kernel.work.idempotency import actor_key, digest_of, once
from comity.kernel.work.locking import lock
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, trace, traced
from comity.kernel.work.results import Draft, Submission, as_uuid
from comity.kernel.work.subject import allow, own
from comity.sentences import listed, say


@traced(lambda record, act="submit", dry_run=False, **_: None if dry_run else Attempt("submit", record=record, act=act))
def submit(
    node: Node, actor: Actor, record: str, *, to: str, act: str = "submit", dry_run: bool = False,
    key: str | None = None,
) -> Submission:  # fmt: skip
    """Offer the package that `act` builds from the record to the agency `to`.

    Dry: nothing is written. When something blocks, the missing become obligations and there is no receipt.
    Raises Problem: not_found, not_allowed, act_out_of_turn, invalid (a guard), offer_not_agreed, agency_unknown.
    """
    digest = digest_of("submit", record, to, act, *actor_key(actor)) if key else b""

    def do(work: Work) -> Submission:
        work = lock(work, [as_uuid(record)])  # of two who submit the same package at once, one comes second
        subject = own(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        rule = _rule(of, act)
        allow(work, "act", subject.resource(), act=act)
        offers.agreed(work, to, str(rule.creates))
        done = validate(work, Proposal("act", of, rule, subject))
        parcel = packages.build(work, rule, subject, to)
        if dry_run or parcel.blocking:
            owing = () if dry_run else obligations.record(work, rule, subject, parcel.missing, to)
            return Submission(None, parcel.missing, parcel.manifest, owing, dry_run)
        offered = replace(_offered(work, rule, parcel, to), key=key, digest=digest)
        done = done.saying(items.create(str(offered.entry.record)), refers=offered.entry.id)
        receipt = write(work, [offered, done, *cascades(work, done)])[0]
        return Submission(receipt, parcel.missing, parcel.manifest)

    done = once(node, actor, key, digest, do, again=lambda before: Submission(before, (), ()))
    if done.receipt is None and not dry_run:  # what was missing is written, so this is no Problem, and yet a refusal
        faults = [Fault(one.code, "", one.message) for one in done.missing if one.severity == "error"]
        trace(node, actor, [(Attempt("submit", record=record, act=act), Problem("not_ready", faults=faults))])
    return done


def _rule(of: Type, act: str) -> Act:
    rule = of.acts.get(act)
    if rule is None or rule.package is None:
        packages = listed(with_name(of.acts, (name for name, one in of.acts.items() if one.package)))
        said = say("act_unknown.has_no_submitting_act", name=called(of), act=act, packages=packages)
        raise Problem("act_unknown", said)
    return rule


def _refuse_second(work: Work, of: Type, parcel: Parcel, to: str) -> None:
    """The same package twice before the same office is one too many; another one, with other links, is not."""
    links = {name: sorted(ids) for name, ids in parcel.links.items() if ids}
    row = work.conn.execute(
        """select r.number, r.core_state from comity.record r join comity.offer o on o.id = r.id
            where r.agency = comity.me() and r.type = %s and o.to_agency = %s and not o.ends and r.links = %s
              and r.core_state <> all(%s)""",
        (of.name, to, Jsonb(links), [name for name, state in of.states.items() if state.final]),
    ).fetchone()
    if row:
        raise Problem(
            "already_offered",
            say("already_offered.has_this_package_already_is", to=to, row=row[0], row2=called_in(of.states, row[1])),
        )


def _offered(work: Work, rule: Act, parcel: Parcel, to: str) -> Change:
    """The offered record with what its manifest lists. Raises already_offered, and what entering it raises."""
    of = work.catalogue.type(str(rule.creates))
    _refuse_second(work, of, parcel, to)
    fields = {**parcel.fields, str(of.counterparty): to}
    draft = Draft(of.name, fields, {name: list(ids) for name, ids in parcel.links.items()})
    return validate(work, replace(proposal(work, draft), manifest=parcel.manifest))
