"""What must hold before Comity serves anyone. Each refusal has a code and says what to do.

Start-up refuses rather than warns: a server that can lose a commit, or a role that passes by row-level security, makes
every later promise untrue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from comity.sentences import NOTHING, Sentence, Text, say

if TYPE_CHECKING:
    import psycopg

OLDEST_SERVER = 150000
DEVANAGARI = "राम"


_DURABLE = {"fsync": "fsync_off", "synchronous_commit": "synchronous_commit_off"}
"""Settings without which the server acknowledges what it can still lose, and the code that says so."""


class StartupRefused(Exception):
    """Comity does not start. `code` is stable, `fix` says what to do."""

    def __init__(self, code: str, message: Text, fix: Text = NOTHING) -> None:
        self.code = code
        self.message = message
        self.fix = fix or (message.fix if isinstance(message, Sentence) else NOTHING)
        super().__init__(f"{message} [{code}]. What to do: {self.fix}")


def check(conninfo_app: str) -> None:
    """Raise StartupRefused for the first thing that is wrong with the server or with the role of `conninfo_app`."""
    wrong = faults(conninfo_app)
    if wrong:
        raise wrong[0]


def faults(conninfo_app: str) -> list[StartupRefused]:
    """All that is wrong, the worst first; empty when nothing is."""
    import psycopg

    try:
        with psycopg.connect(conninfo_app, connect_timeout=10, autocommit=True) as connection:
            return _server(connection) + _role(connection)
    except psycopg.OperationalError as error:
        return [
            StartupRefused(
                "database_unreachable",
                say("database_unreachable.database_does_not_answer", error=str(error).strip()),
            )
        ]


def _server(connection: psycopg.Connection) -> list[StartupRefused]:
    found = []
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        found.append(
            StartupRefused(
                "server_too_old",
                say("server_too_old.server_is_postgresql_and_15", version=version // 10000),
            )
        )
    for name, code in _DURABLE.items():
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        value = row[0] if row else ""
        if value == "off":
            found.append(
                StartupRefused(
                    code,
                    say("startup.is_off_server_would_acknowledge", name=name),
                )
            )
    return found + _trigrams(connection)


def _trigrams(connection: psycopg.Connection) -> list[StartupRefused]:
    import psycopg

    try:
        row = connection.execute("SELECT cardinality(show_trgm(%s))", (DEVANAGARI,)).fetchone()
    except psycopg.errors.UndefinedFunction:
        return [
            StartupRefused(
                "trigrams_missing",
                say("trigrams_missing.extension_pg_trgm_is_not"),
            )
        ]
    if row and row[0]:
        return []
    return [
        StartupRefused(
            "trigrams_ascii_only",
            say("trigrams_ascii_only.database_lc_ctype_drops_letters"),
        )
    ]


def _role(connection: psycopg.Connection) -> list[StartupRefused]:
    row = connection.execute(
        """
        SELECT r.rolname, r.rolsuper, r.rolbypassrls,
               EXISTS (SELECT FROM pg_database d
                        WHERE d.datname = current_database() AND pg_has_role(r.oid, d.datdba, 'MEMBER')),
               EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = 'comity' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                          AND pg_has_role(r.oid, c.relowner, 'MEMBER')),
               EXISTS (SELECT FROM pg_roles m
                        WHERE (m.rolsuper OR m.rolbypassrls) AND m.oid <> r.oid
                          AND pg_has_role(r.oid, m.oid, 'MEMBER'))
          FROM pg_roles r WHERE r.rolname = session_user
        """
    ).fetchone()
    if row is None:
        return []
    name, superuser, bypasses, owns_database, owns_table, may_become = row
    if superuser:  # a superuser is a member of every role: the other questions say nothing more
        return [
            StartupRefused(
                "app_role_superuser",
                say("app_role_superuser.role_is_superuser_and_would", name=name),
            )
        ]
    found = []
    if bypasses or may_become:
        found.append(
            StartupRefused(
                "app_role_bypasses_rls",
                say("app_role_bypasses_rls.role_passes_by_row_level", name=name),
            )
        )
    if owns_database:
        found.append(
            StartupRefused(
                "app_role_owns_database",
                say("app_role_owns_database.role_owns_database_or_is", name=name),
            )
        )
    if owns_table:
        found.append(
            StartupRefused(
                "app_role_owns_table",
                say("app_role_owns_table.role_owns_table_of_schema", name=name),
            )
        )
    return found
