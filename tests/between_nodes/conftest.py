"""Two nodes, each with a cluster of its own: ATF is at home on the one and DEA on the other, which bring each other
entries as bytes. Chicago is at home on DEA's node; to ATF, tests speak in its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from comity.config import loader, paths
from comity.config.database import migrate, open_database
from comity.config.settings import settings
from comity.config.stories.referral import SEATS
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.portability.elsewhere import keep_elsewhere
from comity.kernel.records.install import install
from comity.kernel.sharing.carry_in import Taken, receive
from comity.kernel.sharing.carry_out import confirmed, owed
from comity.kernel.work.results import Receipt
from tests.conftest import test_binaries
from tests.world import World, day, node_on

LEAD = "investigation.lead"
PLAN = "investigation.joint_plan"
PLAN_TYPE = """
type: investigation.joint_plan
title: Joint plan
fields:
  partners:
    { type: array, minItems: 1, maxItems: 9, uniqueItems: true, items: { type: string, format: agency },
      counterparty: true, required: true }
  terms: { type: string, maxLength: 400, required: true }
  remark: { type: string, maxLength: 400, input: true }
links:
  continues: { to: investigation.joint_plan, fixed: true }
  passed_by: { to: investigation.joint_plan_passing, serial: true }
states:
  offered: { initial: true }
  agreed: {}
  passed_on: { final: true }
  withdrawn: { final: true }
  expired: { final: true }
acts:
  enter: { by: [agent, supervisor] }
  offer_on: { from: [agreed], by: [supervisor], needs: [passed_by], sets: [passed_by] }
  stay: { from: [agreed], by: [system], follows: { passed_by: [expired] } }
  pass_on: { from: [agreed], to: passed_on, by: [system], follows: { passed_by: [accepted] } }
offer:
  expires: P7D
  to_several: { needs: 2, counts: [agreed] }
  answers:
    agreed: { to: agreed, by: [supervisor], sets: [remark] }
    declined: { to: offered, by: [supervisor], needs: [reason], ends: true }
  withdrawn: { to: withdrawn, by: [agent, supervisor], from: [offered] }
  expired: { to: expired }
"""
"""A type whose offer goes to several: two of them must agree. Who entered it convenes it."""
PASSING = "investigation.joint_plan_passing"
PASSING_TYPE = """
type: investigation.joint_plan_passing
title: Passing on of a joint plan
fields:
  convener: { type: string, format: agency, counterparty: true, required: true, label: Convenes then }
links:
  plan: { to: investigation.joint_plan, required: true, fixed: true }
states:
  offered: { initial: true }
  accepted: { final: true }
  declined: { final: true }
  withdrawn: { final: true }
  expired: { final: true }
acts:
  enter: { by: [supervisor] }
offer:
  expires: P7D
  answers:
    accepted: { to: accepted, by: [supervisor] }
    declined: { to: declined, by: [supervisor], needs: [reason], ends: true }
  withdrawn: { to: withdrawn, by: [supervisor], from: [offered] }
  expired: { to: expired }
  grants: { groups: [base], links: { plan: [base] } }
"""
"""Convening passes by it: an offer of one agency, and the acceptance of another."""


@dataclass(frozen=True)
class Home:
    """The node of one agency, on which `peer` is kept elsewhere."""

    world: World
    agency: str
    peer: str

    def sends(self) -> list[bytes]:
        """What its peer has not said that it has, after its own followers have followed."""
        self.world.follow()
        return owed(self.world.node, self.agency, self.peer)

    def takes(self, lines: Sequence[bytes]) -> Taken:
        return receive(self.world.node, self.agency, self.peer, lines)

    def is_told(self, taken: Taken) -> None:
        """Its peer says what it has taken."""
        confirmed(self.world.node, self.agency, self.peer, taken.taken)

    def side(self, record: str) -> dict[str, Any]:
        """Its own row of an offer."""
        names = ("state", "ends", "answer", "noted")
        rows = self.world.rows(
            self.agency, "select state, ends, answer, noted_entry is not null from comity.offer where id = %s", record
        )
        assert len(rows) <= 1
        return dict(zip(names, rows[0], strict=True)) if rows else {}


@dataclass(frozen=True)
class Two:
    atf: Home
    dea: Home

    def carry(self, pack: Callable[[list[bytes]], Sequence[bytes]] = list) -> None:
        """Everything goes both ways until neither owes the other anything. `pack` may shuffle, double or lose."""
        for _ in range(50):
            moved = 0
            for here, there in ((self.atf, self.dea), (self.dea, self.atf)):
                sent = here.sends()
                taken = there.takes(pack(sent))
                assert not taken.refused, taken
                here.is_told(taken)
                moved += len(sent)
            if not moved:
                return
        raise AssertionError("it never comes to an end")

    def offers(self, partner: str = "dea") -> Receipt:
        """ATF proposes to its partner that ATF leads, with its case and its subject."""
        enter = self.atf.world.enter
        told = {"role": "subject", "name": "Invented Näme", "birth_date": "1980-01-02", "remarks": "Not for others"}
        person = enter("atf_agent", "registry.person", told)
        told = {"title": "Straw purchases", "program": "firearms", "opened": day(30), "summary": "Not for others"}
        case = enter("atf_agent", "investigation.case", told, links={"subject": [person.record]})
        return enter(
            "atf_agent", LEAD, {"partner": partner, "lead_agency": "atf", "terms": "ATF leads."},
            links={"case": [case.record], "subject": [person.record]},
        )  # fmt: skip


@pytest.fixture(scope="package")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with ExitStack() as stack:
        homes = []
        for home, peer in (("atf", "dea"), ("dea", "atf")):
            of = settings({"COMITY_HOME": str(tmp_path_factory.mktemp(home))})
            database = stack.enter_context(open_database(of, test_binaries()))
            migrate(database)
            node = node_on(database, of)
            stack.callback(node.close)
            law = read_folder(paths.jurisdictions() / "us-federal")
            core = {
                **loader.core_files(), "investigation/types/joint_plan.yml": PLAN_TYPE,
                "investigation/types/joint_plan_passing.yml": PASSING_TYPE,
            }  # fmt: skip
            for agency in (home, peer, *(("cpd", "fsl") if home == "atf" else ("cpd",))):
                own = dict(read_folder(paths.agencies() / agency))
                own["agreements.yml"] = own["agreements.yml"].replace(" offers: [", f" offers: [{PLAN}, {PASSING}, ")
                install(node, tokens.operator(), agency=agency, core=core, jurisdiction=law, own=own)
            for agency in (peer, "cpd") if home == "atf" else (peer,):
                keep_elsewhere(node, tokens.operator(), agency)
            world = World(node, database)
            for name, (agency, person, roles) in SEATS.items():
                if agency == home:
                    world._admit(name, agency, person, roles)
            homes.append(Home(world, home, peer))
        yield Two(*homes)
