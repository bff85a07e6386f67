"""The release of a federal prisoner, whom a state detainer still holds. Chapters of the federal story."""

from __future__ import annotations

from comity.kernel.duties.clocks import due
from tests.pillars.federal import NAME, entered, made, returned, serve
from tests.pillars.stage import Stage, refused
from tests.world import day, instant


def the_release_order_names_conditions_and_addressees(stage: Stage) -> None:
    rules = {one.rule.rpartition(".")[2] for one in due(stage.node, stage.seats["marshal"], made["warrant>usms"]).dues}
    assert "initial_appearance" in rules and "indictment" not in rules, "arrested on an indictment"
    hearing = stage.enter("clerk", "court.hearing", {"kind": "detention", "scheduled": instant()}, case=made["case"])
    stage.act("clerk", hearing, "open", held_at=instant())
    bare = {"kind": "release", "title": "Order", "terms": "Released.", "us-federal:release_kind": "conditions"}
    made["bare"] = stage.enter("clerk", "court.order", bare, case=made["case"])
    with refused("invalid", "addressees_missing"):
        stage.act("judge", made["bare"], "sign")
    with refused("invalid", "conditions_missing"):
        stage.act("judge", made["bare"], "sign")
    stage.act("clerk", made["bare"], "discard", reason="Drafted anew")
    entered(
        stage,
        "release",
        "release",
        "Order setting conditions of release",
        {"defendant": made["party"], "hearing": hearing},
        conditions=["Report each Monday.", "No firearm."],
        addressees=["usms", "detention", "pretrial", "usao"],
        **{"us-federal:release_kind": "conditions"},
    )
    stage.act("clerk", hearing, "complete", outcome="Released on conditions.")
    for addressee, duty in (
        ("usms", "surrender_custody"),
        ("detention", "release"),
        ("pretrial", "supervise"),
        ("usao", "inform"),
    ):
        serve(stage, "release", addressee, duty, case=made["case"], defendant=made["party"])
    for seat, addressee in (
        ("marshal", "usms"),
        ("records", "detention"),
        ("pretrial", "pretrial"),
        ("attorney", "usao"),
    ):
        stage.answer(seat, made[f"release>{addressee}"], "acknowledged", acknowledged_at=instant())
        assert "conditions" in stage.fields(seat, made["release"])
    with refused("not_allowed"):
        stage.act("clerk", made["release"], "sign")


def the_victim_is_queued_for_notice(stage: Stage) -> None:
    person = stage.enter("coordinator", "registry.person", {"role": "victim", "name": "Nora Sample"})
    made["victim"] = stage.enter(
        "coordinator", "community.victim", {"wants_notice": True, "way": "phone"}, person=person
    )
    made["notice"] = stage.enter(
        "coordinator",
        "community.notice",
        {
            "event": "release",
            "citation": "18 U.S.C. 3771(a)(2) (read)",
            "message": "The defendant was released on conditions.",
        },
        victim=made["victim"],
        about=made["release>usao"],
    )
    with refused("act_out_of_turn"):
        stage.act("coordinator", made["notice"], "record_told", told_at=instant())


def a_state_detainer_stops_the_release_and_is_named(stage: Stage) -> None:
    wanted = stage.enter("sergeant", "registry.person", {"role": "subject", **NAME})
    made["detainer"] = stage.enter(
        "sergeant",
        "custody.detainer",
        {"facility": "detention", "basis": "warrant", "reference": "W-2026-118"},
        person=wanted,
        intake=made["stay"],
    )
    release = {"ground": "court_order", "informed": ["usms", "usao", "pretrial"]}
    stage.act(
        "records",
        made["hold"],
        "end",
        reason="Ordered released",
        ended_at=instant(),
        links={"ended_by": made["release>detention"]},
    )
    with refused("invalid", "hold_active"):  # sent and not answered yet: it holds as well
        stage.enter("records", "custody.release", release, intake=made["stay"], authority=made["release>detention"])
    stage.answer("records", made["detainer"], "lodged", lodged_at=instant())
    made["state_hold"] = stage.enter(
        "records",
        "custody.hold",
        {"basis": "detainer", "authority": "state-police", "since": instant()},
        intake=made["stay"],
        detainer=made["detainer"],
    )
    assert stage.state("sergeant", made["state_hold"]) == "active"
    with refused("invalid", "hold_active") as caught:
        stage.enter("records", "custody.release", release, intake=made["stay"], authority=made["release>detention"])
    assert "state-police" in caught[0].faults[0].message
    with refused("invalid", "detainer_stands"):
        stage.act(
            "records",
            made["state_hold"],
            "end",
            reason="No answer",
            ended_at=instant(),
            links={"ended_by": made["detainer"]},
        )
    stage.act("sergeant", made["detainer"], "lift", reason="The warrant was recalled")
    stage.act(
        "records",
        made["state_hold"],
        "end",
        reason="Detainer lifted",
        ended_at=instant(),
        links={"ended_by": made["detainer"]},
    )
    made["out"] = stage.enter(
        "records", "custody.release", release, intake=made["stay"], authority=made["release>detention"]
    )


def the_release_is_completed_by_another_and_everyone_returns(stage: Stage) -> None:
    with refused("same_member"):
        stage.act("records", made["out"], "complete", released_at=instant())
    stage.act("shift", made["out"], "complete", released_at=instant())
    stage.act("records", made["stay"], "discharge", ended_at=instant(), links={"release": made["out"]})
    assert stage.state("records", made["stay"]) == "released"
    with refused("invalid", "no_hold_was_active"):
        stage.act("shift", made["stay"], "record_error", reason="Looks wrong")
    returned(stage, "records", "release>detention", "Return on the order of release")
    stage.act("marshal", made["transfer"], "end", reason="Released by order")
    with refused("invalid", "hold_active"):
        stage.act("marshal", made["intake"], "discharge", ended_at=instant(), links={"release": made["out"]})
    stage.act(
        "marshal",
        made["usms_hold"],
        "end",
        reason="Ordered released",
        ended_at=instant(),
        links={"ended_by": made["release>usms"]},
    )
    stage.act("marshal", made["intake"], "discharge", ended_at=instant(), links={"release": made["out"]})
    returned(stage, "marshal", "release>usms", "Return of the Marshals")
    supervised = stage.enter("pretrial", "registry.person", {"role": "supervised"}, taken_from=made["party"])
    stage.enter(
        "pretrial",
        "custody.supervision",
        {"kind": "pretrial", "began_on": day(), "informed": ["usdc"]},
        person=supervised,
        order=made["release"],
    )
    returned(stage, "pretrial", "release>pretrial", "Supervision has begun")
    stage.act("coordinator", made["notice"], "send", way="phone", sent_at=instant(), links={"about": made["out"]})
    stage.act("coordinator", made["notice"], "record_told", told_at=instant())
    returned(stage, "attorney", "release>usao", "The victim has been told")
    stage.act("clerk", made["release"], "fulfil")
    assert stage.state("clerk", made["release"]) == "fulfilled"
