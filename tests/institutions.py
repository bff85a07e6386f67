"""Institutions to test the ways in with: the shipped agencies, installed on a node of the test's own database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from psycopg_pool import ConnectionPool

from comity.config import file_stores, loader, paths
from comity.config.database import Database
from comity.config.settings import Settings
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Node
from tests.patience import PATIENCE

AGENCIES = {"cpd": "us-federal", "atf": "us-federal", "dea": "us-federal"}
SEATS = {
    "agent": ("atf", "Special Agent Rivera", ["special_agent"]),
    "supervisor": ("atf", "Group Supervisor Okafor", ["supervisor"]),
    "administrator": ("atf", "Administrator Lindqvist", ["administrator"]),
    "detective": ("cpd", "Detective Marsh", ["detective"]),
    "dea": ("dea", "Special Agent Tran", ["special_agent"]),
}


def furnished(database: Database, settings: Settings) -> Node:
    """A node on the database, with the agencies installed. Installing again changes nothing."""
    pool: ConnectionPool[Any] = ConnectionPool(database.app_url, min_size=1, max_size=12, open=True, timeout=PATIENCE)
    node = Node(
        pool=pool,
        home=settings.home,
        keys=KeyRing(settings.keys),
        files=file_stores.opened(settings),
        extensions=loader.extensions(),
        backfill=loader.backfill(),
    )
    for name, law in AGENCIES.items():
        install(
            node, tokens.operator(), agency=name, core=loader.core_files(),
            jurisdiction=read_folder(paths.jurisdictions() / law), own=read_folder(paths.agencies() / name),
        )  # fmt: skip
    return node


def seated(node: Node) -> Mapping[str, tokens.Issued]:
    """A token for each seat. Seats of an earlier call on the same database keep their members."""
    found = {}
    for seat, (agency, name, roles) in SEATS.items():
        with node.transaction(agency) as (conn, _):
            row = conn.execute("select id::text from comity.member where name = %s", (name,)).fetchone()
        if row is None:
            found[seat] = tokens.admit(node, agency, name, roles)
        else:
            actor = tokens.Actor(agency, row[0], name)
            found[seat] = tokens.issue(node, actor)
    return found


IDLE = """agency: {name}
title: An office that has entered nothing
jurisdiction: us-federal
zone: America/New_York
membership: member
purpose: investigation
pillars: [registry, investigation]
"""
OFFICER = """roles:
  agent: { title: Agent, is: [agent, officer, records], read: { "*": all } }
  supervisor: { title: Supervisor, is: [supervisor, agent], read: { "*": all } }
"""


def idle_office(node: Node) -> tokens.Issued:
    """The agent of an agency that is new with each call: whatever other tests entered, here is nothing."""
    name = f"idle-{uuid4().hex[:8]}"
    install(
        node, tokens.operator(), agency=name, core=loader.core_files(),
        jurisdiction=read_folder(paths.jurisdictions() / "us-federal"),
        own={"agency.yml": IDLE.format(name=name), "roles.yml": OFFICER, "agreements.yml": "agreements: []\n"},
    )  # fmt: skip
    return tokens.admit(node, name, "A. Clerk", ["agent"])
