"""A two-sided act: one answer, one holder, settled once, whoever comes first and whatever fails in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from comity import clock
from comity.kernel.policy import tokens
from comity.kernel.sharing import outbox
from comity.kernel.sharing import settle as settling
from comity.kernel.sharing.inbox import inbox
from comity.kernel.sharing.settle import settle
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.work.results import Receipt
from tests.records.conftest import at_once, code_of
from tests.speeds.sizes import size
from tests.world import World, refused

LEAD = "investigation.lead"


@pytest.fixture
def offered(world: World, case: Receipt, person: Receipt) -> Receipt:
    """ATF proposes to DEA that ATF leads."""
    return world.enter(
        "atf_agent", LEAD, {"partner": "dea", "lead_agency": "atf", "terms": "ATF leads."},
        links={"case": [case.record], "subject": [person.record]},
    )  # fmt: skip


def state(world: World, record: str) -> str:
    ((found,),) = world.rows("atf", "select state from comity.offer where id = %s", record)
    return str(found)


def entries(world: World, record: str, kind: str = "settle") -> int:
    return sum(line.kind == kind for line in history(world.node, world.seats["atf_agent"], record))


def test_an_offer_opens_what_it_lists_and_its_answer_moves_the_offerers_own_record(
    world: World, offered: Receipt, person: Receipt, case: Receipt
) -> None:
    seen = world.read("dea_supervisor", offered.record)
    assert seen.fields["terms"] == "ATF leads." and "agreed" in seen.acts
    assert "name" in world.read("dea_supervisor", person.record).fields
    assert [one.kind for one in inbox(world.node, world.seats["dea_supervisor"]) if one.record == offered.record] == [
        "offer"
    ]
    answer = world.answer("dea_supervisor", offered.record, "agreed", fields={"counter_terms": "Weekly calls."})
    assert answer.agency == "dea"
    assert world.read("atf_agent", offered.record).state == "offered", "its own log has not followed yet"
    world.follow()
    view = world.read("atf_agent", offered.record)
    assert (view.state, view.version) == ("agreed", 2)
    assert view.offer and view.offer["answer"] == {"counter_terms": "Weekly calls."}
    lines = history(world.node, world.seats["atf_agent"], offered.record)
    assert sorted((line.kind, line.agency) for line in lines) == [
        ("answer", "dea"),
        ("enter", "atf"),
        ("settle", "atf"),
    ]
    refers = dict(world.rows("atf", "select kind, refers::text from comity.entry where record = %s", offered.record))
    assert (refers["answer"], refers["settle"]) == (offered.entry, answer.entry), "each names the other log's entry"
    assert "summary" not in world.read("dea_supervisor", case.record).fields


@pytest.mark.parametrize("_again", range(size(small=3, deep=30)))
def test_accept_crossing_withdraw_has_one_winner(world: World, offered: Receipt, _again: int) -> None:
    answers = at_once(
        [
            lambda: world.answer("dea_supervisor", offered.record, "agreed"),
            lambda: world.act("atf_agent", offered.record, "withdrawn"),
        ]
    )
    codes = [code_of(one) for one in answers]
    assert codes.count("done") == 1, codes
    accepted = codes[0] == "done"
    assert codes[1 if accepted else 0] == "offer_already_answered"
    world.follow()
    assert state(world, offered.record) == ("agreed" if accepted else "withdrawn")
    view = world.read("atf_agent", offered.record)
    assert (view.state, view.version) == ("agreed" if accepted else "withdrawn", 2)
    live = world.rows("atf", "select count(*) from comity.share where offer = %s and live", offered.record)
    assert (live[0][0] > 0) == accepted, "a withdrawn offer opens nothing any more"


def test_two_answers_at_once_have_one_winner(world: World, offered: Receipt) -> None:
    answers = at_once(
        [
            lambda: world.answer("dea_supervisor", offered.record, "agreed"),
            lambda: world.answer("dea_supervisor", offered.record, "declined", reason="No"),
            lambda: world.answer("dea_agent", offered.record, "agreed"),
            lambda: world.answer("dea_agent", offered.record, "returned", reason="Say more"),
        ]
    )
    codes = [code_of(one) for one in answers]
    assert codes.count("done") == 1 and set(codes) <= {"done", "offer_already_answered", "not_found"}, codes
    world.follow()
    assert entries(world, offered.record, "answer") == 1 and entries(world, offered.record) == 1


def test_who_comes_second_is_told_how_it_was_answered(world: World, offered: Receipt) -> None:
    world.answer("dea_supervisor", offered.record, "agreed")
    second = refused(world.answer, "dea_agent", offered.record, "returned", reason="r")
    late = refused(world.act, "atf_agent", offered.record, "withdrawn")
    assert (second.code, second.extra["state"]) == ("offer_already_answered", "agreed")
    assert (late.code, late.extra["state"]) == ("offer_already_answered", "agreed")


def test_withdraw_is_another_word_for_it_where_the_type_has_no_such_act(world: World, offered: Receipt) -> None:
    assert world.act("atf_agent", offered.record, "withdraw").state == "withdrawn"


def test_an_answer_after_the_withdrawal_is_too_late_and_opens_nothing(
    world: World, offered: Receipt, person: Receipt
) -> None:
    world.act("atf_agent", offered.record, "withdrawn")
    assert refused(world.answer, "dea_supervisor", offered.record, "agreed").code == "offer_already_answered"
    assert refused(world.read, "dea_supervisor", person.record).code == "not_found"
    world.follow()
    assert entries(world, offered.record) == 0
    assert world.read("atf_agent", offered.record).state == "withdrawn"


def test_nobody_else_answers(world: World, offered: Receipt) -> None:
    assert refused(world.answer, "atf_agent", offered.record, "agreed").code == "not_allowed"
    for seat in ("cpd_sergeant", "usao_attorney"):
        assert refused(world.answer, seat, offered.record, "agreed").code == "not_found"
    assert refused(world.answer, "dea_agent", offered.record, "declined", reason="r").code == "not_allowed"
    assert refused(world.answer, "dea_supervisor", offered.record, "perhaps").code == "answer_unknown"
    assert refused(world.act, "dea_supervisor", offered.record, "withdrawn").code == "not_allowed"
    silent = refused(world.answer, "dea_supervisor", offered.record, "declined")
    assert {(one.code, one.path) for one in silent.faults} == {("needs", "reason")}
    extra = refused(world.answer, "dea_supervisor", offered.record, "agreed", fields={"terms": "DEA leads."})
    assert "fields.terms" in {one.path for one in extra.faults}
    assert state(world, offered.record) == "offered"


def test_an_answer_that_ends_the_offer_takes_back_what_it_opened(
    world: World, offered: Receipt, person: Receipt
) -> None:
    world.answer("dea_supervisor", offered.record, "declined", reason="Our own case is older")
    assert refused(world.read, "dea_supervisor", person.record).code == "not_found"
    world.follow()
    assert world.read("atf_agent", offered.record).state == "declined"


def test_an_offer_that_the_receiver_has_not_agreed_to_is_refused(world: World, case: Receipt) -> None:
    terms = {"lead_agency": "atf", "terms": "t"}
    pointed = {"case": [case.record]}
    assert (
        refused(world.enter, "atf_agent", LEAD, {**terms, "partner": "usao"}, links=pointed).code == "offer_not_agreed"
    )
    assert (
        refused(world.enter, "atf_agent", LEAD, {**terms, "partner": "nowhere"}, links=pointed).code == "agency_unknown"
    )
    assert refused(world.enter, "atf_agent", LEAD, {**terms, "partner": "atf"}, links=pointed).code == "invalid"
    ((count,),) = world.rows("atf", "select count(*) from comity.link where target = %s", case.record)
    assert count == 0


def test_silence_until_the_last_day_ends_the_offer(world: World, offered: Receipt, person: Receipt) -> None:
    """By the transaction's clock, before any worker has said so: what it opened is read, listed and counted no more."""
    reader = world.seats["dea_supervisor"]

    def listed() -> set[str]:
        name = world.read("atf_agent", person.record).fields["name"]
        return {one["id"] for one in find(world.node, reader, type="registry.person", text=name).items}

    assert world.read("dea_supervisor", person.record).id == person.record and listed() == {person.record}
    with clock.at(clock.now() + timedelta(days=7, minutes=1)):
        assert refused(world.read, "dea_supervisor", person.record).code == "not_found" and not listed()
        assert "dea" not in world.read("atf_agent", person.record).seen_by
        late = refused(world.answer, "dea_supervisor", offered.record, "agreed")
        assert (late.code, late.extra["state"]) == ("offer_already_answered", "expired")
        settle(world.node, "atf")
        settle(world.node, "atf")
    assert state(world, offered.record) == "expired"
    view = world.read("atf_agent", offered.record)
    assert (view.state, view.version) == ("expired", 2)
    assert refused(world.act, "atf_agent", offered.record, "withdrawn").code == "offer_already_answered"


