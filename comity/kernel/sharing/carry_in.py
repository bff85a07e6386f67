"""What comes from another node: entries of an agency that is kept there, taken one by one or refused (ADR 0019).

An entry is proven by its bytes (ledger/carried), belongs to what ties the two agencies, and is judged by its owner's
definitions. It is kept under its owner, its record is projected as that one's own node does it, and an offer's rows
move by the same function as within one node (records/offer_moves.receive). What comes too early waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append_carried, show_more
from comity.kernel.ledger.carried import Carried, Refused, read, showing_more
from comity.kernel.ledger.entry import NOTE, VERDICTS, Entry, Sealed
from comity.kernel.ledger.fold import fold
from comity.kernel.ledger.offer_side import ENDINGS, NOTED, OfferSide, made
from comity.kernel.records import grants, offer_moves, project
from comity.kernel.types import shape
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.work.change import Row
from comity.kernel.work.node import Node, Work, acting_for, system
from comity.kernel.work.subject import loaded
from comity.sentences import say

MOST = 1_000
"""Lines that are taken at once."""
WAITING = 10_000
"""Lines of one peer that are kept waiting for an agency."""
STAYS = frozenset(("install", "digest", "emergency", *VERDICTS))
"""Kinds of entries that concern nobody elsewhere."""
LOCK = 4_801_010


class _Waits(Exception):
    """What the entry follows, or its definitions, are not here yet."""


@dataclass(slots=True)
class Taken:
    """What became of the lines: ids of entries that are here now, of those that wait, and (id, code) of the refused;
    the id is empty where the line could not be read."""

    taken: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def receive(node: Node, agency: str, peer: str, lines: Sequence[bytes]) -> Taken:
    """Take lines of `peer`'s log that came for an agency of this node, in a transaction of their own: see take_lines.

    The caller knows that they come from the peer's node. Raises Problem: agency_unknown, agency_suspended,
    request_invalid (the peer is not kept elsewhere, or more than MOST lines).
    """
    with node.work(system(agency)) as work:
        return take_lines(work, peer, lines)


def take_lines(work: Work, peer: str, lines: Sequence[bytes]) -> Taken:
    """The same within a work of the agency's system. Each line stands or falls by itself.

    Lock: one taking for a pair of agencies at a time, until the transaction ends.
    """
    if len(lines) > MOST:
        fault = Fault(
            "too_many_lines", "lines", say("too_many_lines.lines_came_are_taken_at", count=len(lines), most=MOST)
        )
        raise Problem("request_invalid", say("request_invalid.nothing_was_taken"), faults=[fault])
    row = work.conn.execute(
        """select elsewhere and state = 'active', version, pg_advisory_xact_lock(%s, hashtext(%s))
             from comity.agency where id = %s""",
        (LOCK, f"{work.agency} {peer}", peer),
    ).fetchone()
    if row is None or not row[0]:
        fault = Fault("not_elsewhere", "peer", say("not_elsewhere.is_not_kept_on_another", peer=peer))
        raise Problem("request_invalid", say("request_invalid.nothing_was_taken"), faults=[fault])
    out = Taken()
    taking = _Taking(work, peer, work.node.catalogue_of(work.conn, peer), row[1])
    for given in lines:
        taking.line(given, out)
    while taking.again(out):
        pass
    return out


@dataclass(frozen=True, slots=True)
class _Taking:
    """One agency's taking from one peer, whose definitions are here up to `version`."""

    work: Work
    peer: str
    catalogue: Catalogue
    version: int

    def line(self, given: bytes, out: Taken) -> None:
        try:
            carried = read(given)
        except Refused as refused:
            out.refused.append((refused.entry, refused.code))
            return
        if self._settle(carried, out):
            return
        self._wait(carried, out)

    def again(self, out: Taken) -> bool:
        """Try what waits once more, since something came; whether anything of it ended."""
        conn, moved = self.work.conn, False
        if not out.taken:
            return False
        waiting = conn.execute(
            "select entry, line from comity.waiting_entry where agency = comity.me() and from_agency = %s order by at",
            (self.peer,),
        ).fetchall()
        for entry, given in waiting:
            if self._settle(read(bytes(given)), out):
                conn.execute(
                    "delete from comity.waiting_entry where agency = comity.me() and from_agency = %s and entry = %s",
                    (self.peer, entry),
                )
                out.waiting = [one for one in out.waiting if one != str(entry)]
                moved = True
        return moved

    def _settle(self, carried: Carried, out: Taken) -> bool:
        """Take or refuse an entry; False where it has to wait."""
        entry = str(carried.entry.id)
        try:
            with self.work.conn.transaction():
                self._take(carried)
            out.taken.append(entry)
        except _Waits:
            return False
        except Refused as refused:
            out.refused.append((entry, refused.code))
        except psycopg.errors.UniqueViolation as error:
            mine = error.diag.table_name in ("entry", "entry_content")
            out.refused.append((entry, "two_entries" if mine else "not_its_record"))
        return True

    def _wait(self, carried: Carried, out: Taken) -> None:
        one = carried.entry
        kept = self.work.conn.execute(
            """insert into comity.waiting_entry (agency, from_agency, entry, leaf, line, at)
               select comity.me(), %(peer)s, %(entry)s, %(leaf)s, %(line)s, %(at)s
                where (select count(*) from comity.waiting_entry where agency = comity.me() and from_agency = %(peer)s)
                      < %(most)s
               on conflict (agency, from_agency, entry) do update set line = excluded.line
                where comity.waiting_entry.leaf = excluded.leaf""",
            {
                "peer": self.peer, "entry": one.id, "leaf": carried.sealed.leaf, "line": carried.line,
                "at": self.work.now, "most": WAITING,
            },
        )  # fmt: skip
        if kept.rowcount:
            out.waiting.append(str(one.id))
        else:
            out.refused.append((str(one.id), "two_entries"))

    def _take(self, carried: Carried) -> None:
        entry = carried.entry
        if entry.agency != self.peer:
            raise Refused("not_its_log")
        if entry.kind in STAYS or entry.type.startswith("kernel."):
            raise Refused("not_its_record")
        known = self._known(entry)
        if known is not None and known.leaf != carried.sealed.leaf:
            raise Refused("two_entries")
        if entry.type_version > self.version:
            raise _Waits
        if entry.kind not in ("answer", NOTE):
            self._of_theirs(carried.sealed, known)
        elif known is None:
            self._said_of_ours(carried.sealed)

    def _known(self, entry: Entry) -> Sealed | None:
        """The same entry as it is here. Raises Refused `two_entries` for another at its place, and _Waits for a gap."""
        with acting_for(self.work.conn, self.peer, back=self.work.agency):
            rows = (
                self.work.conn.cursor(row_factory=dict_row)
                .execute(
                    """select e.id, e.agency, e.record, e.version, e.commitments, e.leaf, c.content, c.salts
                         from comity.entry e left join comity.entry_content c on c.entry = e.id
                        where e.id = %(id)s
                           or e.agency = comity.me() and e.record = %(record)s and e.version in (%(before)s, %(at)s)""",
                    {"id": entry.id, "record": entry.record, "before": entry.version - 1, "at": entry.version},
                )
                .fetchall()
            )
        held = {(row["agency"], row["record"], row["version"]): row for row in rows}
        same = held.get((entry.agency, entry.record, entry.version))
        if any(row["id"] == entry.id and row is not same for row in rows):
            raise Refused("two_entries")
        if same is None and entry.version > 1 and (entry.agency, entry.record, entry.version - 1) not in held:
            raise _Waits
        if same is None:
            return None
        if same["id"] != entry.id:
            raise Refused("two_entries")
        content = None if same["content"] is None else bytes(same["content"])
        return Sealed(entry, content, bytes(same["salts"] or b""), bytes(same["commitments"]), bytes(same["leaf"]))

    def _said_of_ours(self, sealed: Sealed) -> None:
        """An answer to what was offered to the peer, or its note of the offer's end."""
        work, entry = self.work, sealed.entry
        rows = [OfferSide.of(row) for row in offer_moves.hold(work.conn, entry.record)]
        side = next((one for one in rows if one.to_agency == self.peer and one.from_agency == work.agency), None)
        if side is None:
            raise Refused("not_its_record")
        grant_ends = False
        if entry.kind == "answer":
            grant_ends = self._judge_answer(side, entry)
        elif entry.act != NOTED or entry.refers is None or entry.refers != side.ended_entry:
            raise Refused("not_its_record")
        with acting_for(work.conn, self.peer, back=work.agency):
            append_carried(work.conn, sealed)
        offer_moves.receive(work.conn, work.agency, work.agency, side, entry, grant_ends=grant_ends)
        offer_moves.end_grants(work.conn, side, entry, grant_ends=grant_ends)

    def _judge_answer(self, side: OfferSide, entry: Entry) -> bool:
        """Whether the answer ends the grant, by the own definition of what was offered. Raises Refused."""
        work = self.work
        row = work.conn.execute(
            "select type, core_type, state, fields from comity.record where id = %s and agency = comity.me()",
            (entry.record,),
        ).fetchone()
        assert row is not None
        of = work.type_of(work.agency, row[0], row[1])
        rule = of.offer.answers.get(entry.act) if of.offer else None
        given = items.answered(entry.content)
        if entry.refers != side.offer_entry:
            raise Refused("not_its_record")
        if rule is None or side.answer_entry or side.noted_entry or not side.timely(entry):
            raise Refused("answer_refused")
        after = {**row[3], **given}
        faults = shape.judge(of, before=row[3], after=after, state=row[2], supplied=set(given), act=rule.name)
        if faults or not set(given) <= set(rule.sets):
            raise Refused("answer_refused")
        return rule.ends

    def _of_theirs(self, sealed: Sealed, known: Sealed | None) -> None:
        """An entry of a record of the peer's that is offered to this agency, or that such an offer opens.

        `known`: it is here already, for this agency or for another to which it was offered as well.
        """
        work, entry = self.work, sealed.entry
        of = self.catalogue.types.get(entry.type)
        if of is None or entry.state_to not in of.states or bool(entry.state_from) is (entry.version == 1):
            raise Refused("act_refused")
        if work.conn.execute(
            "select 1 from comity.record where id = %s and agency = comity.me()", (entry.record,)
        ).fetchone():
            raise Refused("not_its_record")
        held = [OfferSide.of(row) for row in offer_moves.hold(work.conn, entry.record)]
        offers = entry.version == 1 and items.OFFER in entry.content and not held
        if offers:
            self._judge_offer(of, entry)
        elif not held:
            self._refuse_unopened(entry)
        more = sealed if known is None else showing_more(known, sealed)
        if offers or known is None or more.content != known.content:
            with acting_for(work.conn, self.peer, back=work.agency):
                self._store(more, known)
                if offers:
                    self._open(of, entry)
        if offers:
            grants.insert(work.conn, [made(work.agency, entry, work.agency, of.title)])
        if entry.kind == "act" and entry.act in ENDINGS:
            for side in held:
                offer_moves.receive(work.conn, work.agency, work.agency, side, entry, grant_ends=False)
                offer_moves.end_grants(work.conn, side, entry, grant_ends=False)

    def _store(self, more: Sealed, known: Sealed | None) -> None:
        """Keep an entry, or more that is shown of it, and its record as it is then. Acting for the peer."""
        if known is None:
            append_carried(self.work.conn, more)
        elif more.content != known.content:
            show_more(self.work.conn, more)
        else:
            return
        self._project(more.entry)

    def _judge_offer(self, of: Type, entry: Entry) -> None:
        work, said = self.work, entry.content[items.OFFER]
        named = said.get("to") if isinstance(said, dict) else None
        if of.offer is None or work.agency not in (named if isinstance(named, list) else [named]):
            raise Refused("not_its_record")
        day = entry.entered_at.astimezone(ZoneInfo(work.catalogue.definition.zone)).date()
        for one in work.catalogue.agreements:
            begun = one.from_ is None or one.from_ <= day
            if one.to == self.peer and of.core_name in one.offers and begun and (one.until is None or day <= one.until):
                return
        raise Refused("offer_not_agreed")

    def _refuse_unopened(self, entry: Entry) -> None:
        """What no offer that came opens may still be opened by one that is on its way."""
        row = self.work.conn.execute(
            """select max(version) from comity.share where record = %s and agency = %s and to_agency = comity.me()
                  and offer is not null""",
            (entry.record, self.peer),
        ).fetchone()
        if row is None or row[0] is None:
            raise _Waits
        if entry.version > row[0]:
            raise Refused("not_its_record")

    def _project(self, entry: Entry) -> None:
        """The record's row as all of its entries that are here make it. The transaction acts for the peer."""
        rows = (
            self.work.conn.cursor(row_factory=dict_row)
            .execute(
                """select e.*, c.content from comity.entry e left join comity.entry_content c on c.entry = e.id
                    where e.record = %s and e.agency = comity.me() order by e.version""",
                (entry.record,),
            )
            .fetchall()
        )
        state = fold([{**row, "content": loaded(row["content"])} for row in rows])
        of = self.catalogue.types[state.type]
        first, last = rows[0]["entered_at"], rows[-1]["entered_at"]
        project.carried(self.work.conn, Row(entry.record, self.peer, of, state, first, last))

    def _open(self, of: Type, entry: Entry) -> None:
        """What the offer opens, as its entry lists it. The transaction acts for the peer."""
        assert of.offer is not None
        itself = {"version": None, "groups": list(of.offer.grants.groups), "decision": "included", "ground": ""}
        listed = {str(entry.record): itself, **items.shares(entry.content)}
        grants.share(self.work.conn, [
            {**terms, "record": record, "agency": self.peer, "to_agency": self.work.agency, "offer": entry.record,
             "basis": of.name}
            for record, terms in listed.items()
        ])  # fmt: skip
