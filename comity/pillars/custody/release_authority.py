"""Who may let a person go: the rule that decides over a release, for its acts and for reconciling alike.

A release stands when nothing else keeps the person and what is named as its authority lets the person go: it is of a
kind that does under the ground given, in force, addressed to this custodian, of this person, not used before, its
conditions met. All that the stay is kept under must be answered by something that is named. The pairs of records and
answers in `tests/release/` say what is right; a test turns each condition that stands here and wants one of them red.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.pillars.custody import holds
from comity.pillars.custody.kept_under import (
    ORDER,
    RECALLED,
    SENTENCE,
    SERVICE,
    Keeping,
    counts_since,
    keeping,
)
from comity.pillars.custody.lets_go import BAIL, DOCUMENT, JUDGMENT, RELEASE, Asked, judged
from comity.pillars.custody.refusals import NOT_ORDERED, PERSON_DECIDES, Refusal
from comity.pillars.custody.same_person import CASES, matters
from comity.sentences import say


def release_authority(facts: Facts) -> Outcome:
    """What speaks against a release (`facts.subject`), every reason once. `rests_on`: what lets the person go.

    Where no court is on record, only what keeps the person is judged: what lets go cannot be recorded there.
    """
    release = facts.subject
    stay = next(iter(facts.linked(release, "intake")), None)
    if stay is None:
        return Outcome([holds.unseen(facts, release)])
    missing = [*_custody(facts, release, stay), *holds.keeps(facts, stay), *holds.on_the_way(facts, stay)]
    others = _other_stays(facts, stay)
    missing += [one for other in others for one in holds.keeps(facts, other) or [_open_twice(facts, other)]]
    if not facts.knows(ORDER):
        return Outcome(missing)
    kept = {one.fact.id: one for each in (stay, *others) for one in keeping(facts, each)}
    asked = Asked(facts, release, stay, str(release.fields.get("ground", "")), tuple(kept.values()))
    named = {one.id: (one, judged(asked, one)) for one in (*facts.linked(release, "authority"), stay)}
    lets = [one for one, refusal in named.values() if refusal is None]
    if lets:
        missing += [_still(asked, one) for one in asked.kept if not any(_answers(asked, by, one) for by in lets)]
        missing += [_said(asked, PERSON_DECIDES, one) for one in lets if one.type == DOCUMENT]
    else:
        missing += _why_not(asked, [pair for pair in named.values() if pair[0] is not stay])
    return Outcome(missing, rests_on=[one.id for one in lets])


def _why_not(asked: Asked, named: Sequence[tuple[Fact, Refusal | None]]) -> list[Missing]:
    """The first thing that is wrong with each authority; what is of no fitting kind is said only when all are."""
    telling = {refusal: one for one, refusal in reversed(named) if refusal not in (None, NOT_ORDERED)}
    return [_said(asked, refusal, one) for refusal, one in telling.items()] or [_said(asked, NOT_ORDERED, asked.stay)]


def _custody(facts: Facts, release: Fact, stay: Fact) -> Iterator[Missing]:
    """Only who has the person lets the person go, and only once."""
    gone = [one for one in facts.linking(stay, RELEASE, "intake") if one.state == "completed" and one.id != release.id]
    if stay.agency != facts.agency or stay.state == "transferred":
        yield holds.elsewhere(
            facts, stay, say("not_the_custodian.is_not_in_custody", label=holds.label(stay), agency=facts.agency)
        )
    elif gone or stay.state not in ("in_custody", "out"):
        yield Missing(
            code="stay_closed",
            severity="error",
            message=say("stay_closed.has_ended", label=holds.label(stay), state=stay.state),
            about=stay.id,
            about_label=holds.label(stay),
            owed_by=facts.agency,
            since=facts.today,
        )


def _other_stays(facts: Facts, stay: Fact) -> list[Fact]:
    """The other open stays of the person with this custodian: what keeps on them keeps."""
    found = (one for person in holds.persons(facts, stay) for one in facts.linking(person, holds.INTAKE, "person"))
    running = {one.id: one for one in found if one.agency == facts.agency and one.state in ("in_custody", "out")}
    return [one for one in running.values() if one.id != stay.id]


def _open_twice(facts: Facts, other: Fact) -> Missing:
    return Missing(
        code="stay_open_twice", severity="decides", about=other.id, about_label=holds.label(other),
        message=say("stay_open_twice.person_is_also_held_on", label=holds.label(other)), owed_by=facts.agency,
        since=facts.today,
    )  # fmt: skip


def _answers(asked: Asked, by: Fact, kept: Keeping) -> bool:
    """Whether what lets go also ends something that keeps: each by its own kind, and of the same case."""
    if asked.ground == "transfer" or by.type == DOCUMENT:
        return True
    if kept.pending and asked.ground in ("sentence_served", "period_ended"):
        return True
    if by.type == holds.HOLD:
        orders = {kept.fact.id, *kept.fact.links.get("order", ())}
        return by.fields.get("basis") != "detainer" and bool(orders & set(by.links.get("ground", ())))
    if by.type not in (SERVICE, ORDER, JUDGMENT, SENTENCE, BAIL) or _ends_one_thing(by):
        return False
    if kept.fact.type == SENTENCE and by.type in (SENTENCE, BAIL):
        return by.id == kept.fact.id
    cases = matters(asked.facts, by, CASES)
    if cases and kept.cases and not cases & kept.cases:
        return False
    return by.type in (JUDGMENT, SENTENCE) or kept.since <= counts_since(by)


def _ends_one_thing(by: Fact) -> bool:
    """A recall, or what was recalled: it ends what it kept under, and nothing besides."""
    if by.state in RECALLED or by.fields.get("kind") == "recall":
        return True
    return by.type == SERVICE and by.fields.get("duty") != "release"


def _still(asked: Asked, kept: Keeping) -> Missing:
    one = kept.fact
    code = "another_term_runs" if one.type == SENTENCE else "production_pending" if kept.pending else "still_kept"
    what = str(one.fields.get("duty", one.fields.get("kind", ""))).replace("_", " ")
    return Missing(
        code=code,
        severity="decides" if kept.pending else "error",
        about=one.id,
        about_label=holds.label(one),
        message=say("release_authority.stands_and_keeps_person", label=holds.label(one), what=what, agency=one.agency),
        owed_by=one.agency,
        since=one.entered_at.date(),
    )


def _said(asked: Asked, refusal: Refusal, one: Fact) -> Missing:
    return Missing(
        code=refusal.code, severity="decides" if refusal is PERSON_DECIDES else "error",
        message=say(refusal.code, one=holds.label(one)), about=asked.release.id,
        about_label=holds.label(asked.release), owed_by=asked.facts.agency, since=asked.facts.today,
    )  # fmt: skip
