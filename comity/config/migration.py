"""Bringing a database to the schema that this version ships, in one transaction: it is done whole or not at all.

An empty database is made from the tables as they are now. An older one takes the steps that it lacks. What holds no
data, functions, policies, triggers and grants, is replaced where it differs from the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from comity.config.schema_files import Files, Schema
from comity.config.startup import StartupRefused
from comity.sentences import say

ONE_AT_A_TIME = 0x636F6D69
"""The advisory lock under which one process migrates."""
PATIENCE = "10s"
"""How long one lock is waited for: what waits for all tables makes everybody behind it wait too."""
LAST_OF_DJANGO = frozenset(
    (
        "0001_kernel", "0002_sharing", "0003_behalf", "0004_leave", "0005_orders", "0006_joints", "0007_following",
        "0008_marks_and_instants", "0009_waking", "0010_doors",
    )
)  # fmt: skip
"""The migrations that Django ran before the schema was files that are replaced; step 0001 begins where they end."""

_IN_THE_WAY = "in the way"
_OTHER_SIGNATURE = psycopg.errors.InvalidFunctionDefinition, psycopg.errors.AmbiguousFunction

_OF_OTHERS = (
    psycopg.errors.DependentObjectsStillExist, psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType,
)  # fmt: skip

Conn = psycopg.Connection[Any]

# Steps run with all of this gone: they see every row, and no trigger or policy holds a column.
_CLEAR = """
do $clear$
declare
    one record;
begin
    for one in select oid::regclass as name from pg_class
                where relnamespace = 'comity'::regnamespace and relkind = 'r' order by relname loop
        execute format('lock table %s in access exclusive mode', one.name);
        execute format('alter table %s disable row level security, no force row level security', one.name);
        execute format('revoke all on %s from public, comity_app, comity_sequencer', one.name);
    end loop;
    for one in select p.polname as policy, c.oid::regclass as name
                 from pg_policy p join pg_class c on c.oid = p.polrelid
                where c.relnamespace = 'comity'::regnamespace loop
        execute format('drop policy %I on %s', one.policy, one.name);
    end loop;
    for one in select t.tgname as trigger, c.oid::regclass as name
                 from pg_trigger t join pg_class c on c.oid = t.tgrelid
                where c.relnamespace = 'comity'::regnamespace and not t.tgisinternal loop
        execute format('drop trigger %I on %s', one.trigger, one.name);
    end loop;
    for one in select string_agg(oid::regprocedure::text, ', ') as names from pg_proc
                where pronamespace = 'comity'::regnamespace having count(*) > 0 loop
        execute format('drop function %s', one.names);
    end loop;
    revoke all on schema comity from public, comity_app, comity_sequencer;
end $clear$
"""
_FORGET_GRANTS = """
do $forget$
declare
    one regprocedure;
begin
    for one in select oid from pg_proc where pronamespace = 'comity'::regnamespace loop
        execute format('revoke all on function %s from comity_app, comity_sequencer', one);
        execute format('grant execute on function %s to public', one);
    end loop;
end $forget$
"""


@dataclass(frozen=True)
class Found:
    """What a database says of its schema. `revision` is None without any table, 0 where Django's migrations made it."""

    revision: int | None
    steps: frozenset[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=dict)


def find(conn: Conn) -> Found:
    """Reads it as any of our roles. Raises StartupRefused `database_too_old`."""
    try:
        with conn.transaction():
            row = conn.execute("select revision, steps, digests from comity.schema_state").fetchone()
    except psycopg.errors.UndefinedTable:
        row = conn.execute("select to_regnamespace('comity') is null").fetchone()
        if row and row[0]:
            return Found(None)
        _refuse_unfinished(conn)
        return Found(0)
    if row is None:
        raise StartupRefused("schema_state_missing", say("schema_state_missing.database_does_not_say_which"))
    return Found(row[0], frozenset(row[1]), row[2])


def _refuse_unfinished(conn: Conn) -> None:
    """Raises `database_too_old` where not all of Django's migrations had run. Others learn no more."""
    try:
        with conn.transaction():
            rows = conn.execute("select name from public.django_migrations where app = 'kernel'").fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return
    except psycopg.errors.UndefinedTable:
        rows = []
    missing = sorted(LAST_OF_DJANGO - {row[0] for row in rows})
    if missing:
        raise StartupRefused(
            "database_too_old",
            say("database_too_old.database_is_older_than_this", missing=", ".join(missing)),
        )


