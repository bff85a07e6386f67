"""The rows of offers, shares and reports: who is asked, what an agency lets another read, what is said of it.

The one place that writes offers and shares (a test holds that).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from comity.kernel.ledger import items
from comity.kernel.ledger.columns import array, columns
from comity.kernel.ledger.offer_side import MOVING, OfferSide
from comity.kernel.work.change import Change
from comity.kernel.work.node import Conn, Work, acting_for
from comity.kernel.work.on_behalf import BASIS

_OFFER = ("agency", "id", "from_agency", "to_agency", "type", "label", "offered_at", "expires_at", "offer_entry")


def offer(conn: Conn, changes: Sequence[Change]) -> None:
    """The offer rows and shares that new two-sided records bring, on both sides as far as they are at home here.

    One statement each, and three for each receiver; none for nothing.
    """
    made = [side for one in changes for side in one.offer]
    if made:
        insert(conn, made)
        for to in sorted({side.to_agency for side in made} - {made[0].agency}):
            with acting_for(conn, to, back=made[0].agency):
                insert(conn, [replace(side, agency=to) for side in made if side.to_agency == to])
    shares = [share for one in changes for share in one.shares]
    if shares:
        share(conn, shares)


def share(conn: Conn, shares: Sequence[Mapping[str, Any]]) -> None:
    """What an offer opens, in the rows of the agency for which the transaction acts; there is at least one."""
    conn.execute(
        """insert into comity.share (id, record, agency, to_agency, groups, version, offer, basis, ground, decision)
           select gen_random_uuid(), record, agency, to_agency, groups::text[], version, offer, basis, ground,
               decision
             from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::int[], %s::uuid[], %s::text[],
                 %s::text[], %s::text[])
               as t (record, agency, to_agency, groups, version, offer, basis, ground, decision)""",
        columns([_shared(one) for one in shares]),
    )


def insert(conn: Conn, sides: Sequence[OfferSide]) -> None:
    """New offers in the rows of the agency for which the transaction acts, if it is at home on this node."""
    conn.execute(
        """insert into comity.offer (agency, id, from_agency, to_agency, type, label, offered_at, expires_at,
               offer_entry, state)
           select t.*, 'offered' from unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
               %s::timestamptz[], %s::timestamptz[], %s::uuid[]) t
            where exists (select 1 from comity.agency where id = comity.me() and not elsewhere)""",
        columns([[getattr(one, name) for name in _OFFER] for one in sides]),
    )


def _shared(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        UUID(str(one["record"])), one["agency"], one["to_agency"], array(one["groups"]), one["version"], one["offer"],
        one["basis"], one["ground"], one["decision"],
    )  # fmt: skip


def bring(conn: Conn) -> None:
    """Open offers of an agency that has come with its log: their receivers that are at home here get their rows."""
    rows = conn.cursor(row_factory=dict_row).execute(
        "select * from comity.offer where agency = comity.me() and from_agency = agency and state = 'offered'"
    )
    for side in [OfferSide.of(row) for row in rows.fetchall()]:
        if side.other != side.agency:
            with acting_for(conn, side.to_agency, back=side.agency):
                insert(conn, [replace(side, agency=side.to_agency)])


def keep(conn: Conn, side: OfferSide) -> None:
    """What entries made of the row of the agency for which the transaction acts. Lock: comity.hold_offer."""
    moved = {name: getattr(side, name) for name in MOVING} | {"answer": Jsonb(dict(side.answer))}
    conn.execute(
        f"""update comity.offer set {", ".join(f"{name} = %({name})s" for name in MOVING)}
             where agency = comity.me() and id = %(id)s and to_agency = %(to_agency)s""",
        {**moved, "id": side.id, "to_agency": side.to_agency},
    )


def end(conn: Conn, side: OfferSide, *, to: str | None = None, itself: bool = True) -> None:
    """End what an offer opened to one receiver, or to all; `itself`: the offered record too. Acts for the offerer."""
    with acting_for(conn, side.from_agency, back=side.agency):
        conn.execute(
            """update comity.share set live = false
                where offer = %(offer)s and agency = comity.me() and live and (%(itself)s or record <> %(offer)s)
                  and (%(to)s::text is null or to_agency = %(to)s)""",
            {"offer": side.id, "itself": itself, "to": to},
        )


def seen(conn: Conn, offer: UUID, offerer: str, me: str, at: datetime) -> None:
    """That the receiver `me` has read what it was offered; an offerer on this node learns it. Receiver's row first."""
    for agency in (me, offerer):
        with acting_for(conn, agency, back=me):
            conn.execute(
                """update comity.offer set seen_at = %s
                    where agency = comity.me() and id = %s and to_agency = %s and seen_at is null""",
                (at, offer, me),
            )


