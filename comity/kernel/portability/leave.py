"""Leaving: an agency takes all that it owns, with its log, in a folder that proves itself complete.

The folder is plain text and plain files (docs/leaving.md), decrypted with the agency's key. Who has that power in the
agency takes it; the operator, who reads nothing, cannot. Whatever ends the writing, no folder of the given name stands
there that holds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from comity import clock
from comity.errors import Fault, Problem
from comity.kernel.ledger import departure
from comity.kernel.ledger.departure_check import Checked, check
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import fold
from comity.kernel.ledger.merkle import Tree
from comity.kernel.ledger.verify import items_erased
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import LEAVE
from comity.kernel.portability.rebuild import as_text, entries_by_record
from comity.kernel.records import sealing
from comity.kernel.work.node import Conn, Node
from comity.kernel.work.subject import visible
from comity.sentences import say

LEFT = "left"
PATIENCE = 10.0
"""Seconds to wait for the sequencer and for acts that were under way."""

_OWN = "agency = comity.me()"
ROWS = {
    "agency": ("id = comity.me()", ("owing",)),
    "layer": ("name in (select jsonb_object_keys(layers) from comity.agency where id = comity.me())", ()),
    "agreement": ("comity.me() in (agency, to_agency)", ()),
    "member": (_OWN, ()),
    "offer": (_OWN, ()),
    "share": ("comity.me() in (agency, to_agency)", ()),
    "reported": ("comity.me() in (agency, by_agency)", ()),
    "escalation": ("comity.me() in (from_agency, to_agency)", ()),
    "emergency": ("comity.me() in (agency, owner)", ()),
    "disclosure": ("comity.me() in (agency, owner)", ()),
    "pointer": (_OWN, ()),
    "counter": (_OWN, ()),
    "number_block": (_OWN, ()),
    "idempotency": (_OWN, ()),
    "file": (_OWN, ("stored", "data_key")),
    "subscription": (_OWN, ()),
    "endpoint": (_OWN, ("secret",)),
    "notice": (_OWN, ()),
    "outbox": (f"{_OWN} and follower = 'disclosure-digest' and state = 'done'", ()),
}
"""What is written of each table: which rows, and which columns are keys of this node and stay."""


@dataclass(frozen=True, slots=True)
class Left:
    """The folder that was written, what reading it again found, and whether the agency is closed here."""

    folder: Path
    checked: Checked
    behind: dict[str, int]
    closed: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder), **self.checked.as_json(), "left_behind": self.behind, "closed": self.closed,
        }  # fmt: skip


def leave(node: Node, actor: Actor, to: Path, *, close: bool = False, patience: float = PATIENCE) -> Left:
    """Write all that the actor's agency owns to the folder `to`, which is not there yet; then read and check it.

    With `close` the agency is suspended here before its log is read, so that nothing is entered behind it; if the
    folder cannot be written, or does not hold, the suspension is lifted. Raises Problem: not_allowed, request_invalid
    (the folder is there), not_settled, file_damaged, disk_full, folder_refused (it was written and does not hold).
    """
    with node.work(actor) as work:
        work.demand(LEAVE)
        everyone = frozenset(work.catalogue.roles)
        wide = replace(work, actor=replace(work.actor, roles=work.actor.roles | everyone, held=everyone))
        condition, params = visible(wide)
        rows = work.conn.execute(
            f"select r.agency, count(*) from comity.record r where r.agency <> comity.me() and {condition} group by 1",
            params,
        )
        behind = dict(sorted(rows.fetchall()))
    if to.exists() or to.is_symlink() or not to.parent.is_dir():
        fault = Fault("folder_exists", "--to", say("folder_exists.is_there_already_or_its", to=to))
        raise Problem("request_invalid", say("request_invalid.nothing_was_written"), faults=[fault])
    deadline = clock.monotonic() + patience
    _settled(node, actor.agency, deadline, answers=True)
    with _closed(node, actor.agency, deadline) if close else _open():
        draft = to.with_name(f".{to.name}.{os.getpid()}.part")
        try:
            draft.mkdir(mode=0o700)
            with node.transaction(actor.agency, snapshot=True) as (conn, _):
                _write(node, conn, actor.agency, draft, behind)
            checked = check(draft)
            draft.rename(to)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise Problem(
                "disk_full", say("disk_full.folder_could_not_be_written", strerror=error.strerror),
            ) from error  # fmt: skip
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        if checked.faults:
            raise Problem(
                "folder_refused", say("folder_refused.folder_was_written_and_does"), folder=str(to),
                faults=[Fault("folder_fault", str(to), said) for said in checked.faults],
            )  # fmt: skip
    return Left(to, checked, behind, close)


def _settled(node: Node, agency: str, deadline: float, *, answers: bool) -> None:
    """Wait until every entry has its place and, for `answers`, every answered offer and every mark of what the agency's
    records derive from its own entry."""
    while True:
        with node.transaction(agency) as (conn, _):
            row = conn.execute(
                """select (select count(*) from comity.entry where agency = comity.me())
                        - (select count(*) from comity.sequence where agency = comity.me()),
                          (select count(*) from comity.offer where from_agency = comity.me()
                              and answer_entry is not null and settled_entry is null)
                        + (select count(*) from comity.outbox where agency = comity.me()
                              and follower = 'marks' and state = 'due')"""
            ).fetchone()
        waiting, unsettled = row or (0, 0)
        if not waiting and not (answers and unsettled):
            return
        if clock.monotonic() > deadline:
            raise Problem(
                "not_settled", say("not_settled.entries_have_no_place_yet", waiting=waiting, unsettled=unsettled),
            )  # fmt: skip
        clock.pause(0.05)


@contextmanager
def _open() -> Iterator[None]:
    yield


@contextmanager
def _closed(node: Node, agency: str, deadline: float) -> Iterator[None]:
    """The agency suspended, and every transaction over that may have begun before it was; lifted on an error."""
    tokens.suspend_agency(node, tokens.operator(), agency, reason=LEFT)
    try:
        with node.transaction(agency) as (conn, _):
            row = conn.execute("select clock_timestamp()").fetchone()
        assert row is not None
        while _under_way(node, agency, row[0]):
            if clock.monotonic() > deadline:
                raise Problem("not_settled", say("not_settled.acts_are_still_under_way"))
            clock.pause(0.05)
        _settled(node, agency, deadline, answers=False)
        yield
    except BaseException:
        tokens.suspend_agency(node, tokens.operator(), agency, reason="leaving failed", lift=True)
        raise


def _under_way(node: Node, agency: str, since: Any) -> bool:
    with node.transaction(agency) as (conn, _):
        row = conn.execute(
            """select exists (select 1 from pg_stat_activity where usename = current_user
                and datname = current_database() and pid <> pg_backend_pid() and xact_start < %s)""",
            (since,),
        ).fetchone()
    return bool(row and row[0])


def _write(node: Node, conn: Conn, agency: str, folder: Path, behind: dict[str, int]) -> None:
    """Everything, the proof last. All statements see the same instant."""
    conn.execute("set local time zone 'UTC'")
    listed = _Listed(folder)
    known = conn.execute("select title, version, layers from comity.agency where id = comity.me()").fetchone()
    assert known is not None
    count, root, erased = _log(conn, listed)
    records, files, size = _records(node, conn, agency, listed)
    for table, (those, keys) in ROWS.items():
        _rows(conn, listed, table, those, keys)
    listed.add(departure.LEFT_BEHIND, iter([_said(agency, behind).encode()]))
    proof = {
        "format": departure.FORMAT, "agency": agency, "title": known[0], "version": known[1], "layers": known[2],
        "made_at": clock.show_instant(clock.now()), "entries": count, "first": min(count, 1), "last": count,
        "root": root, "records": records, "files": {"count": files, "bytes": size},
        "absent": {"erased": erased, "records_of_others": behind}, "manifest": listed.close(),
    }  # fmt: skip
    listed.write(departure.PROOF, iter([orjson.dumps(proof, option=orjson.OPT_INDENT_2)]))
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


class _Listed:
    """The files as they are written, each with its line in the manifest; all readable by their owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in (departure.FILES, departure.ROWS):
            (folder / name).mkdir(mode=0o700)
        self._manifest = folder / departure.MANIFEST
        self._manifest.touch(mode=0o600)

    def add(self, name: str, blocks: Iterator[bytes]) -> int:
        digest, size = self.write(name, blocks)
        with self._manifest.open("a", encoding="utf-8") as out:
            out.write(f"{digest}  {name}\n")
        return size

    def write(self, name: str, blocks: Iterator[bytes]) -> tuple[str, int]:
        """Write a file to the disk; answers its SHA-256 in hex and its size."""
        state, size = hashlib.sha256(), 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self._folder / name, flags, 0o600), "wb", buffering=departure.BLOCK) as out:
            for block in blocks:
                out.write(block)
                state.update(block)
                size += len(block)
            out.flush()
            os.fsync(out.fileno())
        return state.hexdigest(), size

    def close(self) -> str:
        """Put the manifest on the disk; its own digest."""
        with self._manifest.open("rb") as out:
            os.fsync(out.fileno())
        return departure.sha256(self._folder, departure.MANIFEST)[0]


