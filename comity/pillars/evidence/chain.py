"""The chain of custody of an item: one holder at every moment, no gap, and every part traced to the whole it came from.

Holders are agencies, and between a sending and its receipt the carrier. Pure over Facts: what the acting agency may
not see cannot be judged, and the owner of an item sees its whole chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.pillars.evidence.custody import TAKEN_OVER, TRANSFER
from comity.sentences import Text, say

ITEM = "evidence.item"
CONSUMPTION = "evidence.consumption"
INSIDE = ("viewing", "copying", "temporary_locker", "court")
DEPTH = 20


@dataclass(frozen=True, slots=True)
class Holding:
    """Who had an item from when until when; `until` None is now. `how`: the number of the transfer, or `taken`."""

    holder: str
    since: datetime
    until: datetime | None
    how: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a chain breaks: what is wrong, about which record, and who owes the missing piece."""

    code: str
    message: Text
    about: Fact
    owed_by: str


def chain(item: Fact, transfers: Sequence[Fact]) -> tuple[list[Holding], list[Gap]]:
    """Every holding of an item in order, and every gap: one ends as the next begins, never two at once."""
    began = _instant(item.fields.get("taken_at")) or item.entered_at
    holdings = [Holding(item.agency, began, None, "taken")]
    gaps = _unread(item, "taken_at", item.fields)
    for one in _in_order(transfers):
        if one.offer is None:
            continue
        last = holdings[-1]
        gaps += _unread(one, "sent", one.fields)
        gaps += _unread(one, "received", one.fields) or _unread(one, "received", one.offer.answer)
        sent = _instant(one.fields.get("sent")) or one.offer.offered_at
        if one.offer.from_agency != last.holder:
            said = say(
                "custody_gap.was_handed_over_by", number=one.number, agency=one.offer.from_agency, holder=last.holder
            )
            gaps.append(Gap("custody_gap", said, one, last.holder))
        if sent < last.since:
            said = say("custody_overlap.was_sent_before", number=one.number, holder=last.holder)
            gaps.append(Gap("custody_overlap", said, one, one.offer.from_agency))
        holdings[-1] = Holding(last.holder, last.since, sent, last.how)
        carried = one.fields.get("conveyance", "hand") != "hand"
        if one.offer.state == "offered":
            holdings.append(Holding(_carrier(one) if carried else one.offer.from_agency, sent, None, one.number))
            said = say("custody_waiting.is_not_answered", number=one.number)
            gaps.append(Gap("custody_waiting", said, one, one.offer.to_agency))
            break
        received = _instant(one.fields.get("received")) or _instant(one.offer.answer.get("received"))
        received = received or one.offer.answered_at or sent
        if received < sent:
            said = say("custody_overlap.was_received_before", number=one.number)
            gaps.append(Gap("custody_overlap", said, one, one.offer.to_agency))
        if carried:
            holdings.append(Holding(_carrier(one), sent, received, one.number))
        holdings.append(Holding(one.offer.to_agency, received, None, one.number))
    if item.state == "out" and item.fields.get("out_to") not in INSIDE and len(holdings) == 1:
        gaps.append(Gap("custody_gap", say("custody_gap.it_is_checked_out_and"), item, item.agency))
    return holdings, gaps


def _unread(about: Fact, name: str, told: Mapping[str, object]) -> list[Gap]:
    """The gap of a time that stands there and cannot be read: the chain is reckoned with another, and is not whole."""
    value = told.get(name)
    if value is None or _instant(value) is not None:
        return []
    number = about.number or say("custody_gap.the_item")
    said = say("time_unreadable.of_chain", name=name, number=number, value=str(value))
    return [Gap("time_unreadable", said, about, about.agency)]


def chain_unbroken(facts: Facts) -> Outcome:
    """Of a statement of custody and of a disposition: no gap for the item or for what it is a part of."""
    found = []
    for item in facts.linked(facts.subject, "item"):
        whole = [item, *ancestors(facts, item)]
        gaps = [gap for one in whole for gap in chain(one, facts.linking(one, TRANSFER, "item"))[1]]
        found += [_missing(facts, item, gap) for gap in [*gaps, *origin(facts, item)]]
    return Outcome(found)