@dataclass(frozen=True, slots=True)
class Grant:
    """What a record is opened for otherwise than by an offer. `member` None: to the agency; `until` None: for good."""

    record: UUID
    agency: str
    to_agency: str
    groups: Sequence[str]
    basis: str
    version: int | None = None
    member: UUID | None = None
    until: datetime | None = None
    ground: str = ""


def grant(conn: Conn, given: Iterable[Grant]) -> None:
    """Open records; what is open already to the same agency or member at the same version stays as it is."""
    with conn.cursor() as cur:
        cur.executemany(
            """insert into comity.share (id, record, agency, to_agency, to_member, groups, version, until, basis,
                   ground)
               select gen_random_uuid(), %(record)s, %(agency)s, %(to)s, %(member)s::uuid, %(groups)s,
                   %(version)s::int, %(until)s::timestamptz, %(basis)s, %(ground)s
                where %(until)s::timestamptz is not null or not exists (
                    select 1 from comity.share where record = %(record)s and to_agency = %(to)s and basis = %(basis)s
                       and live and version is not distinct from %(version)s::int)""",
            [
                {
                    "record": one.record, "agency": one.agency, "to": one.to_agency, "member": one.member,
                    "groups": list(one.groups), "version": one.version, "until": one.until, "basis": one.basis,
                    "ground": one.ground,
                }
                for one in given
            ],
        )  # fmt: skip


def report(work: Work, changes: Sequence[Change]) -> None:
    """The rows of entries made on behalf of another with the grant by which it will see them, and its verdicts."""
    for one in changes:
        if one.verdict is not None:
            work.conn.execute(
                "update comity.reported set state = %s, answer_entry = %s where entry = %s",
                (one.verdict.state, one.entry.id, one.verdict.reported),
            )
    made = [(one, told) for one in changes if (told := items.behalf(one.entry.content)) is not None]
    if not made:
        return
    with work.conn.cursor() as cur:
        cur.executemany(
            """insert into comity.reported (entry, agency, by_agency, record, type, act, document, entered_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (e.id, told["agency"], e.agency, e.record, e.type, e.act, told["document"], e.entered_at)
                for one, told in made
                for e in (one.entry,)
            ],
        )
    papers = {told["document"]: told["agency"] for _, told in made}
    grant(work.conn, [*_reported_records(work, made), *_reported_documents(work, papers)])


def _reported_records(work: Work, made: Sequence[tuple[Change, Mapping[str, str]]]) -> list[Grant]:
    """Each record that was reported, whole, to the institution that it is reported of: once."""
    opened = {
        (one.entry.record, told["agency"]): sorted({"base", *one.type.groups}) for one, told in made
    }  # fmt: skip
    return [Grant(id, work.agency, to, groups, BASIS) for (id, to), groups in opened.items()]


def _reported_documents(work: Work, papers: Mapping[str, str]) -> list[Grant]:
    """What shows it, at the version that it has now, in the groups that a document of its type opens."""
    found = []
    for id, type_name, core_type, version in work.conn.execute(
        """select id, type, core_type, version from comity.record
            where id = any(%s::uuid[]) and agency = comity.me()""",
        (list(papers),),
    ).fetchall():
        of = work.type_of(work.agency, type_name, core_type)
        found.append(Grant(id, work.agency, papers[str(id)], sorted(of.document), BASIS, version))
    return found
