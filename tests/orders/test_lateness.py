"""What is entered late or out of its order: refused without its cause, with it taken and typed late, never silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from comity import clock
from comity.config import loader, paths
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.reconcile import reconcile
from comity.kernel.importing import importing
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.views.refusals import refusals
from comity.kernel.work.results import Receipt
from tests.orders.flow import Release
from tests.pillars.stage import Stage, refused
from tests.world import day, instant
from tests.world import refused as refusal

DAY = timedelta(days=1)
CAUSE = "The register of the night shift was found on Monday"


def ago(**past: int) -> str:
    return clock.show_instant(clock.now() - timedelta(**past))


def intake(stage: Stage, received: str, **rest: Any) -> Receipt:
    person = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Late Sample"})
    links = {"person": [person], **rest.pop("links", {})}
    ground = rest.pop("ground", "surrender")
    fields = {"received_at": received, "ground": ground, "legal_custodian": "usms", "identified_by": "document"}
    return enter(stage.node, stage.seats["intake"], "custody.intake", fields, links=links, **rest)


def test_custody_entered_days_later_needs_its_cause_and_keeps_it(stage: Stage) -> None:
    problem = refusal(intake, stage, ago(days=3))
    assert problem.code == "late_cause_needed"
    assert problem.extra["rules"] == ["us-federal.sequence.custody_within_a_day"]
    assert "Custody is on the record within a day" in problem.detail
    assert "local rule" in problem.detail
    assert problem.fix
    assert refusal(intake, stage, ago(days=3), late_cause="  ").code == "late_cause_needed"
    traces = refusals(stage.node, stage.seats["intake"], code="us-federal.sequence.custody_within_a_day").items
    assert sum(one["times"] for one in traces) == 2
    for one in traces:
        assert (one["code"], one["rules"]) == ("late_cause_needed", problem.extra["rules"])
        assert one["faults"] == [{"code": "late_cause_needed", "path": ""}]
    stay = intake(stage, ago(days=3), late_cause=CAUSE).record
    line = history(stage.node, stage.seats["intake"], stay)[0]
    assert (line.late, line.late_rules, line.cause) == (True, ("us-federal.sequence.custody_within_a_day",), CAUSE)
    [late] = read(stage.node, stage.seats["intake"], stay).late
    assert late["act"] == "enter"
    assert late["rules"] == ["us-federal.sequence.custody_within_a_day"]
    assert late["cause"] == CAUSE


def faults(problem: Problem) -> set[tuple[str, str]]:
    return {(one.code, one.path) for one in problem.faults}


def test_the_field_that_dates_an_act_cannot_be_contradicted(stage: Stage) -> None:
    problem = refusal(intake, stage, ago(days=90), occurred_at=clock.now())
    assert (problem.code, faults(problem)) == ("invalid", {("occurred_at_differs", "occurred_at")})
    same = clock.now() - timedelta(days=90)
    told = clock.show_instant(same)
    assert refusal(intake, stage, told, occurred_at=same).code == "late_cause_needed", "both say the same: still late"
    assert intake(stage, told, occurred_at=same, late_cause=CAUSE).record
    case: dict[str, Any] = {"kind": "criminal", "caption": "US v. S", "opened_on": "2026-03-02", "prosecution": "usao"}
    defendant = [stage.enter("clerk", "registry.person", {"role": "defendant", "name": "Day Sample"})]
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)

    def opened(when: datetime) -> Receipt:
        return enter(
            stage.node, stage.seats["clerk"], "court.case", case, links={"defendant": defendant}, occurred_at=when
        )

    assert faults(refusal(opened, noon + DAY)) == {("occurred_at_differs", "occurred_at")}
    assert history(stage.node, stage.seats["clerk"], opened(noon).record)[0].occurred_at == noon


def test_an_amendment_that_moves_the_time_of_an_act_is_judged_like_the_act(stage: Stage) -> None:
    rule = "us-federal.sequence.custody_within_a_day"
    made = intake(stage, ago(hours=1))

    def moved(**rest: Any) -> Receipt:
        version = read(stage.node, stage.seats["intake"], made.record).version
        return amend(stage.node, stage.seats["intake"], made.record, version=version, **rest)

    for rest in ({}, {"corrects": made.entry, "reason": "Misread"}, {"occurred_at": clock.now()}):
        problem = refusal(moved, fields={"received_at": ago(days=90)}, **rest)
        assert (problem.code, problem.extra["rules"]) == ("late_cause_needed", [rule])
    assert moved(fields={"received_at": ago(hours=2)}).version == 2
    moved(fields={"received_at": ago(days=90)}, late_cause=CAUSE)
    [late] = read(stage.node, stage.seats["intake"], made.record).late
    assert (late["act"], late["rules"], late["cause"]) == ("amend", [rule], CAUSE)
    assert moved(fields={"ground": "transfer"}).version == 4, "what moves no time needs no cause"


def test_the_same_instant_in_another_spelling_moves_nothing(stage: Stage) -> None:
    told = (clock.now() - timedelta(days=3)).replace(microsecond=0)
    made = intake(stage, told.isoformat(), late_cause=CAUSE)
    spelt = {"received_at": told.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert amend(stage.node, stage.seats["intake"], made.record, version=1, fields=spelt).version == 2


def transferred(stage: Stage) -> str:
    person = stage.enter("marshal", "registry.person", {"role": "prisoner", "name": "Moved Sample"})
    fields = {"received_at": instant(), "ground": "surrender", "legal_custodian": "usms", "identified_by": "document"}
    stay = stage.enter("marshal", "custody.intake", fields, person=person)
    told = {"receiver": "detention", "reason": "housing", "planned_for": instant()}
    return stage.enter("marshal", "custody.transfer", told, intake=stay, person=person)


def test_an_answer_given_late_needs_its_cause_and_both_see_it(stage: Stage) -> None:
    rule = "us-federal.sequence.transfer_within_a_day"
    record = transferred(stage)

    def accepted(**rest: Any) -> Receipt:
        told = {"received_at": ago(days=90)}
        return answer(stage.node, stage.seats["intake"], record, "accepted", fields=told, **rest)

    problem = refusal(accepted)
    assert (problem.code, problem.extra["rules"]) == ("late_cause_needed", [rule])
    accepted(late_cause=CAUSE)
    for seat in ("intake", "marshal"):
        [late] = read(stage.node, stage.seats[seat], record).late
        assert (late["act"], late["rules"], late["cause"]) == ("accepted", [rule], CAUSE)
        line = history(stage.node, stage.seats[seat], record)[-1]
        assert (line.late_rules, line.cause) == ((rule,), CAUSE)


def test_an_answer_in_time_needs_no_cause(stage: Stage) -> None:
    record = transferred(stage)
    stage.answer("intake", record, "accepted", received_at=ago(hours=2))
    assert read(stage.node, stage.seats["marshal"], record).late == []


def test_a_time_that_a_rule_reads_has_come(stage: Stage) -> None:
    for ahead in ({"minutes": -10}, {"hours": -20}, {"days": -300}):
        future = {("occurred_in_future", "fields.received_at")}
        assert faults(refusal(intake, stage, ago(**ahead), late_cause=CAUSE)) == future
        made = intake(stage, ago(hours=1)).record
        told = {"received_at": ago(**ahead)}
        change = {"version": 1, "fields": told, "late_cause": CAUSE}
        assert faults(refusal(amend, stage.node, stage.seats["intake"], made, **change)) == future
        record = transferred(stage)
        answering = {"fields": told, "late_cause": CAUSE}
        assert faults(refusal(answer, stage.node, stage.seats["intake"], record, "accepted", **answering)) == future
    paper = stage.enter("records", "registry.document", {"title": "Receipt", "kind": "certified_record"})
    made = intake(stage, ago(hours=1), ground="arrest_without_warrant").record
    release = stage.enter("records", "custody.release", {"ground": "bail"}, intake=made, authority=paper)
    act_ = {"fields": {"released_at": "2099-01-01T00:00:00+00:00"}, "late_cause": CAUSE}
    problem = refusal(act, stage.node, stage.seats["shift"], release, "complete", **act_)
    assert faults(problem) == {("occurred_in_future", "fields.released_at")}
    assert intake(stage, ago(minutes=-3)).record, "clocks differ by some minutes"


def test_reconcile_lists_what_was_entered_late(stage: Stage) -> None:
    stay = intake(stage, ago(days=3), late_cause=CAUSE, ground="transfer").record
    found = reconcile(stage.node, stage.seats["intake"])
    [late] = [one for one in found.late if one.record == stay]
    assert (late.act, late.rules, late.cause) == ("enter", ("us-federal.sequence.custody_within_a_day",), CAUSE)
    assert stay in {one.record for one in found.differences}, "and after three days nothing is behind the custody"


def test_in_time_needs_no_cause_and_one_that_is_given_makes_nothing_late(stage: Stage) -> None:
    stay = intake(stage, ago(hours=23), late_cause=CAUSE).record
    line = history(stage.node, stage.seats["intake"], stay)[0]
    assert (line.late, line.late_rules, line.cause) == (False, (), CAUSE)
    assert read(stage.node, stage.seats["intake"], stay).late == []


def test_others_see_that_it_was_late_and_not_why(stage: Stage) -> None:
    stay = intake(stage, ago(days=3), late_cause=CAUSE).record
    [seen] = read(stage.node, stage.seats["clerk"], stay).late
    assert seen["rules"] == ["us-federal.sequence.custody_within_a_day"]
    assert seen["cause"] == "", "the court reads the base of a stay, not the whole"
    assert CAUSE not in str(history(stage.node, stage.seats["clerk"], stay))


def test_a_release_before_its_order_reached_the_facility_needs_its_cause(stage: Stage) -> None:
    played = Release(stage, "release")
    played.ordered()
    played.served("detention", "records", "release")
    played.held()
    service = played.made["detention"]
    stage.act("records", played.made["hold"], "end", reason="Ordered", ended_at=instant(), links={"ended_by": service})
    out = stage.enter(
        "records", "custody.release", {"ground": "court_order"}, intake=played.made["stay"], authority=service
    )
    with refused("late_cause_needed", "late_cause_needed") as caught:
        stage.act("shift", out, "complete", released_at=ago(hours=2))
    assert caught[0].extra["rules"] == ["us-federal.sequence.release_after_the_service"]
    assert "18 U.S.C. 3142(a), read" in caught[0].detail
    act(
        stage.node, stage.seats["shift"], out, "complete", fields={"released_at": ago(hours=2)},
        late_cause="Released on the judge's call; the paper followed",
    )  # fmt: skip
    assert read(stage.node, stage.seats["shift"], out).state == "completed"
    [late] = read(stage.node, stage.seats["shift"], out).late
    assert (late["act"], late["rules"]) == ("complete", ["us-federal.sequence.release_after_the_service"])


def test_the_same_minute_is_in_order(stage: Stage) -> None:
    played = Release(stage, "release")
    played.ordered()
    played.served("detention", "records", "release")
    now = clock.now().replace(second=0, microsecond=0)
    person = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Minute Sample"})
    told = {"received_at": clock.show_instant(now), "ground": "commitment", "legal_custodian": "usms",
            "identified_by": "document"}  # fmt: skip
    stage.enter("intake", "custody.intake", told, person=person, authority=played.made["detention"])


def test_a_docket_entry_before_the_signature_needs_its_cause(stage: Stage) -> None:
    played = Release(stage)
    played.ordered()
    warrant = stage.enter(
        "clerk", "court.warrant", {"kind": "arrest", "terms": "Arrest.", "addressees": ["usms"]},
        case=played.made["case"], defendant=played.made["party"],
    )  # fmt: skip
    stage.act("judge", warrant, "sign")
    entering: dict[str, Any] = {"fields": {"entered_on": day()}, "occurred_at": clock.now() - timedelta(hours=1)}
    problem = refusal(act, stage.node, stage.seats["clerk"], warrant, "enter_on_docket", **entering)
    assert problem.code == "late_cause_needed"
    assert problem.extra["rules"] == ["us-federal.sequence.entry_after_the_signature"]
    done = act(
        stage.node, stage.seats["clerk"], warrant, "enter_on_docket", late_cause="Signed by telephone", **entering
    )
    assert done.state == "active"


def test_several_broken_rules_are_told_at_once_and_all_kept(stage: Stage) -> None:
    played = Release(stage, "release")
    played.ordered()
    played.served("detention", "records", "release")
    links = {"authority": [played.made["detention"]]}
    rules = ["us-federal.sequence.custody_within_a_day", "us-federal.sequence.stay_after_the_service"]
    problem = refusal(intake, stage, ago(days=5), links=links)
    assert sorted(problem.extra["rules"]) == rules
    assert len(problem.faults) == 2
    stay = intake(stage, ago(days=5), links=links, late_cause=CAUSE).record
    assert list(history(stage.node, stage.seats["intake"], stay)[0].late_rules) == rules


JAIL = """mapping: old-register
version: 1
title: The register of the old jail
source: { encoding: utf-8, zone: America/New_York, system: Register of the old jail }
key: [NO]
records:
  prisoner:
    type: registry.person
    fields: { role: { value: prisoner }, name: { column: NAME, required: true } }
  stay:
    type: custody.intake
    fields:
      received_at: { column: BOOKED, as: instant, format: "%Y-%m-%d %H:%M" }
      ground: { value: surrender }
      legal_custodian: { value: usms }
      identified_by: { value: document }
    links: { person: prisoner }
