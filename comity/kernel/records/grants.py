"""The rows of offers, shares and reports: who is asked, what an agency lets another read, what is said of it.

The one place that writes offers and shares (a test holds that).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from comity.kernel.ledger import items
from comity.kernel.ledger.columns import array, columns
from comity.kernel.work.change import Change
from comity.kernel.work.node import Conn, Work
from comity.kernel.work.on_behalf import BASIS

_OFFER = ("id", "from_agency", "to_agency", "type", "label", "offered_at", "expires_at", "offer_entry")


def offer(conn: Conn, changes: Sequence[Change]) -> None:
    """The offer rows and shares that new two-sided records bring: one statement each, none for nothing."""
    made = [one.offer for one in changes if one.offer]
    if made:
        conn.execute(
            """insert into comity.offer (id, from_agency, to_agency, type, label, offered_at, expires_at, offer_entry,
                   state)
               select *, 'offered' from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
                   %s::timestamptz[], %s::timestamptz[], %s::uuid[])""",
            columns([[one[name] for name in _OFFER] for one in made]),
        )
    shares = [share for one in changes for share in one.shares]
    if shares:
        conn.execute(
            """insert into comity.share (id, record, agency, to_agency, groups, version, offer, basis, ground, decision)
               select gen_random_uuid(), record, agency, to_agency, groups::text[], version, offer, basis, ground,
                   decision
                 from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::int[], %s::uuid[], %s::text[],
                     %s::text[], %s::text[])
                   as t (record, agency, to_agency, groups, version, offer, basis, ground, decision)""",
            columns([_shared(one) for one in shares]),
        )


def _shared(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        UUID(str(one["record"])), one["agency"], one["to_agency"], array(one["groups"]), one["version"], one["offer"],
        one["basis"], one["ground"], one["decision"],
    )  # fmt: skip


def move(conn: Conn, changes: Sequence[Change]) -> None:
    """What entries do to offers that were there: answered, settled, withdrawn, expired; and the grants that end so.

    Lock: the caller holds each offer's row, so that of two that end it one wins.
    """
    for one in changes:
        if one.move is None:
            continue
        done, entry = one.move, one.entry
        answers = done.answer is not None
        conn.execute(
            """update comity.offer set state = coalesce(%(state)s, state),
                   ends = case when %(state)s::text is null then ends else %(ends)s end,
                   answered_at = case when %(state)s::text is null then answered_at else %(at)s end,
                   answer_entry = coalesce(%(answer_entry)s, answer_entry), answer = coalesce(%(answer)s, answer),
                   seen_at = case when %(answers)s then coalesce(seen_at, %(at)s) else seen_at end,
                   settled_entry = coalesce(%(settled)s, settled_entry)
                where id = %(offer)s""",
            {
                "offer": done.offer, "state": done.state, "ends": done.ends, "at": entry.entered_at,
                "answers": answers, "answer_entry": entry.id if answers else None,
                "answer": Jsonb(dict(done.answer)) if done.answer is not None else None,
                "settled": entry.id if done.settles else None,
            },
        )  # fmt: skip
        if done.closes != "none":
            conn.execute(
                """update comity.share s set live = false where s.offer = %(offer)s and case %(closes)s
                       when 'to_receiver' then s.to_agency = (select to_agency from comity.offer where id = %(offer)s)
                       when 'all_but_offer' then s.record <> %(offer)s else true end""",
                {"offer": done.offer, "closes": done.closes},
            )


def seen(conn: Conn, offer: UUID, at: datetime) -> None:
    """That the receiver has read what it was offered."""
    conn.execute("update comity.offer set seen_at = %s where id = %s", (at, offer))


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
