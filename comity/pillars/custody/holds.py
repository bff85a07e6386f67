"""Who may not let a person go, and who has the person: the rules behind every release and every hand-over of a person.

Pure over Facts. What the acting agency may not see cannot be judged: a facility sees its own holds and every detainer
that was sent to it. What its member may not see holds as well: that there is something is said, and nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.pillars.custody.same_person import of_another
from comity.sentences import Sentence, say

INTAKE = "custody.intake"
HOLD = "custody.hold"
DETAINER = "custody.detainer"
TRANSFER = "custody.transfer"
CLAIM = "registry.identity_claim"
STANDING = ("offered", "lodged")


def no_active_hold(facts: Facts) -> Outcome:
    """Of the end of a stay: names each holder. `facts.subject` is the intake, or a release of it.

    A detainer that was sent and not answered yet holds as well: a release does not run past it.
    """
    return Outcome([one for stay in _stays(facts) for one in keeps(facts, stay)])


def keeps(facts: Facts, intake: Fact) -> list[Missing]:
    """Each hold and detainer that keeps the person of a stay, and whether something does that may not be seen."""
    holds = [one for one in facts.linking(intake, HOLD, "intake") if one.state == "active"]
    covered = {target for one in holds for target in one.links.get("detainer", ())}
    asked = [one for one in detainers(facts, intake) if one.id not in covered]
    missing = [_of_another(facts, intake, one) or _held(facts, intake, one) for one in (*holds, *asked)]
    return [*missing, unseen(facts, intake)] if hidden_against(facts, intake) else missing


def hidden_against(facts: Facts, intake: Fact) -> bool:
    """Whether a hold or a standing detainer against the stay, or its person, is there that the actor may not see."""
    return (
        facts.unseen(intake.id, HOLD, "intake", ("active",))
        or facts.unseen(intake.id, DETAINER, "intake", STANDING)
        or any(facts.unseen(one, DETAINER, "person", STANDING, CLAIM) for one in intake.links.get("person", ()))
    )


def own_release(facts: Facts) -> Outcome:
    """Of the end of a stay: it is released by a release of this stay, or of one to which it was handed over."""
    intake = facts.subject
    found = [
        Missing(
            code="release_of_another",
            severity="error",
            message=say("release_of_another.is_not_release_of", label=label(one), label2=label(intake)),
            about=one.id,
            about_label=label(one),
            owed_by=facts.agency,
            since=facts.today,
        )
        for one in facts.linked(intake, "release")
        if intake.id not in one.links.get("intake", ())
        and not any(_began_with(facts, stay, intake.id) for stay in facts.linked(one, "intake"))
    ]
    return Outcome(found)


def _began_with(facts: Facts, stay: Fact, before: str) -> bool:
    """Whether a stay goes back, transfer by transfer, to the stay `before`."""
    known, waiting = {stay.id}, [stay]
    while waiting:
        for transfer in facts.linked(waiting.pop(), "transfer"):
            if before in transfer.links.get("intake", ()):
                return True
            earlier = [one for one in facts.linked(transfer, "intake") if one.id not in known]
            known.update(one.id for one in earlier)
            waiting += earlier
    return False


def hold_was_active(facts: Facts) -> Outcome:
    """Of recording a release in error: it is computed, so at least one hold ran at the moment of release."""
    intake = facts.subject
    left = instant(intake.fields.get("ended_at"))
    holds = facts.linking(intake, HOLD, "intake")
    if left is not None and any(_ran(one, left) for one in holds):
        return Outcome()
    asked = [one.offer.offered_at for one in detainers(facts, intake) if one.offer is not None]
    if left is not None and any(at <= left for at in asked):
        return Outcome()
    name = label(intake)
    lack = Missing(
        code="no_hold_was_active", severity="error", message=say("no_hold_was_active.no_hold_on_was_active", name=name),
        about=intake.id, about_label=name, owed_by=facts.agency, since=facts.today,
    )  # fmt: skip
    return Outcome([lack])


def one_receiver(facts: Facts) -> Outcome:
    """Of a transfer: the stay is the sender's own and running, and no other transfer of it is under way."""
    transfer = facts.subject
    missing = []
    for intake in facts.linked(transfer, "intake"):
        if intake.agency != facts.agency or intake.state not in ("in_custody", "out"):
            missing.append(
                elsewhere(
                    facts, intake, say("not_the_custodian.is_not_in_custody", label=label(intake), agency=facts.agency)
                )
            )
        for one in facts.linking(intake, TRANSFER, "intake"):
            if one.id != transfer.id and standing(one) in ("offered", "accepted"):
                missing.append(_with_another(facts, intake, one))
    told = {one.about for one in missing}
    for person in facts.linked(transfer, "person"):
        for one in facts.linking(person, TRANSFER, "person"):
            if one.id not in {transfer.id, *told} and standing(one) == "offered":
                missing.append(_with_another(facts, person, one))
    return Outcome(missing)


def not_on_the_way(facts: Facts) -> Outcome:
    """Of the end of a stay, or a release of it: no other custodian has been asked to take the person."""
    return Outcome([one for stay in _stays(facts) for one in on_the_way(facts, stay)])


def on_the_way(facts: Facts, intake: Fact) -> list[Missing]:
    """Each transfer of a stay that waits for its answer, and whether there is one that may not be seen."""
    asked = [one for one in facts.linking(intake, TRANSFER, "intake") if standing(one) == "offered"]
    missing = [_with_another(facts, intake, one) for one in asked]
    hidden = facts.unseen(intake.id, TRANSFER, "intake", ("offered",))
    return [*missing, unseen(facts, intake)] if hidden else missing