def _log(conn: Conn, listed: _Listed) -> tuple[int, str, list[dict[str, Any]]]:
    """log.jsonl: how many entries, their root, and the entries whose content was erased with the order that said so."""
    tree = Tree()
    gone: dict[str, dict[str, Any]] = {}
    orders: dict[str, str] = {}

    def lines() -> Iterator[bytes]:
        with conn.cursor(name="log", row_factory=dict_row) as cur:
            cur.itersize = 2_000
            cur.execute(
                """select e.*, c.content, c.salts, s.agency_place, s.sequenced_at from comity.sequence s
                     join comity.entry e on e.id = s.entry left join comity.entry_content c on c.entry = e.id
                    where s.agency = comity.me() order by s.agency_place"""
            )
            for held in cur:
                row = as_text(held)
                tree.add(bytes(row["leaf"]))
                if items := items_erased(row):
                    gone[row["entry"]] = {"place": row["agency_place"], "entry": row["entry"], "items": items}
                if row["kind"] == ERASE and row["refers"]:
                    orders[row["refers"]] = row["entry"]
                yield departure.entry_line(row, row["agency_place"], clock.show_instant(row["sequenced_at"]))

    listed.add(departure.LOG, lines())
    return tree.size, tree.root().hex(), [{**one, "order": orders.get(entry)} for entry, one in gone.items()]


