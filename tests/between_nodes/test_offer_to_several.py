"""An offer to several: each receiver answers for itself; the convener's log alone says that the number is reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from comity import clock
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import seal_bytes
from comity.kernel.portability import rebuild
from comity.kernel.views.history import history
from comity.kernel.work.results import Receipt
from comity.kernel.work.subject import loaded
from tests.between_nodes.conftest import PASSING, PLAN, Two
from tests.between_nodes.test_hostile_peer import answer, carried
from tests.world import World, refused

ALL = ["cpd", "dea", "fsl"]


@pytest.fixture
def director(two: Two) -> str:
    return two.atf.world.seat("fsl", "director")


def plan(two: Two, *partners: str) -> Receipt:
    return two.atf.world.enter("atf_agent", PLAN, {"partners": list(partners), "terms": "We search together."})


def sides(world: World, record: str) -> dict[str, str]:
    return dict(world.rows("atf", "select to_agency, state from comity.offer where id = %s", record))


def counted(world: World, record: str) -> list[frozenset[str]]:
    """The answers that ATF's own entries name as those by which the plan is reached."""
    rows = world.rows(
        "atf",
        """select c.content from comity.entry e join comity.entry_content c on c.entry = e.id
            where e.record = %s and e.agency = 'atf' and e.kind = 'settle' order by e.version""",
        record,
    )
    return [items.counted(loaded(row[0]) or {}) for row in rows]


def test_two_of_three_are_enough_and_the_conveners_entry_names_them(two: Two, director: str) -> None:
    atf, dea = two.atf.world, two.dea.world
    made = plan(two, *ALL)
    two.carry()
    assert sides(atf, made.record) == dict.fromkeys(ALL, "offered")
    one = atf.answer(director, made.record, "agreed")
    two.carry()
    assert atf.read("atf_agent", made.record).state == "offered", "one is not two"
    assert sides(atf, made.record) == {"cpd": "offered", "dea": "offered", "fsl": "agreed"}
    other = dea.answer("dea_supervisor", made.record, "agreed", fields={"remark": "At dawn."})
    two.carry()
    assert atf.read("atf_agent", made.record).state == dea.read("dea_supervisor", made.record).state == "agreed"
    assert counted(atf, made.record) == [frozenset(), frozenset((one.entry, other.entry))]
    late = replace(answer(made), type=PLAN, id=answer(made).id)
    assert replace(two.atf, peer="cpd").takes([carried(seal_bytes(late))]).taken == [str(late.id)]
    atf.follow()
    assert sides(atf, made.record) == dict.fromkeys(ALL, "agreed")
    assert counted(atf, made.record)[2] == frozenset(), "what comes later is kept and moves nothing"
    assert atf.read("atf_agent", made.record).state == "agreed"
    assert rebuild.run(atf.node).equal and rebuild.run(dea.node).equal


def test_each_receiver_sees_its_own_side_alone(two: Two, director: str) -> None:
    made = plan(two, *ALL)
    atf = two.atf.world
    atf.answer(director, made.record, "declined", reason="No room")
    two.carry()
    seen = two.dea.world.read("dea_supervisor", made.record)
    assert seen.offer and (seen.offer["to"], seen.offer["state"], seen.offer["several"]) == ("dea", "offered", [])
    assert "agreed" in seen.acts
    assert refused(atf.read, director, made.record).code == "not_found", "its own grant ended, and no other's"
    lines = history(two.dea.world.node, two.dea.world.seats["dea_supervisor"], made.record)
    assert [line.agency for line in lines] == ["atf", "atf"], "not what another receiver said"
    view = atf.read("atf_agent", made.record)
    assert view.offer and {one["to"]: one["state"] for one in view.offer["several"]} == {
        "cpd": "offered", "dea": "offered", "fsl": "declined",
    }  # fmt: skip


def test_two_receivers_on_one_node_have_each_its_own_side(two: Two) -> None:
    """Their lines are of the same entries; the second finds them there and is offered the plan all the same."""
    made = plan(two, "cpd", "dea")
    two.carry()
    atf, there = replace(two.atf, peer="cpd"), replace(two.dea, agency="cpd")
    assert there.side(made.record) == {}
    for _ in range(2):
        taken = there.takes(atf.sends())
        assert not taken.refused and there.side(made.record)["state"] == "offered"
    two.dea.world.answer("dea_supervisor", made.record, "agreed")
    assert there.side(made.record)["state"] == "offered", "what the other answers is its own"
    atf.world.act("atf_agent", made.record, "withdrawn")
    two.carry()
    assert not there.takes(atf.sends()).refused
    assert (two.dea.side(made.record)["state"], there.side(made.record)["state"]) == ("agreed", "withdrawn")
    assert there.side(made.record)["noted"] is True, "each notes the end in its own log"
    replace(two.atf, peer="cpd").takes(replace(two.dea, agency="cpd").sends())
    assert sides(atf.world, made.record) == {"cpd": "withdrawn", "dea": "agreed"}