def pending(schema: Schema, found: Found) -> list[str]:
    """Names of the files that the database lacks or has otherwise; `revision N` where it lacks all or the number.

    Raises StartupRefused `database_newer`.
    """
    if found.revision is None:
        return [_number(schema)]
    unknown = sorted(found.steps - set(schema.steps))
    if found.revision > schema.revision or unknown:
        raise StartupRefused(
            "database_newer",
            say("database_newer.knows_less", found=found.revision, known=schema.revision, unknown=unknown)
            if unknown
            else say("database_newer.knows_older", found=found.revision, known=schema.revision),
            say("database_newer.use_version_that_upgraded_database.fix"),
        )
    changed = [name for name, digest in schema.digests.items() if found.digests.get(name) != digest]
    gone = sorted(set(found.digests) - set(schema.digests))
    lacks = [*(name for name in schema.steps if name not in found.steps), *changed, *gone]
    return lacks or ([_number(schema)] if found.revision < schema.revision else [])


def _number(schema: Schema) -> str:
    return f"revision {schema.revision}"


def upgrade(conn: Conn, schema: Schema) -> list[str]:
    """Bring the database to `schema`; the names of what was applied, empty when nothing was lacking.

    `conn` is the owner's, outside a transaction. One process at a time, the others wait. Raises StartupRefused
    `database_newer`, `database_too_old`, `database_busy`, `schema_change_refused`; then nothing was changed.
    """
    with _refusing_busy(), conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
        conn.execute(f"set local lock_timeout = '{PATIENCE}'; set local client_min_messages = warning")
        found = find(conn)
        lacks = pending(schema, found)
        if not lacks:
            return []
        if found.revision is None:
            with _refusing("the schema comity"):
                conn.execute("create schema comity")
            _run(conn, schema.tables)
            _enforce(conn, schema)
        elif not _replaced(conn, schema, lacks):
            with _refusing(_IN_THE_WAY):
                conn.execute(_CLEAR)
            _run(conn, {name: text for name, text in schema.steps.items() if name not in found.steps})
            _enforce(conn, schema)
        _record(conn, schema)
        return lacks


def _enforce(conn: Conn, schema: Schema) -> None:
    _make_functions(conn, schema.functions)
    _run(conn, schema.rights)


def _replaced(conn: Conn, schema: Schema, lacks: Sequence[str]) -> bool:
    """Where only bodies of functions differ, they are replaced beside running work, without a lock on a table.

    False, and nothing was done, where more than that is lacking.
    """
    if any(
        name.startswith(("steps/", "rights/")) or name not in {*schema.functions, _number(schema)} for name in lacks
    ):
        return False
    try:
        with conn.transaction():
            with _refusing(_IN_THE_WAY):
                conn.execute(_FORGET_GRANTS)
            _make_functions(conn, schema.functions)
            rows = conn.execute("select proname from pg_proc where pronamespace = 'comity'::regnamespace").fetchall()
            alike = sorted(f"functions/{row[0]}" for row in rows) == list(schema.functions)
            if not alike:
                raise psycopg.Rollback
    except StartupRefused as refused:
        if not isinstance(refused.__cause__, _OTHER_SIGNATURE):
            raise
        return False
    return alike


def _make_functions(conn: Conn, functions: Files) -> None:
    """First whatever they call, which may come later; then once more, each judged as the server does it."""
    for judged in ("off", "on"):
        conn.execute(f"set local check_function_bodies = {judged}")
        _run(conn, functions)


def _run(conn: Conn, files: Files) -> None:
    for name, text in files.items():
        with _refusing(f"{name}.sql"):
            conn.execute(text.encode("utf-8"))


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Whatever the server says against it is `schema_change_refused`, but that a lock could not be had."""
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise
    except psycopg.Error as error:
        said = [str(error).strip().splitlines()[0] if str(error).strip() else repr(error)]
        said += (error.diag.message_detail or "").splitlines()[:3]
        in_the_way = what == _IN_THE_WAY
        refused = say(
            "schema_change_refused.takes_nothing_down" if in_the_way else "schema_change_refused.database_refuses",
            what=what, said="; ".join(said),
        )  # fmt: skip
        others = in_the_way and isinstance(error, _OF_OTHERS)
        fix = say("schema_change_refused.move_what_is_not_comitys.fix") if others else refused.fix
        raise StartupRefused("schema_change_refused", refused, fix) from error


def _record(conn: Conn, schema: Schema) -> None:
    conn.execute(
        """insert into comity.schema_state (revision, steps, digests, changed_at) values (%s, %s, %s, now())
           on conflict (one) do update set revision = excluded.revision, steps = excluded.steps,
                   digests = excluded.digests, changed_at = excluded.changed_at""",
        (schema.revision, list(schema.steps), Jsonb(schema.digests)),
    )


@contextmanager
def _refusing_busy() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise StartupRefused(
            "database_busy",
            say("database_busy.tables_are_in_use_so"),
        ) from error
