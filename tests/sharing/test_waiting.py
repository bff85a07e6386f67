"""Who is followed when: those whom new entries concern at once, everybody from time to time, nobody for nothing."""

from __future__ import annotations

import psycopg

from comity import clock
from comity.config import worker
from comity.config.settings import settings
from comity.kernel.records.enter import enter
from comity.kernel.sharing.pending_work import pending_work
from tests.sharing.stage import incident, notices, place_all, subscribed
from tests.world import World, node_on

INCIDENTS = {"types": ["investigation.incident"]}


def test_those_whom_new_entries_concern_have_work_and_no_others(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        world.follow()
        for name in world.node.agencies():
            found = pending_work(world.node, name)
            assert not found.names & {"settle", "disclosure-digest", "activity", "subscriptions"}, name
        known = incident(world)
        place_all(world)
        city, bureau = pending_work(world.node, "cpd"), pending_work(world.node, "atf")
        news = {"activity", "subscriptions"}
        assert (city.names & news, bureau.names & news) == ({"activity"}, {"subscriptions"})
        worker.follow_placed(world.node, {"cpd"}, set())
        assert [item.record for item in notices(world, "atf_agent", one)] == [known.record]
        assert "activity" not in pending_work(world.node, "cpd")
        assert "subscriptions" not in pending_work(world.node, "atf")


def test_what_nobody_told_the_followers_is_found_by_the_round_of_everything(world: World) -> None:
    with subscribed(world, "atf_agent", INCIDENTS) as one:
        known = incident(world)
        place_all(world)
        worker.follow_all(world.node)
        assert [item.record for item in notices(world, "atf_agent", one)] == [known.record]
        assert "activity" not in pending_work(world.node, "cpd")


def test_a_round_learns_whose_obligations_the_entries_of_others_may_meet(world: World) -> None:
    world.follow()
    owing = set(world.node.agencies())
    worker.follow_placed(world.node, (), owing)
    assert owing == {name for name in world.node.agencies() if "obligations" in pending_work(world.node, name)}


def test_a_command_that_wrote_loads_nobody_s_definitions_for_nothing(world: World) -> None:
    world.follow()
    fields = {"incident_number": "S-ALONE", "offense_code": "143A", "victim_count": 1}
    other = node_on(world.database, settings({"COMITY_HOME": str(world.node.home)}))
    try:
        enter(other, world.seats["cpd_records"], "investigation.incident", fields)
        with clock.at(clock.now()), psycopg.connect(world.database.sequencer_url, autocommit=True) as conn:
            # the clock is held: what is due by the clock alone must not become due between the question and the round
            found = {name: pending_work(world.node, name) for name in world.node.agencies()}
            busy = {name for name, one in found.items() if one.names & {"obligations", "escalation"}}
            assert worker.once(other, conn) == 1
        assert "cpd" in other._catalogues and set(other._catalogues) <= {"cpd", *busy}
    finally:
        other.close()
