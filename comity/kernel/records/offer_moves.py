"""What an entry about an offer does to the rows of both sides (ledger/offer_side), as far as they are at home here.

The own row moves in the entry's transaction. The other side receives the entry in it too, where it is on this node;
what comes from another node is received by the same function (sharing/carry_in). Rows are written the receiver's first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row

from comity import names
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import NOTE, Entry
from comity.kernel.ledger.offer_side import ENDINGS, NOTED, WITHDRAWING, OfferSide, take
from comity.kernel.records import grants
from comity.kernel.work.change import Change
from comity.kernel.work.node import SYSTEM, Conn, Work, acting_for


class Received(NamedTuple):
    """What the other side made of an entry. `alone`: nobody there is waited for; `note`: what its own log says."""

    alone: bool
    note: Entry | None = None


def hold(conn: Conn, offer: UUID | str) -> list[dict[str, Any]]:
    """The own rows of an offer, one for each receiver, which nobody else moves until this transaction ends."""
    rows = conn.cursor(row_factory=dict_row).execute("select * from comity.hold_offer(%s)", (offer,))
    return rows.fetchall()


def move(work: Work, changes: Sequence[Change]) -> None:
    """Answers, settlements, withdrawals and expiries: the rows of both sides, and the grants that end.

    Lock: each offer is held (see `hold`), so that of two that end it one wins.
    """
    for one in changes:
        for side in one.move:
            _move(work, side, one.entry, grant_ends=one.grant_ends)


def _move(work: Work, side: OfferSide, entry: Entry, *, grant_ends: bool) -> None:
    conn, mine = work.conn, side.agency
    if mine == side.to_agency != side.from_agency:
        grants.keep(conn, take(side, entry, grant_ends=grant_ends))
        receive(conn, side.from_agency, mine, side, entry, grant_ends=grant_ends)
    else:
        there = Received(alone=True)
        if entry.kind != "settle" and side.other != mine:
            there = receive(conn, side.to_agency, mine, side, entry, grant_ends=grant_ends)
        side = take(side, entry, grant_ends=grant_ends, alone=there.alone)
        grants.keep(conn, take(side, there.note) if there.note is not None else side)
    end_grants(conn, side, entry, grant_ends=grant_ends)


def end_grants(conn: Conn, side: OfferSide, entry: Entry, *, grant_ends: bool) -> None:
    """What an offer opened, as far as the entry ends it: to its answerer, or by the offerer's own end to all.

    Where the end followed from another act, the receiver must see what became of what it was asked: the offered record
    itself stays open to it, and nothing else does.
    """
    if entry.kind == "answer" and grant_ends:
        grants.end(conn, side, to=side.to_agency)
    elif entry.kind == "act" and entry.act in ENDINGS:
        grants.end(conn, side, to=side.to_agency, itself=entry.refers is None)


def receive(conn: Conn, agency: str, back: str, offer: OfferSide, entry: Entry, *, grant_ends: bool) -> Received:
    """Take an entry of the other side into the row of `agency`, if it has one here; acts for it meanwhile.

    The end of an offer that its receiver has not answered is noted in the receiver's log by its system, unless it is
    suspended or no member. Lock: the offer is held.
    """
    with acting_for(conn, agency, back=back):
        row = (
            conn.cursor(row_factory=dict_row)
            .execute(
                """select o.*, a.state as agency_state, a.elsewhere, a.membership, a.version as definitions
                     from comity.agency a
                     left join comity.offer o on o.agency = a.id and o.id = %s and o.to_agency = %s
                    where a.id = comity.me()""",
                (offer.id, offer.to_agency),
            )
            .fetchone()
        )
        if row is None or row["elsewhere"]:
            return Received(row is None or row["membership"] != "member" or row["agency_state"] == "suspended")
        if row["id"] is None:
            return Received(alone=True)
        before = OfferSide.of(row)
        after = take(before, entry, grant_ends=grant_ends)
        note = None
        if row["agency_state"] == "active" and row["membership"] == "member" and _owes_note(after):
            note = _note(conn, after, entry, row["definitions"])
            append(conn, [note])
            after = take(after, note)
        if after != before:
            grants.keep(conn, after)
        return Received(alone=note is None, note=note)


def leave_withdrawn(work: Work) -> int:
    """Wait no longer for receivers that can no longer note an end: suspended or departed, or members no more; how many.

    What such a one has answered before still counts, should it come.
    """
    rows = work.conn.execute(
        """select distinct o.id from comity.offer o join comity.agency a on a.id = o.to_agency
            where o.agency = comity.me() and o.state = %s and (a.state = 'suspended' or a.membership <> 'member')
            order by 1""",
        (WITHDRAWING,),
    ).fetchall()
    for (record,) in rows:
        for side in [OfferSide.of(row) for row in hold(work.conn, record)]:
            if side.state == WITHDRAWING:
                grants.keep(work.conn, replace(side, state=side.ended_as))
    return len(rows)


def _owes_note(side: OfferSide) -> bool:
    """Whether its receiver's log has yet to say that the offer's end came before any answer."""
    told = side.answer_entry or side.noted_entry
    return side.agency == side.to_agency != side.from_agency and side.ended_entry is not None and told is None


def _note(conn: Conn, side: OfferSide, end: Entry, definitions: int) -> Entry:
    row = conn.execute(
        "select coalesce(max(version), 0) + 1 from comity.entry where record = %s and agency = comity.me()", (side.id,)
    ).fetchone()
    assert row is not None
    return Entry(
        id=names.new_id(), agency=side.agency, record=side.id, type=end.type, type_version=definitions, kind=NOTE,
        act=NOTED, actor=SYSTEM, occurred_at=end.entered_at, entered_at=end.entered_at, version=row[0],
        state_from="offered", state_to=end.act, refers=end.id,
    )  # fmt: skip
