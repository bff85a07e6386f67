"""What a person is kept under: orders, warrants and sentences that stand, on which a stay rests or that were served.

Pure over Facts. An order is in force from its entry on the docket until it is recalled; a stay of it suspends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from comity.extensions import Fact, Facts
from comity.pillars.custody.same_person import CASES, matters, same_person

ORDER = "court.order"
SERVICE = "court.order_service"
WARRANT = "court.warrant"
SENTENCE = "court.sentence"

IN_FORCE = ("entered", "fulfilled")
SERVED = ("acknowledged", "executed", "not_executed")
RECALLED = ("recalled", "executed_after_recall")
KEEPING_DUTIES = ("detain", "receive", "arrest", "produce")
KEEPING_ORDERS = ("detention", "commitment", "remand", "production")
KEEPING_WARRANTS = ("arrest", "bench", "production")


@dataclass(frozen=True, slots=True)
class Keeping:
    """One thing that keeps: its record, its cases and what they were opened on (empty: not known here), since when.

    `pending`: a person is to be produced, and was not taken in for it; whether that keeps is for a person to decide.
    """

    fact: Fact
    cases: frozenset[str]
    since: datetime
    pending: bool = False


def keeping(facts: Facts, stay: Fact) -> list[Keeping]:
    """Everything that keeps the person of a stay, but for holds and detainers, each once.

    What the stay rests on, or the one from which it was taken over; and what was served here to keep this person,
    whether or not somebody linked it.
    """
    rested = {one.id: one for one in _rested_on(facts, stay)}
    served = {one.id: one for one in _served_here(facts, stay) if one.id not in rested and not _produced(one)}
    return [
        Keeping(one, frozenset(matters(facts, one, CASES)), counts_since(one), one.id in served and _to_produce(one))
        for one in (*rested.values(), *served.values())
        if _keeps(facts, one)
    ]  # fmt: skip


def _to_produce(one: Fact) -> bool:
    return one.fields.get("duty") == "produce"


def _produced(one: Fact) -> bool:
    return _to_produce(one) and one.state == "executed"


def _rested_on(facts: Facts, stay: Fact) -> Iterator[Fact]:
    yield from facts.linked(stay, "authority")
    for transfer in facts.linked(stay, "transfer"):
        for earlier in facts.linked(transfer, "intake"):
            yield from facts.linked(earlier, "authority")


def _served_here(facts: Facts, stay: Fact) -> Iterator[Fact]:
    for person in same_person(facts, stay):
        for service in facts.linking(person, SERVICE, "defendant"):
            if service.fields.get("addressee") == facts.agency:
                yield service


def _keeps(facts: Facts, one: Fact) -> bool:
    if one.type == SERVICE:
        stands = one.state in SERVED and one.fields.get("duty") in KEEPING_DUTIES
        return stands and not any(recalled(facts, order) for order in one.links.get("order", ()))
    if one.type == ORDER:
        return one.state in IN_FORCE and one.fields.get("kind") in KEEPING_ORDERS and not recalled(facts, one.id)
    if one.type == WARRANT:
        stands = one.state in ("active", "stayed", "executed") and one.fields.get("kind") in KEEPING_WARRANTS
        return stands and not recalled(facts, one.id)
    return one.type == SENTENCE and is_term(one)


def is_term(one: Fact) -> bool:
    """Whether a sentence is of imprisonment to be served."""
    return one.state == "in_force" and one.fields.get("kind") == "imprisonment" and not one.fields.get("suspended")


def recalled(facts: Facts, order: str) -> bool:
    """Whether an order or warrant was recalled, as an order that stands or as what was served here says."""
    recalls = facts.linking(order, ORDER, "recalls")
    services = facts.linking(order, SERVICE, "order")
    return any(one.state in IN_FORCE for one in recalls) or any(one.state in RECALLED for one in services)


def stayed(facts: Facts, order: Fact) -> bool:
    """Whether an order of a court that stands suspends this one."""
    found = facts.linking(order, ORDER, "about")
    return any(one.fields.get("kind") == "stay" and one.state in IN_FORCE for one in found)


def counts_since(one: Fact) -> datetime:
    """From when something counts: an order from its entry on the docket, bail from its acceptance, else as entered."""
    done = one.acts.get("enter_on_docket") or one.acts.get("accept")
    return done.at if done is not None else one.entered_at
