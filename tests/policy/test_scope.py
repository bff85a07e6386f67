"""Rows by SQL are the rows by full Cedar decisions, and the compiler refuses what it does not know."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cedarpy
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from comity.config.database import Database
from comity.kernel.policy import decide
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.cedar import SCHEMA, Rule
from comity.kernel.policy.decide import Asked, Policies, Resource
from comity.kernel.policy.generate import rules
from comity.kernel.policy.scope import Binding, PolicyNotCompilable, compile_residuals
from tests.policy.world import MARKS, ROLES, TODAY, TYPES, catalogue, member, policies
from tests.speeds.sizes import size

AGENCIES = tuple(ROLES)
MEMBERS = tuple(str(uuid.UUID(int=n)) for n in range(1, 5))
RECORDS = size(small=1_000, deep=5_000)
SAMPLE = size(small=250, deep=1_000)
GROUPS = ("base", "narrative", "identity", "absent")

TABLES = """
create schema comity;
create table comity.record (id int primary key, agency text not null, type text not null, core_type text not null,
    core_state text not null, version int not null, marks text[] not null, assigned text[] not null,
    parties text[] not null, entered_by text not null);
create table comity.share (record int not null, agency text not null, to_agency text not null, to_member uuid,
    groups text[] not null, version int, until timestamptz, offer uuid, live boolean not null);
create index on comity.share (record);
create table comity.offer (id uuid primary key, state text not null, expires_at timestamptz);
create function comity.now() returns timestamptz language sql stable as $$ select pg_catalog.now() $$;
"""


@dataclass(frozen=True)
class Share:
    record: int
    agency: str
    to_agency: str
    to_member: str | None
    groups: tuple[str, ...]
    version: int | None
    days_left: int | None
    offered: bool
    live: bool


@dataclass(frozen=True)
class World:
    resources: Sequence[Resource]
    versions: Sequence[int]
    shares: Sequence[Share]
    connection: psycopg.Connection[Any]

    def granted(self, number: int, actor: Actor) -> frozenset[str]:
        """What a reader of the rules would say a share gives: the reference that SQL is held against."""
        return frozenset(
            group
            for one in self.shares
            if one.record == number and one.to_agency == actor.agency and one.to_member in (None, actor.member)
            if one.live and (one.days_left is None or one.days_left > 0)
            if one.version is None or one.version >= self.versions[number]
            if one.agency == self.resources[number].owner or not one.offered
            for group in one.groups
        )


def some(chance: random.Random, values: Sequence[str], often: float) -> frozenset[str]:
    return frozenset(value for value in values if chance.random() < often)


def random_resource(chance: random.Random) -> Resource:
    name = chance.choice([*TYPES, "cpd.gang_case"])
    core = "investigation.case" if name in ("cpd.gang_case", "us-federal.wiretap_case") else name
    return Resource(
        owner=chance.choice(AGENCIES), type=name, state=chance.choice(["open", "approved", "closed"]),
        marks=some(chance, [*MARKS, "tax_return", "nobody_knows"], 0.09), assigned=some(chance, MEMBERS, 0.2),
        parties=some(chance, AGENCIES, 0.25), entered_by=chance.choice(MEMBERS), core_type=core,
    )  # fmt: skip


def random_share(chance: random.Random, record: int, owner: str) -> Share:
    return Share(
        record, chance.choice([owner, owner, chance.choice(AGENCIES)]), chance.choice(AGENCIES),
        chance.choice([None, chance.choice(MEMBERS)]), tuple(some(chance, GROUPS[:3], 0.6)),
        chance.choice([None, 1, 2]), chance.choice([None, 1, -1]), chance.random() < 0.6, chance.random() < 0.8,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(bare_database: Database) -> Iterator[World]:
    """Random records and shares in a database of this test's own."""
    name = "policy_" + uuid.uuid4().hex[:12]
    chance = random.Random(20261122)
    resources = [random_resource(chance) for _ in range(RECORDS)]
    versions = [chance.choice([1, 2, 3]) for _ in resources]
    shares = [random_share(chance, n, resources[n].owner) for n in range(RECORDS) if chance.random() < 0.5]
    with psycopg.connect(bare_database.superuser_url, autocommit=True) as server:
        server.execute(f"create database {name}")
        with psycopg.connect(make_conninfo(bare_database.superuser_url, dbname=name), autocommit=True) as connection:
            connection.execute(TABLES)
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into comity.record values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [
                        (n, one.owner, one.type, one.core_type, one.state, versions[n], list(one.marks),
                         list(one.assigned), list(one.parties), one.entered_by)
                        for n, one in enumerate(resources)
                    ],
                )  # fmt: skip
                cursor.executemany(
                    "insert into comity.share"
                    " values (%s, %s, %s, %s, %s, %s, now() + make_interval(days => %s), %s, %s)",
                    [
                        (one.record, one.agency, one.to_agency, one.to_member, list(one.groups), one.version,
                         one.days_left, uuid.uuid4() if one.offered else None, one.live)
                        for one in shares
                    ],
                )  # fmt: skip
            connection.execute("analyze")
            yield World(resources, versions, shares, connection)
        server.execute(f"drop database {name} with (force)")


