"""What an offer opens, and that it closes: at once, at the listed version, the listed record and nothing beside it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from comity import clock
from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.records.attach import attach, fetch
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find, find_by_number
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.views.receipt import receipt
from comity.kernel.work.results import Receipt
from tests.policy_attack.planting import CANARY, behind_the_back, canary
from tests.policy_attack.test_verbs import plain
from tests.world import World, day, refused


@dataclass
class Offered:
    """ATF proposes to DEA who leads: the lead, its case and its person are shared, the other person is not."""

    lead: Receipt
    case: Receipt
    person: Receipt
    other: Receipt
    words: dict[str, str]


@pytest.fixture
def offered(world: World) -> Offered:
    words = {name: canary() for name in ("title", "summary", "name", "remarks", "terms", "other")}
    person = world.enter(
        "atf_agent", "registry.person", {"role": "subject", "name": words["name"], "remarks": words["remarks"]}
    )
    other = world.enter("atf_agent", "registry.person", {"role": "subject", "name": words["other"]})
    case = world.enter(
        "atf_agent", "investigation.case",
        {"title": words["title"], "program": "firearms", "opened": day(), "summary": words["summary"]},
        links={"subject": [person.record], "victim": [other.record]},
    )  # fmt: skip
    lead = world.enter(
        "atf_agent", "investigation.lead", {"partner": "dea", "lead_agency": "atf", "terms": words["terms"]},
        links={"case": [case.record], "subject": [person.record]},
    )  # fmt: skip
    return Offered(lead, case, person, other, words)


def shown(world: World, seat: str, *records: str) -> set[str]:
    """Every canary that a seat is shown of these records by read, history and search."""
    actor, out = world.seats[seat], ""
    for record in records:
        for verb in (read, history):
            try:
                out += str(plain(verb(world.node, actor, record)))
            except Problem as problem:
                assert problem.code == "not_found"
                out += str(problem.as_json())
    out += str(find(world.node, actor, limit=200).items) + str(plain(inbox(world.node, actor)))
    return set(CANARY.findall(out))


def everything(o: Offered) -> tuple[str, ...]:
    return (o.lead.record, o.case.record, o.person.record, o.other.record)


def test_an_offer_opens_the_listed_records_and_their_listed_groups(world: World, offered: Offered) -> None:
    words = offered.words
    seen = shown(world, "dea_agent", *everything(offered)) & set(words.values())
    assert seen == {words["title"], words["name"], words["terms"]}
    view = world.read("dea_agent", offered.case.record)
    assert offered.other.record not in str(plain(view))
    assert not shown(world, "cpd_sergeant", *everything(offered)) & set(words.values())
    assert not shown(world, "usao_attorney", *everything(offered)) & set(words.values())


ENDINGS: dict[str, Callable[[World, Offered], Any]] = {
    "declined": lambda w, o: w.answer("dea_supervisor", o.lead.record, "declined", reason="No"),
    "withdrawn": lambda w, o: w.act("atf_agent", o.lead.record, "withdrawn"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_offer_that_ended_shows_nothing_from_that_moment(world: World, offered: Offered, ending: str) -> None:
    """Before the worker has done anything: the grant ends in the transaction of the answer."""
    assert shown(world, "dea_agent", *everything(offered)) & set(offered.words.values())
    ENDINGS[ending](world, offered)
    for _ in range(2):
        assert not shown(world, "dea_agent", *everything(offered)) & set(offered.words.values())
        for record in everything(offered):
            assert refused(world.read, "dea_agent", record).code == "not_found"
        assert refused(receipt, world.node, world.seats["dea_agent"], offered.case.entry).code == "not_found"
        assert not [one for one in inbox(world.node, world.seats["dea_agent"]) if one.record == offered.lead.record]
        world.follow()


def test_an_offer_whose_time_is_over_shows_nothing_though_no_worker_ran(world: World, offered: Offered) -> None:
    assert shown(world, "dea_agent", *everything(offered)) & set(offered.words.values())
    ends = "update comity.offer set expires_at = expires_at - interval '7 days' where id = %(one)s"
    with behind_the_back(world, ends, ends.replace(" - ", " + "), one=offered.lead.record):
        assert not shown(world, "dea_agent", *everything(offered)) & set(offered.words.values())
        assert refused(world.answer, "dea_supervisor", offered.lead.record, "agreed").code == "offer_already_answered"
        world.follow()
        assert world.read("atf_agent", offered.lead.record).state == "expired"
    assert not shown(world, "dea_agent", *everything(offered)) & set(offered.words.values())


def test_what_is_pinned_shows_no_later_version(world: World, offered: Offered) -> None:
    """After the offer the case gets a new title and summary, a file and a state, the person a new name and a mark."""
    later = {name: canary() for name in ("title", "summary", "reason", "name", "file", "content", "cause")}
    pinned = world.read("dea_agent", offered.case.record)
    changed = world.amend(
        "atf_agent", offered.case.record, {"title": later["title"], "summary": later["summary"]},
        reason=later["reason"], late_cause=later["cause"],
    )  # fmt: skip
    attach(world.node, world.seats["atf_agent"], offered.case.record, name=later["file"], media_type="text/plain",
           stream=io.BytesIO(later["content"].encode()))  # fmt: skip
    world.act("atf_supervisor", offered.case.record, "convert", reason=later["reason"])
    world.amend("atf_agent", offered.person.record, {"name": later["name"]})
    world.follow()
    seen = shown(world, "dea_agent", *everything(offered))
    assert not seen & set(later.values())
    assert {offered.words["title"], offered.words["name"]} <= seen
    view = world.read("dea_agent", offered.case.record)
    assert (view.version, view.title, view.changed_at) == (pinned.version, offered.words["title"], pinned.changed_at)
    sent = {"version": pinned.version, "at": show_instant(pinned.changed_at), "changed_since": True}
    assert (pinned.as_sent, view.as_sent, world.read("atf_agent", offered.case.record).as_sent) == (None, sent, None)
    lead = world.read("dea_agent", offered.lead.record)
    assert {one.id: one.as_sent for one in lead.linked}[offered.case.record] == sent and lead.as_sent is None
    assert find_by_number(world.node, world.seats["dea_agent"], str(view.number)) == offered.case.record
    assert refused(receipt, world.node, world.seats["dea_agent"], changed.entry).code == "not_found"
    now = clock.now() + timedelta(minutes=1)
    for moment in ({"as_entered": now}, {"as_of": now}):
        then = plain(world.read("dea_agent", offered.case.record, **moment))
        assert not set(CANARY.findall(str(then))) & set(later.values()) and then["version"] == pinned.version
        assert then["as_sent"] == sent
    assert len(history(world.node, world.seats["dea_agent"], offered.case.record)) == pinned.version
    ((file,),) = world.rows("atf", "select id::text from comity.file where record = %s", offered.case.record)
    assert refused(fetch, world.node, world.seats["dea_agent"], file).code == "not_found"


def test_a_number_that_came_after_what_was_sent_does_not_find_it(world: World, offered: Offered) -> None:
    dea, number, later = world.seats["dea_agent"], world.read("dea_agent", offered.case.record).number, canary()
    world.amend("atf_agent", offered.case.record, {"summary": canary()})
    renumber = "update comity.record set number = %(to)s where id = %(one)s"
    back = renumber.replace("%(to)s", "%(number)s")
    with behind_the_back(world, renumber, back, one=offered.case.record, to=later, number=number):
        assert world.read("dea_agent", offered.case.record).number == number
        assert refused(find_by_number, world.node, dea, later).code == "not_found"
    assert find_by_number(world.node, dea, str(number)) == offered.case.record


def test_a_mark_that_is_added_later_closes_what_was_shared(world: World, offered: Offered) -> None:
    assert offered.words["title"] in shown(world, "dea_agent", offered.case.record)
    dea, number = world.seats["dea_agent"], str(world.read("dea_agent", offered.case.record).number)
    world.amend("atf_supervisor", offered.case.record, marks=["grand_jury"], reason="It went to the grand jury")
    assert refused(find_by_number, world.node, dea, number).code == "not_found"
    assert not shown(world, "dea_agent", offered.case.record, offered.lead.record) & {offered.words["title"]}
    assert refused(world.read, "dea_agent", offered.case.record).code == "not_found"
    world.amend("atf_supervisor", offered.person.record, field_marks={"name": ["informant"]}, reason="A source")
    assert not shown(world, "dea_agent", offered.person.record, offered.lead.record) & {offered.words["name"]}


def test_a_field_that_is_marked_later_is_hidden_in_its_past_too(world: World) -> None:
    """The city marks an incident's field; ATF, which read it before, reads it neither now nor then, nor in history."""
    word, kept = canary(), canary()
    made = world.enter("cpd_records", "investigation.incident", {"incident_number": kept, "location_description": word})
    world.follow()
    then = clock.now()
    assert word in shown(world, "atf_agent", made.record)
    world.amend(
        "cpd_records", made.record, field_marks={"location_description": ["informant"]}, reason="A source's home"
    )
    for more in ({}, {"as_entered": then}, {"as_of": then}):
        view = plain(world.read("atf_agent", made.record, **more))
        assert word not in str(view) and kept in str(view)
    assert word not in str(plain(history(world.node, world.seats["atf_agent"], made.record)))
    assert not find(world.node, world.seats["atf_agent"], text=word).items
    world.amend("cpd_sergeant", made.record, marks=["sealed"], reason="By order")
    for more in ({}, {"as_entered": then}, {"as_of": then}):
        assert refused(world.read, "atf_agent", made.record, **more).code == "not_found"


