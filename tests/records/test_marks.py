"""What is derived inherits how its source is handled: on entering, amending and acting, within one batch, and later."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comity.kernel.records import mark_propagation
from comity.kernel.records.enter import enter_many, enter_within
from comity.kernel.records.write import write
from comity.kernel.sharing import outbox
from comity.kernel.sharing.mark_delivery import NAME, deliver_marks
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.work import locking
from comity.kernel.work.change import Step, changed
from comity.kernel.work.node import Work
from comity.kernel.work.results import Draft, Receipt
from comity.kernel.work.subject import own
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


def _report(world: World, case: Receipt, **links: Receipt) -> Receipt:
    pointed = {name: [one.record] for name, one in links.items()}
    return world.enter(
        "atf_agent", "investigation.report", {**REPORT, "occurred": instant(1)},
        links={"case": [case.record], **pointed},
    )  # fmt: skip


def _item(world: World, report: Receipt) -> Receipt:
    fields = {"description": "Pistol", "category": "firearm", "origin": "seized", "legal_basis": "warrant"}
    links = {"report": [report.record]}
    return world.enter("atf_agent", "evidence.item", {**fields, "taken_at": instant(1)}, links=links)


def _marks(world: World, agency: str, *records: Receipt) -> list[list[str]]:
    """The marks in force, as lists and reads judge them."""
    sql = "select marks from comity.record where id = %s"
    return [marks for one in records for (marks,) in world.rows(agency, sql, one.record)]


def _moved(work: Work, record: Receipt, **content: bool) -> str:
    """An act of the record's owner that moves its marks, as one with `lifts` does; not committed yet."""
    subject = own(work, record.record)
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    items = {name.replace("_", "/", 1): value for name, value in content.items()}
    done = Step("act", "order", subject.folded.state)
    return write(work, [changed(work, of, subject.folded, subject.id, done, items)])[0].entry


def _lift(world: World, seat: str, record: Receipt, mark: str) -> str:
    with world.node.work(world.seats[seat]) as work:
        return _moved(work, record, **{f"unmark_{mark}": True})


def test_a_mark_put_on_later_reaches_the_whole_chain_at_once(world: World, case: Receipt, person: Receipt) -> None:
    """A person turns out to be under counsel, when a report and an item found through it are there already."""
    other, word = world.seat("atf", "special_agent", also="other"), uuid4().hex
    report = _report(world, case, subject=person)
    item = _item(world, report)
    world.amend("atf_agent", report.record, {"subject_line": word})

    def found() -> list[str]:
        page = find(world.node, world.seats[other], type="investigation.report", text=word)
        return [one["id"] for one in page.items]

    assert found() == [report.record]
    world.amend("atf_agent", person.record, marks=["privileged"])
    assert _marks(world, "atf", person, report, item, case) == [["privileged"]] * 3 + [[]]
    for one in (person, report, item):
        assert refused(world.read, other, one.record).code == "not_found"
    assert not found()
    last = history(world.node, world.seats["atf_agent"], item.record)[-1]
    assert (last.kind, last.member, last.changes) == ("inherit", "system", {"mark/privileged": True})
    world.amend("atf_agent", person.record, {"name": f"Invented {word[:6]}"})
    assert world.read("atf_agent", item.record).version == 2, "what moves no mark moves nothing else"


def test_two_acts_of_one_batch_are_passed_on_as_one(world: World, case: Receipt, person: Receipt) -> None:
    report = _report(world, case, subject=person)
    with world.node.work(world.seats["atf_agent"]) as work:
        subject = own(work, person.record)
        of = work.type_of("atf", subject.type_name, subject.core_type)
        same = (subject.id, Step("act", "order", subject.folded.state))
        first = changed(work, of, subject.folded, *same, {"mark/victim": True, "mark/informant": True})
        second = changed(work, of, first.after, *same, {"mark/juvenile": True, "unmark/victim": True})
        assert len(write(work, [first, second])) == 2
    assert _marks(world, "atf", report) == [["informant", "juvenile"]]