def by_cedar(of: Policies, actor: Actor, world: World, action: str, group: str, numbers: Sequence[int]) -> set[int]:
    """Those of the records that full decisions allow, over all policies, asked of the engine itself."""
    principal = decide._member(of._question(actor, action, "", TODAY, member=actor.member))
    entities: list[dict[str, Any]] = [principal]
    for number in numbers:
        entity = decide._record(replace(world.resources[number], grants=world.granted(number, actor)))
        entities.append({**entity, "uid": {"type": "Record", "id": str(number)}})
    requests = [
        {
            "principal": 'Member::"actor"', "action": f'Action::"{action}"', "resource": f'Record::"{number}"',
            "context": {"act": "", "group": group, "purpose": actor.purpose, "today": TODAY},
        }
        for number in numbers
    ]  # fmt: skip
    handle = cedarpy.Entities.from_json_str(json.dumps(entities), SCHEMA)
    answers = cedarpy.is_authorized_batch(requests, cedarpy.PolicySet.from_str(of.cedar_text()), handle)
    assert not any(answer.diagnostics.errors for answer in answers)
    return {number for number, answer in zip(numbers, answers, strict=True) if answer.allowed}


def by_sql(of: Policies, actor: Actor, world: World, action: str, group: str, type: str | None = None) -> set[int]:
    predicate = of.scope(actor, Asked(action, group, type), today=TODAY)
    rows = world.connection.execute(f"select r.id from comity.record r where {predicate.sql}", dict(predicate.params))
    return {row[0] for row in rows}


def actors(agency: str) -> Iterator[Actor]:
    for number, role in enumerate(ROLES[agency]):
        yield member(agency, role.name, id=MEMBERS[number % 4])
    yield member(agency, *(role.name for role in ROLES[agency]), id=MEMBERS[0], purpose="prosecution")
    yield member(agency, ROLES[agency][-1].name, id=MEMBERS[1], purpose="not agreed")
    yield member(agency, id=MEMBERS[0])
    yield Actor.system(agency)
    yield Actor.operator(agency, member=MEMBERS[0], name="Host")


@pytest.mark.pg15
@pytest.mark.slow
@pytest.mark.parametrize("agency", AGENCIES)
def test_sql_selects_what_full_decisions_allow(world: World, agency: str) -> None:
    of, seen, chance = policies(agency), 0, random.Random(agency)
    for actor in actors(agency):
        for action, group in [("read", one) for one in GROUPS] + [("find", "base"), ("find", "narrative")]:
            numbers = range(RECORDS) if group == "base" else chance.sample(range(RECORDS), SAMPLE)
            wanted = by_cedar(of, actor, world, action, group, numbers)
            assert by_sql(of, actor, world, action, group) & set(numbers) == wanted, (actor, action, group)
            seen += len(wanted)
    assert seen > RECORDS / 2


@pytest.mark.parametrize("agency", ["atf", "usao"])
def test_sql_for_one_type_selects_that_types_rows(world: World, agency: str) -> None:
    of = policies(agency)
    for actor in actors(agency):
        whole = by_sql(of, actor, world, "read", "base")
        for name in (*TYPES, "cpd.gang_case"):
            of_type = {number for number in whole if world.resources[number].type == name}
            assert by_sql(of, actor, world, "read", "base", type=name) == of_type