def test_a_withdrawal_that_crosses_the_second_acceptance_comes_too_late(two: Two, director: str) -> None:
    """The first accepts and is heard; ATF withdraws while the second accepts on its own node; the third is silent."""
    atf, dea = two.atf.world, two.dea.world
    made = plan(two, *ALL)
    two.carry()
    one = atf.answer(director, made.record, "agreed")
    atf.follow()
    atf.act("atf_agent", made.record, "withdrawn")
    assert sides(atf, made.record) == {"cpd": "withdrawing", "dea": "withdrawing", "fsl": "agreed"}
    assert refused(atf.read, director, made.record).code == "not_found", "the grant has ended for all of them"
    other = dea.answer("dea_supervisor", made.record, "agreed")
    two.carry()
    assert sides(atf, made.record) == {"cpd": "withdrawing", "dea": "agreed", "fsl": "agreed"}
    assert atf.read("atf_agent", made.record).state == "agreed"
    assert counted(atf, made.record)[-1] == frozenset((one.entry, other.entry))
    assert refused(dea.read, "dea_supervisor", made.record).code == "not_found"
    assert rebuild.run(atf.node).equal and rebuild.run(dea.node).equal


def test_a_withdrawal_that_comes_first_leaves_too_few(two: Two, director: str) -> None:
    atf, dea = two.atf.world, two.dea.world
    made = plan(two, "dea", "fsl")
    two.carry()
    atf.answer(director, made.record, "agreed")
    atf.act("atf_agent", made.record, "withdrawn")
    two.carry()
    assert refused(dea.answer, "dea_supervisor", made.record, "agreed").code == "offer_already_answered"
    assert sides(atf, made.record) == {"dea": "withdrawn", "fsl": "agreed"}
    assert atf.read("atf_agent", made.record).state == "withdrawn" and counted(atf, made.record) == [frozenset()]


def test_an_offer_to_several_names_others_than_oneself(two: Two) -> None:
    for partners in ([], ["atf", "dea"], "dea"):
        fields = {"partners": partners, "terms": "x"}
        assert refused(two.atf.world.enter, "atf_agent", PLAN, fields).code == "invalid"


def test_an_offer_to_convene_that_nobody_answers_leaves_the_plan_where_it_is(two: Two, director: str) -> None:
    atf = two.atf.world
    made = plan(two, *ALL)
    two.carry()
    atf.answer(director, made.record, "agreed")
    two.dea.world.answer("dea_supervisor", made.record, "agreed")
    two.carry()
    passing = atf.enter("atf_supervisor", PASSING, {"convener": "dea"}, links={"plan": [made.record]})
    atf.act("atf_supervisor", made.record, "offer_on", links={"passed_by": [passing.record]})
    with clock.at(clock.now() + timedelta(days=8)):
        two.carry()
    assert atf.read("atf_agent", passing.record).state == "expired"
    told = history(atf.node, atf.seats["atf_agent"], made.record)
    assert ("stay", "agreed") in [(one.act, one.state_to) for one in told], "what stands on it follows"
    assert told[-1].state_to == "agreed" and rebuild.run(atf.node).equal


def test_convening_passes_by_an_offer_and_its_acceptance(two: Two, director: str) -> None:
    """ATF's plan is passed on by its own entry when DEA's acceptance has come; DEA convenes one that continues it."""
    atf, dea = two.atf.world, two.dea.world
    made = plan(two, *ALL)
    two.carry()
    atf.answer(director, made.record, "agreed")
    dea.answer("dea_supervisor", made.record, "agreed")
    two.carry()
    assert atf.read("atf_agent", made.record).state == "agreed"
    passing = atf.enter("atf_supervisor", PASSING, {"convener": "dea"}, links={"plan": [made.record]})
    atf.act("atf_supervisor", made.record, "offer_on", links={"passed_by": [passing.record]})
    two.carry()
    assert atf.read("atf_agent", made.record).state == "agreed", "an offer alone passes nothing on"
    dea.answer("dea_supervisor", passing.record, "accepted")
    two.carry()
    for home, seat in ((atf, "atf_agent"), (dea, "dea_supervisor")):
        assert home.read(seat, made.record).state == "passed_on"
    assert refused(atf.act, "atf_supervisor", made.record, "offer_on", links={"passed_by": [passing.record]}).code in (
        "act_out_of_turn", "invalid",
    )  # fmt: skip
    own = {"partners": ["atf", "cpd"], "terms": "DEA convenes."}
    new = dea.enter("dea_agent", PLAN, own, links={"continues": [made.record]})
    two.carry()
    atf.answer("atf_supervisor", new.record, "agreed")
    two.carry()
    assert two.dea.world.rows(
        "dea", "select state from comity.offer where id = %s and to_agency = 'atf'", new.record
    ) == [("agreed",)]
    assert rebuild.run(atf.node).equal and rebuild.run(dea.node).equal
