"""What is owed is what a type declares to be an obligation: two packages on one type, debts by hand, and a stranger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from comity.config import loader, paths
from comity.config.settings import settings
from comity.extensions import Facts, Missing, Parcel
from comity.kernel.definitions.load import read_folder
from comity.kernel.exchange import obligations
from comity.kernel.exchange.submit import submit
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.portability import rebuild
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.sharing.inbox import inbox
from comity.kernel.sharing.pending_work import pending_work
from comity.kernel.sharing.settle import settle
from comity.kernel.views.read import read
from comity.kernel.views.refusals import refusals
from comity.kernel.work.node import Node
from comity.sentences import DEFAULT, Given
from tests.world import World, node_on, refused

LAW = read_folder(paths.jurisdictions() / "us-federal")
PARISH = {
    "parish/pillar.yml": "pillar: parish\ntitle: Parish\nneeds: [registry]\n",
    "parish/types/needs.yml": """type: parish.needs
title: What we need
fields: { text: { type: string, maxLength: 20, required: true } }
states: { published: { initial: true }, over: { final: true } }
acts: { enter: { by: [clerk] }, end: { from: [published], to: over, by: [clerk] } }
""",
    "parish/types/request.yml": """type: parish.request
title: Request
fields: { office: { type: string, format: agency, counterparty: true, required: true } }
links: { job: { to: parish.job } }
states: { offered: { initial: true }, taken: {}, given_up: { final: true }, withdrawn: { final: true } }
acts: { enter: { by: [agent] }, withdraw: { from: [taken], to: given_up, by: [agent] } }
offer:
  answers: { taken: { to: taken, by: [clerk] } }
  withdrawn: { to: withdrawn, by: [agent] }
""",
    "parish/types/debt.yml": """type: parish.debt
title: Debt
obligation:
  on: job
  open: [due]
  owed_by: debtor
  owed_to: creditor
  met_by: pay
  code: code
  act: asked_by
  says: [message]
title_field: message
fields:
  code: { type: string, maxLength: 40 }
  message: { type: string, maxLength: 200, required: true }
  debtor: { type: string, format: agency, party: true, required: true }
  creditor: { type: string, format: agency }
  asked_by: { type: string, maxLength: 40 }
links: { job: { to: parish.job, required: true } }
states: { due: { initial: true }, paid: { final: true } }
acts: { enter: { by: [system, agent] }, pay: { from: [due], to: paid, by: [system, agent] } }
""",
    "parish/types/note.yml": """type: parish.note
title: Note that points at a job by a link called for, and is open
fields: { text: { type: string, maxLength: 20 } }
links: { for: { to: parish.job, required: true }, about: { to: any } }
states: { open: { initial: true }, done: { final: true } }
acts: { enter: { by: [agent] }, finish: { from: [open], to: done, by: [agent] } }
""",
    "parish/types/job.yml": """type: parish.job
title: Job
fields:
  name: { type: string, maxLength: 40, required: true }
  first: { type: boolean }
  second: { type: boolean }
states: { open: { initial: true }, closed: { final: true } }
acts:
  enter: { by: [agent] }
  amend: { from: [open], by: [agent] }
  ask_first: { from: [open], by: [agent], creates: parish.request, package: parish.first, profile: parish.needs, owes: parish.debt }
  ask_second: { from: [open], by: [agent], creates: parish.request, package: parish.second, profile: parish.needs, owes: parish.debt }
  close: { from: [open], to: closed, by: [agent], guard: [{ when: "size(open_obligations) == 0", code: still_owed }] }
""",  # noqa: E501
}


def package(name: str) -> Any:
    """A package that lacks the paper of its own name, under a code that the other's lack bears as well."""

    def build(facts: Facts) -> Parcel:
        subject = facts.subject
        lack = Missing(
            "paper_missing", "error", Given(f"The {name} paper is missing."), subject.id, subject.title, facts.agency,
            facts.today,
        )  # fmt: skip
        return Parcel(missing=() if subject.fields.get(name) else (lack,), links={"job": [subject.id]})

    return build


