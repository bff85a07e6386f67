"""Either lock alone holds: with Cedar off nothing beyond reach is shown, with RLS off nothing beyond policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from comity.config.database import Database
from comity.config.settings import Settings
from comity.errors import Problem
from comity.kernel.policy.decide import Decision, Policies
from comity.kernel.policy.scope import GroupColumns, Predicate
from comity.kernel.records.attach import fetch
from comity.kernel.records.emergency import openings
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find_by_number
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.views.receipt import receipt
from comity.kernel.work import node as node_module
from comity.kernel.work.node import Node
from tests.policy_attack.conftest import ISLANDS
from tests.policy_attack.matrix import ALL
from tests.policy_attack.planting import Garden
from tests.policy_attack.test_verbs import Opponent, listing
from tests.world import World, day, node_on


class Open:
    """A stand-in for Policies that allows everything: its decision is yes and its scope is true."""

    def __init__(self, catalogue: Any, incoming: Any = ()) -> None:
        self.catalogue, self.agency = catalogue, catalogue.agency
        self._agreed: dict[str, set[str]] = {}

    groups_of = Policies.groups_of

    def decide(self, *_: Any, **__: Any) -> Decision:
        return Decision(True, ("open",), "open")

    def decide_groups(self, *_: Any, groups: Any, **__: Any) -> dict[str, Decision]:
        return dict.fromkeys(groups, Decision(True, ("open",), "open"))

    def scope(self, *_: Any, **__: Any) -> Predicate:
        return Predicate("true", {})

    def group_columns(self, *_: Any, **__: Any) -> GroupColumns:
        raise NotImplementedError


@pytest.fixture
def without_cedar(database: Database, node_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setattr(node_module, "Policies", Open)
    made = node_on(database, node_settings)
    yield made
    made.close()


def test_with_cedar_off_no_row_beyond_reach_is_shown(
    world: World,
    garden: Garden,
    without_cedar: Node,
    islands: dict[str, set[str]],
) -> None:
    owners = {record: agency for agency, ids in islands.items() for record in ids}

    def beyond_reach(agency: str, record: str) -> bool:
        """Of the records of agencies that other tests of this worker installed, the database says who reaches them."""
        if record in owners:
            return owners[record] not in reached.get(agency, set(ALL))
        with world.node.transaction(agency) as (conn, _):
            row = conn.execute("select agency = any (comity.reach()) from comity.record where id = %s", (record,))
            return row.fetchone() != (True,)

    reached = {"island": {"island"}, "in-police": {"in-police", "in-court"}, "in-court": {"in-police", "in-court"}}
    shown = beyond = asked = 0
    for agency in (*ISLANDS, "atf", "cpd", "usao"):
        within = reached.get(agency, set(ALL))
        seat = world.seat(agency, *world.node.catalogue(agency).roles)
        actor = world.seats[seat]
        for item in listing(without_cedar, actor):
            shown, beyond = shown + 1, beyond + beyond_reach(agency, item["id"])
        for record, owner in owners.items():
            for verb in (read, history):
                asked += 1
                try:
                    verb(without_cedar, actor, record)
                    shown, beyond = shown + 1, beyond + (owner not in within)
                except Problem as problem:
                    assert problem.code == "not_found"
                    assert owner not in within
    assert beyond == 0
    assert shown > 500 and asked > 1000, "with Cedar off everything within reach is there"


@pytest.fixture
def without_rls(database: Database, node_settings: Settings) -> Iterator[Node]:
    """A node whose pool is the superuser's: no row-level security applies to any of its statements."""
    made = node_on(replace(database, app_url=database.superuser_url), node_settings)
    with made.transaction("island") as (conn, _):
        assert conn.execute("select count(distinct agency) from comity.record").fetchone()[0] > 3  # type: ignore[index]
    yield made
    made.close()


@pytest.mark.parametrize(
    ("agency", "role"),
    [("cpd", "detective"), ("atf", "special_agent"), ("dea", "intelligence_analyst"), ("fsl", "analyst"),
     ("usao", "clerk")],
)  # fmt: skip
def test_with_row_level_security_off_nothing_beyond_policy_is_shown(
    world: World,
    garden: Garden,
    without_rls: Node,
    agency: str,
    role: str,
    islands: dict[str, set[str]],
) -> None:
    opponent = Opponent(garden, world.seats[world.seat(agency, role)], without_rls)
    opponent.every |= {record for owner in ISLANDS for record in islands[owner]}
    for one in garden.all:
        assert (opponent.ask(read, one.id).get("code") != "not_found") == (one.id in opponent.may.ids)
        opponent.ask(history, one.id)
        if one.file:
            opponent.ask(fetch, one.file)
        if one.number:
            opponent.ask(find_by_number, one.number)
    with without_rls.transaction(agency) as (conn, _):
        entries = [row[0] for row in conn.execute("select id::text from comity.entry where agency <> %s", (agency,))]
    for entry in entries[::7]:
        opponent.ask(receipt, entry)
    for owner in ISLANDS:
        for record in islands[owner]:
            assert opponent.ask(read, record)["code"] == "not_found"
    found = opponent.ask(listing)
    assert {item["id"] for item in found if item["id"] in opponent.every} == opponent.may.found
    opponent.ask(inbox)
    assert all(one["owner"] == agency or one["agency"] == agency for one in opponent.ask(openings))


def test_with_row_level_security_off_an_offer_shows_no_third_party_its_answer_and_a_pointer_is_ones_own(
    world: World, garden: Garden, without_rls: Node
) -> None:
    """The city is a party to ATF's referral and reads its base: not the office's answer, not the manifest."""
    for node in (world.node, without_rls):
        view = read(node, world.seats["cpd_sergeant"], garden["atf.referral"].id)
        assert view.offer is None
    target = {"role": "subject", "name": "Same Target", "birth_date": "1980-01-02"}
    mine = world.enter("atf_agent", "registry.person", target)
    world.enter("dea_agent", "registry.person", target)
    lead = {"partner": "cpd", "lead_agency": "atf"}
    case = world.enter(
        "atf_agent", "investigation.case", {"title": "Same target", "program": "firearms", "opened": day()}
    )
    world.enter("atf_agent", "investigation.lead", lead, links={"case": [case.record], "subject": [mine.record]})
    for node in (world.node, without_rls):
        assert read(node, world.seats["atf_agent"], mine.record).pointers
        seen = read(node, world.seats["cpd_sergeant"], mine.record)
        assert not seen.pointers and not seen.seen_by
        assert not [
            one
            for one in inbox(node, world.seats["cpd_sergeant"])
            if one.kind == "pointer" and one.record == mine.record
        ]
