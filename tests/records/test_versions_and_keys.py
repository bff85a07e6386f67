"""Who wrote first has written; a repetition is harmless; an act waits for its turn and for another pair of eyes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from comity import clock
from comity.errors import Problem
from comity.kernel.records.amend import amend
from comity.kernel.records.enter import enter_many, rehearse_many
from comity.kernel.views.history import history
from comity.kernel.work.results import Draft, Receipt
from tests.records.conftest import at_once, code_of
from tests.world import World, day, refused

PLACE = "registry.place"


def test_of_two_amendments_of_one_version_one_wins(world: World, case: Receipt) -> None:
    for version in range(1, 5):
        answers = at_once(
            [
                lambda title=title, version=version: world.amend(
                    "atf_agent", case.record, {"title": title}, version=version
                )
                for title in ("One", "Two")
                for title in (f"{title} {version}",)
            ]
        )
        assert sorted(map(code_of, answers)) == ["done", "version_conflict"]
    view = world.read("atf_agent", case.record)
    assert view.version == 5
    assert len(history(world.node, world.seats["atf_agent"], case.record)) == 5


def test_an_amendment_says_which_version_it_read(world: World, case: Receipt) -> None:
    assert refused(world.amend, "atf_agent", case.record, {"title": "Blind"}, version=None).code == "version_required"
    world.amend("atf_agent", case.record, {"title": "Newer"}, version=1)
    stale = refused(world.amend, "atf_agent", case.record, {"title": "Stale"}, version=1)
    assert (stale.code, stale.extra["current"]) == ("version_conflict", 2)
    assert (
        refused(world.act, "atf_supervisor", case.record, "convert", version=1, reason="r").code == "version_conflict"
    )
    assert world.read("atf_agent", case.record).fields["title"] == "Newer"


def test_an_act_out_of_turn_is_refused_and_says_what_is_open(world: World, report: Receipt) -> None:
    early = refused(world.act, "atf_supervisor", report.record, "approve")
    assert early.code == "act_out_of_turn"
    assert "submit" in f"{early.detail} {early.fix}"
    assert refused(world.act, "atf_agent", report.record, "burn").code == "act_unknown"
    world.act("atf_agent", report.record, "submit")
    late = refused(world.amend, "atf_agent", report.record, {"narrative": "Another story"})
    assert late.code == "act_out_of_turn"
    assert world.read("atf_agent", report.record).fields["narrative"] == "Nothing."


def test_who_wrote_or_submitted_a_report_does_not_approve_it(world: World, case: Receipt) -> None:
    report = world.enter(
        "atf_supervisor", "investigation.report",
        {"subject_line": "Own", "activity": "surveillance", "occurred": clock.show_instant(clock.now()),
         "narrative": "Mine."},
        links={"case": [case.record]},
    )  # fmt: skip
    world.act("atf_agent", report.record, "submit")
    assert refused(world.act, "atf_supervisor", report.record, "approve").code == "same_member"
    other = world.seat("atf", "supervisor", also="second")
    assert world.act(other, report.record, "approve").state == "approved"


def test_the_first_receipt_is_given_again_for_the_same_key_and_content(world: World) -> None:
    key = f"k-{uuid4().hex}"
    first = world.enter("atf_agent", PLACE, {"address": "1 Lake Road"}, key=key)
    again = world.enter("atf_agent", PLACE, {"address": "1 Lake Road"}, key=key)
    other_member = world.enter("atf_supervisor", PLACE, {"address": "1 Lake Road"}, key=key)
    assert (again.record, again.entry, again.number, again.leaf) == (
        first.record,
        first.entry,
        first.number,
        first.leaf,
    )
    assert not first.replayed and again.replayed and other_member.replayed
    assert other_member.record == first.record
    elsewhere = world.enter("dea_agent", PLACE, {"address": "1 Lake Road"}, key=key)
    assert elsewhere.record != first.record, "a key is the agency's own"


@pytest.mark.parametrize(
    "other",
    [
        {"fields": {"address": "2 Lake Road"}},
        {"fields": {"address": "1 Lake Road", "kind": "residence"}},
        {"occurred_at": clock.now() - timedelta(days=2)},
        {"marks": ["juvenile"]},
        {"field_marks": {"address": ["victim"]}},
        {"type": "registry.document", "fields": {"title": "x", "kind": "certified_record"}},
    ],
)
def test_a_key_used_for_other_content_is_refused(world: World, other: dict[str, Any]) -> None:
    key = f"k-{uuid4().hex}"
    asked: dict[str, Any] = {"type": PLACE, "fields": {"address": "1 Lake Road"}}
    first = world.enter("atf_agent", **asked, key=key)
    problem = refused(world.enter, "atf_agent", **{**asked, **other}, key=key)
    assert problem.code == "idempotency_key_reused"
    assert problem.extra["record"] == first.record


def test_a_key_tells_nothing_of_a_record_that_may_not_be_read(world: World) -> None:
    """Who guesses the key of a colleague's record learns that it is taken: no id, and not whether it is the same."""
    key, clerk = f"k-{uuid4().hex}", world.seat("atf", "industry_investigator")
    hidden = world.enter("atf_agent", PLACE, {"address": "1 Safe House"}, marks=["informant"], key=key)
    own = world.enter(clerk, PLACE, {"address": "2 Open Road"})
    assert refused(world.read, clerk, hidden.record).code == "not_found"
    told = [
        refused(world.enter, clerk, PLACE, {"address": "1 Safe House"}, marks=["informant"], key=key),
        refused(world.enter, clerk, PLACE, {"address": "3 Guess"}, key=key),
        refused(world.amend, clerk, own.record, {"address": "3 Guess"}, key=key),
        refused(world.act, clerk, own.record, "nothing", key=key),
    ]
    assert [one.as_json() for one in told] == [told[0].as_json()] * 4
    assert told[0].code == "idempotency_key_reused" and not told[0].extra
    assert hidden.record not in str(told[0].as_json())
    batch = [Draft(PLACE, {"address": "4 Guess"}, key=key), Draft(PLACE, {"address": "5 Road"}, key=f"{key}b")]
    taken, entered = enter_many(world.node, world.seats[clerk], batch)
    assert isinstance(taken, Problem) and taken.as_json() == told[0].as_json() and code_of(entered) == "done"
    assert world.read(clerk, own.record).version == 1


