"""Which database this process uses, by role, and bringing its tables up to date."""

from dataclasses import dataclass
from pathlib import Path

from comity.config.embedded import Embedded
from comity.config.schema_files import shipped
from comity.config.settings import Settings
from comity.config.startup import StartupRefused
from comity.sentences import say


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
            raise StartupRefused("database_url_missing", say("database_url_missing.is_set_and_database_url", name=name))
    embedded = Embedded(settings.home, binaries)
    urls = embedded.start()
    return Database(urls.app, urls.owner, urls.sequencer, urls.superuser, embedded)


def pending_migrations(conninfo: str) -> list[str]:
    """What the database lacks of this version's schema. Any of our roles may ask. Raises as `migrate`."""
    import psycopg

    from comity.config.migration import find, pending

    with psycopg.connect(conninfo, autocommit=True, connect_timeout=10) as connection:
        return pending(shipped(), find(connection))


def migrate(database: Database) -> list[str]:
    """Bring the tables up to date; the names of what was applied. One process at a time, the others wait.

    Without an owner address (DATABASE_ADMIN_URL) nothing is applied: raises StartupRefused `admin_url_missing` when
    the tables are not there at all, `database_behind` when they are older. See `migration.upgrade` for the others.
    """
    import psycopg

    from comity.config.migration import find, pending, upgrade

    with psycopg.connect(database.owner_url or database.app_url, autocommit=True, connect_timeout=10) as connection:
        found = find(connection)
        lacking = pending(shipped(), found)
        if not lacking:
            return []
        if database.owner_url:
            return upgrade(connection, shipped())
    if found.revision is None:
        raise StartupRefused(
            "admin_url_missing",
            say("admin_url_missing.database_has_no_tables_of"),
        )
    raise StartupRefused(
        "database_behind",
        say(
            "database_behind.database_has_schema_revision_and",
            revision=found.revision,
            shipped_revision=shipped().revision,
        ),
    )
