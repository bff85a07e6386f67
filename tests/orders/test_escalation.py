"""Silence is raised at both sides by rule, once for each step, and is over when it is broken."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from comity import clock
from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.duties.reconcile import reconcile
from comity.kernel.law.calendars import Calendar
from comity.kernel.law.dated import Span
from comity.kernel.law.escalation import ESCALATIONS
from comity.kernel.policy import tokens
from comity.kernel.sharing import escalate, outbox
from comity.kernel.sharing.inbox import InboxItem, inbox
from comity.kernel.views.read import read
from comity.kernel.work.node import system
from tests.orders.flow import Release
from tests.patience import PATIENCE
from tests.pillars.stage import Stage, refused
from tests.world import instant

HOUR = timedelta(hours=1)
WEDNESDAY = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


@contextmanager
def later(after: timedelta) -> Iterator[None]:
    with clock.at(clock.now() + after):
        yield


def rounds(stage: Stage) -> None:
    """The worker's round by the clock."""
    for agency in stage.agencies:
        escalate.escalate(stage.node, agency)


def raised(stage: Stage, seat: str, record: str) -> list[InboxItem]:
    return [
        one for one in inbox(stage.node, stage.seats[seat]) if one.kind == "escalation" and one.record == record
    ]  # fmt: skip


def rows(stage: Stage, agency: str, record: str) -> list[tuple[str, int]]:
    with stage.node.transaction(agency) as (conn, _):
        return conn.execute(
            "select agency, step from comity.escalation where record = %s order by agency, step", (record,)
        ).fetchall()


def silent(stage: Stage) -> str:
    """A service on pretrial services that nobody acknowledges."""
    played = Release(stage, "acknowledgment of pretrial")
    played.ordered()
    played.served("pretrial", "pretrial", "supervise")
    return played.made["pretrial"]


def test_an_unacknowledged_order_is_raised_at_the_addressee_then_at_the_court_and_ends_when_answered(
    stage: Stage,
) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
        rounds(stage)
        assert raised(stage, "chief", service) == []
        with later(4 * HOUR):
            rounds(stage)
            [mine] = raised(stage, "chief", service)
            assert mine.state == "step 1"
            assert "not acknowledged" in mine.message
            assert "yours to answer" in mine.message
            assert mine.since == WEDNESDAY
            assert raised(stage, "pretrial", service) == [], "the officer is no supervisor"
            assert raised(stage, "clerk", service) == [], "the court's step comes later"
            offer = next(one for one in inbox(stage.node, stage.seats["pretrial"]) if one.record == service)
            assert (offer.kind, offer.escalated_at) == ("offer", clock.now())
        with later(25 * HOUR):
            rounds(stage)
            [theirs] = raised(stage, "clerk", service)
            assert theirs.state == "step 2"
            assert "pretrial is silent" in theirs.message
            view = read(stage.node, stage.seats["clerk"], service)
            assert view.offer is not None
            assert view.offer["silent_since"] == clock.show_instant(WEDNESDAY)
            assert view.offer["escalated_at"] == clock.show_instant(WEDNESDAY + 4 * HOUR)
            stage.answer("pretrial", service, "acknowledged", acknowledged_at=instant())
            assert raised(stage, "chief", service) == raised(stage, "clerk", service) == []
            view = read(stage.node, stage.seats["clerk"], service)
            assert view.offer is not None
            assert view.offer["silent_since"] is None
            assert view.offer["escalated_at"] is not None, "that it was raised stays"


