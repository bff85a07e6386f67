"""Three ways out of a prison of the district: bail, default bail, and BNSS 479. Chapters of its story."""

from __future__ import annotations

from tests.pillars.district import bailed, entered, freed, made, other_case, serve
from tests.pillars.stage import Stage, refused
from tests.world import day, instant


def bail_is_granted_furnished_accepted_and_then_the_prison_releases(stage: Stage) -> None:
    asked = stage.enter(
        "superintendent", "court.filing", {"court": "in-court", "kind": "application", "title": "Application for bail"}
    )
    stage.answer("registry", asked, "filed", filed_at=instant())
    said = stage.enter(
        "prosecutor",
        "court.filing",
        {"court": "in-court", "kind": "response", "title": "No objection to bail"},
        case=made["case"],
    )
    stage.answer("registry", said, "filed", filed_at=instant())
    granted = entered(stage, made["case"], "bail", "Bail is granted", ["in-prison"])
    serve(stage, granted, "in-prison", "superintendent", "take_note")
    bailed(stage, made["party"], granted, made["case"])
    freed(
        stage,
        entered(stage, made["case"], "release", "Release on bail", ["in-prison"]),
        made["stay"],
        made["hold"],
        "bail",
    )


def default_bail_accrues_is_claimed_furnished_and_frees(stage: Stage) -> None:
    party, case, stay, hold = other_case(stage, "Bilal Udaharan")
    right = stage.enter(
        "registry",
        "india.default_bail",
        {"period": "sixty", "first_remand_on": day(61), "accrued_on": day(1), "prison": "in-prison"},
        person=party,
        case=case,
    )
    assert stage.state("jailer", right) == "accrued"
    with refused("act_out_of_turn"):
        stage.act("registry", right, "furnish")
    with refused("invalid", "no_application"):
        stage.act("registry", right, "claim", claimed_at=instant())
    asked = stage.enter(
        "superintendent", "court.filing", {"court": "in-court", "kind": "application", "title": "Default bail"}
    )
    stage.answer("registry", asked, "filed", filed_at=instant())
    stage.act("registry", right, "claim", claimed_at=instant(), links={"application": asked})
    with refused("act_out_of_turn"):  # a report filed after the claim extinguishes nothing
        stage.act("registry", right, "extinguish", links={"police_report": made["police_report"]})
    granted = entered(stage, case, "bail", "Default bail", ["in-prison"])
    serve(stage, granted, "in-prison", "superintendent", "take_note")
    bail = bailed(stage, party, granted, case)
    stage.act("registry", right, "furnish", links={"bail": bail})
    service = freed(
        stage, entered(stage, case, "release", "Release on default bail", ["in-prison"]), stay, hold, "bail"
    )
    stage.act("registry", right, "record_release", links={"release": service})
    assert stage.state("jailer", right) == "released"


def the_superintendent_moves_the_court_for_an_undertrial(stage: Stage) -> None:
    _, case, stay, hold = other_case(stage, "Chitra Pratidarsh")
    prisoner = stage.enter("jailer", "registry.person", {"role": "prisoner", "name": "Chitra P."})
    told = {
        "court": "in-court",
        "fraction": "third",
        "maximum_days": 1095,
        "detained_days": 372,
        "own_delay_days": 5,
        "reached_on": day(1),
        "several_cases": False,
        "capital": False,
    }
    with refused("invalid", "not_reached"):
        stage.enter(
            "superintendent",
            "india.undertrial_application",
            {**told, "own_delay_days": 30},
            intake=stay,
            person=prisoner,
        )
    with refused("invalid", "excluded"):
        stage.enter(
            "superintendent",
            "india.undertrial_application",
            {**told, "several_cases": True},
            intake=stay,
            person=prisoner,
        )
    with refused("not_allowed"):
        stage.enter("jailer", "india.undertrial_application", told, intake=stay, person=prisoner)
    moved = stage.enter("superintendent", "india.undertrial_application", told, intake=stay, person=prisoner)
    stage.answer("registry", moved, "registered", application_number="479/12/2026")
    order = entered(stage, case, "release", "Release on bond under BNSS 479", ["in-prison"])
    freed(stage, order, stay, hold, "period_ended")
    assert stage.state("superintendent", stay) == "released"