def test_what_is_withheld_is_named_to_nobody_else(world: World, offered: Offered) -> None:
    """A share with the decision `withheld` opens nothing, and its record is not named to the receiver."""
    record, lead = offered.other.record, offered.lead.record
    withhold = """insert into comity.share
               (id, record, agency, to_agency, groups, version, offer, basis, ground, decision)
           values (gen_random_uuid(), %(record)s, 'atf', 'dea', '{}', 1, %(lead)s, 'investigation.lead', 'Informant',
                   'withheld') returning 1"""
    gone = "delete from comity.share where record = %(record)s and offer = %(lead)s"
    with behind_the_back(world, withhold, gone, record=record, lead=lead):
        with pytest.raises(psycopg.errors.CheckViolation), world.node.transaction("atf") as (conn, _):
            conn.execute(withhold.replace("'{}'", "'{base}'"), {"record": record, "lead": lead})
        assert refused(world.read, "dea_agent", record).code == "not_found"
        for one in (lead, offered.case.record):
            told = str(plain(world.read("dea_agent", one)))
            told += str(plain(history(world.node, world.seats["dea_agent"], one)))
            assert record not in told and offered.words["other"] not in told
        manifest = world.read("dea_agent", lead).offer["manifest"]  # type: ignore[index]
        assert [one["ground"] for one in manifest if one["decision"] == "withheld"] == ["Informant"]