def test_seen_and_silent_since_is_when_it_was_seen(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
        with later(HOUR):
            read(stage.node, stage.seats["pretrial"], service)
            view = read(stage.node, stage.seats["clerk"], service)
            assert view.offer is not None
            assert view.offer["silent_since"] == clock.show_instant(WEDNESDAY + HOUR)


def test_a_step_is_raised_once_however_often_the_round_runs(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
    for hours in (4, 5, 30, 31, 400):
        with clock.at(WEDNESDAY + hours * HOUR):
            rounds(stage)
            rounds(stage)
    assert rows(stage, "usdc", service) == [("pretrial", 1), ("usdc", 2), ("usdc", 3)]


def test_a_follower_killed_between_step_and_mark_leaves_one(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
    with clock.at(WEDNESDAY + 4 * HOUR):
        escalate.owe_due(stage.node, "pretrial")
        assert rows(stage, "usdc", service) == [], "owed, not yet raised"
        with pytest.raises(KeyboardInterrupt), stage.node.work(system("pretrial")) as work:
            due = next(one for one in escalate._due(work) if str(one.offer["id"]) == service)
            assert escalate._write(work, due) == 1
            raise KeyboardInterrupt
        assert rows(stage, "usdc", service) == [], "the step fell with its mark"
        assert escalate.raise_owed(stage.node, "pretrial") > 0
        escalate.owe_due(stage.node, "pretrial")
        escalate.raise_owed(stage.node, "pretrial")
    assert rows(stage, "usdc", service) == [("pretrial", 1)]
    with stage.node.work(system("pretrial")) as work:
        assert outbox.due(work.conn, escalate.NAME, "pretrial") == []


def test_two_followers_at_once_raise_one(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
    gate = Barrier(2)

    def one() -> int:
        gate.wait(PATIENCE)
        escalate.owe_due(stage.node, "pretrial")
        return escalate.raise_owed(stage.node, "pretrial")

    with clock.at(WEDNESDAY + 4 * HOUR), ThreadPoolExecutor(2) as pool:
        assert sum(found.result(PATIENCE) for found in [pool.submit(one), pool.submit(one)]) >= 1
    assert rows(stage, "usdc", service) == [("pretrial", 1)]


def test_answered_between_owing_and_raising_nothing_is_raised(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
    with clock.at(WEDNESDAY + 4 * HOUR):
        escalate.owe_due(stage.node, "pretrial")
        stage.answer("pretrial", service, "acknowledged", acknowledged_at=instant())
        escalate.raise_owed(stage.node, "pretrial")
    assert rows(stage, "usdc", service) == []


def test_a_release_acknowledged_and_not_carried_out_is_raised_until_it_is(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        played = Release(stage, "release")
        played.ordered()
        played.served("detention", "records", "release")
        service = played.made["detention"]
        with later(6 * HOUR):
            rounds(stage)
            assert [one.state for one in raised(stage, "warden", service)] == ["step 1"]
        with later(24 * HOUR):
            rounds(stage)
            assert [one.state for one in raised(stage, "judge", service)] == ["step 2"]
            played.returned("detention", "records")
            assert raised(stage, "warden", service) == raised(stage, "judge", service) == []


def test_a_discrepancy_never_answered_and_a_detainer_never_answered_are_raised(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        played = Release(stage, "hold on the detainer")
        played.held()
        theirs = stage.enter("marshal", "registry.person", {"role": "prisoner", "name": "S. Sample"})
        ours = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "S. Sample"})
        asked = stage.enter(
            "records",
            "registry.discrepancy",
            {"other": "usms", "field": "weight", "statement": "Weighed here."},
            ours=played.made["stay"],
            theirs=ours,
        )
        wanted = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "S. Sample"})
        detainer = stage.enter(
            "sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, person=wanted
        )
        assert theirs
        with later(3 * HOUR):
            rounds(stage)
            assert [one.state for one in raised(stage, "warden", detainer)] == ["step 1"]
            assert raised(stage, "sergeant", detainer) == []
        with later(13 * HOUR):
            rounds(stage)
            assert [one.state for one in raised(stage, "sergeant", detainer)] == ["step 2"]
        with later(timedelta(days=2)):
            rounds(stage)
            assert rows(stage, "usms", asked) == [("usms", 1)]
        with later(timedelta(days=5)):
            rounds(stage)
            assert rows(stage, "usms", asked) == [("usms", 1)], "Saturday and Sunday do not count"
        with later(timedelta(days=8)):
            rounds(stage)
            assert rows(stage, "usms", asked) == [("detention", 2), ("usms", 1)]


def test_a_detainer_without_a_hold_is_raised_at_both_sides_and_its_owner_sees_since_when(stage: Stage) -> None:
    """It names no stay and the hold is not the owner's to read: that one stands is told, and nothing of it."""
    with clock.at(WEDNESDAY):
        stay = Release(stage)
        stay.held()
        wanted = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "S. Sample"})
        asked = {"facility": "detention", "basis": "warrant"}
        detainer = stage.enter("sergeant", "custody.detainer", asked, person=wanted)
        stage.answer("records", detainer, "lodged", lodged_at=instant())

        def seen() -> tuple[str | None, list[str]]:
            view = read(stage.node, stage.seats["sergeant"], detainer)
            found = reconcile(stage.node, stage.seats["sergeant"])
            codes = [one.code for one in (*found.open, *found.differences) if one.record == detainer]
            return view.offer and view.offer["silent_since"], codes

        def held() -> str:
            fields = {"basis": "detainer", "authority_name": "A sheriff", "since": instant()}
            return stage.enter(
                "shift", "custody.hold", fields, marks=["juvenile"], intake=stay.made["stay"], detainer=detainer
            )

        silent = (clock.show_instant(WEDNESDAY), ["detainer_held"])
        assert seen() == silent
        with later(5 * HOUR):
            rounds(stage)
            assert [one.state for one in raised(stage, "warden", detainer)] == ["step 1"]
            assert seen() == silent
        with later(13 * HOUR):
            rounds(stage)
            [mine] = raised(stage, "sergeant", detainer)
            assert mine.since == WEDNESDAY and "detention is silent" in mine.message
            hold = held()
            assert seen() == (None, [])
            assert raised(stage, "warden", detainer) == raised(stage, "sergeant", detainer) == []
            with refused("not_found"):
                read(stage.node, stage.seats["sergeant"], hold)
        with later(50 * HOUR):
            stage.act("warden", hold, "retract", reason="Typed in the wrong file")
            assert seen() == silent
            assert len(raised(stage, "warden", detainer)) == len(raised(stage, "sergeant", detainer)) == 1
    with clock.at(WEDNESDAY):
        other = stage.enter("sergeant", "custody.detainer", asked, person=wanted)
        stage.answer("records", other, "lodged", lodged_at=instant())
        detainer = other
        hold = held()
        with later(50 * HOUR):
            rounds(stage)
            assert rows(stage, "detention", other) == []
            stage.act("warden", hold, "retract", reason="Typed in the wrong file")
        with later(51 * HOUR):
            rounds(stage)
            assert rows(stage, "detention", other) == [("detention", 1), ("state-police", 2)], (
                "it is gone, so it is due"
            )
            operator = tokens.operator()
            tokens.suspend_agency(stage.node, operator, "detention", reason="Test")
            try:
                assert seen() == (None, []), "what cannot be known is not said to be missing"
            finally:
                tokens.suspend_agency(stage.node, operator, "detention", reason="Test over", lift=True)


def test_an_agency_suspended_in_mid_offer_is_raised_at_the_other_side(stage: Stage) -> None:
    operator = tokens.operator()
    with clock.at(WEDNESDAY):
        service = silent(stage)
        tokens.suspend_agency(stage.node, operator, "pretrial", reason="Test")
        try:
            with later(25 * HOUR):
                for agency in ("usdc", "usao"):
                    escalate.escalate(stage.node, agency)
                assert rows(stage, "usdc", service) == [("usdc", 2)]
        finally:
            tokens.suspend_agency(stage.node, operator, "pretrial", reason="Test over", lift=True)
    with clock.at(WEDNESDAY + 26 * HOUR):
        rounds(stage)
    assert rows(stage, "usdc", service) == [("pretrial", 1), ("usdc", 2)]


def test_nobody_else_sees_what_was_raised_and_nobody_raises_for_another(stage: Stage) -> None:
    with clock.at(WEDNESDAY):
        service = silent(stage)
    with clock.at(WEDNESDAY + 25 * HOUR):
        rounds(stage)
    assert rows(stage, "detention", service) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stage.node.transaction("usdc") as (conn, _):
        conn.execute(
            """insert into comity.escalation
               select gen_random_uuid(), 'pretrial', from_agency, to_agency, record, entry, rule, 9, title, citation,
                      roles, states, since, due_at, at from comity.escalation"""
        )


def test_the_law_of_the_day_of_the_offer_counts() -> None:
    law = load(loader.core_files(), read_folder(paths.jurisdictions() / "india"))
    rule = ESCALATIONS.of(law.rules)["india.escalation.release_not_executed"]
    old, new = rule.on(date(2024, 6, 30)), rule.on(date(2024, 7, 1))
    assert old is not None
    assert new is not None
    assert (old.said.steps[0].after, old.citation) == (Span(minutes=24 * 60), "CrPC 442")
    assert (new.said.steps[0].after, new.citation) == (Span(minutes=12 * 60), "BNSS 487")


def test_days_keep_the_hour_of_the_addressee_and_legal_days_pass_over_days_off() -> None:
    before = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # Saturday noon in New York; the clocks go back that night
    assert Span(days=1).after(before, "America/New_York") == before + 25 * HOUR
    assert Span(minutes=24 * 60).after(before, "America/New_York") == before + 24 * HOUR
    weekend = Calendar("c", "Court", "America/New_York", weekend=frozenset({5, 6}))
    assert Span(days=1).after(before, "America/New_York", weekend) == before + 49 * HOUR
    india = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)  # already the 19th there
    assert Span(days=1).after(india, "Asia/Kolkata") == india + 24 * HOUR
