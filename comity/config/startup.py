"""What must hold before Comity serves anyone. Each refusal has a code and says what to do.

Start-up refuses rather than warns: a server that can lose a commit, or a role that passes by row-level security, makes
every later promise untrue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

OLDEST_SERVER = 150000
DEVANAGARI = "राम"


_DURABLE = {"fsync": "fsync_off", "synchronous_commit": "synchronous_commit_off"}
"""Settings without which the server acknowledges what it can still lose, and the code that says so."""


class StartupRefused(Exception):
    """Comity does not start. `code` is stable, `fix` says what to do."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(f"{message} [{code}]. What to do: {fix}")
        self.code = code
        self.message = message
        self.fix = fix


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
                f"the database does not answer: {str(error).strip()}",
                "start the server, or correct DATABASE_URL; without DATABASE_URL Comity starts its own",
            )
        ]


def _server(connection: psycopg.Connection) -> list[StartupRefused]:
    found = []
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        found.append(
            StartupRefused(
                "server_too_old",
                f"the server is PostgreSQL {version // 10000}, and 15 is the oldest that is supported",
                "use PostgreSQL 15 or later",
            )
        )
    for name, code in _DURABLE.items():
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        value = row[0] if row else ""
        if value == "off":
            found.append(
                StartupRefused(
                    code,
                    f"{name} is off: the server would acknowledge what it can still lose",
                    f"ALTER SYSTEM RESET {name}; SELECT pg_reload_conf(); and look for it in the settings of "
                    "postgresql.conf, of the role and of the database",
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
                "the extension pg_trgm is not installed in this database",
                "run comity/config/roles.sql in it as a superuser",
            )
        ]
    if row and row[0]:
        return []
    return [
        StartupRefused(
            "trigrams_ascii_only",
            "the database's LC_CTYPE drops letters outside ASCII: names in other scripts would not be found",
            "create the database with LC_CTYPE 'C.utf8' (or another UTF-8 locale) and encoding UTF8",
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
                f"role {name} is a superuser and would pass by row-level security",
                f"ALTER ROLE {name} NOSUPERUSER, or let DATABASE_URL name the role comity_app",
            )
        ]
    found = []
    if bypasses or may_become:
        found.append(
            StartupRefused(
                "app_role_bypasses_rls",
                f"role {name} passes by row-level security, itself or through a role that it is a member of",
                f"ALTER ROLE {name} NOBYPASSRLS, and revoke its membership in roles that are superuser or BYPASSRLS",
            )
        )
    if owns_database:
        found.append(
            StartupRefused(
                "app_role_owns_database",
                f"role {name} owns the database, or is a member of the role that does",
                "ALTER DATABASE ... OWNER TO comity_owner; the owner is for migrations only",
            )
        )
    if owns_table:
        found.append(
            StartupRefused(
                "app_role_owns_table",
                f"role {name} owns a table of schema comity, or is a member of the role that does",
                "REASSIGN OWNED BY it TO comity_owner, or revoke the membership; the owner is for migrations only",
            )
        )
    return found
