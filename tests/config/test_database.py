"""Which database is used, and how its tables come up to date."""

from pathlib import Path

import psycopg
import pytest

from comity.config.database import Database, migrate, open_database, pending_migrations
from comity.config.doctor import examine
from comity.config.schema_files import shipped
from comity.config.settings import Settings, settings
from comity.config.startup import StartupRefused, check
from tests.config import server


@pytest.mark.pg15
def test_migrations_are_applied_once_as_the_owner(database: Database) -> None:
    assert pending_migrations(database.owner_url) == []
    assert migrate(database) == []
    assert server.ask(database.app_url, "SELECT revision FROM comity.schema_state") == shipped().revision
    assert server.ask(database.app_url, "SELECT steps FROM comity.schema_state") == list(shipped().steps)
    owners = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'comity'"
    assert server.ask(database.owner_url, owners) == "comity_owner"


@pytest.mark.pg15
def test_the_roles_are_fit_after_migrating(database: Database) -> None:
    check(database.app_url)
    check(database.sequencer_url)


def test_a_server_of_ones_own(database: Database, tmp_path: Path) -> None:
    environment = {
        "COMITY_HOME": str(tmp_path / "home"),
        "DATABASE_URL": database.app_url,
        "DATABASE_ADMIN_URL": database.owner_url,
        "DATABASE_SEQUENCER_URL": database.sequencer_url,
    }
    named = open_database(settings(environment))
    assert (named.app_url, named.owner_url, named.embedded) == (database.app_url, database.owner_url, None)
    assert migrate(named) == []
    assert not (tmp_path / "home" / "postgres").exists()
    without_owner = open_database(settings({**environment, "DATABASE_ADMIN_URL": ""}))
    assert migrate(without_owner) == []


def test_an_empty_server_without_its_owner_is_refused(bare_database: Database) -> None:
    empty = bare_database.superuser_url.replace("/comity?", "/nothing_in_it?")
    with psycopg.connect(bare_database.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE nothing_in_it")
    with pytest.raises(StartupRefused) as refused:
        migrate(Database(app_url=empty, owner_url="", sequencer_url=""))
    assert refused.value.code == "admin_url_missing"


def test_half_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupRefused) as refused:
        open_database(settings({"COMITY_HOME": str(tmp_path), "DATABASE_ADMIN_URL": "postgresql:///comity"}))
    assert refused.value.code == "database_url_missing"


def test_the_doctor_finds_nothing(database: Database, node_settings: Settings) -> None:
    findings = {finding.name: finding for finding in examine(node_settings)}
    ill = [finding for finding in findings.values() if not finding.ok and finding.name != "free disk"]
    assert ill == []
    assert {"python", "COMITY_HOME", "files", "database", "start-up checks", "migrations", "sequencer"} <= set(findings)


def test_the_doctor_looks_at_the_store_of_files(tmp_path: Path) -> None:
    chosen = settings({"COMITY_HOME": str(tmp_path), "DATABASE_URL": f"host={tmp_path} dbname=comity",
                       "COMITY_FILES": "tape:4"})  # fmt: skip
    (found,) = [finding for finding in examine(chosen) if finding.name == "files"]
    assert not found.ok and "tape" in found.detail and "disk" in found.fix


def test_the_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    unreachable = settings({"COMITY_HOME": str(tmp_path), "DATABASE_URL": f"host={tmp_path} dbname=comity"})
    ill = [finding for finding in examine(unreachable) if not finding.ok and finding.name != "free disk"]
    assert [finding.name for finding in ill] == ["database"]
    assert ill[0].fix