def test_a_link_by_a_key_finds_only_what_may_be_read(world: World) -> None:
    key, clerk = f"k-{uuid4().hex}", world.seat("atf", "industry_investigator")
    world.enter("atf_agent", PLACE, {"address": "1 Safe House"}, marks=["informant"], key=key)
    wrong = [
        refused(world.enter, clerk, PLACE, {"address": "Room 2"}, links={"within": [f"key:{one}"]}).as_json()
        for one in (key, "x" * len(key))
    ]
    assert str(wrong[0]).replace(key, "?") == str(wrong[1]).replace("x" * len(key), "?")
    within = world.enter("atf_supervisor", PLACE, {"address": "Room 2"}, links={"within": [f"key:{key}"]})
    assert world.read("atf_supervisor", within.record).marks == world.read("atf_agent", within.record).marks


def test_a_key_answers_who_used_it_and_whoever_may_read_what_it_made(world: World) -> None:
    key, clerk = f"k-{uuid4().hex}", world.seat("atf", "industry_investigator")
    shop = world.enter("atf_agent", PLACE, {"address": "1 Pawn Shop"})

    def amended(seat: str, address: str) -> Receipt:
        return amend(world.node, world.seats[seat], shop.record, version=1, fields={"address": address}, key=key)

    made = amended(clerk, "1a Pawn Shop")
    world.amend("atf_agent", shop.record, marks=["informant"])
    assert refused(world.read, clerk, shop.record).code == "not_found"
    for seat in (clerk, "atf_agent", "atf_supervisor"):
        again = amended(seat, "1a Pawn Shop")
        assert (again.entry, again.record, again.replayed) == (made.entry, shop.record, True)
        other = refused(amended, seat, "2 Pawn Shop")
        assert (other.code, other.extra["record"]) == ("idempotency_key_reused", shop.record)
    blind = refused(world.enter, world.seat("atf", "evidence_custodian"), PLACE, {"address": "x"}, key=key)
    assert blind.code == "idempotency_key_reused" and not blind.extra


