"""The node: what every verb is handed. It opens transactions for an actor and holds each agency's definitions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import orjson
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from comity import clock
from comity.errors import Problem
from comity.extensions import Extensions
from comity.kernel.definitions.load import NOTHING, load
from comity.kernel.policy import powers
from comity.kernel.policy.actor import Actor, refuse_outside
from comity.kernel.policy.decide import Policies
from comity.kernel.policy.generate import IncomingAgreement
from comity.kernel.types.backfill import Backfill
from comity.kernel.types.catalogue import Agreement, Catalogue, Type
from comity.kernel.types.roles import SYSTEM as SYSTEM_ROLE
from comity.kernel.work.file_store import FileStore
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.on_behalf import Speaker, permit
from comity.sentences import say

set_json_loads(orjson.loads)  # a list of 20 reads 100 values

Conn = psycopg.Connection[Any]
SYSTEM = UUID(int=1)
"""The actor of what follows by itself: settling an answered offer, closing an obligation that is met."""
OPERATOR = UUID(int=2)
"""The actor of installation and running; it reads nothing."""
NODE = "node"
"""The agency that owns the host's own log: what was installed, suspended and run."""


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction for one actor: the connection acts for the actor's agency and for nobody else.

    `others` are the definitions of other agencies that this transaction has read so far. `outsider`: the actor acts on
    behalf of an institution, and that is no member. `after` is done once it is committed: what a rollback could not
    take back. A process may end before, so nothing else may depend on it.
    """

    node: Node
    conn: Conn
    actor: Actor
    catalogue: Catalogue
    policies: Policies
    version: int
    now: datetime
    others: dict[str, Catalogue] = field(default_factory=dict, compare=False)
    outsider: bool = False
    after: list[Callable[[], None]] = field(default_factory=list, compare=False)

    @property
    def agency(self) -> str:
        return self.actor.agency

    def type_of(self, owner: str, name: str, core_name: str) -> Type:
        """A type as its record's owner defines it: its groups and labels say what is masked and how it reads."""
        return self.definitions(owner).types.get(name) or self.catalogue.type(core_name)

    def definitions(self, agency: str) -> Catalogue:
        """The definitions of an agency, of another asked for once in the transaction. Problem `agency_unknown`."""
        if agency == self.agency:
            return self.catalogue
        theirs = self.others.get(agency)
        if theirs is None:
            theirs = self.others[agency] = self.node.catalogue_of(self.conn, agency)
        return theirs

    def as_system(self) -> Work:
        """The same transaction, acting as the agency's own system: for what follows by itself from a member's act."""
        return replace(self, actor=replace(system(self.agency), purpose=self.catalogue.definition.purpose))

    def may(self, power: str) -> bool:
        """Whether the actor has a power of the kernel (policy/powers)."""
        return powers.may(self.actor, self.catalogue, power)

    def demand(self, power: str) -> None:
        """Problem `not_allowed`, and whom to ask, unless the actor has the power."""
        powers.demand(self.actor, self.catalogue, power)

    @property
    def today(self) -> int:
        """The day in the agency's zone as yyyymmdd: what policies compare."""
        day = clock.today(self.catalogue.definition.zone)
        return day.year * 10_000 + day.month * 100 + day.day


@dataclass(slots=True)
class _Held:
    epoch: int
    version: int
    catalogue: Catalogue
    policies: Policies


