"""What a page says: its acts and what blocks them, what is masked, its lists and forms; how often it asks for them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from comity import clock
from comity.kernel.views.form_page import enter_form
from comity.kernel.views.list_page import list_page
from comity.kernel.views.page import MOMENTS, RecordPage, page
from comity.kernel.views.page_acts import NextAct
from comity.kernel.views.wording import MOST_VALUES
from comity.kernel.work.results import Receipt
from comity.sentences import PSEUDO
from tests.sentences.pseudo import unmarked
from tests.views.round_trips import counted
from tests.world import World, day, instant, refused

AGENT, SUPERVISOR = "atf_agent", "atf_supervisor"
STATEMENTS_OF_A_PAGE = 20
STATEMENTS_OF_A_LIST = 10


def a_case(world: World, *, people: int = 0, **more: Any) -> Receipt:
    """A case of ATF with so many subjects, whose names stand in a group of their own."""
    subjects = [
        world.enter(AGENT, "registry.person", {"role": "subject", "name": f"Subject {at}"}).record
        for at in range(people)
    ]
    fields = {"title": f"Straw purchases {uuid4().hex[:6]}", "program": "firearms", "opened": day(30)}
    return world.enter(AGENT, "investigation.case", fields, links={"subject": subjects} if subjects else {}, **more)


def shown(world: World, seat: str, record: str, **asked: Any) -> RecordPage:
    return page(world.node, world.seats[seat], record, **asked)


def act_of(made: RecordPage, name: str) -> NextAct:
    return next(one for one in made.acts if one.name == name)


def test_a_page_has_labels_and_values_as_a_person_reads_them(world: World) -> None:
    case = a_case(world, people=1)
    made = shown(world, AGENT, case.record)
    assert (made.label, made.view.number, made.state_label) == ("Investigation", case.number, "Preliminary")
    assert made.caption.startswith("Straw purchases") and made.whose == "ours" and made.version == "version 1"
    assert {one.name: one.texts for one in made.featured} == {"program": ("Firearms",), "opened": (written(day(30)),)}
    subject = next(one for one in made.links if one.name == "subject")
    assert subject.label == "Subject" and subject.values[0].kind == "link"
    assert "Subject 0" in subject.texts[0], "a linked person is named where the reader may read the name"
    assert made.timeline[0].label == "Entered" and "Program: Firearms" in made.timeline[0].said


def test_what_the_record_lacks_blocks_an_act_and_is_what_the_act_is_refused_for(world: World) -> None:
    case = a_case(world)
    suspend = act_of(shown(world, SUPERVISOR, case.record), "suspend")
    assert not suspend.ready and suspend.state_label == "Pending" and suspend.kind == "act"
    assert [(one.path, one.code) for one in suspend.obstacles] == [("summary", "required")]
    problem = refused(world.act, SUPERVISOR, case.record, "suspend", reason="Nothing new")
    assert [fault.code for fault in problem.faults] == ["required"]
    world.amend(AGENT, case.record, {"summary": "Three in a week."})
    assert act_of(shown(world, SUPERVISOR, case.record), "suspend").ready
    assert world.act(SUPERVISOR, case.record, "suspend", reason="Nothing new").state == "pending"


def test_an_act_asks_for_what_it_sets_and_is_not_blocked_by_what_is_given_with_it(world: World) -> None:
    close = act_of(shown(world, SUPERVISOR, a_case(world).record), "close")
    asked = {one.name: (one.part, one.kind, one.required) for one in close.form.fields}
    assert asked["clearance"] == ("fields", "choice", True) and asked["exceptional_ground"][2] is False
    assert asked["reason"] == ("", "text", True)
    clearance = next(one for one in close.form.fields if one.name == "clearance")
    assert ("unfounded", "Unfounded") in [(one.value, one.label) for one in clearance.options]
    assert "ground_missing" not in [one.code for one in close.obstacles], "its condition reads what will be given"


def test_a_second_member_is_wanted_and_said_so(world: World) -> None:
    case = a_case(world)
    report = world.enter(
        AGENT, "investigation.report",
        {"subject_line": "Buy", "activity": "surveillance", "occurred": instant(3), "narrative": "Nothing."},
        links={"case": [case.record]},
    )  # fmt: skip
    world.act(AGENT, report.record, "submit")
    both = world.seat("atf", "special_agent", "supervisor", also="both")
    for seat in (SUPERVISOR, both):
        approve = act_of(shown(world, seat, report.record), "approve")
        assert approve.ready, seat
    own = world.enter(
        both, "investigation.report",
        {"subject_line": "Own", "activity": "surveillance", "occurred": instant(3), "narrative": "Nothing."},
        links={"case": [case.record]},
    )  # fmt: skip
    world.act(both, own.record, "submit")
    approve = act_of(shown(world, both, own.record), "approve")
    assert [one.code for one in approve.obstacles] == ["same_member"]
    assert refused(world.act, both, own.record, "approve").code == "same_member"


def test_what_is_masked_is_said_with_its_ground_and_stands_nowhere_else(world: World) -> None:
    secret = f"canary{uuid4().hex[:8]}"
    place = world.enter(AGENT, "registry.place", {"address": secret, "city": "Ashby"})
    world.amend(AGENT, place.record, {"ward": "3"}, field_marks={"address": ["victim"]}, reason=f"{secret} told it")
    assert secret in json.dumps(shown(world, AGENT, place.record).as_json())
    clerk = world.seat("atf", "industry_investigator")
    made = shown(world, clerk, place.record)
    line = next(one for one in (*made.featured, *made.lines) if one.name == "address")
    mark = world.node.catalogue("atf").marks["victim"].title
    assert line.masked == f"masked: marked {mark}" and line.values == () and made.caption == ""
    asked = [one.name for one in act_of(made, "amend").form.fields]
    assert "city" in asked and "address" not in asked, "an amendment is not offered what may not be seen"
    found = list_page(world.node, world.seats[clerk], type="registry.place", where={"number": made.view.number or ""})
    for told in (made.as_json(), found.as_json()):
        assert secret not in json.dumps(told, default=str)
    assert refused(shown, world, "dea_agent", place.record).code == "not_found"


def test_of_a_past_instant_a_page_says_what_was_and_nothing_to_do(world: World) -> None:
    case = a_case(world)
    world.amend(AGENT, case.record, {"title": "Renamed"})
    world.follow()
    made = shown(world, AGENT, case.record)
    then = shown(world, AGENT, case.record, as_entered=clock.now())
    assert made.timeline and made.acts
    assert then.caption == "Renamed" and then.acts == () and then.due == () and then.timeline == ()


def test_a_page_asks_no_more_often_for_many_lines_than_for_few(world: World) -> None:
    small, large = a_case(world, people=2), a_case(world, people=25)
    for at in range(MOMENTS + 2):
        world.amend(AGENT, large.record, {"summary": f"Version {at}"})
    shown(world, AGENT, small.record)
    with counted() as few:
        shown(world, AGENT, small.record)
    with counted() as many:
        made = shown(world, AGENT, large.record)
    assert len(many) <= len(few) <= STATEMENTS_OF_A_PAGE, (len(few), len(many), many)
    assert len(made.timeline) == MOMENTS and made.earlier
    subjects = next(one for one in made.links if one.name == "subject")
    assert len(subjects.values) == MOST_VALUES and subjects.more == 5 and subjects.texts[-1] == "and 5 more"


def test_what_stands_in_the_way_of_an_act_is_said_in_the_readers_language(world: World) -> None:
    made = shown(world, SUPERVISOR, a_case(world).record, language=PSEUDO)
    blocked = [one for act in made.acts for one in act.obstacles]
    assert blocked
    for one in blocked:
        assert one.message and [text for text in (one.text, one.message, one.fix) if unmarked(text)] == [], one


def test_a_list_has_the_columns_that_its_type_features(world: World) -> None:
    word = f"quartz{uuid4().hex[:6]}"
    for at in range(6):
        person = world.enter(AGENT, "registry.person", {"role": "subject", "name": f"Listed {at}"})
        world.enter(
            AGENT, "investigation.case", {"title": f"{word} {at}", "program": "firearms", "opened": day(30)},
            links={"subject": [person.record]},
        )  # fmt: skip
    asked = {"type": "investigation.case", "text": word}
    with counted() as few:
        one = list_page(world.node, world.seats[AGENT], limit=1, **asked)
    with counted() as many:
        made = list_page(world.node, world.seats[AGENT], limit=5, **asked)
    assert [(each.name, each.label) for each in made.columns] == [
        ("number", "Number"), ("title", "Title"), ("program", "Program"), ("opened", "Opened"),
        ("subject", "Subject"), ("state", "State"),
    ]  # fmt: skip
    assert [cell.texts for cell in made.rows[0].cells][1:] == [
        (f"{word} 5",), ("Firearms",), (written(day(30)),), ("Listed 5",), ("Preliminary",)
    ]  # fmt: skip
    assert len(made.rows) == 5 and made.next and one.next
    assert len(many) == len(few) <= STATEMENTS_OF_A_LIST, (len(few), len(many), many)
    empty = list_page(world.node, world.seats[AGENT], type="investigation.case", text="zzzqqq")
    assert empty.rows == () and "no Investigation is here" in empty.empty


def written(day: str) -> str:
    """A day as a page of the United States has it: Nov 28, 2026."""
    of = date.fromisoformat(day)
    return f"{of:%b} {of.day}, {of.year}"


@pytest.mark.parametrize(("seat", "may"), [("atf_agent", True), ("atf_custodian", False)])
def test_a_form_says_what_entering_asks_for_and_whether_the_reader_may(world: World, seat: str, may: bool) -> None:
    form = enter_form(world.node, world.seats[seat], "investigation.case")
    assert form.open is may and form.label == "Enter"
    fields = {one.name: one for one in form.fields}
    assert fields["title"].required and fields["title"].length == 200 and fields["opened"].kind == "date"
    assert "clearance" not in fields, "what an act sets is asked for by that act"
    assert [one.value for one in fields["subject"].to] == ["registry.person"] and fields["subject"].many
    assert ("narrative", "Narrative") in [(one.value, one.label) for one in form.groups]