def test_acts_and_amendments_are_repeated_harmlessly_too(world: World, report: Receipt) -> None:
    key = f"k-{uuid4().hex}"
    amended = [
        world.amend("atf_agent", report.record, {"narrative": "More."}, version=1, key=f"{key}a") for _ in range(2)
    ]
    acted = [world.act("atf_agent", report.record, "submit", key=f"{key}s") for _ in range(2)]
    assert [one.replayed for one in amended + acted] == [False, True, False, True]
    assert amended[0].entry == amended[1].entry and acted[0].entry == acted[1].entry
    changed = refused(world.amend, "atf_agent", report.record, {"narrative": "Less."}, version=1, key=f"{key}a")
    when = refused(world.act, "atf_agent", report.record, "submit", key=f"{key}s", occurred_at=clock.now())
    crossed = refused(world.act, "atf_agent", report.record, "submit", key=f"{key}a")
    assert {changed.code, when.code, crossed.code} == {"idempotency_key_reused"}
    assert world.read("atf_agent", report.record).version == 3


def test_eight_submissions_at_once_under_one_key_give_one_record(world: World) -> None:
    key, address = f"k-{uuid4().hex}", f"{uuid4().hex} Dock Street"
    answers = at_once([lambda: world.enter("atf_agent", PLACE, {"address": address}, key=key)] * 8)
    assert {code_of(one) for one in answers} == {"done"}
    assert len({one.record for one in answers}) == 1
    assert sum(not one.replayed for one in answers) == 1
    count = world.rows("atf", "select count(*) from comity.record where fields->>'address' = %s", address)
    entries = world.rows("atf", "select count(*) from comity.entry where record = %s", answers[0].record)
    assert (count, entries) == ([(1,)], [(1,)])


def test_eight_repetitions_of_an_act_at_once_act_once(world: World, report: Receipt) -> None:
    key = f"k-{uuid4().hex}"
    answers = at_once([lambda: world.act("atf_agent", report.record, "submit", key=key)] * 8)
    assert {code_of(one) for one in answers} == {"done"}
    assert len({one.entry for one in answers}) == 1


def test_a_refused_draft_does_not_stop_the_others_but_its_group(world: World) -> None:
    good = {"address": "1 Pier"}
    drafts = [
        Draft(PLACE, good, group=1),
        Draft(PLACE, {"address": ""}, group=1),
        Draft(PLACE, good),
        Draft(PLACE, {"address": 1.5}),
        Draft(PLACE, {"address": "zero\x00byte"}),
        Draft(PLACE, {"address": "half \ud800"}),
        Draft("registry.nothing", good),
        Draft(PLACE, good, links={"within": ["key:nobody"]}),
    ]
    answers = enter_many(world.node, world.seats["atf_agent"], drafts)
    assert [code_of(one) for one in answers] == [
        "group_refused", "invalid", "done", "invalid", "invalid", "invalid", "type_unknown", "invalid",
    ]  # fmt: skip
    paths = [{fault.path for fault in one.faults} for one in answers if code_of(one) == "invalid"]
    assert paths == [{"fields.address"}, {"fields.address"}, {"fields.address"}, {"fields.address"}, {"links.within"}]


def test_an_id_of_ones_own_choice_is_taken_once(world: World) -> None:
    wanted = str(uuid4())
    assert world.enter("atf_agent", PLACE, {"address": "9 Pier"}, id=wanted).record == wanted
    again = refused(world.enter, "atf_agent", PLACE, {"address": "9 Pier"}, id=wanted)
    other = refused(world.enter, "dea_agent", PLACE, {"address": "9 Pier"}, id=wanted)
    for problem in (again, other):
        assert problem.code == "invalid" and {fault.code for fault in problem.faults} == {"id_taken"}
    assert world.rows("dea", "select count(*) from comity.entry where record = %s and agency = 'dea'", wanted) == [(0,)]