def test_a_circle_of_sources_ends(world: World) -> None:
    one = world.enter("atf_agent", "registry.document", {"kind": "other", "title": "One"})
    two = world.enter("atf_agent", "registry.document", {"kind": "other", "title": "Two"},
                      links={"about": [one.record]})  # fmt: skip
    world.amend("atf_agent", one.record, links={"about": [two.record, one.record]})
    world.amend("atf_agent", two.record, marks=["victim"])
    assert _marks(world, "atf", one, two) == [["victim"], ["victim"]]


@pytest.fixture
def abroad(world: World) -> tuple[Receipt, Receipt, Receipt]:
    """An incident of the city, a document of the bureau about it, and one about that."""
    fields = {"incident_number": uuid4().hex[:10], "offense_code": "143A", "victim_count": 1}
    incident = world.enter("cpd_records", "investigation.incident", fields)
    made = [incident]
    for _ in range(2):
        links = {"about": [made[-1].record]}
        made.append(world.enter("atf_agent", "registry.document", {"kind": "other", "title": "Notes"}, links=links))
    return made[0], made[1], made[2]


def test_another_agencys_records_follow_by_entries_in_their_own_log(
    world: World, abroad: tuple[Receipt, Receipt, Receipt]
) -> None:
    incident, notes, more = abroad
    other = world.seat("atf", "special_agent", also="other")
    assert world.read(other, more.record).marks == ()
    world.amend("cpd_records", incident.record, marks=["privileged"])
    assert _marks(world, "atf", notes, more) == [[], []], "nobody writes another's log"
    world.follow()
    assert _marks(world, "atf", notes, more) == [["privileged"], ["privileged"]]
    logs = world.rows("atf", "select agency, kind from comity.entry where record = %s order by version", notes.record)
    assert logs == [("atf", "enter"), ("atf", "inherit")]
    assert refused(world.read, other, more.record).code == "not_found"
    assert deliver_marks(world.node, "atf") == 0, "it is done once"
    _lift(world, "cpd_records", incident, "privileged")
    world.follow()
    assert _marks(world, "atf", notes, more) == [[], []]
    assert history(world.node, world.seats["atf_agent"], more.record)[-1].changes == {"unmark/privileged": True}


def test_a_mark_is_owed_until_it_is_there(world: World, abroad: tuple[Receipt, Receipt, Receipt]) -> None:
    """Somebody moves the record at the same moment: the mark comes then, or in the next round."""
    incident, notes, _ = abroad
    world.amend("cpd_sergeant", incident.record, marks=["informant"])
    with ThreadPoolExecutor(1) as pool:
        with world.node.work(world.seats["atf_agent"]) as work:
            _moved(work, notes, mark_victim=True)
            following = pool.submit(deliver_marks, world.node, "atf")
            until_waiting(world, following)
        following.result(30)
    world.follow()
    assert _marks(world, "atf", notes) == [["informant", "victim"]]
    with world.node.transaction("atf") as (conn, _begun):
        assert not outbox.due(conn, NAME, "atf")


def test_what_is_lifted_goes_only_where_it_came_by_following_and_stands_on_nothing_else(
    world: World, case: Receipt, person: Receipt
) -> None:
    other = world.enter("atf_agent", "registry.person", {"role": "witness", "name": "Another"})
    plain = _report(world, case, subject=person)
    below = _item(world, plain)
    twice = _report(world, case, subject=person, present=other)
    own_too = _report(world, case, subject=person)
    world.amend("atf_agent", person.record, marks=["informant"])
    world.amend("atf_agent", other.record, marks=["informant"])
    at_birth = _report(world, case, subject=person)
    world.amend("atf_agent", own_too.record, marks=["informant"])
    records = (plain, below, twice, own_too, at_birth)
    assert _marks(world, "atf", *records) == [["informant"]] * 5
    _lift(world, "atf_agent", person, "informant")
    assert _marks(world, "atf", *records) == [[], [], ["informant"], ["informant"], ["informant"]]
    _lift(world, "atf_agent", other, "informant")
    assert _marks(world, "atf", twice) == [[]]
    world.amend("atf_agent", person.record, marks=["informant"])
    assert _marks(world, "atf", *records) == [["informant"]] * 5


