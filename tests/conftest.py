"""What every test may use. `database`: a server of this worker's own, tables applied, reached in production's roles."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as searching

from comity.config.database import Database, migrate, open_database
from comity.config.settings import Settings, settings
from comity.kernel.work.node import Node
from tests.sentences import pseudo
from tests.speeds.order import pytest_collection_modifyitems
from tests.speeds.outcomes import pytest_configure
from tests.speeds.sizes import size
from tests.world import World, installed, node_on

__all__ = ["pytest_collection_modifyitems", "pytest_configure"]

# The same examples each time and no clock: a run that fails can be repeated, and a busy machine fails none.
searching.register_profile(
    "comity",
    max_examples=size(small=100, deep=2_000),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
searching.load_profile("comity")


pseudo.watch()


@pytest.fixture(autouse=True)
def _every_refusal_is_of_the_catalogue() -> Iterator[None]:
    """What a test provokes is read in the pseudo-language: a letter that is neither marked nor a value's fails it."""
    pseudo.REFUSED.clear()
    yield
    assert not pseudo.REFUSED, pseudo.REFUSED


def test_binaries() -> Path | None:
    """The PostgreSQL that the suite runs on: None is the embedded one, COMITY_TEST_PG_BIN names another."""
    named = os.environ.get("COMITY_TEST_PG_BIN")
    return Path(named) if named else None


test_binaries.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """COMITY_HOME of this worker, in the environment too; no test touches the one of the person who runs it."""
    folder = tmp_path_factory.mktemp("home")
    before = {name: os.environ.pop(name, None) for name in _DATABASE_VARIABLES}
    os.environ["COMITY_HOME"] = str(folder)
    yield folder
    os.environ.pop("COMITY_HOME")
    os.environ.update({name: value for name, value in before.items() if value is not None})


_DATABASE_VARIABLES = ("COMITY_HOME", "DATABASE_URL", "DATABASE_ADMIN_URL", "DATABASE_SEQUENCER_URL")


@pytest.fixture(scope="session")
def node_settings(home: Path) -> Settings:
    return settings({"COMITY_HOME": str(home)})


@pytest.fixture(scope="session")
def bare_database(node_settings: Settings) -> Iterator[Database]:
    """A server with the roles and extensions, before any table."""
    with open_database(node_settings, test_binaries()) as opened:
        yield opened


@pytest.fixture(scope="session")
def database(bare_database: Database) -> Database:
    """The same with all migrations applied. Addresses by role: app_url, owner_url, sequencer_url, superuser_url."""
    migrate(bare_database)
    return bare_database


@pytest.fixture(scope="session")
def node(database: Database, node_settings: Settings) -> Iterator[Node]:
    """A node with the five United States agencies installed."""
    made = installed(node_on(database, node_settings))
    yield made
    made.close()


@pytest.fixture(scope="session")
def world(node: Node, database: Database) -> World:
    """The same with the seats of the demo's story, see tests/world.py."""
    return World(node, database).admit_all()