def test_an_id_that_is_taken_refuses_its_own_draft_only(world: World) -> None:
    good = {"address": "9 Pier"}
    taken, twice = world.enter("atf_agent", PLACE, good).record, str(uuid4())
    key = uuid4().hex
    drafts = [
        Draft(PLACE, good),
        Draft(PLACE, good, id=taken),
        Draft(PLACE, good, id=twice),
        Draft(PLACE, {"address": "10 Pier"}, id=twice),
        Draft(PLACE, good, id=taken, key=key, group=1),
        Draft(PLACE, good, group=1),
        Draft(PLACE, good, links={"within": [f"key:{key}"]}),
        Draft(PLACE, good, links={"within": [twice]}),
    ]
    rehearsed = rehearse_many(world.node, world.seats["atf_agent"], drafts)
    answers = enter_many(world.node, world.seats["atf_agent"], drafts)
    expected = ["done", "invalid", "done", "invalid", "invalid", "group_refused", "invalid", "done"]
    assert [code_of(one) for one in answers] == [code_of(one) for one in rehearsed] == expected
    found = [[fault.code for fault in one.faults] for one in answers if isinstance(one, Problem)]
    assert found == [["id_taken"], ["id_taken"], ["id_taken"], [], ["link_not_found"]]
    assert isinstance(answers[2], Receipt) and answers[2].record == twice
    assert world.read("atf_agent", twice).fields["address"] == "9 Pier"


def test_a_repetition_with_its_id_is_answered_by_its_key_and_not_refused(world: World) -> None:
    asked = Draft(PLACE, {"address": "11 Pier"}, id=str(uuid4()), key=uuid4().hex)
    first, twin = enter_many(world.node, world.seats["atf_agent"], [asked, asked])
    [again] = enter_many(world.node, world.seats["atf_agent"], [asked])
    for one in (first, twin, again):
        assert isinstance(one, Receipt) and one.record == asked.id
    assert isinstance(again, Receipt) and again.replayed


def test_an_id_that_an_agency_within_reach_has_taken_is_its_drafts_refusal_too(world: World, case: Receipt) -> None:
    drafts = [Draft(PLACE, {"address": "13 Pier"}), Draft(PLACE, {"address": "13 Pier"}, id=case.record)]
    answers = enter_many(world.node, world.seats["dea_agent"], drafts)
    assert [code_of(one) for one in answers] == ["done", "invalid"]


def test_of_two_batches_that_take_one_id_at_once_one_has_it(world: World) -> None:
    for _ in range(5):
        wanted = str(uuid4())
        drafts = [Draft(PLACE, {"address": "14 Pier"}), Draft(PLACE, {"address": "15 Pier"}, id=wanted)]
        answers = at_once([lambda drafts=drafts: enter_many(world.node, world.seats["atf_agent"], drafts)] * 2)
        ends = [code_of(one[1]) if isinstance(one, list) else code_of(one) for one in answers]
        assert sorted(ends) == ["done", "invalid"]
        assert world.rows("atf", "select count(*) from comity.entry where record = %s", wanted) == [(1,)]


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), 2**53, "\x00", "\udc00", ["x" * 10] * 10_000, {"a": 1}, True, b"x"]
)
def test_a_value_that_cannot_be_kept_is_refused_by_its_path(world: World, case: Receipt, value: Any) -> None:
    for call in (
        lambda: world.enter("atf_agent", PLACE, {"address": value}),
        lambda: world.enter("atf_agent", PLACE, {"address": value}, key=uuid4().hex),
        lambda: world.amend("atf_agent", case.record, {"summary": value}),
    ):
        problem = refused(call)
        assert problem.code == "invalid"
        assert problem.faults and all(fault.path.startswith("fields.") for fault in problem.faults), problem.faults
    for text in ("reason", "late_cause"):
        if isinstance(value, str):
            problem = refused(world.amend, "atf_agent", case.record, {"summary": "S"}, **{text: value})
            assert problem.code == "invalid"
    assert world.read("atf_agent", case.record).version == 1


def test_an_act_cannot_happen_in_the_future(world: World, case: Receipt) -> None:
    soon = clock.now() + timedelta(days=2)
    for call in (
        lambda: world.enter("atf_agent", PLACE, {"address": "x"}, occurred_at=soon),
        lambda: world.amend("atf_agent", case.record, {"summary": "x"}, occurred_at=soon),
        lambda: world.act("atf_supervisor", case.record, "convert", reason="r", occurred_at=soon),
        lambda: world.enter(
            "atf_agent", "investigation.case", {"title": "x", "program": "firearms", "opened": day(-3)}
        ),
    ):
        problem = refused(call)
        assert problem.code == "invalid"
        assert {fault.code for fault in problem.faults} == {"occurred_in_future"}
