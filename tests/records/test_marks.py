"""What is derived inherits how its source is handled: on entering, amending and acting, and within one batch."""

from __future__ import annotations

from uuid import uuid4

from comity.kernel.records.enter import enter_many
from comity.kernel.records.results import Draft, Receipt
from tests.world import World, instant, refused


def _informant(world: World) -> Receipt:
    return world.enter("atf_agent", "registry.person", {"role": "witness", "name": "Source 7"}, marks=["informant"])


REPORT = {"subject_line": "Debriefing", "activity": "interview", "narrative": "Told."}


def test_a_report_inherits_the_marks_of_the_persons_it_is_about(world: World, case: Receipt) -> None:
    person = _informant(world)
    made = world.enter(
        "atf_agent", "investigation.report", {**REPORT, "occurred": instant(1)},
        links={"case": [case.record], "subject": [person.record]},
    )  # fmt: skip
    assert world.read("atf_agent", made.record).marks == ("informant",)
    clerk = world.seat("atf", "industry_investigator")
    assert refused(world.read, clerk, made.record).code == "not_found"


def test_a_link_that_does_not_inherit_passes_nothing_on(world: World) -> None:
    person = _informant(world)
    made = world.enter(
        "atf_agent", "investigation.case", {"title": "V", "program": "firearms", "opened": instant(1)[:10]},
        links={"victim": [person.record]},
    )  # fmt: skip
    assert world.read("atf_agent", made.record).marks == ()


def test_a_link_added_later_brings_its_marks_too(world: World, report: Receipt) -> None:
    person = _informant(world)
    world.amend("atf_agent", report.record, links={"subject": [person.record]})
    assert world.read("atf_agent", report.record).marks == ("informant",)
    assert [mark for row in world.rows("atf", "select marks from comity.record where id = %s", report.record)
            for mark in row[0]] == ["informant"]  # fmt: skip


def test_marks_pass_along_a_chain_within_one_batch(world: World, case: Receipt) -> None:
    """An import brings a source, the report about it and the item found through it, in the wrong order."""
    key = uuid4().hex
    drafts = [
        Draft("evidence.item", {"description": "Pistol", "category": "firearm", "origin": "seized",
                                "legal_basis": "warrant", "taken_at": instant(1)},
              links={"report": [f"key:{key}r"]}, key=f"{key}i"),
        Draft("investigation.report", {**REPORT, "occurred": instant(1)},
              links={"case": [case.record], "subject": [f"key:{key}p"]}, key=f"{key}r"),
        Draft("registry.person", {"role": "witness", "name": "Source 8"}, marks=["informant"], key=f"{key}p"),
    ]  # fmt: skip
    answers = enter_many(world.node, world.seats["atf_agent"], drafts)
    assert [isinstance(one, Receipt) for one in answers] == [True] * 3, answers
    for one in answers:
        assert isinstance(one, Receipt)
        assert world.read("atf_agent", one.record).marks == ("informant",)


def test_a_mark_that_nobody_declared_is_refused(world: World, case: Receipt) -> None:
    wrong = refused(world.enter, "atf_agent", "registry.place", {"address": "x"}, marks=["top_secret"])
    also = refused(world.amend, "atf_agent", case.record, field_marks={"nothing": ["victim"], "title": ["top_secret"]})
    assert {one.code for one in wrong.faults} == {"mark_unknown"}
    assert {(one.code, one.path) for one in also.faults} == {
        ("mark_unknown", "marks"), ("unknown_field", "field_marks.nothing"),
    }  # fmt: skip


def test_a_marked_field_is_masked_with_its_ground_and_not_found(world: World) -> None:
    clerk = world.seat("atf", "industry_investigator")
    word = uuid4().hex
    made = world.enter("atf_agent", "registry.place", {"address": word}, field_marks={"address": ["victim"]})
    view = world.read(clerk, made.record)
    assert "address" not in view.fields and view.title == ""
    assert view.masked == [{"field": "address", "group": "", "ground": "marked victim"}]
    assert world.read("atf_agent", made.record).fields["address"] == word
    tokens = world.rows("atf", "select count(*) from comity.term where token = %s", word)
    assert tokens == [(0,)], "nobody can find by a marked field"
