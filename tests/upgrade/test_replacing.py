"""Functions, policies, triggers and grants become what the files say; half an upgrade is none."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from comity.config import migration
from comity.config.database import Database, migrate, pending_migrations
from comity.config.migration import upgrade
from comity.config.schema_files import FOLDER, Schema, shipped
from comity.config.startup import StartupRefused
from tests.upgrade.catalog import catalog
from tests.upgrade.conftest import RECORDED, NewDatabase, load, run

OLDEST = RECORDED[0]
Change = Callable[[Schema], Schema]


def to(database: Database, schema: Schema) -> list[str]:
    with psycopg.connect(database.owner_url, autocommit=True) as conn:
        return upgrade(conn, schema)


def refused(database: Database, schema: Schema) -> StartupRefused:
    before = catalog(database.superuser_url)
    with pytest.raises(StartupRefused) as found:
        to(database, schema)
    assert catalog(database.superuser_url) == before, "a refusal changes nothing"
    assert found.value.fix
    return found.value


def edited(name: str, old: str, new: str) -> Change:
    """A file of functions or rights with a passage replaced."""

    def change(schema: Schema) -> Schema:
        kind = name.split("/")[0]
        files = getattr(schema, kind)
        assert old in files[name]
        return replace(schema, revision=schema.revision + 1, **{kind: {**files, name: files[name].replace(old, new)}})

    return change


def without(*names: str) -> Change:
    def change(schema: Schema) -> Schema:
        kept = {name: text for name, text in schema.functions.items() if name not in names}
        return replace(schema, revision=schema.revision + 1, functions=kept)

    return change


def with_function(name: str, text: str) -> Change:
    def change(schema: Schema) -> Schema:
        functions = dict(sorted({**schema.functions, name: text}.items()))
        return replace(schema, revision=schema.revision + 1, functions=functions)

    return change


CHANGES: dict[str, Change] = {
    "a body": edited("functions/stream_end", "max(place), 0", "max(place), 0 + 0"),
    "an argument more": edited("functions/lag", "lag()", "lag(since timestamptz default now())"),
    "another result": edited("functions/lag", "pending bigint,", "waiting bigint,"),
    "another type of argument": edited("functions/webhooks_due", "at timestamptz", "at timestamp"),
    "an argument fewer, under a policy": edited(
        "functions/arriving", "arriving()", "arriving(really boolean default true)"
    ),
    "no longer a definer": edited("functions/own_ties", "security definer ", ""),
    "grants": edited("functions/lag", "to comity_app", "to comity_sequencer"),
    "one of them gone": without("functions/own_ties"),
    "a new one that calls a later one": with_function(
        "functions/aaa",
        "create or replace function comity.aaa() returns bigint language sql stable as 'select comity.stream_end()';\n"
        "revoke execute on function comity.aaa from public;",
    ),
    "a policy": edited("rights/members", "create policy own on comity.member", "create policy mine on comity.member"),
    "a trigger gone": edited("rights/exchange", "create trigger offer_moves_on", "-- "),
    "a right of columns": edited("rights/members", "grant update (revoked_at)", "grant update (label)"),
}


@pytest.mark.pg15
@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_schema_arrives_as_if_the_database_were_new(new_database: NewDatabase, what: str) -> None:
    changed = CHANGES[what](shipped())
    old, new = new_database(), new_database()
    to(old, shipped())
    before = catalog(old.superuser_url)
    applied = to(old, changed)
    to(new, changed)
    assert applied and catalog(old.superuser_url) != before
    assert catalog(old.superuser_url) == catalog(new.superuser_url)
    assert to(old, changed) == []


def test_a_body_is_replaced_beside_running_work_and_a_policy_waits_for_it(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "PATIENCE", "100ms")
    database = new_database()
    to(database, shipped())
    with psycopg.connect(database.app_url) as working:
        working.execute("select count(*) from comity.record").fetchone()
        assert to(database, CHANGES["a body"](shipped())) == ["functions/stream_end"]
        changed = CHANGES["a policy"](CHANGES["a body"](shipped()))
        assert refused(database, changed).code == "database_busy"
    assert to(database, changed) == ["rights/members"]


def stepped(text: str) -> Schema:
    schema = shipped()
    return replace(schema, revision=schema.revision + 1, steps={**schema.steps, "steps/9999_a_test": text})


def test_a_step_reaches_every_row_and_is_taken_once(new_database: NewDatabase) -> None:
    database = new_database()
    to(database, shipped())
    run(database.superuser_url, "insert into comity.counter values ('atf', 'a', 1), ('dea', 'a', 1)")
    schema = stepped(
        "alter table comity.counter add column extra int; update comity.counter set extra = 7, next = next + 1"
    )
    assert to(database, schema) == ["steps/9999_a_test"]
    assert to(database, schema) == []
    with psycopg.connect(database.superuser_url) as conn:
        assert conn.execute("select array_agg(extra), array_agg(next) from comity.counter").fetchone() == (
            [7, 7],
            [2, 2],
        )
        row = conn.execute("select bool_and(relforcerowsecurity) from pg_class where relname = 'counter'").fetchone()
        assert row == (True,), "what was lifted for the step is in force again"
    assert refused(database, shipped()).code == "database_newer"


def test_what_a_step_left_open_is_closed_with_it(new_database: NewDatabase) -> None:
    """A table that a step makes, and that no file of rights names, shows nothing to anybody."""
    database = new_database()
    to(database, shipped())
    to(database, stepped("create table comity.forgotten (agency text); insert into comity.forgotten values ('atf')"))
    with psycopg.connect(database.app_url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select * from comity.forgotten")
    with psycopg.connect(database.owner_url) as conn:
        assert conn.execute("select * from comity.forgotten").fetchall() == []


ODD = {
    "an aggregate": "create aggregate comity.together (int) (sfunc = int4pl, stype = int)",
    "a procedure": "create procedure comity.tidy() language sql as 'select 1'",
    "a table of another owner": "create table comity.theirs (one int)",
    "a default of a table beside it": "create table public.theirs (at timestamptz default comity.now())",
    "a view of a table beside it": "create view public.theirs as select comity.now() as at",
}


@pytest.mark.pg15
@pytest.mark.parametrize("what", ODD)
def test_what_is_not_ours_in_the_way_is_refused_with_what_to_do(new_database: NewDatabase, what: str) -> None:
    database = new_database()
    to(database, shipped())
    run(database.superuser_url, ODD[what])
    fault = refused(database, CHANGES["a policy"](shipped()))
    assert fault.code == "schema_change_refused" and "out of the schema comity" in fault.fix
    assert re.search("together|tidy|theirs", fault.message), fault.message
    if what in ("an aggregate", "a procedure"):
        assert refused(database, CHANGES["a body"](shipped())).code == "schema_change_refused"


@pytest.mark.parametrize(
    "others", ["", "insert into django_migrations (app, name, applied) values ('blog', '1', now())"]
)
def test_the_table_of_django_goes_where_nobody_else_keeps_rows_in_it(new_database: NewDatabase, others: str) -> None:
    database = new_database()
    load(database, OLDEST)
    if others:
        run(database.superuser_url, others)
    assert migrate(database)
    with psycopg.connect(database.superuser_url) as conn:
        assert conn.execute("select to_regclass('public.django_migrations') is not null").fetchone() == (bool(others),)
        if others:
            assert conn.execute("select app from public.django_migrations").fetchall() == [("blog",)]
    assert migrate(database) == []


@pytest.mark.pg15
@pytest.mark.parametrize("broken", ["functions/webhooks_due", "rights/sharing"])
def test_an_interrupted_upgrade_is_none_and_the_next_one_finishes(
    new_database: NewDatabase, tmp_path: Path, broken: str
) -> None:
    database, fresh = new_database(), new_database()
    load(database, OLDEST)
    migrate(fresh)
    folder = tmp_path / "schema"
    shutil.copytree(FOLDER, folder)
    (folder / f"{broken}.sql").write_text("select from nowhere;\n")
    fault = refused(database, shipped(folder))
    assert fault.code == "schema_change_refused" and f"{broken}.sql" in fault.message and "nowhere" in fault.message
    assert migrate(database)
    assert catalog(database.superuser_url) == catalog(fresh.superuser_url)


def test_an_upgrade_that_is_killed_in_the_middle_is_none_and_the_next_one_finishes(new_database: NewDatabase) -> None:
    database, fresh = new_database(), new_database()
    load(database, OLDEST)
    migrate(fresh)
    before = catalog(database.superuser_url)
    schema = shipped()
    last = list(schema.rights)[-1]
    killing = replace(schema, rights={**schema.rights, last: "select pg_terminate_backend(pg_backend_pid())"})
    with pytest.raises((psycopg.OperationalError, StartupRefused)):
        to(database, killing)
    assert catalog(database.superuser_url) == before
    assert migrate(database)
    assert catalog(database.superuser_url) == catalog(fresh.superuser_url)


def test_a_database_older_than_can_be_upgraded_is_refused(new_database: NewDatabase) -> None:
    database = new_database()
    load(database, OLDEST)
    run(database.superuser_url, "delete from django_migrations where name = '0010_doors'")
    fault = refused(database, shipped())
    assert fault.code == "database_too_old" and "0010_doors" in fault.message


def test_without_the_owners_address_an_old_or_a_newer_database_is_refused(new_database: NewDatabase) -> None:
    database = new_database()
    app = Database(app_url=database.app_url, owner_url="", sequencer_url="")

    def cause() -> str:
        with pytest.raises(StartupRefused) as found:
            migrate(app)
        assert found.value.fix
        return found.value.code

    assert cause() == "admin_url_missing"
    load(database, OLDEST)
    assert cause() == "database_behind"
    migrate(database)
    assert migrate(app) == [] and pending_migrations(database.app_url) == []
    run(database.superuser_url, "update comity.schema_state set digests = '{}'")
    assert cause() == "database_behind"
    run(database.superuser_url, "update comity.schema_state set revision = 9999")
    assert cause() == "database_newer"