@pytest.mark.pg15
@pytest.mark.parametrize("agency", ["atf", "usao"])
def test_one_select_brings_rows_with_their_readable_groups(world: World, agency: str) -> None:
    of = policies(agency)
    for actor in actors(agency):
        for name in (None, "investigation.case", "registry.person"):
            columns = of.group_columns(actor, name, today=TODAY)
            rows = {group: by_sql(of, actor, world, "read", group, type=name) for group in columns.groups}
            each = ", ".join(f"({sql}) as g_{group}" for group, sql in columns.each.items())
            found = world.connection.execute(
                f"select r.id, {columns.sql}, {each} from comity.record r", dict(columns.params)
            )
            for number, groups, *flags in found:
                wanted = {group for group in columns.groups if number in rows[group]}
                assert set(groups) == wanted
                assert {group for group, flag in zip(columns.each, flags, strict=True) if flag} == wanted


@pytest.mark.pg15
@pytest.mark.parametrize("agency", ["atf", "usao"])
def test_one_select_brings_rows_with_the_groups_they_may_be_found_by(world: World, agency: str) -> None:
    of = policies(agency)
    for actor in actors(agency):
        columns = of.group_columns(actor, today=TODAY, action="find", groups=GROUPS, prefix="open_")
        rows = {group: by_sql(of, actor, world, "find", group) for group in GROUPS}
        for number, groups in world.connection.execute(
            f"select r.id, {columns.sql} from comity.record r", dict(columns.params)
        ):
            assert set(groups) == {group for group in GROUPS if number in rows[group]}


def test_a_kept_decision_is_the_one_that_would_be_made_anew(world: World) -> None:
    """Asked twice, and of others in between, who differ in nothing but their member id or purpose."""
    kept = policies("atf")
    for _ in range(2):
        for actor in actors("atf"):
            for number in range(0, RECORDS, 40):
                what = replace(world.resources[number], grants=world.granted(number, actor))
                fresh = policies("atf")
                for one in (actor, replace(actor, member=MEMBERS[1]), replace(actor, purpose="deconfliction")):
                    assert kept.decide(one, "read", what, today=TODAY) == fresh.decide(one, "read", what, today=TODAY)


def test_a_decision_is_the_row_that_the_list_shows(world: World) -> None:
    of = policies("atf")
    for actor in actors("atf"):
        rows = by_sql(of, actor, world, "read", "base")
        for number in range(0, RECORDS, 25):
            what = replace(world.resources[number], grants=world.granted(number, actor))
            assert of.decide(actor, "read", what, today=TODAY).allowed is (number in rows)


def test_predicates_stand_side_by_side_in_one_query(world: World) -> None:
    atf, agent, analyst = policies("atf"), member("atf", "special_agent"), member("atf", "analyst", id=MEMBERS[0])
    one = atf.scope(agent, today=TODAY)
    two = atf.scope(analyst, today=TODAY, prefix="analyst")
    columns = atf.group_columns(agent, today=TODAY)
    assert not (set(one.params) & set(two.params) or set(one.params) & set(columns.params))
    rows = world.connection.execute(
        f"select r.id, {columns.sql} from comity.record r where {one.sql} and {two.sql}",
        {**one.params, **two.params, **columns.params},
    )
    assert {row[0] for row in rows} == by_sql(atf, agent, world, "read", "base") & by_sql(
        atf, analyst, world, "read", "base"
    )


def test_agreements_that_differ_only_in_the_owner_are_asked_once(world: World) -> None:
    prosecutor = member("usao", "prosecutor", purpose="prosecution")
    predicate = policies("usao").scope(prosecutor, today=TODAY, prefix="p")
    assert ["cpd", "dea"] in predicate.params.values()
    rows = by_sql(policies("usao"), prosecutor, world, "read", "base")
    seen = {one.owner for n, one in enumerate(world.resources) if n in rows and one.type == "investigation.incident"}
    assert seen >= {"cpd", "dea"}


def test_no_value_stands_in_the_sql() -> None:
    predicate = policies("atf").scope(member("atf", "special_agent", id="m'; --"), today=TODAY, prefix="p")
    for value in ("atf", "cpd", "investigation", "juvenile", "m'; --", "base"):
        assert value not in predicate.sql
    assert {"atf", "cpd", "m'; --"} <= {one for one in predicate.params.values() if isinstance(one, str)}


