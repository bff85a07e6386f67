"""What start-up refuses. The server of these tests is spoilt in one way at a time, and mended."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from comity.config import paths, startup
from comity.config.embedded import Embedded, Urls
from comity.config.startup import StartupRefused, check, faults
from tests.conftest import test_binaries

pytestmark = pytest.mark.pg15


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    home: Path = tmp_path_factory.mktemp("scratch")
    with Embedded(home, test_binaries()) as urls:
        yield urls


def as_superuser(urls: Urls, *statements: str) -> None:
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_a_fit_server_is_accepted(scratch: Urls) -> None:
    check(scratch.app)
    check(scratch.sequencer)


SPOILT = {
    "app_role_superuser": (["ALTER ROLE comity_app SUPERUSER"], ["ALTER ROLE comity_app NOSUPERUSER"]),
    "app_role_bypasses_rls": (["ALTER ROLE comity_app BYPASSRLS"], ["ALTER ROLE comity_app NOBYPASSRLS"]),
    "app_role_owns_database": (
        ["ALTER DATABASE comity OWNER TO comity_app"],
        [paths.ROLES.read_text(encoding="utf-8")],
    ),
    "app_role_owns_table": (
        ["CREATE SCHEMA comity", "CREATE TABLE comity.entry ()", "ALTER TABLE comity.entry OWNER TO comity_app"],
        ["DROP SCHEMA comity CASCADE"],
    ),
    "fsync_off": (
        ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.3)"],
        ["ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.3)"],
    ),
    "synchronous_commit_off": (
        ["ALTER ROLE comity_app SET synchronous_commit = off"],
        ["ALTER ROLE comity_app RESET synchronous_commit"],
    ),
    "trigrams_missing": (["DROP EXTENSION pg_trgm"], ["CREATE EXTENSION pg_trgm"]),
}


@pytest.mark.parametrize("code", SPOILT)
def test_it_is_refused_and_says_what_to_do(scratch: Urls, code: str) -> None:
    spoil, mend = SPOILT[code]
    as_superuser(scratch, *spoil)
    try:
        with pytest.raises(StartupRefused) as refused:
            check(scratch.app)
        assert refused.value.code == code
        assert refused.value.fix
    finally:
        as_superuser(scratch, *mend)
    check(scratch.app)


@pytest.mark.parametrize(
    ("role", "code"), [("comity_owner", "app_role_owns_database"), ("passing", "app_role_bypasses_rls")]
)
def test_membership_counts_as_ownership(scratch: Urls, role: str, code: str) -> None:
    as_superuser(scratch, "CREATE ROLE passing BYPASSRLS", f"GRANT {role} TO comity_app")
    try:
        assert [fault.code for fault in faults(scratch.app)] == [code]
    finally:
        as_superuser(scratch, f"REVOKE {role} FROM comity_app", "DROP ROLE passing")


def test_a_database_that_drops_other_scripts_is_refused(scratch: Urls) -> None:
    as_superuser(
        scratch,
        "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    url = scratch.superuser.replace("/comity?", "/ascii?")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
    with pytest.raises(StartupRefused) as refused:
        check(url.replace("postgres@", "comity_app@"))
    assert refused.value.code == "trigrams_ascii_only"


def test_an_old_server_is_refused(scratch: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "OLDEST_SERVER", 990000)
    assert [fault.code for fault in faults(scratch.app)] == ["server_too_old"]


def test_an_absent_server_is_named(tmp_path: Path) -> None:
    assert [fault.code for fault in faults(f"host={tmp_path} dbname=comity")] == ["database_unreachable"]
