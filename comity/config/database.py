"""Which database this process uses, by role, and bringing its tables up to date."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comity.config.embedded import Embedded
from comity.config.embedded_cluster import run_folder, url
from comity.config.settings import Settings
from comity.config.startup import StartupRefused

MIGRATIONS = Path(__file__).resolve().parent.parent / "kernel" / "migrations"
ONE_AT_A_TIME = 0x636F6D69  # the advisory lock under which one process migrates


@dataclass
class Database:
    """Addresses by role. `owner_url` is for migrations only; it and `sequencer_url` are empty where not configured."""

    app_url: str
    owner_url: str
    sequencer_url: str
    superuser_url: str = ""
    embedded: Embedded | None = None

    def keep(self) -> None:
        """For a long-running program: attach to the embedded server anew if its supervisor is killed."""
        if self.embedded is not None:
            self.embedded.keep()

    def close(self) -> None:
        """The embedded server ends about two seconds after the last process has closed."""
        if self.embedded is not None:
            self.embedded.release()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_database(settings: Settings, binaries: Path | None = None) -> Database:
    """The server that DATABASE_URL names, else the embedded one, started if need be. Raises StartupRefused."""
    if settings.database_url:
        return Database(settings.database_url, settings.database_admin_url or "", settings.database_sequencer_url or "")
    for name, value in (
        ("DATABASE_ADMIN_URL", settings.database_admin_url),
        ("DATABASE_SEQUENCER_URL", settings.database_sequencer_url),
    ):
        if value:
            raise StartupRefused(
                "database_url_missing", f"{name} is set and DATABASE_URL is not", "set both, or neither"
            )
    embedded = Embedded(settings.home, binaries)
    urls = embedded.start()
    return Database(urls.app, urls.owner, urls.sequencer, urls.superuser, embedded)


def pending_migrations(conninfo: str) -> list[str]:
    """Names of migrations that the database lacks, without importing Django. Needs a role that may read their table."""
    import psycopg

    shipped = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection:
        try:
            rows = connection.execute("SELECT name FROM django_migrations WHERE app = 'kernel'").fetchall()
        except psycopg.errors.UndefinedTable:
            return shipped
    applied = {row[0] for row in rows}
    return [name for name in shipped if name not in applied]


def migrate(database: Database) -> list[str]:
    """Bring the tables up to date; the names of what was applied. One process at a time, the others wait.

    Without an owner address (DATABASE_ADMIN_URL) nothing is applied: raises `admin_url_missing` when the tables are
    not there at all.
    """
    import psycopg

    if not database.owner_url:
        with psycopg.connect(database.app_url, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'comity')").fetchone()
        if row and row[0]:
            return []
        raise StartupRefused(
            "admin_url_missing",
            "the database has no tables of Comity yet",
            "set DATABASE_ADMIN_URL to the same database as role comity_owner",
        )
    if not pending_migrations(database.owner_url):
        return []
    with psycopg.connect(database.owner_url, autocommit=True) as lock:
        lock.execute("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        pending = pending_migrations(database.owner_url)
        if pending:
            _run_migrations(database.owner_url)
    return pending


def _run_migrations(owner_url: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.config.django_settings")
    import django
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connections

    if not apps.ready:
        django.setup()
    connections["default"].close()
    del connections["default"]
    connections.databases["default"].update(django_connection(owner_url))
    try:
        call_command("migrate", verbosity=0, interactive=False, stdout=sys.stderr)
    finally:
        connections["default"].close()


def owner_url_without_starting(settings: Settings) -> str:
    """For Django's settings, which may be read before the database is open; `migrate` puts the true address."""
    return settings.database_admin_url or url(run_folder(settings.home), "comity_owner")


def django_connection(conninfo: str) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": parts,
    }
