"""Arriving: an agency's folder (portability/leave) becomes its log on this node, byte for byte, in one transaction.

Entries keep their ids, headers, salts, leaves and order; records, links, terms and members are folded from them; what
else is taken over must agree with them, or nothing is. A killed arrival leaves no row and is begun again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg

from comity import clock, names
from comity.clock import parse_instant
from comity.errors import Fault, Problem
from comity.kernel.ledger import departure, items
from comity.kernel.ledger.append import append, append_sealed
from comity.kernel.ledger.departure import Unreadable
from comity.kernel.ledger.departure_check import Checked, check
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE, Entry, Sealed
from comity.kernel.ledger.fold import Folded, fold
from comity.kernel.ledger.merkle import Tree
from comity.kernel.ledger.offer_side import OFFERED
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import ADMIT_MEMBERS, carries
from comity.kernel.portability import arrive_definitions as definitions
from comity.kernel.portability.arrive_definitions import Shipped
from comity.kernel.portability.rebuild import Rebuilt, entries_by_record, judge
from comity.kernel.records import deconfliction, grants, install, project, sealing
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.work.change import Row
from comity.kernel.work.node import NODE, Conn, Node
from comity.sentences import Text, say

BATCH = 500
KERNEL = "kernel."
TAKEN = {
    "offer": "r.agency = comity.me() and r.from_agency = comity.me()",
    "share": "r.agency = comity.me()",
    "reported": "r.by_agency = comity.me()",
    "escalation": "r.agency = comity.me()",
    "emergency": "comity.me() in (r.agency, r.owner)",
    "disclosure": "comity.me() in (r.agency, r.owner)",
    "counter": "r.agency = comity.me()",
    "number_block": "r.agency = comity.me()",
    "idempotency": "r.agency = comity.me()",
    "outbox": "r.agency = comity.me()",
}
"""Tables whose rows are taken over as they stood, and which; the rest is folded from entries or stays behind."""


@dataclass(slots=True)
class Arrived:
    """What came: counts, and the administrators for whom the operator may make a first code."""

    agency: str
    entries: int
    root: str
    unchanged: bool = False
    dry_run: bool = False
    records: int = 0
    members: int = 0
    files: int = 0
    administrators: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "agency": self.agency, "entries": self.entries, "root": self.root, "unchanged": self.unchanged,
            "dry_run": self.dry_run, "records": self.records, "members": self.members, "files": self.files,
            "administrators": self.administrators,
        }  # fmt: skip


def arrive(
    node: Node,
    actor: Actor,
    folder: Path,
    *,
    shipped: Shipped,
    with_definitions: bool = False,
    dry_run: bool = False,
) -> Arrived:
    """Bring an agency and its log to this node. Again changes nothing; a dry run does all of it and takes it back.

    `shipped`: the core and the jurisdictions of this release, by the names of their layers. `with_definitions`: the
    operator takes the folder's core and jurisdiction although this node neither has nor ships them.
    Raises Problem: not_allowed (only an operator), folder_refused with every fault, before anything is written;
    definitions_differ; definitions_refused; already_here; disk_full.
    """
    if actor.kind != "operator":
        raise Problem("not_allowed", say("not_allowed.agency_is_brought_to_node"))
    found = check(folder)
    if found.faults:
        raise _refused(found.faults)
    arriving = _Arriving(node, actor, folder, found, dry_run, None if with_definitions else shipped)
    try:
        with node.transaction(NODE) as (conn, _):
            arriving.run(conn)
            if dry_run:
                raise psycopg.Rollback
    except BaseException as error:
        arriving.forget_files()
        told = _told(error)
        if told is None:
            raise
        raise told from error
    return arriving.out


def _refused(faults: Sequence[Text]) -> Problem:
    return Problem(
        "folder_refused",
        say("folder_refused.nothing_was_brought_in"),
        faults=[Fault("folder_fault", "FOLDER", said) for said in faults],
    )


def _told(error: BaseException) -> Problem | None:
    """What was wrong with the folder, in our words; None for everything else."""
    if isinstance(error, psycopg.errors.UniqueViolation):
        return Problem("already_here", say("already_here.id_number_or_name_of"))
    wrong = (Unreadable, psycopg.DataError, psycopg.IntegrityError, KeyError, TypeError, ValueError, AttributeError)
    if isinstance(error, wrong):
        if isinstance(error, Unreadable) and isinstance(error.args[0], Text):
            return _refused([error.args[0]])
        said = say("folder_fault.cannot_be_read", name=type(error).__name__, error=str(error).partition("\n")[0])
        return _refused([said])
    if isinstance(error, OSError):
        return Problem("disk_full", say("disk_full.files_could_not_be_kept", strerror=error.strerror))
    return None


class _Arriving:
    """One arrival, within one transaction: it acts for the node first, and from `_become` on for the agency."""

    def __init__(
        self, node: Node, actor: Actor, folder: Path, found: Checked, dry_run: bool, shipped: Shipped | None
    ) -> None:
        self.shipped = shipped
        self.node, self.actor, self.folder, self.found, self.dry_run = node, actor, folder, found, dry_run
        self.agency = found.agency
        self.now = clock.now()
        self.stored: list[str] = []
        self.out = Arrived(found.agency, found.entries, found.root, dry_run=dry_run)

    def run(self, conn: Conn) -> None:
        """Every step in order."""
        stated = departure.proof(self.folder)
        if self.agency == NODE or not names.AGENCY.match(self.agency):
            raise Unreadable(say("folder_fault.is_no_agency_name", agency=self.agency))
        conn.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"arrival of {self.agency}",))
        if self.here(conn):
            self.out.unchanged = True
            return
        _become(conn, NODE)
        install.ensure_agency(conn, NODE, install.NODE_TITLE)
        brought = definitions.brought(self.folder, self.agency, stated["layers"])
        if self.shipped is not None:
            definitions.refuse_strange(conn, brought.nodes(), self.shipped)
        catalogue = brought.catalogue(self.node.backfill)
        if self.shipped is not None:
            definitions.refuse_strange(conn, brought.without_law(catalogue), self.shipped)
        layers = definitions.lay(conn, self.actor, brought)
        append(conn, [self.entry()])
        _become(conn, self.agency)
        install.refuse_unworkable(self.node, catalogue, install.incoming_of(conn, self.agency), kept=True)
        conn.execute(
            "insert into comity.arrival (agency, entries, root, proof, at) values (%s, %s, %s, %s, %s)",
            (
                self.agency, self.found.entries, bytes.fromhex(self.found.root), bytes.fromhex(self.found.proof),
                self.now,
            ),
        )  # fmt: skip
        install.ensure_agency(conn, self.agency, catalogue.definition.title)
        install.put_in_force(conn, catalogue, layers, stated["version"])
        self.log(conn)
        self.derive(conn, catalogue)
        definitions.refuse_other_than_laid(conn, brought)
        for table, those in TAKEN.items():
            self.rows(conn, table, those)
        self.own_offers(conn)
        self.files(conn)
        again = Rebuilt()
        judge(conn, again, self.agency, catalogue, stated["version"], self.node.keys)
        if not again.equal:
            raise _refused(
                [
                    say("folder_fault.record_differs", record=one["record"], difference=one["difference"])
                    for one in again.differences
                ]
            )

    def entry(self) -> Entry:
        """What the node's own log says of the arrival."""
        content = items.set_fields({
            "agency": self.agency, "entries": self.found.entries, "root": self.found.root, "proof": self.found.proof,
        })  # fmt: skip
        return Entry(
            id=names.new_id(), agency=NODE, record=names.new_id(), type="kernel.agency", type_version=0,
            kind="install", act="arrive", actor=UUID(self.actor.member), occurred_at=self.now, entered_at=self.now,
            version=1, state_from="", state_to="active", content=content,
        )  # fmt: skip

    def here(self, conn: Conn) -> bool:
        """Whether this very folder arrived before. Problem `already_here` when the agency has another log here."""
        _become(conn, self.agency)
        row = conn.execute("select entries, root from comity.arrival where agency = comity.me()").fetchone()
        if row is not None and (row[0], row[1].hex()) == (self.found.entries, self.found.root):
            return True
        if row or conn.execute("select 1 from comity.agency where id = comity.me()").fetchone():
            raise Problem(
                "already_here", say("already_here.has_another_log_on_this", agency=self.agency),
            )  # fmt: skip
        return False

    def log(self, conn: Conn) -> None:
        """Every entry in the order of the log, with its bytes; the root is that of what was checked."""
        tree = Tree()
        entries = departure.entries(self.folder)
        while batch := list(islice(entries, BATCH)):
            for row in batch:
                tree.add(row["leaf"])
            append_sealed(conn, [_sealed(row) for row in batch], [parse_instant(row["placed_at"]) for row in batch])
        if tree.root().hex() != self.found.root:
            raise Unreadable(say("folder_fault.log_jsonl_was_changed_while"))

    def derive(self, conn: Conn, catalogue: Catalogue) -> None:
        """Records, members and layers as their entries make them."""
        rows: list[Row] = []
        for record, entries in entries_by_record(conn):
            first, last = entries[0], entries[-1]
            state = fold([{**row, "content": departure.parsed(row["content"])} for row in entries])
            if first["type"] == "kernel.layer":
                self.own_layers(conn, entries)
            elif first["type"] == "kernel.member":
                self.member(conn, record, state, catalogue)
            elif first["kind"] not in (*ABOUT_ANOTHERS, ERASE) and not first["type"].startswith(KERNEL):
                of = _type(catalogue, state)
                rows.append(Row(UUID(record), self.agency, of, state, first["entered_at"], last["entered_at"]))
            if len(rows) >= BATCH:
                self.records(conn, rows)
                rows = []
        if rows:
            self.records(conn, rows)

    def records(self, conn: Conn, rows: list[Row]) -> None:
        project.arrived(conn, rows)
        arrived = [(one.record, one.type, one.after) for one in rows]
        deconfliction.deconflicted(conn, self.node.keys, arrived, (), self.now)
        deconfliction.tied(conn, arrived, self.now)
        self.out.records += len(rows)

    def own_layers(self, conn: Conn, entries: list[dict[str, Any]]) -> None:
        for row in entries:
            said = items.fields_set(departure.parsed(row["content"]) or {})
            name, files = said.get("name"), said.get("files")
            if name != f"agency/{self.agency}":
                raise Unreadable(say("folder_fault.entry_lays", id=row["id"], name=name))
            if files is not None:
                layer = install.Layer(name, row["version"], self.agency, files)
                install.keep_layer(conn, layer, row["id"], row["entered_at"])

    def member(self, conn: Conn, record: str, state: Folded, catalogue: Catalogue) -> None:
        """A member without a token. Whose name was erased is called by the id, which means nobody."""
        name, roles = state.fields.get("name", record), state.fields.get("roles", [])
        conn.execute(
            "insert into comity.member (id, agency, name, roles, state, version) values (%s, %s, %s, %s, %s, %s)",
            (record, self.agency, name, roles, state.state, state.version),
        )
        self.out.members += 1
        known = [catalogue.roles[role] for role in roles if role in catalogue.roles]
        if state.state == "active" and any(carries(catalogue, one, ADMIT_MEMBERS) for one in known):
            self.out.administrators.append({"name": name, "roles": list(roles)})

    def rows(self, conn: Conn, table: str, those: str) -> None:
        """Take over the rows of a table as they stood. An answer that the own log does not name is not taken over.

        What a reader and an owner both hold of a reading stands here once, if the other came first.
        """
        both = "on conflict (id) do nothing" if table in ("emergency", "disclosure") else ""
        lines = departure.rows(self.folder, table)
        while batch := list(islice(lines, BATCH)):
            if table == "offer":
                batch = [_own_side(row, self.agency) for row in batch]
            conn.execute(
                f"""insert into comity.{table} select r.*
                      from jsonb_populate_recordset(null::comity.{table}, %s::jsonb) r where {those} {both}""",
                (orjson.dumps(batch).decode(),),
            )

    def own_offers(self, conn: Conn) -> None:
        """What is taken over of offers and shares must stand on entries that came along."""
        for (offer,) in conn.execute(
            """select id from comity.offer o where from_agency = comity.me() and (
                   not exists (select 1 from comity.entry e
                                where e.id = o.offer_entry and e.record = o.id and e.agency = comity.me())
                   or exists (select 1 from unnest(array[o.settled_entry, o.ended_entry]) named
                               where named is not null and not exists (
                                   select 1 from comity.entry e
                                    where e.id = named and e.record = o.id and e.agency = comity.me())))
               union all select s.id from comity.share s where agency = comity.me() and s.offer is not null
                  and not exists (select 1 from comity.offer o where o.id = s.offer and o.from_agency = comity.me())"""
        ):
            raise Unreadable(say("folder_fault.offer_or_share_has_no", offer=offer))
        grants.bring(conn)

    def files(self, conn: Conn) -> None:
        """Every file that the records name, encrypted with the agency's key of this node and under another name.

        The name follows from the arrival, so that a repetition after a kill writes over what was left.
        """
        for row in departure.rows(self.folder, "file"):
            file = UUID(row["id"])
            named = conn.execute(
                "select files -> %s from comity.record where id = %s and agency = comity.me()",
                (str(file), row["record"]),
            ).fetchone()
            if named is None or named[0] is None:
                continue  # the entry that named it was erased: it did not come along
            item, data_key = named[0], sealing.new_key()
            stored = hashlib.sha256(f"{self.found.root} {file}".encode()).hexdigest()[:32]
            size, found = int(item["size"]), bytes.fromhex(item["digest"])
            if not self.dry_run:
                size, found = self.keep(file, stored, data_key)
            if (size, found.hex()) != (item["size"], item["digest"]):
                raise Unreadable(say("folder_fault.file_was_changed_while_it", file=file))
            conn.execute(
                """insert into comity.file (id, agency, record, name, media_type, size, digest, stored, data_key,
                       added_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                (
                    file, self.agency, row["record"], item["name"], item["media_type"], size, found, stored,
                    self.node.keys.wrap(self.agency, data_key), row["added_at"],
                ),
            )  # fmt: skip
            self.out.files += 1

    def keep(self, file: UUID, stored: str, data_key: bytes) -> tuple[int, bytes]:
        self.node.files.delete(self.agency, stored)
        self.stored.append(stored)
        with departure.opened(self.folder, f"{departure.FILES}/{file}") as source:
            kept = sealing.keep(self.node.files, (self.agency, stored), source, data_key, file)
            return kept.size, kept.digest

    def forget_files(self) -> None:
        for stored in self.stored:
            with suppress(OSError):
                self.node.files.delete(self.agency, stored)


def _become(conn: Conn, agency: str) -> None:
    conn.execute("select * from comity.begin(%s, null)", (agency,))


def _sealed(row: Mapping[str, Any]) -> Sealed:
    """An entry with the bytes that it had; what it says is in them."""
    entry = Entry(
        id=UUID(row["entry"]), agency=row["agency"], record=UUID(row["record"]), type=row["type"],
        type_version=row["type_version"], kind=row["kind"], act=row["act"], actor=UUID(row["actor"]),
        occurred_at=parse_instant(row["occurred_at"]), entered_at=parse_instant(row["entered_at"]),
        version=row["version"], state_from=row["state_from"], state_to=row["state_to"],
        refers=UUID(row["refers"]) if row["refers"] else None,
    )  # fmt: skip
    if row["content"] is None:
        return Sealed(entry, None, b"", row["commitments"], row["leaf"])
    return Sealed(entry, row["content"], row["salts"] or b"", row["commitments"], row["leaf"])


def _type(catalogue: Catalogue, state: Folded) -> Type:
    """The type in force. One that the agency gave up since is not known here any more."""
    found = catalogue.types.get(state.type)
    if found is None:
        raise Problem(
            "definitions_refused", say("definitions_refused.has_records_and_is_not", type=state.type),
        )  # fmt: skip
    return found


def _own_side(row: Mapping[str, Any], agency: str) -> dict[str, Any]:
    """An agency's own row of an offer. An answer that its log does not name is not taken over. In folders from before
    each side had a row, an offer's end stands where what settled it stands."""
    own = dict(row)
    if "agency" not in row:
        end = row["settled_entry"] if row["answer_entry"] is None else None
        own |= {"agency": agency, "ended_entry": end, "ended_as": row["state"] if end else "", "noted_entry": None}
        own["settled_entry"] = None if end else row["settled_entry"]
    if own["answer_entry"] and not own["settled_entry"]:
        ended = own["ended_as"]
        own |= {"state": ended or OFFERED, "answer_entry": None, "answer": {}}
        own |= {} if ended else {"ends": False, "answered_at": None}
    return own