def test_a_file_that_came_after_the_offer_is_not_in_it(world: World) -> None:
    """The office reads the whole of a referred case at its version: the file that lay there then, not the next one."""
    case = world.enter("atf_agent", "investigation.case", {"title": canary(), "program": "firearms", "opened": day()})
    person = world.enter("atf_agent", "registry.person", {"role": "subject", "name": canary()})
    offense = world.enter(
        "atf_agent", "investigation.offense", {"statute": "18 USC 922(g)(1)", "offense_date": day(2), "count": 1},
        links={"case": [case.record], "subject": [person.record]},
    )  # fmt: skip
    files, words = [], (canary(), canary())
    for word in words:
        attach(world.node, world.seats["atf_agent"], case.record, name=f"{word}.txt", media_type="text/plain",
               stream=io.BytesIO(word.encode()))  # fmt: skip
        rows = world.rows("atf", "select id::text from comity.file where record = %s order by added_at", case.record)
        files.append(rows[-1][0])
        if word == words[0]:
            pointed = {"case": [case.record], "subject": [person.record], "offense": [offense.record]}
            world.enter("atf_agent", "prosecution.referral", {"office": "usao", "program": "firearms"}, links=pointed)
    attorney = world.seats["usao_attorney"]
    info, parts = fetch(world.node, attorney, files[0])
    assert info.name == f"{words[0]}.txt" and b"".join(parts) == words[0].encode()
    assert list(world.read("usao_attorney", case.record).files) == files[:1]
    assert refused(fetch, world.node, attorney, files[1]).code == "not_found"
    assert refused(fetch, world.node, world.seats["dea_agent"], files[0]).code == "not_found"