class Killed(Exception):
    """What a process that is killed here leaves behind is what a transaction that raises here leaves behind."""


@pytest.mark.parametrize("where", ["outbox.done", "write"])
def test_settling_that_is_killed_in_between_is_done_once(
    world: World, offered: Receipt, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world.answer("dea_supervisor", offered.record, "agreed")

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(*((outbox, "done") if where == "outbox.done" else (settling, "write")), killed)
        with pytest.raises(Killed):
            settle(world.node, "atf")
    assert (entries(world, offered.record), world.read("atf_agent", offered.record).version) == (0, 1)
    settle(world.node, "atf")
    settle(world.node, "atf")
    assert (entries(world, offered.record), world.read("atf_agent", offered.record).version) == (1, 2)


def test_two_workers_that_settle_at_once_settle_once(world: World, offered: Receipt) -> None:
    world.answer("dea_supervisor", offered.record, "agreed")
    answers = at_once([lambda: settle(world.node, "atf")] * 4)
    assert sum(one for one in answers if isinstance(one, int)) >= 1, answers
    assert all(isinstance(one, int) or code_of(one) == "version_conflict" for one in answers), answers
    world.follow()
    assert entries(world, offered.record) == 1
    assert world.read("atf_agent", offered.record).state == "agreed"


@contextmanager
def suspended(world: World, agency: str) -> Iterator[None]:
    tokens.suspend_agency(world.node, tokens.operator(), agency, reason="Key lost")
    try:
        yield
    finally:
        tokens.suspend_agency(world.node, tokens.operator(), agency, reason="New key", lift=True)


def test_a_suspended_agency_neither_answers_nor_loses_its_offer(world: World, offered: Receipt) -> None:
    with suspended(world, "dea"):
        assert refused(world.answer, "dea_supervisor", offered.record, "agreed").code == "agency_suspended"
        assert refused(world.read, "dea_supervisor", offered.record).code == "agency_suspended"
        world.follow()
        assert state(world, offered.record) == "offered"
    world.answer("dea_supervisor", offered.record, "agreed")
    with suspended(world, "atf"):
        world.follow()
        assert state(world, offered.record) == "agreed"
    world.follow()
    assert world.read("atf_agent", offered.record).state == "agreed"
    assert entries(world, offered.record) == 1


def test_a_repeated_offer_or_answer_under_its_key_is_one(world: World, case: Receipt) -> None:
    fields = {"partner": "dea", "lead_agency": "atf"}
    made = at_once(
        [lambda: world.enter("atf_agent", LEAD, fields, links={"case": [case.record]}, key=f"o-{case.record}")] * 4
    )
    assert {code_of(one) for one in made} == {"done"} and len({one.record for one in made}) == 1
    record = made[0].record
    answers = at_once([lambda: world.answer("dea_agent", record, "agreed", key=f"a-{record}")] * 4)
    assert {code_of(one) for one in answers} == {"done"} and len({one.entry for one in answers}) == 1
    other = refused(world.answer, "dea_agent", record, "returned", reason="r", key=f"a-{record}")
    assert other.code == "idempotency_key_reused"
