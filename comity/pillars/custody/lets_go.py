"""What lets a person go: of each record that a release may name, whether it does, under which ground, and else why not.

Each function answers for one kind of record with the reason of a refusal, or with none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from comity.extensions import Fact, Facts
from comity.pillars.custody import holds
from comity.pillars.custody.kept_under import (
    IN_FORCE,
    KEEPING_DUTIES,
    KEEPING_ORDERS,
    KEEPING_WARRANTS,
    ORDER,
    RECALLED,
    SENTENCE,
    SERVED,
    SERVICE,
    WARRANT,
    Keeping,
    is_term,
    recalled,
    stayed,
)
from comity.pillars.custody.refusals import (
    ADDRESSED_TO_ANOTHER,
    ANOTHER_TERM_RUNS,
    BAIL_ENDED,
    BOND_NOT_ACCEPTED,
    CHARGE_OPEN,
    CONDITION_NOT_MET,
    END_NOT_REACHED,
    NOT_ORDERED,
    ORDER_NOT_ACKNOWLEDGED,
    ORDER_NOT_ENTERED,
    ORDER_NOT_IN_FORCE,
    ORDER_OF_ANOTHER,
    ORDER_RECALLED,
    ORDER_STAYED,
    ORDER_USED,
    Refusal,
)
from comity.pillars.custody.same_person import CASES, matters, of_another

RELEASE = "custody.release"
JUDGMENT = "court.judgment"
BAIL = "custody.bail"
DOCUMENT = "registry.document"

WITHOUT_COURT = ("period_ended", "bail", "own_recognizance", "charges_ended")
COMMITTED = ("commitment_order", "remand", "sentence", "writ")


@dataclass(frozen=True, slots=True)
class Asked:
    """One release as it is judged: of which stay, on which ground, and what keeps the person."""

    facts: Facts
    release: Fact
    stay: Fact
    ground: str
    kept: Sequence[Keeping]


def judged(asked: Asked, one: Fact) -> Refusal | None:
    """What keeps a named record from letting go; None when nothing does."""
    refusal = _KINDS.get(one.type, _nothing)(asked, one)
    if refusal is None and (of_another(asked.facts, asked.stay, one) or _of_another_case(asked, one)):
        return ORDER_OF_ANOTHER
    return refusal


def _of_another_case(asked: Asked, one: Fact) -> bool:
    """Whether an order has a case, and all that keeps the person is known to be of others."""
    cases = matters(asked.facts, one, CASES) if one.type in (SERVICE, ORDER) else set()
    return bool(cases and asked.kept) and all(kept.cases and not kept.cases & cases for kept in asked.kept)


def _nothing(asked: Asked, one: Fact) -> Refusal | None:
    return NOT_ORDERED


def _service(asked: Asked, one: Fact) -> Refusal | None:
    """What an order asks of this custodian, once acknowledged; the recall of what it kept under; of a recall, that."""
    duty, orders = one.fields.get("duty"), asked.facts.linked(one, "order")
    if one.fields.get("addressee") != asked.facts.agency:
        return ADDRESSED_TO_ANOTHER
    recalls = [order for order in orders if order.fields.get("kind") == "recall"]
    if recalls:
        return _order(asked, recalls[0])
    if one.state in RECALLED:
        return None if duty in ("detain", "receive", "arrest") else ORDER_RECALLED
    handed = asked.ground == "transfer" and duty in ("surrender_custody", "produce")
    if duty != "release" and not handed:
        return NOT_ORDERED
    if one.state not in SERVED:
        return ORDER_NOT_ACKNOWLEDGED if one.state == "offered" else ORDER_NOT_IN_FORCE
    if not handed and _used(asked, one.id):
        return ORDER_USED
    judge = _docket if handed else _stands
    return next((refusal for order in orders if (refusal := judge(asked, order))), None)


def _order(asked: Asked, one: Fact) -> Refusal | None:
    """An order of release, a recall, or an order to keep that was recalled; each as the docket has it."""
    kind = one.fields.get("kind")
    if kind in ("detention", "commitment", "remand"):
        return None if one.state == "recalled" else NOT_ORDERED
    freeing = kind == "release" or (kind == "bail" and asked.ground == "own_recognizance")
    handed = asked.ground == "transfer" and kind in ("transfer", "production")
    if kind == "recall":
        ended = [other for other in asked.facts.linked(one, "recalls") if _keeps_by_kind(other)]
        return NOT_ORDERED if not ended else _docket(asked, one)
    if not (freeing or handed):
        return NOT_ORDERED
    if asked.facts.agency not in one.fields.get("addressees", ()):
        return ADDRESSED_TO_ANOTHER
    return _stands(asked, one) if freeing else _docket(asked, one)


def _keeps_by_kind(one: Fact) -> bool:
    return one.fields.get("kind") in ("detention", "commitment", "remand", "arrest", "bench")


def _docket(asked: Asked, order: Fact) -> Refusal | None:
    """Whether an order is in force: entered, not recalled, not suspended."""
    if order.state in IN_FORCE:
        if recalled(asked.facts, order.id):
            return ORDER_RECALLED
        return ORDER_STAYED if stayed(asked.facts, order) else None
    if order.state == "recalled":
        return ORDER_RECALLED
    return ORDER_NOT_ENTERED if order.state in ("drafted", "signed") else ORDER_NOT_IN_FORCE


def _stands(asked: Asked, order: Fact) -> Refusal | None:
    """Whether an order of release is in force, as is the grant that it carries out, not used up, its bail accepted."""
    grants = [one for one in asked.facts.linked(order, "about") if one.type == ORDER]
    refused = next((refusal for one in (order, *grants) if (refusal := _docket(asked, one))), None)
    if refused is not None:
        return refused
    if _used(asked, order.id):
        return ORDER_USED
    return _bailed([bail for one in (order, *grants) for bail in asked.facts.linking(one, BAIL, "order")])


def _used(asked: Asked, authority: str) -> bool:
    """Whether it let a person go from an earlier stay: an order of release is carried out once."""
    at, stay = asked.release.fields.get("released_at"), asked.release.links.get("intake")
    earlier = asked.facts.linking(authority, RELEASE, "authority")
    done = [one for one in earlier if one.state == "completed" and one.links.get("intake") != stay]
    return any(at is None or holds.before(one.fields.get("released_at"), at) for one in done)


def _bailed(bails: Sequence[Fact]) -> Refusal | None:
    """Of the bail that an order of release sets, whether it was accepted; an order that sets none is met."""
    states = {one.state for one in bails}
    if not states or "accepted" in states:
        return None
    if states & {"furnished", "refused"}:
        return BOND_NOT_ACCEPTED
    return CONDITION_NOT_MET if "set" in states else BAIL_ENDED


def _warrant(asked: Asked, one: Fact) -> Refusal | None:
    recalled_arrest = one.state == "recalled" and one.fields.get("kind") in ("arrest", "bench")
    return None if recalled_arrest else NOT_ORDERED


def _judgment(asked: Asked, one: Fact) -> Refusal | None:
    if asked.ground != "charges_ended" or one.fields.get("kind") == "conviction":
        return NOT_ORDERED
    if one.state == "entered" and _charges_left(asked, one):
        return CHARGE_OPEN
    return None if one.state == "entered" else _not_yet(one)


def _charges_left(asked: Asked, judgment: Fact) -> bool:
    """Whether a charge of its case still waits, of which the judgment says nothing; one that names none is on all."""
    facts, found = asked.facts, set(judgment.links.get("charge", ()))
    instruments = (one for case in facts.linked(judgment, "case") for one in facts.linked(case, "instrument"))
    charges = [one for instrument in instruments for one in facts.linked(instrument, "charge")]
    return bool(found) and any(one.state == "pending" and one.id not in found for one in charges)


def _sentence(asked: Asked, one: Fact) -> Refusal | None:
    """Imprisonment that is served, which the custodian computes; a sentence without imprisonment, at once."""
    kind = one.fields.get("kind")
    if asked.ground == "sentence_served" and one.state == "served":
        return None
    served = (
        asked.ground == "sentence_served" and kind in ("imprisonment", "time_served") and not one.fields.get("life")
    )
    free = asked.ground == "court_order" and kind != "imprisonment"
    if asked.ground == "court_order" and one.state == "vacated":
        return None
    if not (served or free):
        return NOT_ORDERED
    if free and any(
        is_term(other) for judgment in asked.facts.linked(one, "judgment") for other in _of(asked, judgment)
    ):
        return ANOTHER_TERM_RUNS
    return None if one.state == "in_force" else _not_yet(one)


def _of(asked: Asked, judgment: Fact) -> Sequence[Fact]:
    return asked.facts.linking(judgment, SENTENCE, "judgment")


def _not_yet(one: Fact) -> Refusal | None:
    return ORDER_NOT_ENTERED if one.state in ("drafted", "signed") else ORDER_NOT_IN_FORCE


def _bail(asked: Asked, one: Fact) -> Refusal | None:
    if asked.ground != "bail":
        return NOT_ORDERED
    orders = asked.facts.linked(one, "order")
    if any(order.state == "recalled" or recalled(asked.facts, order.id) for order in orders):
        return ORDER_RECALLED
    if any(stayed(asked.facts, order) for order in orders):
        return ORDER_STAYED
    return _bailed([one])


def _transfer(asked: Asked, one: Fact) -> Refusal | None:
    handed = asked.ground == "transfer" and one.state in ("accepted", "ended")
    return None if handed else NOT_ORDERED


def _detainer(asked: Asked, one: Fact) -> Refusal | None:
    """One that took the person over; or the end of the one on which alone the person was taken in."""
    if asked.ground == "transfer":
        return None if one.state == "executed" else NOT_ORDERED
    alone = one.id in asked.stay.links.get("authority", ())
    ended = asked.ground == "period_ended" and one.state in ("lifted", "withdrawn")
    return None if ended and alone else NOT_ORDERED


def _hold(asked: Asked, one: Fact) -> Refusal | None:
    """A hold whose last day was known when it began, ended on that day or later."""
    if asked.ground != "period_ended" or one.state != "ended":
        return NOT_ORDERED
    last, ended = one.fields.get("expires_on"), holds.instant(one.fields.get("ended_at"))
    if last is None or ended is None:
        return NOT_ORDERED
    return None if str(last) <= asked.facts.day(ended).isoformat() else END_NOT_REACHED


def _document(asked: Asked, one: Fact) -> Refusal | None:
    """The paper of a clemency: never a letter, the custodian's own least of all. A person decides on it besides."""
    paper = one.state == "current" and one.fields.get("kind") in ("court_paper", "certified_record")
    return None if asked.ground == "compassionate" and paper else NOT_ORDERED