def test_nobody_but_the_receiver_answers_and_nobody_but_the_owner_moves(world: World, offered: Offered) -> None:
    for seat in ("cpd_sergeant", "usao_attorney", "fsl_analyst"):
        for call in (
            lambda s: world.answer(s, offered.lead.record, "agreed"),
            lambda s: world.act(s, offered.lead.record, "withdrawn"),
            lambda s: world.act(s, offered.case.record, "convert", reason="x"),
            lambda s: world.amend(s, offered.person.record, {"name": "x"}, version=1),
        ):
            assert refused(call, seat).code == "not_found"
    assert refused(world.answer, "atf_supervisor", offered.lead.record, "agreed").code in ("not_allowed", "not_found")
    for call in (
        lambda: world.act("dea_supervisor", offered.lead.record, "withdrawn"),
        lambda: world.act("dea_supervisor", offered.case.record, "close", reason="x"),
        lambda: world.amend("dea_agent", offered.person.record, {"name": "x"}, version=1),
    ):
        problem = refused(call)
        assert problem.code == "not_allowed" and not CANARY.search(str(problem.as_json()))


def test_an_offer_passes_on_no_record_of_another(world: World) -> None:
    """DEA offers the city its lead about a case; what ATF shared with DEA stays closed to the city."""
    secret = canary()
    theirs = world.enter("atf_agent", "registry.person", {"role": "subject", "name": secret})
    case = world.enter("atf_agent", "investigation.case", {"title": canary(), "program": "firearms", "opened": day()})
    world.enter("atf_agent", "investigation.lead", {"partner": "dea", "lead_agency": "atf"},
                links={"case": [case.record], "subject": [theirs.record]})  # fmt: skip
    assert secret in shown(world, "dea_agent", theirs.record)
    classes = world.node.catalogue("dea").type("investigation.case").fields["dea:file_class"].values or ()
    fields = {"title": canary(), "program": "drugs", "opened": day(), "dea:file_class": sorted(classes)[0]}
    mine = world.enter("dea_agent", "investigation.case", fields)
    passed = world.enter("dea_agent", "investigation.lead", {"partner": "cpd", "lead_agency": "dea"},
                         links={"case": [mine.record], "subject": [theirs.record]})  # fmt: skip
    assert world.read("cpd_sergeant", passed.record).links.get("case")
    assert secret not in shown(world, "cpd_sergeant", theirs.record, passed.record, mine.record, case.record)
    assert theirs.record not in str(plain(world.read("cpd_sergeant", passed.record)))


def test_an_answer_is_shown_group_by_group(world: World) -> None:
    """A clerk of the office reads the base of what is referred to it: not the number and the reason of its answer."""
    case = world.enter("atf_agent", "investigation.case", {"title": canary(), "program": "firearms", "opened": day()})
    person = world.enter("atf_agent", "registry.person", {"role": "subject", "name": canary()})
    offense = world.enter(
        "atf_agent", "investigation.offense", {"statute": "18 USC 922(g)(1)", "offense_date": day(2), "count": 1},
        links={"case": [case.record], "subject": [person.record]},
    )  # fmt: skip
    pointed = {"case": [case.record], "subject": [person.record], "offense": [offense.record]}
    referral = world.enter(
        "atf_agent", "prosecution.referral", {"office": "usao", "program": "firearms"}, links=pointed
    )
    questions, reason = canary(), canary()
    world.answer("usao_attorney", referral.record, "returned", fields={"questions": questions}, reason=reason)
    world.follow()
    clerk = world.seat("usao", "clerk")
    assert not shown(world, clerk, referral.record) & {questions, reason}
    told = str(plain(world.read(clerk, referral.record)))
    assert not [one for one in (case.record, person.record, offense.record) if one in told]
    for seat in ("usao_attorney", "atf_agent"):
        assert {questions, reason} <= shown(world, seat, referral.record)
