"""Offers: a two-sided record is an obligation of the receiver until answered, and a grant on what it lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from comity import clock
from comity.errors import Fault, Problem
from comity.extensions import ManifestItem
from comity.kernel.ledger import items
from comity.kernel.ledger.offer_side import OFFERED, OfferSide, made
from comity.kernel.records.links import Targets
from comity.kernel.records.offer_moves import hold
from comity.kernel.records.proposal import Proposal
from comity.kernel.types.catalogue import Agreement, Answer, Type
from comity.kernel.types.duration import read_duration
from comity.kernel.types.language import called_in
from comity.kernel.types.lifecycle import offer_ended
from comity.kernel.work.change import Change, Step, changed
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, subjects
from comity.sentences import Sentence, say


def offered(work: Work, change: Change, known: Targets, manifest: Sequence[ManifestItem] | None = None) -> Change:
    """The same change as an offer: who is asked, until when, and what it lets them read.

    Only records of the own agency are granted: the offer itself as it stands, each other at the version that the
    offer lists. Raises `offer_not_agreed`.
    """
    of, rule = change.type, change.type.offer
    assert rule is not None
    if faults := counterparty_faults(work, of, change.after.fields):
        raise Problem("invalid", say("invalid.offer_names_another_agency"), faults=faults)
    named = receivers(of, change.after.fields)
    for one in named:
        agreed(work, one, of.core_name)
    expires = change.entry.entered_at + _duration(rule.expires) if rule.expires else None
    listed = manifest if manifest is not None else _linked(work, change, known)
    own = [one for one in listed if one.agency == work.agency]
    shares = []
    for to in named:
        shares += [_itself(change, to), *(_share(change, to, one) for one in own if to != work.agency)]
    asked = list(named) if rule.to_several else named[0]
    said = items.offer(asked, clock.show_instant(expires) if expires else None)
    for share in shares:
        if share["version"] is not None:
            said |= items.share(share["record"], share)
    offering = change.saying(said)
    sides = [made(work.agency, offering.entry, to, of.title) for to in named]
    return replace(offering, offer=sides, shares=shares)


def receivers(of: Type, fields: Mapping[str, Any]) -> list[str]:
    """The agencies that an offer asks, in order of their ids: one, or where its type says so, several."""
    value = fields.get(of.counterparty or "")
    return sorted({str(one) for one in value}) if isinstance(value, list) else [str(value)]


def counterparty_faults(work: Work, of: Type, fields: Mapping[str, Any]) -> list[Fault]:
    """An offer names another agency."""
    to = fields.get(of.counterparty or "")
    several = of.offer is not None and of.offer.to_several is not None
    if isinstance(to, list) is several and to and work.actor.institution not in receivers(of, fields):
        return []
    return [Fault("counterparty", f"fields.{of.counterparty}", say("counterparty.another_agency_must_be_named"))]


def reported(offer: Mapping[str, Any]) -> bool:
    """Whether the answer in an offer's row is the offerer's report of what an outsider told it: one entry is both."""
    own = offer["from_agency"] == offer["to_agency"]  # an outsider's offer to the member that reports it
    return not own and offer["answer_entry"] is not None and offer["answer_entry"] == offer["settled_entry"]


def agreed(work: Work, to: str, type_name: str) -> None:
    """Refuse an offer of a type that the receiver has not agreed to be offered by the institution that offers."""
    row = work.conn.execute("select membership from comity.agency where id = %s", (to,)).fetchone()
    if row is None:
        raise Problem("agency_unknown", say("agency_unknown.is_not_installed_on_this", to=to))
    today = clock.today(work.catalogue.definition.zone)
    offerer = work.actor.institution
    if work.actor.behalf:
        told = work.conn.execute(
            "select comity.agreed_with_outsider(%s, %s, %s, %s)", (to, offerer, type_name, today)
        ).fetchone()
        if told and told[0]:
            return
    for (spec,) in work.conn.execute(
        "select spec from comity.agreement where agency = %s and to_agency = %s", (to, offerer)
    ):
        found = Agreement.from_json(spec)
        begun = found.from_ is None or found.from_ <= today
        if type_name in found.offers and begun and (found.until is None or today <= found.until):
            return
    raise Problem(
        "offer_not_agreed",
        say(
            "offer_not_agreed.has_no_agreement_under_which",
            to=to,
            offerer=offerer,
            type_name=type_name,
            label=called_in(work.catalogue.types, type_name),
        ),
    )


def _share(change: Change, to: str, one: ManifestItem) -> dict[str, Any]:
    return {
        "record": one.record, "agency": change.entry.agency, "to_agency": to, "version": one.version,
        "groups": [] if one.decision == "withheld" else list(one.groups), "offer": change.entry.record,
        "basis": change.type.name, "ground": one.ground, "decision": one.decision,
    }  # fmt: skip


def _itself(change: Change, to: str) -> dict[str, Any]:
    """The offered record, open as it stands and not at a version."""
    rule = change.type.offer
    assert rule is not None
    return {
        "record": str(change.entry.record), "agency": change.entry.agency, "to_agency": to, "version": None,
        "groups": list(rule.grants.groups), "offer": change.entry.record, "basis": change.type.name, "ground": "",
        "decision": "included",
    }  # fmt: skip


def _linked(work: Work, change: Change, known: Targets) -> list[ManifestItem]:
    """What the type's `grants` opens of the linked records, at the version they have now."""
    rule = change.type.offer
    assert rule is not None
    out = []
    for name, groups in rule.grants.links.items():
        for target in change.after.links.get(name, ()):
            seen = known.records.get(target)
            if seen and seen.agency == work.agency:
                out.append(
                    ManifestItem(
                        record=target,
                        version=seen.folded.version,
                        agency=seen.agency,
                        type=seen.core_type,
                        label=seen.title,
                        decision="included",
                        groups=tuple(groups),
                    )
                )
    return out


