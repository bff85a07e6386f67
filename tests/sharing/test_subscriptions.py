"""Subscriptions as their subscribers know them: told once, told only what they may see, and never left in silence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity import clock
from comity.config import worker
from comity.kernel.policy import tokens
from comity.kernel.sharing import deliver, prune
from comity.kernel.sharing.dead_letters import dead_letters, replay, replay_all
from comity.kernel.sharing.subscribe import subscribe, subscriptions, unsubscribe
from tests.sharing.stage import case, incident, match, notices, outbox, place_all, subscribed
from tests.world import World, instant, refused

INCIDENTS = {"types": ["investigation.incident"]}


def test_the_bureau_is_told_of_the_city_s_incident_and_only_once(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known = incident(world)
        case(world)
        world.follow()
        world.follow()
        items = notices(world, "atf_agent", one)
    assert [(item.record, item.from_agency, item.type) for item in items] == [
        (known.record, "cpd", "investigation.incident")
    ]
    assert outbox(world, one) == [("notice", "done", "")]


def test_what_came_before_the_subscription_is_not_told(world: World) -> None:
    incident(world)
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        world.follow()
        assert notices(world, "atf_agent", one) == []


def test_acts_links_and_a_sentence_narrow(world: World) -> None:
    mine = case(world)
    wanted = {"linked": mine.record, "acts": ["enter", "amend"]}
    with (
        subscribed(world, "atf_agent", wanted) as linked,
        subscribed(world, "atf_agent", {**INCIDENTS, "where": "record.offense_code == '143C'"}) as worded,
    ):
        world.amend("atf_agent", mine.record, {"title": "Renamed"})
        incident(world, code="143A")
        right = incident(world, code="143C")
        world.follow()
        assert [item.record for item in notices(world, "atf_agent", linked)] == [mine.record]
        assert [item.record for item in notices(world, "atf_agent", worded)] == [right.record]


def test_the_watched_id_may_be_spelled_in_any_way(world: World) -> None:
    mine = case(world)
    actor = world.seats["atf_agent"]
    before = len(dead_letters(world.node, actor))
    with (
        subscribed(world, "atf_agent", {"linked": mine.record.upper()}) as loud,
        subscribed(world, "atf_agent", {"linked": mine.record.replace("-", "")}) as short,
    ):
        assert loud.wanted.linked == short.wanted.linked == mine.record
        world.amend("atf_agent", mine.record, {"title": "Renamed"})
        world.follow()
        for one in (loud, short):
            assert [item.record for item in notices(world, "atf_agent", one)] == [mine.record]
    assert len(dead_letters(world.node, actor)) == before


def test_a_record_that_links_to_the_watched_one_is_told(world: World) -> None:
    mine = case(world)
    with subscribed(world, "atf_agent", {"linked": mine.record, "link": "case"}) as one:
        fields = {"subject_line": "An interview", "activity": "interview", "occurred": instant(1)}
        report = world.enter("atf_agent", "investigation.report", fields, links={"case": [mine.record]})
        world.follow()
        assert [item.record for item in notices(world, "atf_agent", one)] == [report.record]


def test_a_subscription_that_wants_what_there_is_not_is_refused(world: World) -> None:
    actor = world.seats["atf_agent"]

    def codes(wanted: dict[str, object], **more: str) -> set[str]:
        problem = refused(subscribe, world.node, actor, wanted, **more)
        assert problem.code == "invalid"
        return {fault.code for fault in problem.faults}

    assert codes({"types": ["investigation.nothing"]}) == {"type_unknown"}
    assert codes({"acts": [f"act_{n}" for n in range(51)]}) == {"wrong_size"}
    assert codes({}) == {"needs"}
    assert codes({"where": "record.x > "}) == {"guard_syntax"}
    assert codes({"where": "history.enter.by == ''"}) == {"guard_unknown_name"}
    assert codes({"where": "record.a.matches('(a+)+')"}) == {"guard_function"}
    assert codes({"where": "record.list.all(x, record.list.all(y, x == y))"}) == {"guard_nested_loop"}
    assert codes({"where": "true || " * 70 + "true"}) == {"guard_too_long"}
    assert codes({"linked": "00000000-0000-4000-8000-000000000000"}) == {"not_found"}
    assert codes({**INCIDENTS, "color": "blue"}) == {"unknown_key"}
    assert codes(INCIDENTS, for_role="supervisor") == {"not_allowed"}
    assert codes(INCIDENTS, for_role="nobody") == {"role_unknown"}
    assert codes(INCIDENTS, webhook="00000000-0000-4000-8000-000000000000") == {"not_found"}


def test_a_follower_that_is_killed_between_matching_and_delivering_goes_on(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known = incident(world)
        place_all(world)
        match(world)
        assert outbox(world, one) == [("notice", "due", "")]
        assert notices(world, "atf_agent", one) == []
        world.follow()
        assert [item.record for item in notices(world, "atf_agent", one)] == [known.record]


def test_a_follower_that_is_killed_between_the_step_and_its_mark_does_both_or_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        incident(world)
        place_all(world)
        match(world)
        with monkeypatch.context() as patched:
            patched.setattr(deliver.outbox, "mark", _killed)
            with pytest.raises(KeyboardInterrupt):
                deliver.deliver(world.node, "atf")
        assert notices(world, "atf_agent", one) == []
        world.follow()
        world.follow()
        assert len(notices(world, "atf_agent", one)) == 1


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_rights_that_are_lost_between_entry_and_delivery_count(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known, other = incident(world), incident(world)
        place_all(world)
        match(world)
        assert [state for _, state, _ in outbox(world, one)] == ["due", "due"]
        world.amend("cpd_sergeant", known.record, marks=["informant"], reason="a source")
        world.follow()
        assert {item.record for item in notices(world, "atf_agent", one)} == {other.record}
        assert {state for _, state, _ in outbox(world, one)} == {"done"}


def test_rights_that_are_lost_after_delivery_hide_the_notice(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known = incident(world)
        world.follow()
        assert len(notices(world, "atf_agent", one)) == 1
        world.amend("cpd_sergeant", known.record, marks=["informant"], reason="a source")
        assert notices(world, "atf_agent", one) == []


def test_a_member_is_not_told_what_another_member_s_role_sees(world: World) -> None:
    custodian = world.seat("fsl", "evidence_technician", also="apart")
    with subscribed(world, custodian, {"types": ["investigation.case"]}) as one:
        case(world)
        world.follow()
        assert notices(world, custodian, one) == []


def test_a_sentence_that_errs_is_a_dead_letter_with_its_reason_and_can_be_replayed(world: World) -> None:
    with subscribed(world, "atf_agent", {**INCIDENTS, "where": "record.narrative.contains('gun')"}) as one:
        known = incident(world)
        world.follow()
        (letter,) = [dead for dead in dead_letters(world.node, world.seats["atf_agent"]) if dead.subscription == one.id]
        assert letter.reason.startswith("guard_error") and "record.narrative" in letter.reason
        (told,) = notices(world, "atf_agent", one)
        assert told.state == "dead" and letter.id in told.message
        world.amend("cpd_records", known.record, {"narrative": "A gun was found."}, reason="later report")
        world.follow()
        assert replay(world.node, world.seats["atf_agent"], letter.id) == 1
        world.follow()
        assert {item.state for item in notices(world, "atf_agent", one)} == {"open"}
        assert len(notices(world, "atf_agent", one)) == 2
        assert refused(replay, world.node, world.seats["atf_agent"], letter.id).code == "not_found"


def test_a_subscription_that_only_errs_is_stopped_and_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "IN_A_ROW", 3)
    with subscribed(world, "atf_agent", {**INCIDENTS, "where": "record.nothing == 'x'"}) as one:
        for _ in range(4):
            incident(world)
            world.follow()
        mine = [held for held in subscriptions(world.node, world.seats["atf_agent"]) if held.id == one.id]
        assert mine[0].state == "stopped" and "3 times in a row" in mine[0].reason
        assert len([row for row in outbox(world, one) if row[0] == "notice"]) == 3
        assert replay_all(world.node, world.seats["atf_agent"], str(one.id)) == 4
        place_all(world)
        match(world)
        assert len([row for row in outbox(world, one) if row[1] == "due"]) == 4


def test_a_type_that_vanished_stops_its_subscriptions(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        with world.node.transaction("atf") as (conn, _):
            conn.execute(
                """update comity.subscription set wanted = jsonb_set(wanted, '{types}', '["investigation.gone"]')
                    where id = %s""",
                (one.id,),
            )
        incident(world)
        world.follow()
        assert outbox(world, one)[0][:2] == ("subscription", "dead")
        assert outbox(world, one)[0][2].startswith("type_unknown")
        assert notices(world, "atf_agent", one)[0].state == "dead"


def test_a_suspended_member_is_told_nothing_and_hears_of_it_afterwards(world: World) -> None:
    person = world.seat("atf", "special_agent", also="to be suspended")
    chief = world.seats[world.seat("atf", "administrator")]
    member = world.seats[person].member
    with subscribed(world, person, INCIDENTS) as one:
        incident(world)
        place_all(world)
        match(world)
        tokens.suspend_member(world.node, chief, member, reason="inquiry")
        later = incident(world)
        world.follow()
        assert {row[1] for row in outbox(world, one)} == {"dead"}
        tokens.suspend_member(world.node, chief, member, reason="ended", lift=True)
        assert {item.state for item in notices(world, person, one)} == {"dead"}
        replay_all(world.node, world.seats[person], str(one.id))
        world.follow()
        told = notices(world, person, one)
        assert len(told) == 2 and later.record in {item.record for item in told}


def test_a_suspended_agency_s_deliveries_are_dead_letters_and_nothing_is_lost(world: World) -> None:
    with subscribed(world, "dea_agent", INCIDENTS) as one:
        before = incident(world)
        place_all(world)
        match(world, "dea")
        tokens.suspend_agency(world.node, tokens.operator(), "dea", reason="audit")
        try:
            during = incident(world)
            world.follow()
            states = {(row[0], row[1]) for row in outbox(world, one)}
            assert states == {("notice", "dead"), ("subscription", "dead")}
            assert {row[2].split(":")[0] for row in outbox(world, one)} == {"agency_suspended", "undecided"}
        finally:
            tokens.suspend_agency(world.node, tokens.operator(), "dea", reason="ended", lift=True)
        world.follow()
        (item,) = notices(world, "dea_agent", one)
        assert item.state == "dead" and "agency_suspended" in item.message
        (letter,) = [dead for dead in dead_letters(world.node, world.seats["dea_agent"]) if dead.subscription == one.id]
        replay(world.node, world.seats["dea_agent"], letter.id)
        world.follow()
        assert {item.record for item in notices(world, "dea_agent", one)} == {before.record, during.record}


def test_a_role_is_told_as_a_holder_of_the_role_and_each_holder_sees_it(world: World) -> None:
    chief = world.seat("atf", "administrator")
    other = world.seat("atf", "special_agent", also="second")
    with subscribed(world, chief, INCIDENTS, for_role="special_agent") as one:
        known = incident(world)
        world.follow()
        for seat in ("atf_agent", other):
            assert [item.record for item in notices(world, seat, one)] == [known.record]
        assert notices(world, "atf_custodian", one) == []
        assert one.id in {held.id for held in subscriptions(world.node, world.seats[other])}
        assert refused(unsubscribe, world.node, world.seats[other], str(one.id)).code == "not_found"


def test_nobody_sees_or_ends_another_member_s_subscription(world: World) -> None:
    other = world.seat("atf", "special_agent", also="second")
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        assert one.id not in {held.id for held in subscriptions(world.node, world.seats[other])}
        for seat in (other, "cpd_records"):
            assert refused(unsubscribe, world.node, world.seats[seat], str(one.id)).code == "not_found"
            assert refused(replay_all, world.node, world.seats[seat], str(one.id)).code == "not_found"


def test_one_that_was_gone_for_a_day_finds_each_notice_once(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known = [incident(world) for _ in range(3)]
        place_all(world)
        with clock.at(clock.now() + timedelta(days=1)):
            world.follow()
            world.follow()
            told = notices(world, "atf_agent", one)
        assert sorted(item.record for item in told) == sorted(receipt.record for receipt in known)


def test_an_offer_and_its_answer_are_told_to_both_sides(world: World) -> None:
    known = incident(world)
    with (
        subscribed(world, "cpd_records", {"types": ["investigation.adoption"]}) as city,
        subscribed(world, "atf_agent", {"types": ["investigation.adoption"]}) as bureau,
    ):
        offered = world.enter(
            "atf_agent", "investigation.adoption", {"owner": "cpd", "program": "firearms", "purpose": "Firearms."},
            links={"incident": [known.record]},
        )  # fmt: skip
        world.follow()
        world.answer("cpd_sergeant", offered.record, "accepted", fields={"conditions": "None."})
        world.follow()
        for seat, one in (("cpd_records", city), ("atf_agent", bureau)):
            told = notices(world, seat, one)
            assert {item.record for item in told} == {offered.record}
            assert any("Entered by atf" in item.message for item in told)
            assert any("Accepted by cpd" in item.message for item in told)


def test_old_deliveries_leave_the_outbox_batch_by_batch_and_nothing_is_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    erring = {**INCIDENTS, "where": "record.nothing == 'x'"}
    with subscribed(world, "atf_agent", INCIDENTS) as one, subscribed(world, "atf_agent", erring) as failing:
        for _ in range(3):
            incident(world)
        world.follow()
        chief = world.seats[world.seat("atf", "administrator")]
        tokens.suspend_member(world.node, chief, world.seats["atf_agent"].member, reason="inquiry")
        try:
            missed = incident(world)
            world.follow()  # which stops both, at this place
        finally:
            tokens.suspend_member(world.node, chief, world.seats["atf_agent"].member, reason="ended", lift=True)
        told = notices(world, "atf_agent", one)
        before = {row[:2] for row in outbox(world, one)}
        assert before == {("notice", "done"), ("subscription", "dead")}
        with clock.at(clock.now() + timedelta(days=29)):
            worker.prune_all(world.node)
            assert len(outbox(world, one)) == 4
        answered = world.enter("atf_agent", "investigation.lead", {"partner": "dea", "lead_agency": "atf"},
                               links={"case": [case(world).record]})  # fmt: skip
        world.answer("dea_agent", answered.record, "agreed")
        world.follow()
        moved = world.read("atf_agent", answered.record).version
        with clock.at(clock.now() + timedelta(days=31)):
            left = []
            while worker.prune_all(world.node):
                left.append(len([row for row in outbox(world, one) if row[1] == "done"]))
            assert sorted(left, reverse=True) == left and left[-1] == 0 and len(left) >= 2
        assert [row[:2] for row in outbox(world, one)] == [("subscription", "dead")]
        assert [row[1] for row in outbox(world, failing)] == ["dead"] * 4
        assert world.rows("atf", "select count(*) from comity.outbox where follower = 'settle'") == [(0,)]
        world.follow()
        assert world.read("atf_agent", answered.record).version == moved
        replay_all(world.node, world.seats["atf_agent"], str(one.id))
        world.follow()
        again = notices(world, "atf_agent", one)
        assert {item.record for item in again} - {item.record for item in told} == {missed.record}
        assert [row for row in outbox(world, one) if row[0] == "notice"] == [("notice", "done", "")]
        assert len([item for item in again if item.state != "dead"]) == 4


def test_the_app_role_deletes_deliveries_that_were_made_and_nothing_else_of_the_outbox(world: World) -> None:
    entry = incident(world).entry
    kinds = [("notice", "due"), ("webhook", "dead"), ("escalation", "done"), ("disclosure-digest", "done")]
    with world.node.transaction("atf") as (conn, _):
        for follower, state in [*kinds, ("webhook", "done")]:
            conn.execute(
                """insert into comity.outbox (follower, entry, target, agency, state, changed_at)
                   values (%s, %s, 'pruned ' || %s, 'atf', %s, '2020-01-01Z')""",
                (follower, entry, state, state),
            )
        assert conn.execute("delete from comity.outbox where starts_with(target, 'pruned')").rowcount == 1
        rows = conn.execute("select follower, state from comity.outbox where starts_with(target, 'pruned')").fetchall()
        assert sorted(rows) == sorted(kinds)
        conn.execute("update comity.outbox set state = 'done' where starts_with(target, 'pruned')")
