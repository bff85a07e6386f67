"""A federal case from the sealed indictment to the release: each institution does its own part on the real kernel.

The chapters are one story, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.portability import rebuild
from tests.pillars.federal import AGENCIES, NAME, SEATS, entered, made, returned, serve
from tests.pillars.federal_release import (
    a_state_detainer_stops_the_release_and_is_named,
    the_release_is_completed_by_another_and_everyone_returns,
    the_release_order_names_conditions_and_addressees,
    the_victim_is_queued_for_notice,
)
from tests.pillars.stage import Stage, refused, staged
from tests.world import day, instant

played: list[str] = []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made.clear()
    played.clear()
    federal = read_folder(paths.jurisdictions() / "us-federal")
    with staged(tmp_path_factory.mktemp("federal")) as on:
        for name in AGENCIES:
            on.install(name, loader.core_files(), federal, read_folder(paths.agencies() / name))
        for agency, name, role in SEATS:
            on.seat(agency, name, role)
        yield on


def a_sealed_indictment_is_filed(stage: Stage) -> None:
    made["defendant"] = stage.enter("attorney", "registry.person", {"role": "defendant", **NAME})
    made["matter"] = stage.enter(
        "attorney", "prosecution.matter", {"title": "Lakeside sales", "received_on": day()}, defendant=made["defendant"]
    )
    stage.act("attorney", made["matter"], "accept")
    made["charge"] = stage.enter(
        "attorney", "prosecution.charge", {"statute": "21 USC 841(a)(1)", "count": 1}, defendant=made["defendant"]
    )
    made["indictment"] = stage.enter(
        "attorney",
        "prosecution.instrument",
        {"kind": "indictment", "text": "The grand jury charges one count."},
        marks=["sealed"],
        matter=made["matter"],
        defendant=made["defendant"],
        charge=made["charge"],
    )
    with refused("invalid", "not_returned"):
        stage.act("attorney", made["indictment"], "sign")
    stage.act("attorney", made["indictment"], "sign", returned_on=day())
    made["filing"] = stage.enter(
        "attorney",
        "court.filing",
        {"court": "usdc", "kind": "indictment", "title": "Indictment"},
        instrument=made["indictment"],
        charge=made["charge"],
        defendant=made["defendant"],
    )
    with refused("invalid", "filing_not_refused"):
        stage.answer("clerk", made["filing"], "objected", objections="The margin is too small.")
    stage.answer("clerk", made["filing"], "filed", filed_at=instant(), docket_number=1)
    assert stage.state("attorney", made["filing"]) == "filed"
    assert "text" in stage.fields("judge", made["indictment"])
    stage.act("attorney", made["indictment"], "file", filed_on=day(), links={"filing": made["filing"]})


def the_judge_signs_the_warrant_and_the_clerk_enters_it(stage: Stage) -> None:
    made["party"] = stage.enter("clerk", "registry.person", {"role": "defendant"}, taken_from=made["defendant"])
    made["case"] = stage.enter(
        "clerk",
        "court.case",
        {"kind": "criminal", "caption": "United States v. Pruitt", "opened_on": day(), "prosecution": "usao"},
        defendant=made["party"],
        instrument=made["indictment"],
    )
    stage.act(
        "attorney", made["matter"], "charge", links={"instrument": made["indictment"], "court_case": made["case"]}
    )
    made["warrant"] = stage.enter(
        "clerk",
        "court.warrant",
        {"kind": "arrest", "terms": "Arrest and bring without unnecessary delay.", "addressees": ["usms"]},
        case=made["case"],
        defendant=made["party"],
        instrument=made["indictment"],
    )
    with refused("not_allowed"):
        stage.act("clerk", made["warrant"], "sign")
    with refused("invalid", "not_entered"):
        serve(stage, "warrant", "usms", "arrest")
    stage.act("judge", made["warrant"], "sign")
    with refused("not_allowed"):
        stage.act("judge", made["warrant"], "enter_on_docket", entered_on=day())
    stage.act("clerk", made["warrant"], "enter_on_docket", entered_on=day())
    with refused("invalid", "not_an_addressee"):
        serve(stage, "warrant", "detention", "arrest")
    serve(stage, "warrant", "usms", "arrest", case=made["case"], defendant=made["party"])
    assert "terms" in stage.fields("marshal", made["warrant"])
    for outside in ("pretrial", "counsel", "records", "sergeant"):
        with refused("not_found"):
            stage.fields(outside, made["case"])
    stage.answer("marshal", made["warrant>usms"], "acknowledged", acknowledged_at=instant())


def the_marshals_take_the_prisoner_in_by_fingerprint(stage: Stage) -> None:
    made["prisoner"] = stage.enter("marshal", "registry.person", {"role": "prisoner"}, taken_from=made["party"])
    made["intake"] = stage.enter(
        "marshal",
        "custody.intake",
        {
            "received_at": instant(),
            "ground": "arrest_warrant",
            "legal_custodian": "usms",
            "identified_by": "fingerprint",
            "fingerprint_control": "FP-1",
            "height": "181",
            "weight": "84.5",
        },
        person=made["prisoner"],
        authority=made["warrant"],
    )
    with refused("invalid", "certain_without_biometrics"):
        stage.enter(
            "marshal",
            "registry.identity_claim",
            {"basis": "biographic", "weight": 100},
            person=made["prisoner"],
            same_as=made["party"],
        )
    stage.enter(
        "marshal",
        "registry.identity_claim",
        {"basis": "fingerprint", "weight": 100, "reference": "FP-1"},
        person=made["prisoner"],
        same_as=made["party"],
        evidence=made["intake"],
    )
    made["usms_hold"] = stage.enter(
        "marshal",
        "custody.hold",
        {"basis": "warrant", "authority": "usms", "since": instant()},
        intake=made["intake"],
        ground=made["warrant"],
    )
    back = returned(stage, "marshal", "warrant>usms", "Return on the warrant of arrest")
    stage.act("clerk", made["warrant"], "record_execution", links={"return": back})
    made["transfer"] = stage.enter(
        "marshal",
        "custody.transfer",
        {"receiver": "detention", "reason": "housing", "planned_for": instant()},
        intake=made["intake"],
        person=made["prisoner"],
    )
    with refused("invalid", "not_the_custodian"):
        stage.enter(
            "marshal",
            "custody.transfer",
            {"receiver": "pretrial", "reason": "housing", "planned_for": instant()},
            intake=made["intake"],
            person=made["prisoner"],
        )
    stage.answer("intake", made["transfer"], "accepted", received_at=instant(), condition="Well")
    made["inmate"] = stage.enter("intake", "registry.person", {"role": "prisoner"}, taken_from=made["prisoner"])
    made["stay"] = stage.enter(
        "intake",
        "custody.intake",
        {
            "received_at": instant(),
            "ground": "transfer",
            "legal_custodian": "usms",
            "identified_by": "photograph",
            "height": "181",
            "weight": "83.9",
            "informed": ["usao"],
        },
        person=made["inmate"],
        transfer=made["transfer"],
    )
    made["hold"] = stage.enter(
        "records",
        "custody.hold",
        {"basis": "commitment_order", "authority": "usms", "since": instant()},
        intake=made["stay"],
        ground=made["transfer"],
    )
    made["unit"] = stage.enter("shift", "registry.place", {"address": "Unit B"})
    stage.enter(
        "intake", "custody.housing", {"since": instant(), "cell": "B-114"}, intake=made["stay"], unit=made["unit"]
    )


def two_weights_are_a_discrepancy_that_both_answer(stage: Stage) -> None:
    asked = stage.enter(
        "records",
        "registry.discrepancy",
        {"other": "usms", "field": "weight", "statement": "Weighed on the scale of the unit, in prison clothes."},
        ours=made["stay"],
        theirs=made["intake"],
    )
    with refused("act_out_of_turn"):
        stage.act("records", asked, "settle", outcome="both_stand", conclusion="Two scales.")
    stage.answer("marshal", asked, "stands", other_statement="Weighed on arrival, in street clothes.")
    stage.act("records", asked, "settle", outcome="explained", conclusion="Different clothes.")
    assert stage.state("records", asked) == "settled"


def the_count_clears_only_when_it_agrees(stage: Stage) -> None:
    count = stage.enter(
        "intake", "custody.count", {"taken_at": instant(), "kind": "standing", "counted": 2}, unit=made["unit"]
    )
    with refused("invalid", "count_differs"):
        stage.act("shift", count, "clear")
    stage.act("intake", count, "report_difference", reason="One too many on paper")
    stage.act("intake", count, "recount", counted=1)
    stage.act("shift", count, "clear")
    assert stage.state("marshal", count) == "cleared"


def the_case_is_unsealed_at_the_initial_appearance(stage: Stage) -> None:
    first = {"kind": "initial_appearance", "scheduled": instant(), "notified": ["usms", "pretrial"]}
    hearing = stage.enter("clerk", "court.hearing", first, case=made["case"])
    stage.act("clerk", hearing, "open", held_at=instant())
    with refused("invalid", "needs"):
        stage.act("clerk", made["case"], "unseal")
    entered(stage, "unseal", "unseal", "Order to unseal", {}, addressees=["usao"])
    stage.act("clerk", made["case"], "unseal", links={"order": made["unseal"]})
    stage.act("clerk", made["warrant"], "unseal", links={"order": made["unseal"]})
    serve(stage, "unseal", "usao", "take_note")
    stage.answer("attorney", made["unseal>usao"], "acknowledged", acknowledged_at=instant())
    stage.act("attorney", made["indictment"], "unseal", links={"order": made["unseal"]})
    stage.act(
        "clerk",
        hearing,
        "complete",
        outcome="Advised of rights; counsel appointed.",
        **{"us-federal:disclosure_reminder": True},
    )
    stage.amend("clerk", made["case"], counsel=["defender"])
    assert stage.fields("counsel", made["case"])["caption"] == "United States v. Pruitt"


def the_defender_receives_the_production(stage: Stage) -> None:
    paper = stage.enter(
        "attorney", "registry.document", {"title": "Report of the purchase", "kind": "court_paper", "text": "Redacted."}
    )
    item = stage.enter(
        "attorney",
        "prosecution.disclosure_item",
        {"label": "Report, US-000001 to US-000004"},
        matter=made["matter"],
        document=paper,
    )
    produced = {"counsel": "defender", "volume": "Volume 1", "produced_on": day(), "medium": "on_record"}
    with refused("invalid", "not_scheduled"):
        stage.enter("attorney", "prosecution.production", produced, item=item, document=paper)
    stage.act("attorney", item, "schedule", **{"class": "document_or_object", "due": day()})
    production = stage.enter("attorney", "prosecution.production", produced, item=item, document=paper)
    assert stage.fields("counsel", paper)["text"] == "Redacted."
    stage.answer("counsel", production, "received", received_on=day())
    stage.act("attorney", item, "disclose", links={"production": production})
    with refused("not_found"):
        stage.fields("counsel", made["matter"])


CHAPTERS = (
    a_sealed_indictment_is_filed,
    the_judge_signs_the_warrant_and_the_clerk_enters_it,
    the_marshals_take_the_prisoner_in_by_fingerprint,
    two_weights_are_a_discrepancy_that_both_answer,
    the_count_clears_only_when_it_agrees,
    the_case_is_unsealed_at_the_initial_appearance,
    the_release_order_names_conditions_and_addressees,
    the_victim_is_queued_for_notice,
    a_state_detainer_stops_the_release_and_is_named,
    the_release_is_completed_by_another_and_everyone_returns,
    the_defender_receives_the_production,
)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[one.__name__ for one in CHAPTERS])
def test_chapter(stage: Stage, chapter: Callable[[Stage], None]) -> None:
    """Plays what comes before it too, where this worker has not done so yet."""
    for one in CHAPTERS[len(played) : CHAPTERS.index(chapter) + 1]:
        one(stage)
        played.append(one.__name__)
    if chapter is CHAPTERS[-1]:
        assert rebuild.run(stage.node).as_json()["equal"] is True
