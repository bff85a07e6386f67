"""Submitting a package to another institution with one act: complete, or the exact list of what is missing.

What the receiver needs is the receiver's data: its profile. A pillar's package function gathers the facts and answers
with a parcel; what blocks becomes an obligation of whoever owes it, and closes by itself once met (see owed).
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from psycopg.types.json import Jsonb

from comity import names
from comity.errors import Problem
from comity.extensions import Parcel
from comity.kernel.exchange import obligations, packages
from comity.kernel.policy.actor import Actor
from comity.kernel.records import guards, links, offers
from comity.kernel.records.act import judged
from comity.kernel.records.enter import plan
from comity.kernel.records.write import write
from comity.kernel.types import lifecycle
from comity.kernel.types.catalogue import Act, Type
from comity.kernel.work.change import changed
from comity.kernel.work.idempotency import actor_key, digest_of, once
from comity.kernel.work.locking import lock
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Draft, Submission, as_uuid
from comity.kernel.work.subject import Subject, allow, own


def submit(
    node: Node,
    actor: Actor,
    record: str,
    *,
    to: str,
    act: str = "submit",
    dry_run: bool = False,
    key: str | None = None,
) -> Submission:
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
        lifecycle.step(of, act, subject.folded.state)
        guards.refuse_same_member(work, of, subject.id, rule.not_by, act)
        _, faults = judged(work, of, subject.folded, rule, {}, {}, None, subject.folded.state, subject)
        if faults:
            raise Problem("invalid", f"{rule.label or act} is refused", faults=faults)
        parcel = packages.build(work, rule, subject, to)
        if dry_run or parcel.blocking:
            owing = () if dry_run else obligations.record(work, rule, subject, parcel.missing, to)
            return Submission(None, parcel.missing, parcel.manifest, owing, dry_run)
        receipt = _offer(work, rule, subject, parcel, to, act, key, digest)
        return Submission(receipt, parcel.missing, parcel.manifest)

    return once(node, actor, key, digest, do, again=lambda before: Submission(before, (), ()))


def _rule(of: Type, act: str) -> Act:
    rule = of.acts.get(act)
    if rule is None or rule.package is None:
        packages = ", ".join(name for name, one in of.acts.items() if one.package) or "none"
        raise Problem(
            "act_unknown", f"{of.name} has no submitting act {act}", fix=f"its submitting acts are {packages}"
        )
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
            "already_offered", f"{to} has this package already: {row[0]} is {row[1].replace('_', ' ')}",
            fix="withdraw it first, or submit when something is to be added",
        )  # fmt: skip


def _offer(
    work: Work, rule: Act, subject: Subject, parcel: Parcel, to: str, act: str, key: str | None, digest: bytes
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Enter the offered record with its manifest, and the act on the subject that names it, in one transaction."""
    of = work.catalogue.type(str(rule.creates))
    _refuse_second(work, of, parcel, to)
    record = names.new_id()
    fields = {**parcel.fields, str(of.counterparty): to}
    pointed = {name: list(ids) for name, ids in parcel.links.items()}
    known = links.targets(work, [(of, pointed)])
    made = plan(work, Draft(of.name, fields, pointed), UUID(str(record)), pointed, known, {})
    plain = replace(made, entry=replace(made.entry, content={
        path: value for path, value in made.entry.content.items() if not path.startswith("share/") and path != "offer"
    }), shares=(), offer=None)  # fmt: skip
    offered = offers.offered(work, replace(plain, key=key, digest=digest), known, parcel.manifest)
    done = changed(
        work, work.type_of(subject.agency, subject.type_name, subject.core_type), subject.folded, record=subject.id,
        kind="act", act=act, content={"creates": str(record)}, state_to=subject.folded.state,
        refers=offered.entry.id,
    )  # fmt: skip
    return write(work, [offered, done])[0]
