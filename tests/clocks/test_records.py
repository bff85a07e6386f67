"""The clocks of real records, read under the reader's rights and asked about the past; a change of law over records."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from comity import clock
from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.clocks import due
from comity.kernel.duties.law_change import impact, read_pack, sections_in
from comity.kernel.law.clock_book import book_for
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter
from comity.kernel.types.definition import yaml_text
from comity.kernel.work.node import Node
from tests.world import World, refused

CASE = {"program": "firearms", "opened": "2026-10-05", "summary": "Sample."}
NAMES = {"IPC": ("IPC", "Indian Penal Code"), "BNS": ("BNS",), "CrPC": ("CrPC", "BNSS")}


@pytest.fixture(scope="module")
def offense(world: World) -> str:
    """A proposed count of an offence of 17 March 2023: limitation ends on 17 March 2028, a Friday."""
    case = world.enter("atf_agent", "investigation.case", {**CASE, "title": "Clocks"}).record
    subject = world.enter("atf_agent", "registry.person", {"name": "Tolliver Vane", "role": "subject"}).record
    fields = {"statute": "18 USC 922(a)(1)(A)", "offense_date": "2023-03-17", "count": 1}
    links = {"case": [case], "subject": [subject]}
    return world.enter("atf_agent", "investigation.offense", fields, links=links).record


def test_a_proposed_count_shows_its_limitation_with_its_working(world: World, offense: str) -> None:
    found = due(world.node, world.seats["atf_agent"], offense)
    one = next(one for one in found.dues if one.rule == "us-federal.clocks_process.limitation")
    assert str(one.due) == "2028-03-17" and one.state == "running" and one.verified == "read"
    assert [step.rule for step in one.working] == ["start", "us.days"]
    assert "3282" in one.working[1].citation
    assert found.as_json()["dues"]


def test_the_case_shows_the_clock_of_its_count(world: World, offense: str) -> None:
    case = world.read("atf_agent", offense).links["case"][0]
    rules = {one.rule for one in due(world.node, world.seats["atf_agent"], case).dues}
    assert "us-federal.clocks_process.limitation" in rules


def test_asked_about_a_past_instant_nothing_was_known_yet(world: World, offense: str) -> None:
    before = clock.now() - timedelta(days=1)
    assert due(world.node, world.seats["atf_agent"], offense, at=before).dues == ()


def test_a_corrected_day_changes_the_answer_from_then_on_only(world: World) -> None:
    case = world.enter("atf_agent", "investigation.case", {**CASE, "title": "Corrected"}).record
    subject = world.enter("atf_agent", "registry.person", {"name": "Ansel Brook", "role": "subject"}).record
    fields = {"statute": "18 USC 922(g)(1)", "offense_date": "2023-03-17", "count": 1}
    links = {"case": [case], "subject": [subject]}
    count = world.enter("atf_agent", "investigation.offense", fields, links=links).record
    between = clock.now()
    world.amend("atf_agent", count, {"offense_date": "2023-04-18"}, reason="the day was misread")
    then = due(world.node, world.seats["atf_agent"], count, at=between).dues
    now = due(world.node, world.seats["atf_agent"], count).dues
    assert [str(one.due) for one in then] == ["2028-03-17"]
    assert [str(one.due) for one in now] == ["2028-04-18"]


def test_who_may_not_read_the_record_learns_of_no_clock(world: World, offense: str) -> None:
    stranger = world.seat("dea", "special_agent", also="clocks")
    assert refused(due, world.node, world.seats[stranger], offense).code == "not_found"


@pytest.mark.parametrize("law", ["us-federal", "india"])
def test_every_event_of_the_clocks_is_one_that_records_can_give(law: str) -> None:
    """A type, act or field that is renamed would silence a clock without a word."""
    from comity.kernel.definitions.load import load

    catalogue = load(loader.core_files(), read_folder(paths.jurisdictions() / law))
    book, _ = book_for(catalogue)
    wrong = []
    for name, bindings in book.events.items():
        for one in bindings:
            of = catalogue.types.get(one.type)
            if of is None:
                wrong.append(f"{name}: no type {one.type}")
                continue
            answers = of.offer.answers if of.offer else {}
            if one.act and one.act not in of.acts and one.act not in answers:
                wrong.append(f"{name}: {one.type} has no act {one.act}")
            fields = {field.rpartition(":")[2] for field in of.fields}
            if one.field and one.field not in fields:
                wrong.append(f"{name}: {one.type} has no field {one.field}")
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("IPC 420, 406", {"IPC": ("420", "406")}),
        ("u/s 302/34 IPC", {"IPC": ("302", "34")}),
        ("BNS 303(2)", {"BNS": ("303(2)",)}),
        ("Sections 304A and 279 of the Indian Penal Code, 1860", {"IPC": ("304A", "279")}),
        ("IPC 420; BNS 318(4)", {"IPC": ("420",), "BNS": ("318(4)",)}),
        ("379 IPC, 41 CrPC", {"IPC": ("379",), "CrPC": ("41",)}),
        ("NDPS 20", {}),
    ],
)
def test_sections_are_read_as_stations_write_them(text: str, cited: dict[str, tuple[str, ...]]) -> None:
    assert sections_in(text, NAMES) == cited


def test_a_change_of_law_lists_the_records_that_it_touches(node: Node, officer: Actor) -> None:
    def fir(sections: str, happened: str | None) -> str:
        fields = {"sections": sections, "received_at": "2024-08-01T10:00:00+05:30", "information": "Sample."}
        if happened:
            fields["occurred_from"] = happened
        return enter(node, officer, "india.fir", fields, late_cause="sample").record

    cases = {
        fir("IPC 420", "2024-06-30T23:30:00+05:30"): "stays",
        fir("IPC 420", "2024-07-01T00:30:00+05:30"): "renumber",
        fir("IPC 497", "2024-07-02T10:00:00+05:30"): "decide",
        fir("IPC 379", None): "decide",
        fir("BNS 303(2)", "2024-06-01T10:00:00+05:30"): "premature",
        fir("IPC 161", "2024-07-02T10:00:00+05:30"): "decide",
    }
    untouched = fir("BNS 303(2)", "2024-07-02T10:00:00+05:30")
    found = {one.record: one for one in impact(node, officer, "india.bns_2024")}
    assert {record: found[record].verdict for record in cases} == cases
    assert untouched not in found
    renumbered = next(found[record] for record, verdict in cases.items() if verdict == "renumber")
    assert renumbered.sections == {"420": ("318(4)",)} and renumbered.open


def test_the_pack_maps_sections_as_the_sources_say() -> None:
    text = (paths.jurisdictions() / "india" / "rules" / "bns_2024.yml").read_text(encoding="utf-8")
    pack = read_pack("india.bns_2024", yaml_text("bns_2024.yml", text).plain())
    known = {"302": "103", "304A": "106", "420": "318(4)", "379": "303", "307": "109", "34": "3(5)", "511": "62"}
    assert {old: pack.sections[old] for old in known} == {old: (new,) for old, new in known.items()}
    assert pack.sections["497"] == () and len(pack.sections["506"]) == 2
    assert all(1 <= int(new.partition("(")[0]) <= 358 for many in pack.sections.values() for new in many)


def test_a_pack_that_lacks_something_is_refused_with_all_that_is_missing(tmp_path: Path) -> None:
    problem = refused(read_pack, "x", {"title": "x", "from": "soon", "sections": {"abc": ["1"]}})
    assert problem.code == "definitions_refused"
    assert {"pack_incomplete", "wrong_kind"} == {one.code for one in problem.faults} and len(problem.faults) >= 7


def test_no_such_pack(node: Node, officer: Actor) -> None:
    assert refused(impact, node, officer, "india.nothing").code == "not_found"
