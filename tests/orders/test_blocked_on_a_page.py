"""What a page says stands in the way of a release is what the release is refused for."""

from __future__ import annotations

from comity.kernel.records.act import act
from comity.kernel.views.page import page
from comity.kernel.views.page_acts import NextAct
from tests.orders.flow import Release
from tests.pillars.stage import Stage
from tests.world import instant
from tests.world import refused as refusal_of


def next_act(stage: Stage, seat: str, record: str, name: str) -> NextAct:
    made = page(stage.node, stage.seats[seat], record)
    return next(one for one in made.acts if one.name == name)


def ordered(stage: Stage) -> dict[str, str]:
    """A stay with a hold that the court's order ends, and the release under it, prepared."""
    played = Release(stage)
    played.ordered()
    played.served("detention", "records", "release")
    played.held()
    made = played.made
    stage.act(
        "records", made["hold"], "end", reason="Ordered released", ended_at=instant(),
        links={"ended_by": made["detention"]},
    )  # fmt: skip
    given = {"intake": made["stay"], "authority": made["detention"]}
    made["release"] = stage.enter("records", "custody.release", {"ground": "court_order"}, **given)
    return made


def test_a_hold_blocks_a_release_on_its_page_as_at_the_act(stage: Stage) -> None:
    made = ordered(stage)
    release = made["release"]
    assert next_act(stage, "shift", release, "complete").ready
    held = {"basis": "writ", "authority": "usms", "since": instant()}
    stage.enter("records", "custody.hold", held, intake=made["stay"])
    complete = next_act(stage, "shift", release, "complete")
    problem = refusal_of(act, stage.node, stage.seats["shift"], release, "complete", fields={"released_at": instant()})
    assert complete.obstacles and [one.code for one in complete.obstacles] == [one.code for one in problem.faults]
    assert [one.message for one in complete.obstacles] == [one.message for one in problem.faults]
    assert complete.obstacles[0].owed_by == "usms" and "owed by" in complete.obstacles[0].text
    asked = {one.name: one.required for one in complete.form.fields}
    assert asked == {"released_at": True, "reason": False} and not complete.form.open


def test_what_an_act_sets_is_not_missed_before_it_is_given(stage: Stage) -> None:
    stay = ordered(stage)["stay"]
    discharge = next_act(stage, "records", stay, "discharge")
    assert discharge.ready and discharge.state_label == "Released"
    asked = {one.name: (one.part, one.required) for one in discharge.form.fields}
    assert asked["release"] == ("links", True) and asked["ended_at"] == ("fields", True)
    stage.enter("records", "custody.hold", {"basis": "writ", "authority": "usms", "since": instant()}, intake=stay)
    assert not next_act(stage, "records", stay, "discharge").ready, "a hold holds whichever release is named"