def part_traces_to_parent(facts: Facts) -> Outcome:
    """Of entering an item: the whole is seen, is held here, and is not less than its parts."""
    item = facts.subject
    gaps = [*origin(facts, item), *_held(facts, item), *_parts(facts, item)]
    return Outcome([_missing(facts, item, gap) for gap in gaps])


def ancestors(facts: Facts, item: Fact) -> Iterator[Fact]:
    """The wholes that an item comes from, nearest first. A circle ends the walk; `origin` tells of it."""
    seen, here = {item.id}, item
    for _ in range(DEPTH):
        above = [one for one in facts.linked(here, "parent") if one.id not in seen]
        if not above:
            return
        here = above[0]
        seen.add(here.id)
        yield here


def origin(facts: Facts, item: Fact) -> Iterator[Gap]:
    """What is wrong with where a part comes from: no parent, a hidden one, a circle."""
    above = [item, *ancestors(facts, item)]
    last = above[-1]
    if last.links.get("parent"):
        circle = {one.id for one in above} & set(last.links["parent"])
        said = say("parent_lost.part_of_itself") if circle else say("parent_lost.cannot_be_seen")
        yield Gap("parent_lost", said, last, last.agency)
    elif last.fields.get("origin") == "sub_item":
        yield Gap(
            "parent_lost",
            say("custody_gap.does_not_say_what_it", number=last.number or say("custody_gap.a_part")),
            last,
            last.agency,
        )


def _held(facts: Facts, item: Fact) -> Iterator[Gap]:
    """Only who has the whole can take a part of it."""
    for whole in facts.linked(item, "parent"):
        holdings, _ = chain(whole, facts.linking(whole, TRANSFER, "item"))
        if holdings[-1].holder != facts.agency:
            said = say(
                "not_the_holder.cannot_take_a_part",
                number=whole.number,
                holder=holdings[-1].holder,
                agency=facts.agency,
            )
            yield Gap("not_the_holder", said, whole, holdings[-1].holder)


def _parts(facts: Facts, item: Fact) -> Iterator[Gap]:
    """All parts and all use together are not more than the whole."""
    for whole in facts.linked(item, "parent"):
        of = _weight(whole.fields.get("gross_weight"))
        siblings = [one for one in facts.linking(whole, ITEM, "parent") if one.id != item.id]
        parts = [_weight(one.fields.get("gross_weight")) for one in (*siblings, item)]
        used = [_weight(one.fields.get("amount")) for one in facts.linking(whole, CONSUMPTION, "item")]
        total = sum((one for one in (*parts, *used) if one is not None), Decimal())
        if of is not None and total > of:
            said = say("parts_exceed_whole.are_more", number=whole.number, total=total, whole=of)
            yield Gap("parts_exceed_whole", said, whole, facts.agency)


def _in_order(transfers: Sequence[Fact]) -> list[Fact]:
    live = [one for one in transfers if one.offer is not None and one.offer.state in (*TAKEN_OVER, "offered")]
    return sorted(live, key=lambda one: (one.offer is None or one.offer.state == "offered", _when(one)))


def _when(transfer: Fact) -> datetime:
    offer = transfer.offer
    return offer.answered_at if offer is not None and offer.answered_at is not None else transfer.entered_at


def _carrier(transfer: Fact) -> str:
    return str(transfer.fields.get("carrier") or say("custody_gap.the_carrier"))


def _missing(facts: Facts, item: Fact, gap: Gap) -> Missing:
    name = item.number or item.title
    return Missing(
        code=gap.code,
        severity="error",
        message=say("chain.custody_of", name=name, message=gap.message),
        about=gap.about.id,
        about_label=gap.about.number or name,
        owed_by=gap.owed_by,
        since=facts.today,
    )


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _weight(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