def test_the_owner_may_lift_a_mark_from_its_own_record_and_it_is_not_put_on_again(
    world: World, case: Receipt, person: Receipt
) -> None:
    report = _report(world, case, subject=person)
    item = _item(world, report)
    world.amend("atf_agent", person.record, marks=["informant"])
    _lift(world, "atf_agent", report, "informant")
    world.amend("atf_agent", person.record, {"name": "Somebody"})
    world.follow()
    assert _marks(world, "atf", person, report, item) == [["informant"], [], []]


def test_nothing_is_derived_unmarked_while_a_mark_is_put_on(world: World, case: Receipt, person: Receipt) -> None:
    """The deriving act comes second: it waits, reads the mark and starts again."""
    with ThreadPoolExecutor(1) as pool:
        with world.node.work(world.seats["atf_agent"]) as work:
            _moved(work, person, mark_informant=True)
            entering = pool.submit(_report, world, case, subject=person)
            until_waiting(world, entering)
        assert _marks(world, "atf", entering.result(30)) == [["informant"]]


def test_who_puts_a_mark_on_waits_for_what_is_just_being_derived(world: World, case: Receipt, person: Receipt) -> None:
    draft = Draft("investigation.report", {**REPORT, "occurred": instant(1)},
                  links={"case": [case.record], "subject": [person.record]})  # fmt: skip
    with ThreadPoolExecutor(1) as pool:
        with world.node.work(world.seats["atf_agent"]) as work:
            (entered,) = enter_within(work, [draft])
            marking = pool.submit(world.amend, "atf_agent", person.record, marks=["informant"])
            until_waiting(world, marking)
        marking.result(30)
    assert isinstance(entered, Receipt)
    assert _marks(world, "atf", entered) == [["informant"]]


def test_an_import_ends_although_its_source_is_marked_before_every_try(
    world: World, case: Receipt, person: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is quicker whenever that can be; in the end the batch lets nobody be, and its source is marked after."""
    links = {"case": [case.record], "subject": [person.record]}
    drafts = [Draft("investigation.report", {**REPORT, "occurred": instant(1)}, links=links) for _ in range(3)]
    real, turn = mark_propagation.stale, deque(("informant", "victim", "juvenile"))
    markings: list[Future[Any]] = []

    def mark() -> None:
        with world.node.work(world.seats["atf_agent"]) as work:
            _moved(work, person, **{f"mark_{turn[0]}": True, f"unmark_{turn[-1]}": True})
        turn.rotate()

    def quicker(work: Any, changes: Any) -> bool:
        if not markings or markings[-1].done():
            markings.append(pool.submit(mark))
            until_waiting(world, markings[-1])
        return real(work, changes)

    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(mark_propagation, "stale", quicker)
            answers = enter_many(world.node, world.seats["atf_agent"], drafts)
        for one in markings:
            one.result(30)
    assert [one for one in answers if not isinstance(one, Receipt)] == []
    assert len(markings) > 2, "the first tries were overtaken"
    source, *derived = _marks(world, "atf", person, *(one for one in answers if isinstance(one, Receipt)))
    assert all(set(source) <= set(one) for one in derived), "whoever waited marked what was derived meanwhile too"
    monkeypatch.setattr(locking, "PAUSES", ())
    said = refused(enter_many, world.node, world.seats["atf_agent"], drafts)
    assert said.code == "unavailable" and "keys" in said.detail and "marked" in said.detail


def until_waiting(world: World, begun: Future[Any]) -> None:
    """Until a transaction waits for a lock; one that ends without waiting shows in what the test asserts."""
    from comity import clock

    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        for _ in range(3000):
            waits = conn.execute("select 1 from pg_locks where not granted limit 1").fetchone()
            if waits or begun.done():
                return
            clock.pause(0.01)
    raise AssertionError("nothing waited")


def test_nobody_passes_on_by_anothers_entry(world: World, person: Receipt) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.rows(
            "dea", "select comity.pass_on(array[%s::uuid], array[%s::uuid], array['+sealed'], now())",
            person.entry, person.record,
        )  # fmt: skip