"""


def test_an_import_is_its_own_late_cause(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text(JAIL, encoding="utf-8")
    (tmp_path / "old.csv").write_text("NO,NAME,BOOKED\n1,Old Sample,2019-03-04 08:30\n", encoding="utf-8")
    report = importing.run(stage.node, stage.seats["intake"], tmp_path / "old.csv", tmp_path / "old.yml")
    assert report.entered == {"registry.person": 1, "custody.intake": 1}, report
    newest = find(stage.node, stage.seats["intake"], type="custody.intake", limit=1).items[0]
    line = history(stage.node, stage.seats["intake"], str(newest["id"]))[0]
    assert line.late_rules == ("us-federal.sequence.custody_within_a_day",)
    assert line.cause == "Imported from Register of the old jail"


def test_what_the_law_makes_impossible_stays_refused_whatever_the_cause(stage: Stage) -> None:
    law = read_folder(paths.jurisdictions() / "india")
    stage.install("in-police", loader.core_files(), law, read_folder(paths.agencies() / "in-police"))
    stage.seat("in-police", "officer", "investigating_officer")
    accused = stage.enter("officer", "registry.person", {"role": "subject", "name": "Arjun Namuna"})
    entry = stage.enter(
        "officer", "india.general_diary",
        {"recorded_at": instant(2), "subject": "Theft", "kind": "cognizable", "text": "Told."},
    )  # fmt: skip
    fir = stage.enter(
        "officer", "india.fir",
        {"sections": "BNS 303(2)", "received_at": instant(2), "information": "A phone was taken."},
        general_diary=entry, informant=accused, accused=accused,
    )  # fmt: skip
    fields = {"arrested_at": instant(5), "grounds": "Found with it.", "relative_told_at": instant(4)}
    with pytest.raises(Problem) as caught:
        enter(
            stage.node, stage.seats["officer"], "india.arrest", fields, links={"fir": [fir], "person": [accused]},
            late_cause=CAUSE,
        )  # fmt: skip
    assert caught.value.code == "invalid"
    assert "before_the_information" in {one.code for one in caught.value.faults}
    arrest = stage.enter("officer", "india.arrest", {**fields, "arrested_at": instant(1)}, fir=fir, person=accused)
    with refused("late_cause_needed") as too_early:
        stage.act("officer", arrest, "produce", produced_at=instant(2))
    assert "BNSS 58, 187(1), read" in too_early[0].detail
