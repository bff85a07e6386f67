"""A fact typed twice is counted; an observation, a code, a truth, the date of an act and a hidden twin are not."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.exchange import duplicate_entry
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.amend import amend
from comity.kernel.records.enter import enter
from comity.kernel.records.erase import erase
from comity.kernel.records.install import install
from comity.kernel.work.results import Receipt
from tests.world import World, day, instant

ROLES = """roles:
  agent: { title: Agent, is: [agent, supervisor, officer, records, custodian, analyst], read: { "*": all } }
"""
ITEM = {
    "description": "Pistol in a red cloth", "category": "firearm", "origin": "seized", "legal_basis": "warrant",
    "serial_number": "ABK 204417", "make": "Taurus",
}  # fmt: skip


class Office:
    """An agency of a test's own, all of whose facts are counted by themselves."""

    def __init__(self, stage: World, agreements: str = "agreements: []\n") -> None:
        self.stage, self.name = stage, f"r{uuid4().hex[:8]}"
        head = f"agency: {self.name}\ntitle: Office\njurisdiction: us-federal\nzone: UTC\nmembership: member\n"
        head += "purpose: investigation\n"
        files = {
            "agency.yml": head + "pillars: [registry, investigation, evidence]\n",
            "roles.yml": ROLES,
            "agreements.yml": agreements,
        }
        install(
            stage.node, tokens.operator(), agency=self.name, core=loader.core_files(),
            jurisdiction=read_folder(paths.jurisdictions() / "us-federal"), own=files,
        )  # fmt: skip
        issued = tokens.admit(stage.node, self.name, "One Agent", ["agent"])
        self.agent: Actor = tokens.sign_in(stage.node, issued.token)

    def enter(self, type: str, fields: dict[str, Any], **links: str) -> Receipt:
        return enter(self.stage.node, self.agent, type, fields, links={name: [one] for name, one in links.items()})

    def item(self, case: str | None = None, **fields: Any) -> Receipt:
        given = {name: value for name, value in {**ITEM, "taken_at": instant(2), **fields}.items() if value is not None}
        return self.enter("evidence.item", given, **({"case": case} if case else {}))

    def case(self) -> str:
        given = {"title": f"Case {uuid4().hex[:6]}", "program": "firearms", "opened": day(3)}
        return self.enter("investigation.case", given).record

    def count(self) -> list[tuple[str, str]]:
        """(record, field) of what was typed twice, once everything has its place."""
        self.stage.follow()
        return [(one.record, one.field) for one in duplicate_entry.count(self.stage.node, agency=self.name).retyped]


@pytest.fixture
def office(stage: World) -> Office:
    return Office(stage)


def test_a_planted_retyping_is_one_and_without_it_there_is_none(stage: World, office: Office) -> None:
    case = office.case()
    office.item(case)
    other = office.item(case, description="Revolver", serial_number=None)
    assert office.count() == []
    planted = amend(
        stage.node, office.agent, other.record, version=1, fields={"serial_number": "\uff21\uff22\uff2b  204417"}
    )
    assert office.count() == [(other.record, "serial_number")], "NFKC and spaces do not hide it"
    _erased(stage, office, planted)
    assert office.count() == []


def _erased(stage: World, office: Office, receipt: Receipt) -> None:
    """Take what was typed out of the log, under an order."""
    with stage.node.work(office.agent) as work:
        erase(work, UUID(receipt.entry), authority="Order to expunge")


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "Revolver", "serial_number": "X 1"},
        {"description": "Revolver", "serial_number": None},
        {"description": "ABK 204417", "serial_number": "Pistol in a red cloth"},
    ],
    ids=["codes, make and the date of the taking are the same", "not given", "the same words under other terms"],
)
def test_what_is_not_a_fact_typed_twice(office: Office, fields: dict[str, Any]) -> None:
    case = office.case()
    office.item(case)
    office.item(case, **fields)
    assert office.count() == []


def test_a_fact_on_a_record_that_no_link_reaches_was_not_there_to_be_seen(office: Office) -> None:
    first = office.item(office.case())
    apart = office.item(office.case())
    assert office.count() == []
    amend(office.stage.node, office.agent, apart.record, version=1, links={"parent": [first.record]})
    assert {record for record, _ in office.count()} == {apart.record}, "and now one reaches it"


def test_links_are_followed_in_both_directions_over_several_records(office: Office) -> None:
    case = office.case()
    given = {"role": "subject", "name": "Invented Person", "phone": "312 555 0142"}
    first = office.enter("registry.person", given)
    enter(
        office.stage.node, office.agent, "investigation.report",
        {"subject_line": "Seen", "activity": "surveillance", "occurred": instant(1), "narrative": "x"},
        links={"case": [case], "subject": [first.record]},
    )  # fmt: skip
    office.item(case, description="Phone", serial_number=None)
    place = office.enter("registry.place", {"address": "1 Pier"})
    again = enter(
        office.stage.node, office.agent, "registry.organization",
        {"kind": "business", "name": "Pier Ltd", "phone": "312 555 0142"}, links={"principal": [first.record]},
    )  # fmt: skip
    assert place.record and office.count() == [(again.record, "phone")]


def test_a_correction_of_ones_own_record_is_no_retyping(office: Office) -> None:
    made = office.item(office.case())
    node = office.stage.node
    amend(node, office.agent, made.record, version=1, fields={"serial_number": "ABK 2044"})
    amend(node, office.agent, made.record, version=2, fields={"serial_number": "ABK 204417"})
    assert office.count() == []


def test_only_the_later_of_two_is_typed_again(office: Office) -> None:
    case = office.case()
    first, second, third = (office.item(case) for _ in range(3))
    found = office.count()
    assert {record for record, _ in found} == {second.record, third.record}
    assert {field for _, field in found} == {"description", "serial_number"}
    assert first.record not in {record for record, _ in found}


def test_what_another_agency_hides_was_not_there_to_be_seen(stage: World) -> None:
    """Two agencies hold the same target; neither sees the other's: typing the name was necessary."""
    one = Office(stage)
    two = Office(stage)
    given = {"role": "subject", "name": "Shared Target", "birth_date": "1987-03-14"}
    one.enter("registry.person", given)
    two.enter("registry.person", given)
    assert one.count() == two.count() == []


def test_a_dead_entry_of_the_system_is_not_typed_by_anyone(stage: World, told: Any) -> None:
    """Obligations repeat texts of others; the system wrote them, so they count neither as typed nor as retyped."""
    facts = duplicate_entry.count(stage.node, agency="atf")
    obligations = {row[0] for row in stage.rows(
        "atf", "select id::text from comity.record where type = 'investigation.obligation'")}  # fmt: skip
    assert obligations and not obligations & {one.record for one in facts.retyped}
