"""What is due in an office: each clock once, the soonest first, as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from comity import clock
from comity.kernel.duties.agenda import Agenda, Line, agenda
from comity.kernel.duties.clocks import due
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter
from comity.kernel.work.node import Node
from tests.world import World, refused

CASE = {"program": "firearms", "opened": "2026-10-05", "summary": "Sample.", "title": "Agenda"}
COUNT = "investigation.offense"


def counted(world: World, days: dict[str, str], **more: Any) -> dict[str, str]:
    """Proposed counts of offences of these days in one case, by name."""
    case = world.enter("atf_agent", "investigation.case", CASE).record
    subject = world.enter("atf_agent", "registry.person", {"name": "Ivo Lund", "role": "subject"}).record
    out = {}
    for name, happened in days.items():
        fields = {"statute": "18 USC 922(g)(1)", "offense_date": happened, "count": len(out) + 1}
        links = {"case": [case], "subject": [subject]}
        out[name] = world.enter("atf_agent", COUNT, fields, links=links, **more).record
    return out


def whole(node: Node, actor: Actor, **asked: Any) -> list[Line]:
    """Every line, read in pages of three."""
    lines: list[Line] = []
    page = agenda(node, actor, limit=3, **asked)
    lines += page.lines
    while page.next:
        page = agenda(node, actor, limit=3, **{**asked, "cursor": page.next})
        lines += page.lines
    return lines


def of(lines: list[Line], records: dict[str, str]) -> list[tuple[str, str]]:
    names = {record: name for name, record in records.items()}
    return [(names[one.due.record], one.due.standing) for one in lines if one.due.record in names]


@pytest.fixture(scope="module")
def counts(world: World) -> dict[str, str]:
    return counted(world, {"late": "2019-03-18", "soon": "2022-01-11", "far": "2026-03-17", "later": "2019-03-19"})


def test_each_clock_stands_once_overdue_first_and_over_pages(world: World, counts: dict[str, str]) -> None:
    lines = whole(world.node, world.seats["atf_agent"], at=date(2026, 12, 1))
    assert of(lines, counts) == [("late", "overdue"), ("later", "overdue"), ("soon", "running"), ("far", "running")]
    assert len({one.key for one in lines}) == len(lines)
    assert [one.key for one in lines] == sorted(one.key for one in lines)
    soon = next(one for one in lines if one.due.record == counts["soon"])
    assert (soon.day, soon.left) == (date(2027, 1, 11), 41)
    late = next(one for one in lines if one.due.record == counts["late"])
    assert (late.day, late.left) == (date(2024, 3, 18), -988)
    said = late.as_json()
    assert said["number"] and said["title"] == "18 USC 922(g)(1)" and said["label"] == "Proposed offence"
    assert said["clock"] == "Limitation of prosecution" and said["consequence"] and "3282" in said["citation"]


def test_the_list_says_of_a_record_what_the_record_itself_says(world: World, counts: dict[str, str]) -> None:
    actor = world.seats["atf_agent"]
    at = clock.now()
    listed = [one.due for one in whole(world.node, actor, at=at) if one.due.record == counts["soon"]]
    alone = due(world.node, actor, counts["soon"], at=at).dues
    assert listed == [one for one in alone if one.record == counts["soon"]] and listed


def test_what_is_asked_for_narrows_it(world: World, counts: dict[str, str]) -> None:
    node, actor = world.node, world.seats["atf_agent"]

    def asked(**said: Any) -> list[tuple[str, str]]:
        return of(whole(node, actor, at=date(2026, 12, 1), **said), counts)

    late = [("late", "overdue"), ("later", "overdue")]
    assert asked(overdue=True) == late
    assert asked(within=40) == late and asked(within=41) == [*late, ("soon", "running")]
    assert asked(until=date(2027, 1, 10)) == late and asked(until=date(2027, 1, 11)) == [*late, ("soon", "running")]
    assert asked(type="court.hearing") == [] and len(asked(type=COUNT)) == 4
    assert asked(person=True) == []
    page = agenda(node, actor, type=COUNT, overdue=True, limit=1, at=date(2026, 12, 1))
    assert page.types == (COUNT,) and page.counts["overdue"] >= 2 and page.counts["running"] >= 2 and page.next
    assert agenda(node, actor, type="registry.person").types == ()


def test_a_count_that_was_dropped_is_no_longer_there_and_was_there_before(world: World) -> None:
    held = counted(world, {"dropped": "2025-05-05"})
    before = clock.now()
    world.act("atf_agent", held["dropped"], "drop", reason="Not provable")
    actor = world.seats["atf_agent"]
    assert of(whole(world.node, actor, every=True), held) == []
    assert of(whole(world.node, actor, at=before), held) == [("dropped", "running")]


def test_what_the_reader_may_not_see_is_not_listed(world: World, counts: dict[str, str]) -> None:
    hidden = counted(world, {"marked": "2025-05-05"}, marks=["health"])
    masked = counted(world, {"masked": "2025-05-06"}, field_marks={"offense_date": ["health"]})
    both = hidden | masked
    other = world.seats[world.seat("atf", "special_agent", also="agenda")]
    assert of(whole(world.node, other, every=True), both | counts) == of(whole(world.node, other), counts) != []
    assert {one for one, _ in of(whole(world.node, world.seats["atf_supervisor"]), both)} == {"marked", "masked"}
    stranger = world.seats[world.seat("dea", "special_agent", also="agenda")]
    assert of(whole(world.node, stranger, everyone=True), both | counts) == []
    assert agenda(world.node, stranger, owner="atf").lines == ()


def test_what_others_let_find_is_listed_when_asked_and_told_to_its_owner(
    node: Node, world: World, district: Mapping[str, Actor]
) -> None:
    prison, court = district["in-prison"], district["in-court"]
    person = enter(node, prison, "registry.person", {"name": "Sample", "role": "prisoner"}).record
    fields = {"received_at": clock.now().isoformat(), "ground": "remand", "identified_by": "document"}
    fields["legal_custodian"] = "in-prison"
    intake = enter(node, prison, "custody.intake", fields, links={"person": [person]}, reason="Sample").record

    def told() -> list[tuple[Any, ...]]:
        query = (
            "select records from comity.disclosure where agency = 'in-court' and verb = 'due' and owner = 'in-prison'"
        )
        return world.rows("in-prison", query)

    assert intake not in {one.due.record for one in whole(node, court, every=True)} and told() == []
    mine = {one.due.record for one in whole(node, prison)}
    theirs = {one.due.record: one for one in whole(node, court, everyone=True)}
    assert intake in mine and intake in theirs and theirs[intake].whose is None, (
        "the prisoner is not the court's to see"
    )
    seen = {one["record"]: one["fields"] for row in told() for one in row[0]}
    assert "received_at" in seen[intake] and person not in seen
    assert intake in {one.due.record for one in whole(node, court, owner="in-prison")}


def test_what_is_asked_wrongly_is_refused(world: World) -> None:
    node, actor = world.node, world.seats["atf_agent"]
    assert refused(agenda, node, actor, type="investigation.offence").code == "type_unknown"
    assert "investigation.offense" in refused(agenda, node, actor, type="investigation.offence").fix
    assert refused(agenda, node, actor, owner="nobody").code == "agency_unknown"
    assert refused(agenda, node, actor, within=3, until=date(2027, 1, 1)).code == "request_invalid"
    assert refused(agenda, node, actor, at=date(1, 1, 1)).faults[0].path == "at"
    assert refused(agenda, node, actor, language="xx").code == "request_invalid"
    for cursor in ("x", "e30", "WzEsMiwzXQ", "aMO"):
        assert refused(agenda, node, actor, cursor=cursor).code == "cursor_invalid"
    assert agenda(node, actor, within=9999, at=date(9000, 1, 1)).lines


FIR = {"sections": "BNS 303(2)", "information": "Sample."}


def arrested(node: Node, officer: Actor, day: str) -> str:
    """An arrest of that day, entered on that day."""
    with clock.at(datetime.fromisoformat(f"{day}T12:00:00+05:30").astimezone(UTC)):
        fir = enter(node, officer, "india.fir", {**FIR, "received_at": f"{day}T10:00:00+05:30"}).record
        person = enter(
            node, officer, "registry.person", {"name": f"Sample {uuid4().hex[:6]}", "role": "arrestee"}
        ).record
        return enter(
            node, officer, "india.arrest",
            {"arrested_at": f"{day}T11:00:00+05:30", "grounds": "Sample.", "relative_told_at": f"{day}T11:05:00+05:30"},
            links={"fir": [fir], "person": [person]},
        ).record  # fmt: skip


def test_replayed_at_a_past_day_under_the_law_then_in_force(node: Node, officer: Actor) -> None:
    old, new = arrested(node, officer, "2024-05-01"), arrested(node, officer, "2024-07-03")

    def then(at: date) -> dict[str, Line]:
        return {
            one.due.record: one for one in whole(node, officer, at=at, type="india.arrest")
            if one.due.rule == "india.clocks_investigation.produce_arrested"
        }  # fmt: skip

    in_may = then(date(2024, 5, 1))
    assert old in in_may and new not in in_may
    assert in_may[old].due.standing == "running" and in_may[old].due.law_from == date(1974, 4, 1)
    assert "CrPC 57" in in_may[old].due.citation and in_may[old].left == 1
    in_july = then(date(2024, 7, 4))
    assert in_july[old].due.standing == "overdue" and "CrPC 57" in in_july[old].due.citation
    assert in_july[new].due.law_from == date(2024, 7, 1) and "BNSS 58" in in_july[new].due.citation
    assert then(date(2024, 4, 30)).keys().isdisjoint({old, new})


def test_where_a_person_must_decide_it_says_so_with_the_code(node: Node, officer: Actor) -> None:
    with clock.at(clock.now() - timedelta(days=3)):
        at = clock.now().isoformat()
        fir = enter(node, officer, "india.fir", {**FIR, "received_at": at}).record
    found = [one for one in whole(node, officer, person=True) if one.due.record == fir]
    codes = {one.due.rule.rpartition(".")[2]: [held.code for held in one.due.decisions] for one in found}
    assert codes["fir_copy"] == ["no_fixed_time"] and codes["progress"] == ["parameter_undecided"]
    assert {(one.due.standing, one.day, one.left) for one in found} == {("undecided", None, None)}
    page: Agenda = agenda(node, officer, person=True, limit=200)
    assert page.counts["undecided"] >= 2
    assert fir not in {one.due.record for one in whole(node, officer, within=9999)}


def test_a_clock_whose_start_a_person_must_decide_stands_on_the_record_that_asks(node: Node, officer: Actor) -> None:
    """Whether an arrest is in a summons case is not on the record, so the six months may or may not have begun."""
    record = arrested(node, officer, "2026-11-19")
    found = [one for one in whole(node, officer, person=True, type="india.arrest") if one.due.record == record]
    assert {one.due.rule.rpartition(".")[2]: one.due.standing for one in found} == {"summons_case": "undecided"}


def test_in_hindi_the_words_that_have_been_given_stand(node: Node, officer: Actor) -> None:
    arrested(node, officer, "2026-11-20")
    found = [
        one
        for one in agenda(node, officer, language="hi", limit=200).lines
        if one.due.rule.endswith("produce_arrested")
    ]
    assert {one.label for one in found} == {"गिरफ्तारी"}
    assert {one.clock for one in found} == {"गिरफ्तार व्यक्ति मजिस्ट्रेट के समक्ष"}
