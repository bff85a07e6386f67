"""What stays unanswered, or was answered and has nothing standing for it: since when, by the offerer's rules.

Whoever made an offer may know whether a record of the addressee's stands for it, as it may know whether it was
answered: that alone, and nothing of the record. So it is asked under row-level security and without the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from comity.kernel.law.dated import Law
from comity.kernel.law.escalation import ESCALATIONS, Backing, Escalation, Escalations
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.work.node import Work


@lru_cache(maxsize=64)
def escalations_for(catalogue: Catalogue) -> Escalations:
    return ESCALATIONS.of(catalogue.rules)


def law_of(work: Work, agency: str) -> Catalogue:
    """The law of an agency that has definitions here, read once in a work."""
    if agency == work.agency:
        return work.catalogue
    if agency not in work.others:
        work.others[agency] = work.node.catalogue_of(work.conn, agency)
    return work.others[agency]


def laws(work: Work, offer: Mapping[str, Any]) -> Iterator[tuple[str, Law[Escalation]]]:
    """The offerer's escalations of such an offer as it stands, in the version of the day of the offer.

    `offer`: a row of comity.offer with `core_type` and `core_state` of its record.
    """
    catalogue = law_of(work, offer["from_agency"])
    day = offer["offered_at"].astimezone(ZoneInfo(catalogue.definition.zone)).date()
    for rule in escalations_for(catalogue).values():
        law = rule.on(day)
        if law is None or law.said.type != offer["core_type"]:
            continue
        answered = offer["core_state"] in law.said.states if law.said.states else offer["state"] == "offered"
        if answered and (not law.said.states or offer["state"] != "offered"):
            yield rule.name, law


def backed(work: Work, backing: Backing, offers: Sequence[str | UUID]) -> dict[str, bool]:
    """For each own offer, made or received, whether such a record of the addressee's points at it.

    Left out is one whose addressee cannot be judged: no member, suspended, or nothing of it reaches this agency.
    """
    rows = work.conn.execute(
        """select o.id::text, exists (select from comity.link l join comity.record r on r.id = l.record
                    where l.target = o.id and l.name = %(link)s and r.core_type = %(type)s
                      and r.core_state = any(%(states)s) and o.to_agency in (r.agency, r.on_behalf))
             from comity.offer o join comity.agency a on a.id = o.to_agency
            where o.id = any(%(offers)s::uuid[]) and comity.me() in (o.from_agency, o.to_agency)
              and a.membership = 'member' and a.state = 'active' and o.to_agency = any (comity.reach())""",
        {"link": backing.link, "type": backing.type, "states": list(backing.states), "offers": list(map(str, offers))},
    )
    return dict(rows.fetchall())


def since(work: Work, offer: Mapping[str, Any]) -> datetime | None:
    """When the silence on an own offer began: last seen or else offered; answered, where nothing stands for it."""
    if offer["state"] == "offered":
        began: datetime = offer["seen_at"] or offer["offered_at"]
        return began
    if offer["from_agency"] != work.agency:
        return None
    wanted = [law.said.unless for _, law in laws(work, offer) if law.said.unless is not None]
    silent = any(backed(work, one, [offer["id"]]).get(str(offer["id"])) is False for one in wanted)
    return offer["answered_at"] if silent else None