@dataclass(slots=True)
class Node:
    """Handed down by `config`. Threads may share it; processes make their own.

    `block` numbers are drawn at a time, up to `burst` when they are wanted in quick succession. `outward` are the
    networks (CIDR) to which webhooks may go although they are not public. Deliveries leave the outbox `outbox_days`
    after they were made, traces of refused acts `refusal_days` after the last of their kind.
    `backfill`: what definitions in force leave unsaid that older versions took for granted.
    """

    pool: ConnectionPool[Any]
    home: Path
    keys: KeyRing
    files: FileStore
    extensions: Extensions = field(default_factory=Extensions)
    block: int = 1
    burst: int = 1
    outward: tuple[str, ...] = ()
    outbox_days: int = 30
    refusal_days: int = 90
    backfill: Backfill = NOTHING
    _held: dict[str, _Held] = field(default_factory=dict)
    _catalogues: dict[str, tuple[int, Catalogue]] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _blocks: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def ask(self, statement: LiteralString, params: Sequence[Any]) -> Any:
        """The row that one statement answers, in a transaction of its own and in one round trip; None without a row."""
        with self._connection() as conn:
            conn.autocommit = True
            try:
                return conn.execute(statement, params).fetchone()
            finally:
                if not conn.closed:
                    conn.autocommit = False

    @contextmanager
    def transaction(
        self, agency: str, member: UUID | None = None, *, snapshot: bool = False
    ) -> Iterator[tuple[Conn, Any]]:
        """A transaction that acts for `agency` now, with the row of comity.begin. Commits, or rolls back on an error.

        With `snapshot` every statement of it sees the same instant.
        """
        with self._connection() as conn, conn.transaction():
            if snapshot:
                conn.execute("set transaction isolation level repeatable read")
            begun = conn.cursor(row_factory=namedtuple_row).execute(
                "select * from comity.begin(%s, %s, %s)", (agency, member, clock.now())
            )
            yield conn, begun.fetchone()

    @contextmanager
    def _connection(self) -> Iterator[Conn]:
        """A connection of the pool; what a lost or full database does to it is told as a Problem."""
        try:
            with self.pool.connection(timeout=10) as conn:
                yield conn
        except (PoolTimeout, psycopg.OperationalError) as error:
            if isinstance(error, psycopg.errors.DiskFull):
                raise Problem("disk_full", say("disk_full.database_has_no_room_left")) from error
            raise Problem("unavailable", say("unavailable.database_does_not_answer")) from error

    @contextmanager
    def work(self, actor: Actor) -> Iterator[Work]:
        """The transaction of a verb. Raises Problem when the agency or the member is suspended or unknown.

        The member's rights are read anew here, so that a suspension or a change of role holds from the next act on.
        """
        with self.transaction(actor.agency, UUID(actor.member)) as (conn, begun):
            _refuse_inactive(actor.agency, begun.agency_state)
            held = self._definitions(conn, actor.agency, begun.epoch, begun.agency_version)
            if actor.kind == "member":
                if begun.member_state is None:
                    raise Problem("token_invalid", say("token_invalid.this_member_is_not_known_to"))
                if begun.member_state != "active":
                    raise Problem(
                        "member_suspended", say("member_suspended.is_suspended", member_name=begun.member_name)
                    )
                refuse_outside(held.catalogue)
                actor = Actor.of(
                    held.catalogue, member=actor.member, name=begun.member_name, held=begun.roles,
                    purpose=actor.purpose, behalf=actor.behalf,
                )  # fmt: skip
            elif not actor.purpose:
                actor = replace(actor, purpose=held.catalogue.definition.purpose)
            work = Work(self, conn, actor, held.catalogue, held.policies, held.version, clock.now())
            if actor.behalf:
                speaker = Speaker(conn, actor, held.catalogue, held.policies, work.today)
                work = replace(work, outsider=permit(speaker))
            yield work
        for one in work.after:
            one()

    @contextmanager
    def view(self, agency: str) -> Iterator[Conn]:
        """The transaction of an agency's own view: it needs no definitions. Problem when suspended or unknown."""
        with self.transaction(agency) as (conn, begun):
            _refuse_inactive(agency, begun.agency_state)
            yield conn

    def catalogue(self, agency: str) -> Catalogue:
        """The definitions in force for an agency; Problem `agency_unknown`."""
        with self.transaction(agency) as (conn, begun):
            if begun.agency_state is None:
                raise Problem("agency_unknown", say("agency_unknown.is_not_installed_here", agency=agency))
            return self.catalogue_of(conn, agency)

    def catalogue_at(self, agency: str, version: int) -> Catalogue:
        """The definitions of a version that the caller has just read; asks nothing when they are held."""
        held = self._catalogues.get(agency)
        return held[1] if held is not None and held[0] == version else self.catalogue(agency)

    def catalogue_held(self, agency: str) -> Catalogue | None:
        """The definitions of an agency that were read last, without asking whether they are still in force: enough to
        choose words by. None where none were read."""
        held = self._catalogues.get(agency)
        return held[1] if held is not None else None

    def catalogue_of(self, conn: Conn, agency: str) -> Catalogue:
        """The same within a transaction that is already open; definitions are the node's public directory."""
        row = conn.execute("select version from comity.agency where id = %s", (agency,)).fetchone()
        if row is None:
            raise Problem("agency_unknown", say("agency_unknown.is_not_installed_here", agency=agency))
        return self._catalogue(conn, agency, row[0])

    def agencies(self) -> list[str]:
        """The agencies that are at home on this node, without the node's own."""
        asked = "select id from comity.agency where id <> %s and not elsewhere order by id"
        with self.transaction(NODE) as (conn, _):
            return [row[0] for row in conn.execute(asked, (NODE,))]

    def lag(self) -> dict[str, float]:
        """How far the sequencer is behind: entries that wait for their place, and those that it had to set aside."""
        with self.transaction(NODE) as (conn, _):
            row = conn.execute("select pending, oldest_seconds, set_aside from comity.lag()").fetchone()
            assert row is not None
            return {"pending": int(row[0]), "oldest_seconds": float(row[1]), "set_aside": int(row[2])}

    def close(self) -> None:
        self.pool.close()

    def _definitions(self, conn: Conn, agency: str, epoch: int, version: int) -> _Held:
        held = self._held.get(agency)
        if held is None or held.epoch != epoch:
            with self._lock:
                held = self._held.get(agency)
                if held is None or held.epoch != epoch:
                    held = self._load(conn, agency, epoch, version)
                    self._held[agency] = held
        return held

    def _catalogue(self, conn: Conn, agency: str, version: int) -> Catalogue:
        with self._lock:
            held = self._catalogues.get(agency)
            if held is None or held[0] != version:
                held = (version, load(*current_layers(conn, agency), self.backfill))
                self._catalogues[agency] = held
            return held[1]

    def _load(self, conn: Conn, agency: str, epoch: int, version: int) -> _Held:
        catalogue = self._catalogue(conn, agency, version)
        incoming = [
            IncomingAgreement(owner, Agreement.from_json(spec))
            for owner, spec in conn.execute(
                "select agency, spec from comity.agreement where to_agency = %s order by agency, id", (agency,)
            )
        ]
        return _Held(epoch, version, catalogue, Policies(catalogue, incoming))