def _records(node: Node, conn: Conn, agency: str, listed: _Listed) -> tuple[dict[str, int], int, int]:
    """records.jsonl and the files that the records name: numbers of records by type, of files and of their bytes."""
    counted: dict[str, int] = {}
    files, size = 0, 0

    def lines() -> Iterator[bytes]:
        nonlocal files, size
        for record, rows in entries_by_record(conn):
            state = fold([{**row, "content": departure.parsed(row["content"])} for row in rows])
            kind = rows[0]["kind"]
            if kind not in ABOUT_ANOTHERS:
                counted[state.type] = counted.get(state.type, 0) + 1
            for file in state.files:
                size += listed.add(f"{departure.FILES}/{UUID(file)}", _plain(node, conn, agency, file))
                files += 1
            yield orjson.dumps(departure.record_line(record, kind, state)) + b"\n"

    listed.add(departure.RECORDS, lines())
    return counted, files, size


def _plain(node: Node, conn: Conn, agency: str, file: str) -> Iterator[bytes]:
    row = conn.execute("select stored, data_key, digest from comity.file where id = %s", (file,)).fetchone()
    if row is None:
        raise Problem("file_damaged", say("file_damaged.file_is_in_log_and", file=file))
    key = node.keys.unwrap(agency, row[1])
    return sealing.opened(node.files, (agency, row[0]), key, UUID(file), row[2])


def _rows(conn: Conn, listed: _Listed, table: str, those: str, keys: tuple[str, ...]) -> None:
    def lines() -> Iterator[bytes]:
        with conn.cursor(name="rows") as cur:
            cur.itersize = 2_000
            cur.execute(f"select (to_jsonb(t) - %s::text[])::text from comity.{table} t where {those}", (list(keys),))
            for (row,) in cur:
                yield row.encode() + b"\n"

    listed.add(f"{departure.ROWS}/{table}.jsonl", lines())


def _said(agency: str, behind: dict[str, int]) -> str:
    """LEFT_BEHIND.txt: what does not come along, in words."""
    lines = [
        f"What {agency} does not take with it.",
        "",
        "Records of others belong to their owners' logs. Some role of this agency could read, by owner:",
        *([f"  {owner}: {count}" for owner, count in behind.items()] or ["  none"]),
        "",
        "What others offered to it: rows/offer.jsonl shows what it saw; the offers stay with their owners. Those that",
        "it never answered stay there as unanswered.",
        "What others answered to its offers: rows/offer.jsonl shows the answers; the entries stand in their own logs.",
        "Tokens, one-time codes, secrets of webhooks and keys of this node: made anew elsewhere.",
        "Content that was erased under an order: proof.json names the entries.",
    ]
    return "\n".join(lines) + "\n"
