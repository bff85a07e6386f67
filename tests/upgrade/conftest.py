"""Databases of any version on the test server: empty ones, and those that older versions wrote."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest

from comity.config.database import Database
from comity.config.paths import ROLES

FOLDER = Path(__file__).parent
RECORDED = sorted(path.with_suffix("").relative_to(FOLDER) for path in FOLDER.glob("*/*.json"))
"""As `2026-11-28/us`: the folder of a version, by the day on which it was the latest, and one of its stories."""
NUMBERS = count(1)

NewDatabase = Callable[[], Database]


@pytest.fixture(scope="session")
def new_database(bare_database: Database) -> NewDatabase:
    """An empty database on this worker's server, prepared as an operator does it: roles and extensions, no table."""

    def make() -> Database:
        name = f"upgrade_{next(NUMBERS)}"
        of = bare_database
        addresses = [
            url.replace("/comity?", f"/{name}?")
            for url in (of.app_url, of.owner_url, of.sequencer_url, of.superuser_url)
        ]
        with psycopg.connect(bare_database.superuser_url, autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        run(addresses[-1], ROLES.read_text("utf-8"))
        return Database(*addresses)

    return make


def load(database: Database, recorded: Path) -> None:
    """The database as that version left it, but that its agreements do not end: a test must not, on a day to come."""
    run(database.superuser_url, lzma.decompress((FOLDER / f"{recorded}.sql.xz").read_bytes()).decode())
    run(database.superuser_url, "update comity.agreement set valid_until = '9999-12-31'")


def run(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode("utf-8"))