def _duration(text: str) -> timedelta:
    found = read_duration(text)
    if found is None:  # definitions that came in force before this was checked
        raise Problem(
            "definitions_refused", say("definitions_refused.is_no_duration_such_as", text=text)
        )  # fmt: skip
    return timedelta(days=found[0], minutes=found[1])


def manifest_of(work: Work, offer: Any) -> list[Mapping[str, Any]]:
    """What an offer lists, as far as this actor may read it: each record@version with the decision on it.

    A withheld one has no id for the receiver; one that the actor's own roles do not open is absent.
    """
    rows = work.conn.execute(
        """select s.record::text, s.version, s.agency, s.groups, s.decision, s.ground, s.live
             from comity.share s
            where s.offer = %s and comity.me() in (s.agency, s.to_agency) order by s.decision, s.record""",
        (offer,),
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    return [
        {"record": record if record in seen else None, "version": version,
         "agency": agency, "groups": groups, "decision": decision, "ground": ground, "live": live}
        for record, version, agency, groups, decision, ground, live in rows
        if decision == "withheld" or record in seen
    ]  # fmt: skip


def held(work: Work, subject: Subject) -> list[OfferSide]:
    """The own sides of an offer that one means to end. Raises `offer_already_answered`. Lock: see offer_moves.hold."""
    rows = hold(work.conn, subject.id)
    if not any(row["state"] == OFFERED for row in rows):
        state = rows[0]["state"] if rows else ""
        raise Problem(
            "offer_already_answered",
            _over(work, subject, state),
            state=state,
        )
    return [OfferSide.of(row) for row in rows]


def _over(work: Work, subject: Subject, state: str) -> Sentence:
    if not state:
        return say("offer_already_answered.offer_is_over")
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    return say("offer_already_answered.offer_was_already", state=offer_ended(of, state))


def ended(change: Change, sides: Sequence[OfferSide]) -> Change:
    """The change that ends one's own offer, withdrawn or expired, with the own sides that it moves."""
    return replace(change, move=sides)


def settled(work: Work, of: Type, subject: Subject, offer: Mapping[str, Any], among: Sequence[Any]) -> Change:
    """The offerer's own entry that names the answer to its offer; the caller holds the offer, whose rows are `among`.

    Of an offer to several, the answer by which it is reached moves the record, and its entry names all that count.
    """
    rule = of.offer.answers.get(offer["state"]) if of.offer else None
    several = of.offer.to_several if of.offer else None
    state, content = rule.to if rule else subject.folded.state, {}
    if several is not None:
        counted = [
            str(one["answer_entry"])
            for one in among
            if one["state"] == offer["state"] and (one["settled_entry"] or one["to_agency"] == offer["to_agency"])
        ]
        ends = [one.to for one in (of.offer.withdrawn, of.offer.expired) if one] if of.offer else []
        if (
            subject.folded.state in (of.initial, *ends)
            and offer["state"] in several.counts
            and several.reached(len(counted), len(among))
        ):
            content = items.count(counted)
        else:
            state = subject.folded.state
    done = Step("settle", offer["state"], state, refers=offer["answer_entry"])
    change = changed(work, of, subject.folded, subject.id, done, content)
    return replace(change, move=[OfferSide.of(offer)])


def answered(asked: Proposal, change: Change) -> Change:
    """The change that answers the offer of the proposal, with the own side that it moves.

    Where the answer ends the grant, what was shared is no longer readable. In the offerer's own log, as what an
    outsider told it, the answer settles itself.
    """
    offer, rule = asked.offer, asked.rule
    assert offer is not None and isinstance(rule, Answer)
    return replace(change, move=[OfferSide.of(offer)], grant_ends=rule.ends)