def test_members_with_the_same_roles_share_the_text_and_bind_their_own_id() -> None:
    atf = policies("atf")
    one, two = (atf.scope(member("atf", "analyst", id=id), today=TODAY) for id in ("m1", "m2"))
    assert one.sql == two.sql
    assert "m1" in one.params.values()
    assert "m2" in two.params.values()
    assert "m1" not in two.params.values()


@pytest.mark.parametrize("name", ["r; drop table x", "r.x", "", "1r", "%s"])
def test_an_alias_is_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="alias"):
        policies("atf").scope(member("atf", "analyst"), today=TODAY, alias=name)


def resource_attribute(name: str) -> dict[str, Any]:
    return {".": {"left": {"unknown": [{"Value": "resource"}]}, "attr": name}}


ALL = {"op": "All"}


@pytest.mark.parametrize(
    "body",
    [
        {"<": {"left": resource_attribute("owner"), "right": {"Value": 3}}},
        {"like": {"left": resource_attribute("owner"), "pattern": ["Wildcard"]}},
        {"if-then-else": {"if": {"Value": True}, "then": {"Value": True}, "else": {"Value": False}}},
        {"has": {"left": {"unknown": [{"Value": "resource"}]}, "attr": "owner"}},
        {"==": {"left": resource_attribute("salary"), "right": {"Value": "x"}}},
        {"==": {"left": resource_attribute("owner"), "right": {"Value": 3}}},
        {"==": {"left": resource_attribute("marks"), "right": {"Value": "x"}}},
        {"contains": {"left": resource_attribute("grants"), "right": resource_attribute("owner")}},
        {"containsAny": {"left": resource_attribute("grants"), "right": {"Set": [{"Value": "base"}]}}},
        {"contains": {"left": resource_attribute("owner"), "right": {"Value": "x"}}},
        {"==": {"left": {"unknown": [{"Value": "resource"}]}, "right": {"Value": "x"}}},
        {"error": [{"extension": "x"}]},
        {"Value": "text"},
        {"Value": True, "also": 1},
        True,
    ],
)
def test_what_the_compiler_does_not_know_is_refused(body: Any) -> None:
    policy = {"effect": "permit", "principal": ALL, "action": ALL, "resource": ALL}
    with pytest.raises(PolicyNotCompilable) as refused:
        compile_residuals(
            {"policy0": {**policy, "conditions": [{"kind": "when", "body": body}]}}, Binding("r", "atf", "p", {})
        )
    assert refused.value.code == "policy_error"


@pytest.mark.parametrize("change", [
    {"effect": "allow"}, {"resource": {"op": "is", "entity_type": "Record"}}, {"principal": {"op": "=="}},
    {"conditions": [{"kind": "perhaps", "body": {"Value": True}}]},
])  # fmt: skip
def test_a_policy_that_is_still_open_elsewhere_is_refused(change: dict[str, Any]) -> None:
    policy = {"effect": "permit", "principal": ALL, "action": ALL, "resource": ALL, "conditions": []}
    with pytest.raises(PolicyNotCompilable):
        compile_residuals({"policy0": {**policy, **change}}, Binding("r", "atf", "p", {}))


@pytest.mark.parametrize("when", [
    "resource.absent == 1", 'resource.owner like "a*"', 'if resource.owner == "x" then true else false',
    "context.today + 9223372036854775807 > 1",
])  # fmt: skip
def test_a_forbid_that_errs_or_cannot_be_compiled_shows_nothing(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    generated = rules
    broken = Rule("broken", "never", ("read",), "forbid", when=(when,))
    monkeypatch.setattr(decide, "rules", lambda *given: (*generated(*given), broken))
    with pytest.raises(PolicyNotCompilable):
        Policies(catalogue("atf")).scope(member("atf", "special_agent"), today=TODAY)


def test_every_policy_must_be_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = cedarpy.is_authorized_partial

    def forgetful(*given: Any, **named: Any) -> cedarpy.PartialAuthzResult:
        result = complete(*given, **named)
        forbid = next(name for name, one in result.residuals.items() if one["effect"] == "forbid")
        result.residuals.pop(forbid)
        return result

    monkeypatch.setattr(cedarpy, "is_authorized_partial", forgetful)
    with pytest.raises(PolicyNotCompilable, match="every policy"):
        Policies(catalogue("atf")).scope(member("atf", "special_agent"), today=TODAY)