@contextmanager
def acting_for(conn: Conn, agency: str, *, back: str) -> Iterator[None]:
    """Within, the transaction acts for another agency of this node, under that one's row-level security; then for
    `back` again. It is how an entry of one agency reaches the other side's own rows in the transaction that made it."""
    if agency == back:
        yield
        return
    conn.execute("select set_config('comity.agency', %s, true)", (agency,))
    try:
        yield
    finally:
        if conn.info.transaction_status is TransactionStatus.INTRANS:
            conn.execute("select set_config('comity.agency', %s, true)", (back,))


def _refuse_inactive(agency: str, state: str | None) -> None:
    if state is None:
        raise Problem("agency_unknown", say("agency_unknown.is_not_installed_here", agency=agency))
    if state == "elsewhere":
        raise Problem(
            "agency_suspended", say("agency_suspended.is_kept_on_another_node", agency=agency)
        )  # fmt: skip
    if state != "active":
        raise Problem("agency_suspended", say("agency_suspended.is_suspended", agency=agency))


def current_layers(conn: Conn, agency: str) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]:
    """Core, jurisdiction and agency files in force for an agency: the versions that it was installed with."""
    rows = conn.execute(
        """select l.name, l.files from comity.agency a cross join jsonb_each_text(a.layers) v
             join comity.layer l on l.name = v.key and l.version = v.value::int where a.id = %s""",
        (agency,),
    ).fetchall()
    found = {name.split("/")[0]: files for name, files in rows}
    return found.get("core", {}), found.get("jurisdiction", {}), found.get("agency", {})


def system(agency: str) -> Actor:
    """The actor of an agency's own consequences, in its own log, for the purpose that is the agency's."""
    return Actor(
        agency=agency, member=str(SYSTEM), name="system", roles=frozenset({SYSTEM_ROLE}), kind="system",
    )  # fmt: skip
