"""What a member may not see stops a release all the same: it is said that something is there, and nothing of it."""

from __future__ import annotations

from comity.kernel.views.read import read
from tests.joints.test_turns import NAME, a_release, a_stay
from tests.pillars.stage import Stage, refused
from tests.world import instant

HOLD = {"basis": "writ", "authority": "usms", "since": instant()}
DETAINER = {"facility": "detention", "basis": "warrant", "reference": "W-77"}


def refused_unseen(stage: Stage, stay: str, release: str, hidden: str) -> None:
    """Both moments of a release and the end of the stay are refused to who may not see, in words that say no more."""
    with refused("not_found"):
        read(stage.node, stage.seats["intake"], hidden)
    with refused("invalid", "hold_unseen") as first:
        a_release(stage, stay)
    with refused("invalid", "hold_unseen") as second:
        stage.act("intake", release, "complete", released_at=instant())
    for problem in (*first, *second):
        said = repr(problem.as_json())
        assert "W-77" not in said and "writ" not in said and hidden not in said
        assert "colleague" in said


def test_a_hold_with_a_mark_stops_who_may_not_see_it(stage: Stage) -> None:
    stay, _ = a_stay(stage)
    release = a_release(stage, stay)
    hold = stage.enter("shift", "custody.hold", HOLD, marks=["juvenile"], intake=stay)
    refused_unseen(stage, stay, release, hold)
    with refused("invalid", "hold_active"):
        stage.act("shift", release, "complete", released_at=instant())


def test_a_detainer_with_a_mark_stops_who_may_not_see_it(stage: Stage) -> None:
    """Until its authority takes it back: no act of the facility does."""
    stay, _ = a_stay(stage)
    release = a_release(stage, stay)
    wanted = stage.enter("sergeant", "registry.person", {**NAME, "role": "subject"}, marks=["juvenile"])
    asked = stage.enter("sergeant", "custody.detainer", DETAINER, intake=stay, person=wanted)
    refused_unseen(stage, stay, release, asked)
    stage.act("sergeant", asked, "withdrawn", reason="Another prisoner")
    stage.act("intake", release, "complete", released_at=instant())


def test_a_detainer_against_the_same_person_stops_through_a_claim_that_is_hidden(stage: Stage) -> None:
    stay, person = a_stay(stage)
    release = a_release(stage, stay)
    wanted = stage.enter("sergeant", "registry.person", {**NAME, "role": "subject"})
    asked = stage.enter("sergeant", "custody.detainer", DETAINER, person=wanted)
    two = {"relation": "different", "basis": "photograph", "weight": 60}
    stage.enter("shift", "registry.identity_claim", two, marks=["juvenile"], person=person, same_as=wanted)
    a_release(stage, stay)
    one = {"basis": "photograph", "weight": 60}
    claim = stage.enter("shift", "registry.identity_claim", one, marks=["juvenile"], person=wanted, same_as=person)
    refused_unseen(stage, stay, release, claim)
    stage.answer("shift", asked, "not_held", reason="Another person")
    stage.act("intake", release, "complete", released_at=instant())


def test_nothing_hidden_stops_nobody(stage: Stage) -> None:
    stay, _ = a_stay(stage)
    release = a_release(stage, stay)
    hold = stage.enter("shift", "custody.hold", HOLD, marks=["juvenile"], intake=stay)
    stage.act("shift", hold, "retract", reason="Another prisoner")
    stage.act("intake", release, "complete", released_at=instant())


def test_a_transfer_with_a_mark_stops_who_may_not_see_it(stage: Stage) -> None:
    stay, person = a_stay(stage, "intake")
    release = a_release(stage, stay)
    fields = {"receiver": "state-police", "reason": "housing", "planned_for": instant()}
    moved = stage.enter("shift", "custody.transfer", fields, marks=["juvenile"], intake=stay, person=person)
    refused_unseen(stage, stay, release, moved)
