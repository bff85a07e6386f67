"""Entered in error is one meaning for every type: what is in such a state stays readable and counts for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest

from comity import clock
from comity.config import loader
from comity.errors import Problem
from comity.kernel.duties.agenda import agenda
from comity.kernel.duties.clocks import due
from comity.kernel.duties.reconcile import Reconciliation, reconcile
from comity.kernel.exchange import duplicate_entry
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.portability import rebuild
from comity.kernel.records.act import act
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.sharing.activity import activity
from comity.kernel.views.find import find
from comity.kernel.views.read import read
from tests.world import World, day, refused

SHELF = {
    "shelf/pillar.yml": "pillar: shelf\ntitle: Shelf\nneeds: [registry]\n",
    "shelf/types/order.yml": """type: shelf.order
title: Order
fields: { text: { type: string, maxLength: 40, required: true } }
states: { given: { initial: true, final: true } }
acts: { enter: { by: [agent] } }
""",
    "shelf/types/loan.yml": """type: shelf.loan
title: Loan
number: "{agency}-LN{seq:04}"
title_field: what
replaced_by: instead
replaces: corrects
deconflict: [[what]]
fields:
  what: { type: string, maxLength: 40, required: true, find: true, term: x:ItemName }
  lent_on: { type: string, format: date, required: true }
links:
  order: { to: shelf.order }
  instead: { to: shelf.loan }
  corrects: { to: shelf.loan }
states: { out: { initial: true }, back: { final: true }, mistaken: { final: true, in_error: true } }
acts:
  enter: { by: [agent] }
  give_back: { from: [out], to: back, by: [agent] }
  take_back: { from: [out], to: mistaken, by: [agent], needs: [reason], sets: [instead] }
""",
}
LAW = {
    "jurisdiction.yml": "jurisdiction: land\ntitle: Land\nzone: UTC\n",
    "rules/calendar.yml": """rule: land.calendar
title: Calendar
default: land
calendars:
  land: { title: Land, zone: UTC, weekend: [sunday], verified: GK, covers: { from: 2020-01-01, until: 2040-12-31 } }
""",
    "rules/clocks.yml": """rule: land.clocks
title: Clocks
clocks:
  loan_ends:
    title: The loan ends
    start: lent
    stop: [returned]
    count: plain
    cases: [{ days: 30 }]
    consequence: It is asked back
    citation: Rule of the shelf
    verified: GK
    from: 2020-01-01
events:
  lent:
    - { type: shelf.loan, field: lent_on }
  returned:
    - { type: shelf.loan, act: give_back }
""",
    "rules/orders.yml": """rule: land.orders
joints:
  carried_out:
    title: An order to lend is carried out
    given: { type: shelf.order }
    done: { type: shelf.loan, link: order }
    within: P1D
    message: "Nothing is lent under {number}."
    verified: local
  returned:
    title: What is lent comes back
    given: { type: shelf.loan }
    done: { self: [back] }
    within: P1D
    message: "{number} is not back."
    verified: local
