"""An offer whose two sides are kept in two databases: entries travel as bytes, and each side projects its own row."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest

from comity import clock
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.sharing.carry_in import take_lines
from comity.kernel.work.node import Conn, system
from tests.between_nodes.conftest import Home, Two
from tests.speeds.sizes import size
from tests.world import refused


def test_an_offer_is_answered_on_another_node_and_the_answer_comes_back(two: Two) -> None:
    lead = two.offers()
    assert two.atf.side(lead.record)["state"] == "offered" and two.dea.side(lead.record) == {}
    two.carry()
    dea, atf = two.dea.world, two.atf.world
    seen = dea.read("dea_supervisor", lead.record)
    assert (seen.fields["terms"], seen.agency, seen.number) == ("ATF leads.", "atf", lead.number)
    case, person = (
        dea.read("dea_supervisor", next(one.id for one in seen.linked if one.name == link))
        for link in ("case", "subject")
    )
    assert case.fields["title"] == "Straw purchases" and "summary" not in case.fields
    assert person.fields["name"] == "Invented Näme" and "remarks" not in person.fields
    stored = dea.rows("dea", "select string_agg(convert_from(content, 'UTF8'), ' ') from comity.entry_content")
    assert "Straw purchases" in stored[0][0] and "Not for others" not in stored[0][0], "what is hidden never came"

    dea.answer("dea_supervisor", lead.record, "agreed", fields={"counter_terms": "Weekly calls."})
    assert two.dea.side(lead.record)["state"] == "agreed" and two.atf.side(lead.record)["state"] == "offered"
    two.carry()
    assert two.atf.side(lead.record)["state"] == "agreed"
    view = atf.read("atf_agent", lead.record)
    assert view.state == "agreed" and view.offer and view.offer["answer"] == {"counter_terms": "Weekly calls."}
    assert dea.read("dea_supervisor", lead.record).state == "agreed", "the offerer's own entry has come too"
    assert rebuild.run(atf.node).equal and rebuild.run(dea.node).equal
    assert refused(atf.act, "atf_agent", lead.record, "withdrawn").code == "offer_already_answered"


def test_a_withdrawal_ends_the_grant_at_once_and_waits_for_the_receivers_word_alone(two: Two) -> None:
    lead = two.offers()
    two.carry()
    two.atf.world.act("atf_agent", lead.record, "withdrawn")
    assert two.atf.side(lead.record) == {"state": "withdrawing", "ends": True, "answer": {}, "noted": False}
    assert two.atf.world.read("atf_agent", lead.record).state == "withdrawn", "its own log has decided"
    assert refused(two.atf.world.act, "atf_agent", lead.record, "withdrawn").extra["state"] == "withdrawing"
    two.carry()
    assert two.atf.side(lead.record) == {"state": "withdrawn", "ends": True, "answer": {}, "noted": True}
    assert two.dea.side(lead.record) == {"state": "withdrawn", "ends": True, "answer": {}, "noted": True}
    late = refused(two.dea.world.answer, "dea_supervisor", lead.record, "agreed")
    assert (late.code, late.extra["state"]) == ("offer_already_answered", "withdrawn")
    assert refused(two.dea.world.read, "dea_supervisor", lead.record).code == "not_found"


def test_an_acceptance_that_crosses_the_withdrawal_stands_and_the_grant_stays_ended(two: Two) -> None:
    lead = two.offers()
    two.carry()
    two.atf.world.act("atf_agent", lead.record, "withdrawn")
    two.dea.world.answer("dea_supervisor", lead.record, "agreed", fields={"counter_terms": "Weekly calls."})
    two.carry()
    told = {"state": "agreed", "ends": True, "answer": {"counter_terms": "Weekly calls."}, "noted": False}
    assert two.atf.side(lead.record) == told and two.dea.side(lead.record) == told
    assert two.atf.world.read("atf_agent", lead.record).state == "agreed"
    assert refused(two.dea.world.read, "dea_supervisor", lead.record).code == "not_found", "ended is ended"
    live = "select count(*) from comity.share where offer = %s and live"
    for home in (two.atf, two.dea):
        assert home.world.rows(home.agency, live, lead.record) == [(0,)]
        assert rebuild.run(home.world.node).equal


def test_an_offer_of_which_nothing_was_shown_before_it_was_withdrawn_can_still_be_answered(two: Two) -> None:
    """Its first line was lost; sent again after the withdrawal it says who offered to whom, and nothing else."""
    lead = two.offers()
    two.atf.sends()
    two.atf.world.act("atf_agent", lead.record, "withdrawn")
    offered = [line for line in two.atf.sends() if json.loads(line)["header"]["record"] == lead.record][:1]
    assert len(two.dea.takes(offered).taken) == 1 and two.dea.side(lead.record)["state"] == "offered"
    two.dea.world.answer("dea_supervisor", lead.record, "agreed")
    two.carry()
    assert two.atf.side(lead.record) == two.dea.side(lead.record)
    assert two.atf.side(lead.record)["state"] == "agreed", "its log had the answer first"


def test_an_offer_that_expires_ends_on_both_sides(two: Two) -> None:
    lead = two.offers()
    two.carry()
    with clock.at(clock.now() + timedelta(days=7, minutes=1)):
        assert refused(two.dea.world.answer, "dea_supervisor", lead.record, "agreed").extra["state"] == "expired"
        two.carry()
    for home in (two.atf, two.dea):
        assert home.side(lead.record) == {"state": "expired", "ends": True, "answer": {}, "noted": True}


def test_nobody_waits_for_a_receiver_that_was_suspended(two: Two) -> None:
    before, after = two.offers(), two.offers()
    two.carry()
    node = two.atf.world.node
    two.atf.world.act("atf_agent", before.record, "withdrawn")
    assert two.atf.side(before.record)["state"] == "withdrawing"
    two.dea.world.answer("dea_supervisor", after.record, "agreed")
    tokens.suspend_agency(node, tokens.operator(), "dea", reason="Key lost")
    try:
        two.atf.world.act("atf_agent", after.record, "withdrawn")
        assert two.atf.side(after.record)["state"] == "withdrawn", "at once"
        two.atf.world.follow()
        assert two.atf.side(before.record)["state"] == "withdrawn", "as soon as its own follower has seen it"
        assert refused(two.atf.takes, two.dea.sends()).code == "request_invalid"
    finally:
        tokens.suspend_agency(node, tokens.operator(), "dea", reason="New key", lift=True)
    two.carry()
    assert two.atf.side(before.record)["noted"] is True
    assert two.atf.side(after.record)["state"] == "agreed", "it had answered before, and its log says so"


ORDERS = 200


def test_what_comes_twice_and_in_any_order_gives_the_same(two: Two) -> None:
    """All that DEA gets of an offer that is answered and settled and of one that is withdrawn; what ATF gets back."""
    stay, go = two.offers(), two.offers()
    lines: dict[str, list[bytes]] = {"atf": [], "dea": []}
    for _ in range(4):
        for here, there in ((two.atf, two.dea), (two.dea, two.atf)):
            lines[there.agency] += (sent := here.sends())
            here.is_told(there.takes(sent))
        if two.dea.side(stay.record)["state"] == "offered":
            two.dea.world.answer("dea_supervisor", stay.record, "agreed")
            two.atf.world.act("atf_agent", go.record, "withdrawn")
    third = two.offers()
    fresh = two.atf.sends()
    assert two.atf.side(stay.record)["state"] == "agreed" and two.atf.side(go.record)["noted"] is True
    for home, bag in ((two.dea, fresh), (two.dea, lines["dea"]), (two.atf, lines["atf"])):
        before = everything(home, third.record)
        seen = set()
        for seed in range(ORDERS):
            mixed = [*bag, *bag]
            random.Random(seed).shuffle(mixed)
            with home.world.node.work(system(home.agency)) as work, work.conn.transaction(force_rollback=True):
                taken = take_lines(work, home.peer, mixed)
                assert not taken.refused and not taken.waiting and len(taken.taken) >= len(bag), seed
                seen.add(_rows(work.conn, home.peer, third.record))
        assert len(seen) == 1
        if bag is not fresh:
            assert seen == {before}, "what was here already stays as it is"
    two.carry()
    assert everything(two.dea, third.record) in seen or two.dea.side(third.record)["state"] == "offered"


def everything(home: Home, third: str) -> str:
    with home.world.node.work(system(home.agency)) as work:
        return _rows(work.conn, home.peer, third)


def _rows(conn: Conn, peer: str, third: str) -> str:
    """All that entries make, but for ids that are random: offers, records, grants."""
    asked = (
        "select id, to_agency, state, ends, answer_entry, ended_entry, noted_entry is null, settled_entry"
        " from comity.offer order by id, to_agency",
        "select id, version, state, fields::text, links::text, marks from comity.record"
        f" where agency = '{peer}' order by id",
        "select record, to_agency, version, groups, live from comity.share where offer is not null"
        " order by offer, record",
    )
    return repr([conn.execute(one).fetchall() for one in asked])


@pytest.mark.parametrize("seed", range(size(small=4, deep=60)))
def test_whatever_is_lost_doubled_or_late_both_sides_come_to_the_same(two: Two, seed: int) -> None:
    """The withdrawal and the acceptance are entered at moments of their own while half of what goes by is lost."""
    chance = random.Random(seed)
    lead = two.offers()

    def lossy(lines: list[bytes]) -> list[bytes]:
        kept = [line for line in [*lines, *lines] if chance.random() < 0.5]
        chance.shuffle(kept)
        return kept

    accepted = withdrawn = False
    for _ in range(8):
        for here, there in ((two.atf, two.dea), (two.dea, two.atf)):
            taken = there.takes(lossy(here.sends()))
            assert not taken.refused
            if chance.random() < 0.5:
                here.is_told(taken)
        if not withdrawn and chance.random() < 0.4 and two.atf.side(lead.record)["state"] == "offered":
            two.atf.world.act("atf_agent", lead.record, "withdrawn")
            withdrawn = True
        if not accepted and chance.random() < 0.4 and two.dea.side(lead.record).get("state") == "offered":
            two.dea.world.answer("dea_supervisor", lead.record, "agreed")
            accepted = True
    two.carry(lossy)
    assert two.atf.side(lead.record) == two.dea.side(lead.record)
    state = "agreed" if accepted else "withdrawn" if withdrawn else "offered"
    assert two.atf.side(lead.record)["state"] == state and two.atf.side(lead.record)["ends"] is withdrawn
    assert two.atf.world.read("atf_agent", lead.record).state == state