def received(facts: Facts) -> Outcome:
    """Of a stay that names its transfer: this agency accepted it, and it began one stay only."""
    intake = facts.subject
    missing = []
    for transfer in facts.linked(intake, "transfer"):
        to = transfer.offer.to_agency if transfer.offer else ""
        if to != facts.agency or standing(transfer) not in ("accepted", "ended"):
            said = say("not_the_custodian.was_not_accepted", label=label(transfer), agency=facts.agency)
            missing.append(elsewhere(facts, transfer, said))
        for one in facts.linking(transfer, INTAKE, "transfer"):
            if one.id != intake.id:
                said = say("not_the_custodian.is_the_stay", label=label(one), transfer=label(transfer))
                missing.append(elsewhere(facts, one, said))
    return Outcome(missing)


def detainers(facts: Facts, intake: Fact) -> list[Fact]:
    """The standing detainers against a stay: those that name it, and those against a person claimed to be the same."""
    found = {one.id: one for one in facts.linking(intake, DETAINER, "intake")}
    for person in persons(facts, intake):
        found.update((one.id, one) for one in facts.linking(person, DETAINER, "person"))
    return [one for one in found.values() if standing(one) in STANDING and one.offer and one.offer.to_agency]


def standing(fact: Fact) -> str:
    """Where a two-sided record stands: its offer's answer, which is there before the offerer's own state follows."""
    return fact.offer.state if fact.offer is not None and fact.state == "offered" else fact.state


def label(fact: Fact) -> str:
    return fact.number or fact.title or fact.id


def _stays(facts: Facts) -> Sequence[Fact]:
    subject = facts.subject
    return [subject] if subject.type == INTAKE else facts.linked(subject, "intake")


def persons(facts: Facts, intake: Fact) -> Iterator[Fact]:
    """The person of the stay, and each person that a live claim ties to that one by one step."""
    for person in facts.linked(intake, "person"):
        yield person
        for link, other in (("person", "same_as"), ("same_as", "person")):
            for claim in facts.linking(person, CLAIM, link):
                if claim.state == "claimed" and claim.fields.get("relation", "same") == "same":
                    yield from facts.linked(claim, other)


_HELD = {
    ("detainer", False): "hold_active.detainer", ("detainer", True): "hold_active.detainer_waits",
    ("hold", False): "hold_active.hold", ("hold", True): "hold_active.hold_waits",
}  # fmt: skip
"""(What holds, whether it waits for an answer) -> what is said."""


def _held(facts: Facts, intake: Fact, hold: Fact) -> Missing:
    authority = str(hold.fields.get("authority") or hold.fields.get("authority_name") or hold.agency)
    what = str(hold.fields.get("basis", "hold")).replace("_", " ")
    kind = "detainer" if hold.type == DETAINER else "hold"
    key = _HELD[kind, standing(hold) == "offered"]
    return Missing(
        code="hold_active",
        severity="error",
        message=say(key, label=label(intake), authority=authority, label2=label(hold), what=what),
        about=hold.id,
        about_label=label(hold),
        owed_by=authority,
        since=hold.entered_at.date(),
    )


def _of_another(facts: Facts, intake: Fact, hold: Fact) -> Missing | None:
    """A hold that was entered here on a detainer that asks for another person: it is there, and is no ground."""
    wrong = [one for one in facts.linked(hold, "detainer") if of_another(facts, intake, one)]
    if not wrong:
        return None
    return Missing(
        code="hold_of_another",
        severity="decides",
        about=hold.id,
        about_label=label(hold),
        owed_by=facts.agency,
        message=say("hold_of_another.rests_on_which_asks_for", label=label(hold), label2=label(wrong[0])),
        since=facts.today,
    )


def unseen(facts: Facts, intake: Fact) -> Missing:
    return Missing(
        code="hold_unseen", severity="error", message=say("hold_unseen.something_stands_against_release_that"),
        about=intake.id, about_label=label(intake), owed_by=facts.agency, since=facts.today,
    )  # fmt: skip


def _with_another(facts: Facts, who: Fact, transfer: Fact) -> Missing:
    to = transfer.offer.to_agency if transfer.offer else str(transfer.fields.get("receiver", ""))
    named = {"label": label(who), "to": to, "number": transfer.number}
    waits = standing(transfer) == "offered"
    said = say("not_the_custodian.is_offered_to", **named) if waits else say("not_the_custodian.is_with", **named)
    return elsewhere(facts, transfer, said, to)


def elsewhere(facts: Facts, about: Fact, message: Sentence, owed_by: str = "") -> Missing:
    return Missing(
        code="not_the_custodian",
        severity="error",
        message=message,
        about=about.id,
        about_label=label(about),
        owed_by=owed_by or about.agency,
        since=facts.today,
        fix=message.fix or say("not_the_custodian.withdraw_or_end.fix"),
    )


def _ran(hold: Fact, at: datetime) -> bool:
    """Whether a hold ran at an instant: begun by then, and neither ended nor expired before.

    One with a time that cannot be read does not count.
    """
    if hold.state == "entered_in_error":
        return False
    began, ended = instant(hold.fields.get("since")), instant(hold.fields.get("ended_at"))
    ends = hold.fields.get("ended_at") is None or (ended is not None and ended > at)
    return began is not None and began <= at and ends and _in_force(hold.fields.get("expires_on"), at.date())


def _in_force(expires: object, day: date) -> bool:
    try:
        return expires is None or date.fromisoformat(str(expires)) >= day
    except ValueError:
        return False


def before(one: object, other: object) -> bool:
    """Whether one time lies before another; one that cannot be read lies before none."""
    first, second = instant(one), instant(other)
    return first is not None and second is not None and first < second


def instant(value: object) -> datetime | None:
    """A time as a record holds it; None for what is none or has no zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