class Parish:
    """Two offices with a pillar of their own, on a node that has its packages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.node: Node = node_on(world.database, settings({"COMITY_HOME": str(world.node.home)}))
        packages = {
            **self.node.extensions.packages,
            "parish.first": package("first"),
            "parish.second": package("second"),
        }
        self.node.extensions = replace(self.node.extensions, packages=packages)
        mark = uuid4().hex[:6]
        self.asker, self.office = f"asker-{mark}", f"office-{mark}"
        self.put(self.asker, self.office, "")
        self.put(self.office, self.asker, "    read: { parish.needs: [base] }\n    offers: [parish.request]\n")
        self.agent, self.clerk = self.seat(self.asker, "agent"), self.seat(self.office, "clerk")
        self.needs = enter(self.node, self.clerk, "parish.needs", {"text": "All papers"}).record

    def put(self, agency: str, other: str, opened: str) -> None:
        files: Mapping[str, str] = {
            "agency.yml": f"agency: {agency}\ntitle: {agency}\njurisdiction: us-federal\nzone: UTC\n"
            "purpose: investigation\npillars: [registry, parish]\n",
            "roles.yml": 'roles:\n  agent: { is: [agent], read: { "*": all } }\n'
            '  clerk: { is: [clerk], read: { "*": all } }\n',
            "agreements.yml": f"agreements:\n  - id: with-{other}\n    to: {other}\n    basis: sample\n"
            f"    purposes: [investigation]\n{opened}",
        }
        core = {**loader.core_files(), **PARISH}
        install(self.node, tokens.operator(), agency=agency, core=core, jurisdiction=LAW, own=files)

    def seat(self, agency: str, role: str) -> Actor:
        return tokens.sign_in(self.node, tokens.admit(self.node, agency, f"{role} of {agency}", [role]).token)

    def job(self) -> str:
        return enter(self.node, self.agent, "parish.job", {"name": "Roof"}).record

    def owing(self, job: str) -> dict[str, str]:
        """The open debts on a job: the act that asked for each, by its message."""
        rows = self.world.rows(
            self.asker,
            """select r.fields->>'message', coalesce(r.fields->>'asked_by', '') from comity.record r
                join comity.link l on l.record = r.id where l.target = %s and r.core_state = 'due'""",
            job,
        )
        return dict(rows)


@pytest.fixture(scope="module")
def parish(world: World) -> Iterator[Parish]:
    made = Parish(world)
    yield made
    made.node.close()


def test_what_a_type_of_somebody_else_calls_its_link_and_state_blocks_no_closing(parish: Parish) -> None:
    job = parish.job()
    enter(parish.node, parish.agent, "parish.note", {"text": "Look"}, links={"for": [job], "about": [job]})
    assert act(parish.node, parish.agent, job, "close").state == "closed"


def test_two_packages_on_one_type_are_owed_and_met_each_by_its_own(parish: Parish) -> None:
    node, agent, job = parish.node, parish.agent, parish.job()
    first = submit(node, agent, job, to=parish.office, act="ask_first")
    second = submit(node, agent, job, to=parish.office, act="ask_second")
    assert len(first.obligations) == len(second.obligations) == 1
    assert first.obligations != second.obligations, "they bear one code and are about one record"
    again = submit(node, agent, job, to=parish.office, act="ask_second")
    assert again.obligations == second.obligations, "what is owed is owed once"
    assert parish.owing(job) == {
        "The first paper is missing.": "ask_first",
        "The second paper is missing.": "ask_second",
    }
    amend(node, agent, job, version=1, fields={"second": True})
    obligations.close_met(node, parish.asker)
    assert parish.owing(job) == {"The first paper is missing.": "ask_first"}
    assert {one.code for one in refused(act, node, agent, job, "close").faults} == {"still_owed"}
    amend(node, agent, job, version=2, fields={"first": True})
    obligations.close_met(node, parish.asker)
    assert parish.owing(job) == {}
    assert submit(node, agent, job, to=parish.office, act="ask_first").receipt is not None
    assert act(node, agent, job, "close").state == "closed"


def test_a_package_that_cannot_be_built_yet_leaves_a_trace(parish: Parish) -> None:
    node, agent, job = parish.node, parish.agent, parish.job()
    assert submit(node, agent, job, to=parish.office, act="ask_first", dry_run=True).missing
    assert [one for one in refusals(node, agent).items if one["record"] == job] == []
    for _ in range(2):
        assert submit(node, agent, job, to=parish.office, act="ask_first").receipt is None
    (told,) = [one for one in refusals(node, agent).items if one["record"] == job]
    assert (told["verb"], told["act"], told["code"], told["times"]) == ("submit", "ask_first", "not_ready", 2)
    assert len(told["faults"]) == 1 and told["faults"][0]["path"] == ""


def test_one_that_does_not_say_by_which_act_it_was_asked_is_the_first_package_s(parish: Parish) -> None:
    """As all were that were entered before the act was named."""
    node, agent, job = parish.node, parish.agent, parish.job()
    fields = {"code": "paper_missing", "message": "Old", "debtor": parish.asker, "creditor": parish.office}
    enter(node, agent, "parish.debt", fields, links={"job": [job]})
    amend(node, agent, job, version=1, fields={"second": True})
    obligations.close_met(node, parish.asker)
    assert parish.owing(job) == {"Old": ""}
    amend(node, agent, job, version=2, fields={"first": True})
    obligations.close_met(node, parish.asker)
    assert parish.owing(job) == {}


def test_a_debt_that_no_package_asked_for_is_entered_and_met_by_hand(parish: Parish) -> None:
    node, agent, job = parish.node, parish.agent, parish.job()
    debt = enter(
        node, agent, "parish.debt", {"message": "The key", "debtor": parish.asker}, links={"job": [job]}
    ).record
    waits = [one for one in inbox(node, agent) if one.record == debt]
    assert [(one.kind, one.type, one.state) for one in waits] == [("obligation", "parish.debt", "due")]
    assert waits[0].message == f"The key (since {DEFAULT.date(waits[0].since.date())})"
    amend(node, agent, job, version=1, fields={"first": True, "second": True})
    obligations.close_met(node, parish.asker)
    assert read(node, agent, debt).state == "due", "no package knows whether a key came"
    assert {one.code for one in refused(act, node, agent, job, "close").faults} == {"still_owed"}
    act(node, agent, debt, "pay")
    assert act(node, agent, job, "close").state == "closed"
    assert [one for one in inbox(node, agent) if one.record == debt] == []


def test_a_profile_is_in_force_while_its_state_is_not_final(parish: Parish) -> None:
    node, job = parish.node, parish.job()
    act(node, parish.clerk, parish.needs, "end")
    assert refused(submit, node, parish.agent, job, to=parish.office, act="ask_first").code == "not_ready"
    parish.needs = enter(node, parish.clerk, "parish.needs", {"text": "Papers"}).record
    assert submit(node, parish.agent, job, to=parish.office, act="ask_first", dry_run=True).missing


def test_who_owes_is_known_without_definitions_and_after_an_upgrade_by_asking_them_once(parish: Parish) -> None:
    node, agent, job = parish.node, parish.agent, parish.job()
    submit(node, agent, job, to=parish.office, act="ask_first")
    assert "obligations" in pending_work(node, parish.asker)
    assert "obligations" not in pending_work(node, parish.office)
    with node.transaction(parish.office) as (conn, _):
        conn.execute("update comity.agency set owing = null where id = comity.me()")
    assert "obligations" in pending_work(node, parish.office), "it is not known what it owes"
    assert obligations.close_met(node, parish.office) == []
    assert "obligations" not in pending_work(node, parish.office)


def test_an_own_act_called_withdraw_is_done_and_withdrawn_takes_the_offer_back(parish: Parish) -> None:
    node, agent = parish.node, parish.agent
    asked, other = (enter(node, agent, "parish.request", {"office": parish.office}).record for _ in range(2))
    assert refused(act, node, agent, asked, "withdraw").code == "act_out_of_turn", "it is no alias here"
    answer(node, parish.clerk, asked, "taken")
    settle(node, parish.asker)
    assert "withdraw" in read(node, agent, asked).acts
    assert act(node, agent, asked, "withdraw").state == "given_up"
    assert act(node, agent, other, "withdrawn").state == "withdrawn"


def test_the_records_are_the_fold_of_their_entries(parish: Parish) -> None:
    found = rebuild.run(parish.node, agency=parish.asker)
    assert found.equal, found.differences[:5]
