"""Whatever is changed behind the ledger's back is found by folding the entries again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.records.erase import erase
from comity.kernel.work.results import Receipt
from tests.world import World

KEPT = {
    "record": "id = any(%(all)s)",
    "link": "record = any(%(all)s)",
    "entry": "record = any(%(all)s)",
    "entry_content": "record = any(%(all)s)",
    "term": "record = any(%(all)s)",
    "share": "offer = any(%(all)s)",
    "member": "agency = 'atf'",
}


@contextmanager
def behind_the_back(world: World, change: str, *, also: str | None = None, **given: Any) -> Iterator[None]:
    """A superuser changes rows of `record` (and of `also`) with every trigger off, and puts them back as they were."""
    ids = {"all": [UUID(one) for one in (given["record"], also or GHOST, GHOST)]}
    with psycopg.connect(world.database.superuser_url) as conn:
        conn.execute("set session_replication_role = replica")
        for table, those in KEPT.items():
            conn.execute(f"create temporary table kept_{table} as select * from comity.{table} where {those}", ids)
        assert conn.execute(change, given).rowcount > 0, "the change found something to change"
        conn.commit()
        try:
            yield
        finally:
            for table, those in KEPT.items():
                conn.execute(f"delete from comity.{table} where {those}", ids)
                conn.execute(f"insert into comity.{table} select * from kept_{table}")
                conn.execute(f"drop table kept_{table}")
            conn.commit()


GHOST = "99999999-9999-4999-8999-999999999999"
RECORD = "update comity.record set {} where id = %(record)s"
CONTENT = "update comity.entry_content set content = convert_to({}, 'UTF8') where entry = %(entry)s"
CHANGES = {
    "a field": RECORD.format("""fields = fields || '{"title": "Nothing to see"}'"""),
    "a field that nobody set": RECORD.format("""fields = fields || '{"summary": "x"}'"""),
    "a field gone": RECORD.format("fields = fields - 'program'"),
    "the state": RECORD.format("state = 'closed'"),
    "the state that others read": RECORD.format("core_state = 'closed'"),
    "the number": RECORD.format("number = 'ATF-1999-000001'"),
    "the version": RECORD.format("version = 7"),
    "the marks": RECORD.format("marks = '{grand_jury}'"),
    "the marked fields": RECORD.format("""field_marks = '{"title": ["victim"]}'"""),
    "the links": RECORD.format("links = '{}'"),
    "the assigned": RECORD.format("assigned = '{somebody}'"),
    "the parties": RECORD.format("parties = '{dea}'"),
    "the title": RECORD.format("title = 'Another'"),
    "who entered it": RECORD.format("entered_by = 'somebody'"),
    "the whole row": "delete from comity.record where id = %(record)s",
    "a link row": "delete from comity.link where record = %(record)s",
    "a link row too many": "update comity.link set target = gen_random_uuid() where record = %(record)s",
    "a search term": "delete from comity.term where record = %(record)s and token = 'straw'",
    "a search term too many": """insert into comity.term select record, agency, type, field, grp, 'other', whole
        from comity.term where record = %(record)s limit 1""",
    "what an entry says": CONTENT.format("replace(convert_from(content, 'UTF8'), 'Straw', 'Fair!')"),
    "what an entry says, respelled": CONTENT.format("' ' || convert_from(content, 'UTF8')"),
    "an entry's content, not JSON": CONTENT.format("'nothing'"),
    "an entry's content, a list": CONTENT.format("'[1]'"),
    "an entry's content, gone": "delete from comity.entry_content where entry = %(entry)s",
    "one item and its salt": CONTENT.format("'{}'").replace("where", ", salts = '' where"),
    "a salt": "update comity.entry_content set salts = reverse(encode(salts, 'hex'))::bytea where entry = %(entry)s",
    "who did it": "update comity.entry set actor = gen_random_uuid() where id = %(entry)s",
    "when it happened": "update comity.entry set occurred_at = occurred_at - interval '1 day' where id = %(entry)s",
    "the type of an entry": "update comity.entry set type = 'registry.place' where id = %(entry)s",
    "a commitment": "update comity.entry set commitments = set_byte(commitments, 3, 1) where id = %(entry)s",
    "an entry gone": "delete from comity.entry where id = %(entry)s",
    "a member's roles": "update comity.member set roles = '{supervisor}' where agency = 'atf' and name = 'S. Rivera'",
    "a member who was not admitted": """insert into comity.member values
        (gen_random_uuid(), 'atf', 'Ghost', '{supervisor}', 'active', 1)""",
}  # fmt: skip


@pytest.fixture
def linked_case(world: World, case: Receipt, person: Receipt) -> Receipt:
    return world.amend("atf_agent", case.record, {"summary": "S"}, links={"subject": [person.record]})


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_behind_the_ledgers_back_is_found(
    world: World, case: Receipt, linked_case: Receipt, what: str
) -> None:
    assert rebuild.run(world.node, agency="atf").equal
    with behind_the_back(world, CHANGES[what], record=case.record, entry=case.entry):
        found = rebuild.run(world.node, agency="atf")
        assert not found.equal, what
        if "member" not in what:
            assert {one["record"] for one in found.differences} == {case.record}
    assert rebuild.run(world.node, agency="atf").equal


def test_a_row_without_an_entry_is_found(world: World, case: Receipt) -> None:
    change = f"""insert into comity.record select '{GHOST}', agency, type, core_type, 'ATF-0', title, state,
        core_state, version, type_version, fields, links, files, field_marks, marks, assigned, parties, entered_by,
        entered_at, changed_at from comity.record where id = %(record)s"""
    with behind_the_back(world, change, record=case.record):
        found = rebuild.run(world.node, agency="atf")
        assert [one["difference"] for one in found.differences] == ["the row has no entry"]


def test_another_agencys_records_are_judged_with_its_own_rights(world: World) -> None:
    made = world.enter("dea_agent", "registry.place", {"address": "Harbour"})
    with behind_the_back(world, RECORD.format("number = 'X'"), record=made.record):
        assert rebuild.run(world.node, agency="atf").equal
        whole = rebuild.run(world.node)
        assert [(one["agency"], one["record"]) for one in whole.differences] == [("dea", made.record)]
        assert set(whole.as_json()["agencies"]) >= {"atf", "cpd", "dea", "fsl", "usao", "node"}


def test_content_that_an_order_erased_is_no_difference_but_a_row_that_still_says_it_is(world: World) -> None:
    made = world.enter("usao_attorney", "registry.person", {"role": "subject", "name": "To be expunged"})
    with world.node.work(world.seats["usao_attorney"]) as work:
        erase(work, UUID(made.entry), authority="Order to expunge", paths=["set/name"])
    assert rebuild.run(world.node, agency="usao").equal
    for change in ("state = 'retired'", """fields = fields || '{"name": "To be expunged"}'"""):
        with behind_the_back(world, RECORD.format(change), record=made.record):
            assert not rebuild.run(world.node, agency="usao").equal
    change = "delete from comity.entry where record = %(record)s and kind = 'erase'"
    with behind_the_back(world, change, record=made.record):
        found = rebuild.run(world.node, agency="usao")
        assert {one["record"] for one in found.differences} == {made.record}
        assert any("no order in the log says so" in one["difference"] for one in found.differences)


def test_the_operator_and_every_member_are_in_the_log(world: World) -> None:
    admitted = tokens.admit(world.node, "atf", f"N. Newcomer {uuid4().hex[:6]}", ["special_agent"])
    rows = world.rows("atf", "select act, state_to from comity.entry where record = %s", admitted.member)
    assert rows == [("admit", "active")]
    assert rebuild.run(world.node, agency="atf").members >= 4


def test_what_an_offer_opens_is_compared_with_what_its_entry_lists(world: World, case: Receipt) -> None:
    lead = {"partner": "dea", "lead_agency": "atf"}
    offer = world.enter("atf_agent", "investigation.lead", lead, links={"case": [case.record]})
    for change in (
        "delete from comity.share where offer = %(record)s and version is not null",
        "update comity.share set groups = '{base,narrative,identity}' where offer = %(record)s and version is not null",
        "update comity.share set version = 7 where offer = %(record)s and version is not null",
    ):
        with behind_the_back(world, change, record=offer.record):
            found = rebuild.run(world.node, agency="atf")
            assert [one["record"] for one in found.differences] == [offer.record]
    assert rebuild.run(world.node, agency="atf").equal


def test_a_suspended_agencys_log_is_judged_like_any_other(world: World) -> None:
    world.enter("dea_agent", "registry.place", {"address": "Pier"})
    before = rebuild.run(world.node, agency="dea")
    tokens.suspend_agency(world.node, tokens.operator(), "dea", reason="Key lost")
    try:
        during = rebuild.run(world.node, agency="dea")
    finally:
        tokens.suspend_agency(world.node, tokens.operator(), "dea", reason="New key", lift=True)
    assert during.equal and (during.records, during.entries) == (before.records, before.entries)


KEY = "insert into comity.collision_key values ('\\xdead', 'atf', %({})s)"
CLOSED = {
    "collision keys that are missing": ("delete from comity.collision_key where record = %(person)s", "person"),
    "a collision key too many": (KEY.format("person"), "person"),
    "a collision key of a type that has none": (KEY.format("claim"), "claim"),
    "a collision key of no record": (KEY.format("ghost"), "ghost"),
    "a tie that is missing": ("delete from comity.tie where claim = %(claim)s", "claim"),
    "a tie that says two": ("update comity.tie set apart = true where claim = %(claim)s", "claim"),
    "a tie that is certain": ("update comity.tie set certain = true where claim = %(claim)s", "claim"),
    "a tie to another": ("update comity.tie set other = %(ghost)s where claim = %(claim)s", "claim"),
    "a tie of a claim that was revoked": (
        "insert into comity.tie select %(revoked)s, agency, one, other, apart, certain from comity.tie"
        " where claim = %(claim)s",
        "revoked",
    ),
    "a tie of no claim": (
        "insert into comity.tie select %(ghost)s, agency, one, other, apart, certain from comity.tie"
        " where claim = %(claim)s",
        "ghost",
    ),
}


@pytest.fixture(scope="module")
def tied_persons(world: World) -> dict[str, str]:
    told = {"name": "Key Sample", "birth_date": "1980-02-03", "role": "subject"}
    person, other = (world.enter("atf_agent", "registry.person", told).record for _ in range(2))
    claims = [
        world.enter(
            "atf_agent", "registry.identity_claim", {"basis": "biographic", "weight": 60},
            links={"person": [person], "same_as": [other]},
        ).record
        for _ in range(2)
    ]  # fmt: skip
    world.act("atf_agent", claims[1], "revoke", reason="Entered twice")
    return {"person": person, "claim": claims[0], "revoked": claims[1], "ghost": GHOST}


@pytest.mark.parametrize("what", CLOSED)
def test_what_only_the_owner_of_the_tables_reads_is_compared_too(
    world: World, tied_persons: dict[str, str], what: str
) -> None:
    change, record = CLOSED[what]
    tables = ("collision_key", "tie")
    assert rebuild.run(world.node, agency="atf").equal
    with psycopg.connect(world.database.owner_url) as conn:
        for table in tables:
            conn.execute(f"create temporary table kept_{table} as select * from comity.{table}")
        assert conn.execute(change, tied_persons).rowcount > 0
        conn.commit()
        try:
            found = rebuild.run(world.node, agency="atf")
        finally:
            for table in tables:
                conn.execute(f"delete from comity.{table}")
                conn.execute(f"insert into comity.{table} select * from kept_{table}")
            conn.commit()
    assert {one["record"] for one in found.differences} == {tied_persons[record]}
    assert rebuild.run(world.node, agency="atf").equal


def test_what_is_closed_is_answered_for_the_own_agency_alone(world: World, tied_persons: dict[str, str]) -> None:
    person, claim = UUID(tied_persons["person"]), UUID(tied_persons["claim"])
    asked = (
        "select comity.own_collisions()", f"select comity.own_collision_keys('{person}')",
        "select claim from comity.own_ties()",
    )  # fmt: skip
    mine, _, ties = ([row[0] for row in world.rows("atf", one)] for one in asked)
    assert person in mine and claim in ties
    theirs, keys, ties = ([row[0] for row in world.rows("dea", one)] for one in asked)
    assert person not in theirs and keys == [] and claim not in ties
