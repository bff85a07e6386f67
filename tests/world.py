"""The five United States agencies on one node, with their seats: the stage on which tests play.

`node` and `world` (tests/conftest.py) are made once per test session, on the session's own database. A test may enter
what it likes; it must not suspend a seat of `referral.SEATS` for good, nor install other layers for these five.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from comity import clock
from comity.config import file_stores, loader, paths, worker
from comity.config.database import Database
from comity.config.settings import Settings
from comity.config.stories.referral import AGENCIES, SEATS
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.tokens import Issued
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.views.read import read
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Node
from comity.kernel.work.results import Receipt, View
from tests.patience import PATIENCE


def node_on(database: Database, settings: Settings, *, connections: int = 12) -> Node:
    """A node on the database in production's app role, with the pillars' extensions. Close it."""
    pool: ConnectionPool[Any] = ConnectionPool(
        database.app_url, min_size=1, max_size=connections, open=True, timeout=PATIENCE
    )
    return Node(
        pool=pool,
        home=settings.home,
        keys=KeyRing(settings.keys),
        files=file_stores.opened(settings),
        extensions=loader.extensions(),
        backfill=loader.backfill(),
    )


def installed(node: Node) -> Node:
    """The five agencies of the demo in force. Again changes nothing."""
    law = read_folder(paths.jurisdictions() / "us-federal")
    for agency in AGENCIES:
        own = read_folder(paths.agencies() / agency)
        install(node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
    return node


@dataclass
class World:
    """Verbs by the name of a seat. `seats` are the actors of referral.SEATS, `issued` their tokens.

    `world.seat("atf", "administrator")` admits a member in further roles, once per session for the same roles.
    """

    node: Node
    database: Database
    seats: dict[str, Actor] = field(default_factory=dict)
    issued: dict[str, Issued] = field(default_factory=dict)

    def admit_all(self) -> World:
        for name, (agency, person, roles) in SEATS.items():
            self._admit(name, agency, person, roles)
        return self

    def seat(self, agency: str, *roles: str, also: str = "") -> str:
        """The name of a seat in these roles of an agency; `also` tells two members in the same roles apart."""
        name = "/".join([agency, *roles, also])
        if name not in self.seats:
            self._admit(name, agency, f"Member {name}", roles)
        return name

    def _admit(self, name: str, agency: str, person: str, roles: Sequence[str]) -> None:
        self.issued[name] = tokens.admit(self.node, agency, person, roles)
        self.seats[name] = tokens.sign_in(self.node, self.issued[name].token)

    def enter(self, seat: str, type: str, fields: Mapping[str, Any], **rest: Any) -> Receipt:
        return enter(self.node, self.seats[seat], type, fields, **rest)

    def amend(self, seat: str, record: str, fields: Mapping[str, Any] | None = None, **rest: Any) -> Receipt:
        """Amend at the version that the record has now, unless one is given."""
        rest.setdefault("version", self.read(seat, record).version)
        return amend(self.node, self.seats[seat], record, fields=fields, **rest)

    def act(self, seat: str, record: str, name: str, **rest: Any) -> Receipt:
        return act(self.node, self.seats[seat], record, name, **rest)

    def answer(self, seat: str, record: str, name: str, **rest: Any) -> Receipt:
        return answer(self.node, self.seats[seat], record, name, **rest)

    def read(self, seat: str, record: str, **rest: Any) -> View:
        return read(self.node, self.seats[seat], record, **rest)

    def follow(self) -> int:
        """Sequence what waits and let every follower follow, as the worker does."""
        with psycopg.connect(self.database.sequencer_url, autocommit=True) as conn:
            return worker.once(self.node, conn)

    def rows(self, agency: str, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        """A query as the app role acting for an agency."""
        with self.node.transaction(agency) as (conn, _):
            return conn.execute(sql, given).fetchall()


def refused(call: Any, *given: Any, **more: Any) -> Problem:
    """The refusal of a call; fails when it is not refused."""
    try:
        done = call(*given, **more)
    except Problem as problem:
        return problem
    raise AssertionError(f"not refused: {done!r}")


def day(ago: int = 0) -> str:
    return (clock.now() - timedelta(days=ago)).date().isoformat()


def instant(ago: int = 0) -> str:
    return (clock.now() - timedelta(days=ago)).replace(microsecond=0).isoformat()
