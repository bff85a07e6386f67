"""Institutions of a district, beside the agencies of the session's node."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.install import install
from comity.kernel.work.node import Node

ROLES = {
    "in-police": "station_house_officer", "in-court": "registry_clerk", "in-prison": "superintendent",
}  # fmt: skip


@pytest.fixture(scope="session")
def district(node: Node) -> Mapping[str, Actor]:
    """A seat of the station, of the court's registry and of the prison, by agency."""
    law = read_folder(paths.jurisdictions() / "india")
    found = {}
    for agency, role in ROLES.items():
        own = read_folder(paths.agencies() / agency)
        install(node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
        found[agency] = tokens.sign_in(node, tokens.admit(node, agency, f"Clocks of {agency}", [role]).token)
    return found


@pytest.fixture(scope="session")
def officer(district: Mapping[str, Actor]) -> Actor:
    return district["in-police"]