def _stay(asked: Asked, one: Fact) -> Refusal | None:
    """Of an arrest without a warrant that no court has seen, the law alone."""
    if one.id != asked.stay.id or one.fields.get("ground") != "arrest_without_warrant":
        return NOT_ORDERED
    if asked.ground not in WITHOUT_COURT or asked.kept:
        return NOT_ORDERED
    holds_of_court = asked.facts.linking(one, holds.HOLD, "intake")
    seen = any(hold.fields.get("basis") in COMMITTED and hold.state in ("active", "ended") for hold in holds_of_court)
    return NOT_ORDERED if seen or any(_committed(one) for one in _named(asked)) else None


def _named(asked: Asked) -> Sequence[Fact]:
    return asked.facts.linked(asked.release, "authority")


def _committed(one: Fact) -> bool:
    """Whether a court has seen the person, whatever came of it."""
    if one.type == SERVICE:
        return one.state in SERVED and one.fields.get("duty") in KEEPING_DUTIES
    if one.type == ORDER:
        return one.state in IN_FORCE and one.fields.get("kind") in KEEPING_ORDERS
    return (
        one.type == WARRANT
        and one.state in ("active", "stayed", "executed")
        and one.fields.get("kind") in KEEPING_WARRANTS
    )


_KINDS: Mapping[str, Callable[[Asked, Fact], Refusal | None]] = {
    SERVICE: _service, ORDER: _order, WARRANT: _warrant, JUDGMENT: _judgment, SENTENCE: _sentence, BAIL: _bail,
    holds.TRANSFER: _transfer, holds.DETAINER: _detainer, holds.HOLD: _hold, holds.INTAKE: _stay,
    DOCUMENT: _document,
}  # fmt: skip
