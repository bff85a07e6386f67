"""The garden of canaries, planted once on a server of this folder's own, and agencies beyond its reach.

The matrix judges a whole node, so nothing of other tests may be on it: no offer that they let expire, no agency.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.config import loader, paths
from comity.config.database import Database, migrate, open_database
from comity.config.settings import Settings, settings
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from tests.conftest import test_binaries as binaries
from tests.policy_attack.planting import Garden, canary, plant_all
from tests.world import World, installed, node_on

ISLANDS = ("in-police", "in-court", "island")
ALONE = {
    "agency.yml": "agency: island\ntitle: An agency that nobody has agreed with any more\njurisdiction: us-federal\n"
    "zone: UTC\nmembership: member\nkind: police\npurpose: investigation\npillars: [registry]\n",
    "roles.yml": 'roles:\n  officer: { title: Officer, is: [agent, officer, records], read: { "*": all } }\n',
    "agreements.yml": 'agreements:\n  - { id: old, to: atf, title: Ended, basis: "(sample)", purposes: [investigation],'
    " from: 2010-01-01, until: 2012-12-31, read: { registry.person: [base, identity] }, find: [registry.person] }\n",
}


@pytest.fixture(scope="session")
def node_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings({"COMITY_HOME": str(tmp_path_factory.mktemp("attacked"))})


@pytest.fixture(scope="session")
def database(node_settings: Settings) -> Iterator[Database]:
    with open_database(node_settings, binaries()) as opened:
        migrate(opened)
        yield opened


@pytest.fixture(scope="session")
def world(database: Database, node_settings: Settings) -> Iterator[World]:
    node = installed(node_on(database, node_settings))
    yield World(node, database).admit_all()
    node.close()


@pytest.fixture(scope="session")
def garden(world: World) -> Garden:
    made = plant_all(world)
    world.follow()
    return made


@pytest.fixture(scope="session")
def settled(world: World, garden: Garden) -> World:
    """Three agencies beyond the reach of the five, with records."""
    law = read_folder(paths.jurisdictions() / "india")
    for agency in ("in-police", "in-court"):
        own = read_folder(paths.agencies() / agency)
        install(world.node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
    install(
        world.node, tokens.operator(), agency="island", core=loader.core_files(),
        jurisdiction=read_folder(paths.jurisdictions() / "us-federal"), own=ALONE,
    )  # fmt: skip
    for agency in ISLANDS:
        roles = world.node.catalogue(agency).roles
        seat = world.seat(agency, *roles)
        for _ in range(3):
            made = world.enter(seat, "registry.person", {"role": "subject", "name": canary()}, key=canary())
            world.enter(seat, "registry.document", {"kind": "other", "title": canary()}, links={"about": [made.record]})
    return world


@pytest.fixture
def islands(settled: World) -> dict[str, set[str]]:
    """The record ids of every agency, as it now is: other tests of this worker enter records too."""
    world = settled
    world.follow()
    return {
        agency: {
            row[0]
            for row in world.rows(
                agency,
                "select id::text from comity.record where agency = comity.me()",
            )
        }
        for agency in ("cpd", "dea", "atf", "fsl", "usao", *ISLANDS)
    }