""",
}


class Shelf:
    """Two offices that lend things, with a law of their own."""

    def __init__(self, world: World) -> None:
        self.world, self.node = world, world.node
        mark = uuid4().hex[:6]
        self.name, self.next = f"shelf-{mark}", f"next-{mark}"
        self.agent, self.other = self.put(self.name), self.put(self.next)

    def put(self, agency: str) -> Actor:
        files = {
            "agency.yml": f"agency: {agency}\ntitle: {agency}\njurisdiction: land\nzone: UTC\npurpose: custody\n"
            "pillars: [registry, shelf]\n",
            "roles.yml": 'roles:\n  agent: { is: [agent], read: { "*": all } }\n',
        }
        core = {**loader.core_files(), **SHELF}
        install(self.node, tokens.operator(), agency=agency, core=core, jurisdiction=LAW, own=files)
        issued = tokens.admit(self.node, agency, f"agent of {agency}", ["agent"])
        return tokens.sign_in(self.node, issued.token)

    def loan(self, what: str, by: Actor | None = None, **links: str) -> str:
        pointed = {name: [one] for name, one in links.items()}
        fields = {"what": what, "lent_on": day(5)}
        return enter(self.node, by or self.agent, "shelf.loan", fields, links=pointed).record

    def mistaken(self, loan: str, instead: str = "") -> None:
        links = {"instead": [instead]} if instead else {}
        act(self.node, self.agent, loan, "take_back", reason="Typed twice", links=links)

    def listed(self, **asked: object) -> set[str]:
        items = find(self.node, self.agent, type="shelf.loan", limit=200, **asked).items  # type: ignore[arg-type]
        return {one["id"] for one in items}

    def judged(self, at: datetime | None = None) -> Reconciliation:
        return reconcile(self.node, self.agent, at=at)


@pytest.fixture(scope="module")
def shelf(world: World) -> Iterator[Shelf]:
    made = Shelf(world)
    yield made
    found = rebuild.run(made.node, agency=made.name)
    assert found.equal, found.differences[:5]


def test_it_leaves_lists_unless_it_is_asked_for(shelf: Shelf) -> None:
    right, wrong = shelf.loan("Ladder"), shelf.loan("Ladder")
    shelf.mistaken(wrong)
    assert right in shelf.listed() and wrong not in shelf.listed()
    assert shelf.listed(text="ladder") >= {right} and wrong not in shelf.listed(where={"what": "Ladder"})
    everything = find(shelf.node, shelf.agent, limit=200).items
    assert wrong not in {one["id"] for one in everything}, "nor without a type"
    number = str(read(shelf.node, shelf.agent, wrong).number)
    assert shelf.listed(where={"number": number}) == {wrong}
    assert wrong in shelf.listed(where={"state": "mistaken"})
    assert wrong in shelf.listed(where={"in_error": "true"}) and right not in shelf.listed(where={"in_error": "true"})
    problem = refused(shelf.listed, where={"in_error": "perhaps"})
    assert isinstance(problem, Problem) and problem.faults[0].path == "in_error"


def test_its_page_says_so_and_what_takes_its_place(shelf: Shelf) -> None:
    right, wrong, again = shelf.loan("Rope"), shelf.loan("Rope"), shelf.loan("Rope")
    assert not read(shelf.node, shelf.agent, wrong).in_error
    shelf.mistaken(wrong, instead=right)
    shelf.mistaken(again)
    later = shelf.loan("Rope, 20 m", corrects=again)
    page = read(shelf.node, shelf.agent, wrong)
    assert page.in_error and page.state == "mistaken"
    assert [(one.name, one.id) for one in page.replaced_by] == [("instead", right)]
    assert page.as_json()["replaced_by"][0]["number"] == read(shelf.node, shelf.agent, right).number
    assert [(one.name, one.id) for one in read(shelf.node, shelf.agent, again).replaced_by] == [("corrects", later)]
    assert not read(shelf.node, shelf.agent, later).replaced_by, "what a right record corrects is nothing of it"


def test_no_clock_runs_from_it_and_as_it_was_known_then_it_did(shelf: Shelf) -> None:
    wrong = shelf.loan("Saw")
    before = clock.now()
    assert [one.title for one in due(shelf.node, shelf.agent, wrong).dues] == ["The loan ends"]
    shelf.mistaken(wrong)
    assert due(shelf.node, shelf.agent, wrong).dues == ()
    assert wrong not in {one.due.record for one in agenda(shelf.node, shelf.agent, every=True, limit=200).lines}
    assert [one.title for one in due(shelf.node, shelf.agent, wrong, at=before).dues] == ["The loan ends"]


def test_it_owes_nothing_and_meets_nothing(shelf: Shelf) -> None:
    order = enter(shelf.node, shelf.agent, "shelf.order", {"text": "Lend it"}).record
    loan = shelf.loan("Pump", order=order)
    before = clock.now()
    shelf.mistaken(loan)
    found = shelf.judged()
    waiting = {(one.joint, one.record) for one in (*found.open, *found.differences)}
    assert ("land.orders.carried_out", order) in waiting, "a mistake carries out no order"
    assert ("land.orders.returned", loan) not in waiting, "and need not come back"
    then = shelf.judged(before)
    assert ("land.orders.returned", loan) in {(one.joint, one.record) for one in (*then.open, *then.differences)}


def test_it_collides_with_nobody_any_more(shelf: Shelf) -> None:
    what = f"Crane {uuid4().hex[:6]}"
    shelf.mistaken(shelf.loan(what))
    assert not read(shelf.node, shelf.other, shelf.loan(what, shelf.other)).pointers
    kept = shelf.loan(what)
    assert [one["agency"] for one in read(shelf.node, shelf.agent, kept).pointers] == [shelf.next]


def test_it_leaves_the_statistics(shelf: Shelf) -> None:
    def counted() -> dict[str, int]:
        shelf.world.follow()
        done = activity(shelf.node, shelf.agent)
        return {one.act: one.entries for one in done if one.type == "shelf.loan"}

    before, facts = counted(), duplicate_entry.count(shelf.node, agency=shelf.name)
    wrong = shelf.loan(f"Mower {uuid4().hex[:6]}")
    entered = counted()
    assert entered["enter"] == before.get("enter", 0) + 1
    assert duplicate_entry.count(shelf.node, agency=shelf.name).entered == facts.entered + 2
    shelf.mistaken(wrong)
    assert counted() == before, "neither its entry nor its taking back"
    assert duplicate_entry.count(shelf.node, agency=shelf.name).entered == facts.entered


def test_a_person_entered_in_error_is_no_target_and_says_who_it_is_rightly(world: World) -> None:
    name = f"Person {uuid4().hex[:6]}"
    fields = {"role": "subject", "name": name, "birth_date": "1980-01-01"}
    wrong = world.enter("atf_agent", "registry.person", fields).record
    right = world.enter("atf_agent", "registry.person", {**fields, "name": name + " jr"}).record
    world.act("atf_supervisor", wrong, "retire", reason="Another person", links={"replaced_by": [right]})
    dea = world.seat("dea", "special_agent")
    assert world.enter(dea, "registry.person", fields).pointers == ()
    page = world.read("atf_agent", wrong)
    assert page.in_error and [one.id for one in page.replaced_by] == [right]
    found = find(world.node, world.seats["atf_agent"], type="registry.person", text=name).items
    assert {one["id"] for one in found} == {right}
