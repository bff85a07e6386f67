"""When it happened, and when it was entered: corrections, late entries, and what the record said then."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from comity import clock
from comity.kernel.views.history import history
from comity.kernel.work.results import HistoryLine, Receipt
from tests.world import World, refused


def ago(days: float) -> datetime:
    return clock.now() - timedelta(days=days)


def lines(world: World, record: str) -> list[HistoryLine]:
    return history(world.node, world.seats["atf_agent"], record)


def test_a_correction_says_why_and_takes_the_effective_time_of_the_entry_it_names(world: World, case: Receipt) -> None:
    world.amend("atf_agent", case.record, {"summary": "Two sales."}, occurred_at=ago(20))
    wrong = refused(world.amend, "atf_agent", case.record, {"title": "Right"}, corrects=case.entry)
    assert wrong.code == "invalid" and {(one.code, one.path) for one in wrong.faults} == {("needs", "reason")}
    blank = refused(world.amend, "atf_agent", case.record, {"title": "Right"}, corrects=case.entry, reason="  ")
    assert {one.path for one in blank.faults} == {"reason"}
    for foreign in (str(uuid4()), world.enter("atf_agent", "registry.place", {"address": "x"}).entry):
        unknown = refused(world.amend, "atf_agent", case.record, {"title": "R"}, corrects=foreign, reason="r")
        assert {one.code for one in unknown.faults} == {"corrects_unknown"}
    done = world.amend(
        "atf_agent", case.record, {"title": "Right"}, corrects=case.entry, reason="Misheard", authority="Manual 4.2"
    )
    first, _, last = lines(world, case.record)
    assert (last.entry, last.kind, last.corrects, last.reason) == (done.entry, "correction", case.entry, "Misheard")
    assert last.occurred_at == first.occurred_at
    assert last.at > first.at
    assert first.changes["set/title"] != "Right", "what was said first is still to be read"


def test_as_of_an_instant_what_was_in_force_then_also_when_entered_later(world: World, case: Receipt) -> None:
    record = case.record
    world.amend("atf_agent", record, {"summary": "Ten days ago."}, occurred_at=ago(10))
    world.amend("atf_agent", record, {"summary": "Twenty days ago."}, occurred_at=ago(20), late_cause="Notes found")
    world.act("atf_supervisor", record, "convert", reason="Enough", occurred_at=ago(5))
    world.amend("atf_agent", record, {"title": "Right"}, corrects=case.entry, reason="Misheard")

    def as_of(days: float) -> tuple[object, object, str]:
        view = world.read("atf_agent", record, as_of=ago(days))
        return view.fields.get("title"), view.fields.get("summary"), view.state

    assert as_of(25) == ("Right", None, "preliminary")
    assert as_of(15) == ("Right", "Twenty days ago.", "preliminary")
    assert as_of(7) == ("Right", "Ten days ago.", "preliminary")
    assert as_of(1) == ("Right", "Ten days ago.", "full")
    assert refused(world.read, "atf_agent", record, as_of=ago(40)).code == "not_found"


def test_as_entered_at_an_instant_what_the_log_said_by_then(world: World, case: Receipt) -> None:
    before = clock.now()
    world.follow()
    then = clock.now()
    world.amend("atf_agent", case.record, {"summary": "Of last week."}, occurred_at=ago(7))
    appended = clock.now()
    assert world.read("atf_agent", case.record, as_entered=appended).version == 1, "not yet in its place"
    world.follow()
    now = world.read("atf_agent", case.record, as_entered=clock.now())
    old = world.read("atf_agent", case.record, as_entered=then)
    assert (now.version, now.fields["summary"]) == (2, "Of last week.")
    assert (old.version, old.fields.get("summary"), old.acts) == (1, None, ())
    assert refused(world.read, "atf_agent", case.record, as_entered=before).code == "not_found"


def test_how_a_thing_is_handled_now_holds_for_what_it_said_before(world: World) -> None:
    """A name is marked as a victim's on Tuesday: reading the record as it was on Monday does not show it again."""
    clerk = world.seat("atf", "industry_investigator")
    made = world.enter("atf_agent", "registry.place", {"address": "Safe house", "city": "Elgin"})
    world.follow()
    monday = clock.now()
    assert world.read(clerk, made.record, as_entered=monday).fields["address"] == "Safe house"
    world.amend("atf_agent", made.record, field_marks={"address": ["victim"]}, reason="A victim lives there")
    world.follow()
    for when in ({}, {"as_entered": monday}, {"as_of": monday}):
        view = world.read(clerk, made.record, **when)
        assert "address" not in view.fields and view.fields["city"] == "Elgin"
        assert [one["field"] for one in view.masked] == ["address"]
    world.amend("atf_agent", made.record, marks=["victim"])
    assert refused(world.read, clerk, made.record, as_entered=monday).code == "not_found"
    assert world.read("atf_agent", made.record, as_entered=monday).fields["address"] == "Safe house"


def test_a_late_entry_is_typed_late_with_its_cause(world: World, case: Receipt) -> None:
    world.amend("atf_agent", case.record, {"summary": "S"}, occurred_at=ago(6), late_cause="The agent was in the field")
    world.amend("atf_agent", case.record, {"summary": "T"}, occurred_at=ago(0.2))
    found = [(line.late, line.cause) for line in lines(world, case.record)]
    assert found == [(True, ""), (True, "The agent was in the field"), (False, "")]


def test_the_effective_date_counts_from_midnight_in_the_agencys_zone(world: World) -> None:
    made = world.enter(
        "atf_agent", "investigation.case", {"title": "Zone", "program": "firearms", "opened": "2026-07-01"}
    )
    (line,) = lines(world, made.record)
    assert clock.show_instant(line.occurred_at) == "2026-07-01T04:00:00.000000Z", "midnight in New York"


def test_a_change_that_changes_nothing_is_no_entry(world: World, case: Receipt) -> None:
    title = world.read("atf_agent", case.record).fields["title"]
    same = refused(world.amend, "atf_agent", case.record, {"title": title, "summary": None})
    assert same.code == "invalid"
    assert len(lines(world, case.record)) == 1


def test_unset_is_told_apart_from_never_set(world: World, case: Receipt) -> None:
    world.amend("atf_agent", case.record, {"summary": "S"})
    world.amend("atf_agent", case.record, {"summary": None})
    assert "summary" not in world.read("atf_agent", case.record).fields
    assert lines(world, case.record)[-1].changes == {"unset/summary": True}
    taken = refused(world.amend, "atf_agent", case.record, {"title": None})
    assert {(one.code, one.path) for one in taken.faults} == {("required", "fields.title")}


def test_the_history_tells_who_did_it_to_its_own_agency_only(world: World, case: Receipt) -> None:
    (line,) = lines(world, case.record)
    assert line.member == world.seats["atf_agent"].name
    stranger = refused(history, world.node, world.seats["dea_agent"], case.record)
    assert stranger.code == "not_found"
