"""Stories are played in a database of their own, so that what is counted there is what the story did.

After every story each record is folded again from its entries and compared with its row.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from comity import clock
from comity.config import loader, paths
from comity.config.database import Database
from comity.config.narration import Narration
from comity.config.settings import settings
from comity.config.stories import referral
from comity.config.stories.stage import Story
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.records.install import install
from tests.world import World, installed, node_on

NAME = "stories"
MIGRATE = """
from comity.config.database import migrate, open_database
from comity.config.settings import settings
migrate(open_database(settings()))
"""


@pytest.fixture(scope="session")
def stories_database(database: Database) -> Database:
    """A second database on the session's server, with the roles and tables of any other."""
    with psycopg.connect(database.superuser_url, autocommit=True) as conn:
        conn.execute(f"create database {NAME} template template0")
    found = {
        name: getattr(database, name).replace("/comity?", f"/{NAME}?")
        for name in ("app_url", "owner_url", "sequencer_url", "superuser_url")
    }
    with psycopg.connect(found["superuser_url"], autocommit=True) as conn:
        conn.execute(paths.ROLES.read_text("utf-8"))
    given = {"DATABASE_URL": found["app_url"], "DATABASE_ADMIN_URL": found["owner_url"]}
    subprocess.run([sys.executable, "-c", MIGRATE], env={**os.environ, **given}, check=True, timeout=120)
    return replace(database, **found)


@pytest.fixture(scope="session")
def stage(stories_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The five agencies and the seats of the story, in that database."""
    home = tmp_path_factory.mktemp("stories")
    node = installed(node_on(stories_database, settings({"COMITY_HOME": str(home)})))
    yield World(node, stories_database).admit_all()
    node.close()


@pytest.fixture(scope="session")
def told(stage: World) -> Story:
    """The first job, played once from its beginning to its end; followers follow whenever the story waits for them."""
    played = Story(stage.node, stage.seats, Narration(quiet=True), referral.SEATS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "pause", lambda _: stage.follow())
        referral.SCRIPT.play(played)
    stage.follow()
    return played


@pytest.fixture(scope="session")
def india(stage: World) -> World:
    """A police station and a court of India beside them: the jurisdiction's layer and two agencies, all of it YAML."""
    law = read_folder(paths.jurisdictions() / "india")
    for agency in ("in-police", "in-court"):
        own = read_folder(paths.agencies() / agency)
        install(stage.node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
    return stage


@pytest.fixture(autouse=True)
def rebuilt_afterwards(stage: World) -> Iterator[None]:
    yield
    found = rebuild.run(stage.node)
    assert found.equal, found.differences[:5]


def steps(told: Story, seat: str) -> list[dict[str, Any]]:
    """What a seat did in the story, in its own words."""
    agency, name, _ = referral.SEATS[seat]
    return [one for one in told.told.steps if (one["agency"], one["seat"]) == (agency, name)]
