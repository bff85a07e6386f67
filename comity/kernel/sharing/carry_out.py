"""What another node is owed: the entries of what was offered to an agency that is kept there, and of what it offered.

An effect: (carry, entry, peer and offer) stays due until the peer says that it has the entry, so what is lost on the
way is sent again. What of an entry is shown follows from the offer; the rest goes as commitments (ADR 0019).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from comity.clock import show_instant, today
from comity.kernel.ledger import items
from comity.kernel.ledger.carried import line
from comity.kernel.ledger.entry import NOTE
from comity.kernel.sharing import outbox
from comity.kernel.types.catalogue import Type
from comity.kernel.work.node import Node, Work, system

NAME = "carry"
ALWAYS = frozenset(
    (items.NUMBER, items.MARK, items.UNMARK, items.FIELD_MARK, items.OFFER, items.BEHALF, items.LATE, items.COUNTS)
)  # fmt: skip
"""Kinds of items that whoever reads a record at all reads."""
WHOLE = frozenset((items.REASON, items.CAUSE, items.AUTHORITY, items.CORRECTS))
"""Kinds that are for whoever reads every group."""


def owed(node: Node, agency: str, peer: str, *, limit: int = 200) -> list[bytes]:
    """The lines that the agency `peer`, kept elsewhere, has not said it has; those that are due longest come first.

    Problem `agency_suspended`, `agency_unknown`.
    """
    with node.work(system(agency)) as work:
        outbox.owe(work.conn, NAME, agency, _entries(work, peer), work.now)
        passed = _passed(work, peer)
        lines = []
        for entry, target in outbox.due(work.conn, NAME, agency, limit, start=f"{peer} "):
            row = _row(work, entry, UUID(target.rpartition(" ")[2]), peer)
            if row is None:  # what opened it has ended before it went
                outbox.done(work.conn, NAME, entry, target, work.now)
            else:
                lines.append(line(_as_text(row), _shown(work, row, passed)))
        return lines


def confirmed(node: Node, agency: str, peer: str, entries: Sequence[str]) -> None:
    """The peer has these entries: they are not sent again, unless another offer shows more of them."""
    with node.work(system(agency)) as work:
        outbox.told(work.conn, NAME, [UUID(one) for one in entries], f"{peer} ", work.now)


def _entries(work: Work, peer: str) -> list[tuple[UUID, str]]:
    """(entry, target) of all that is owed. Of an offer that has ended: nothing after the entry that ended or settled
    it; of what it opened: nothing more."""
    return work.conn.execute(
        """with mine as (
               select *, case when ends then (
                          select max(x.version) from comity.entry x
                           where x.id in (offer_entry, ended_entry, settled_entry) and x.agency = comity.me()) end last
                 from comity.offer
                where agency = comity.me() and from_agency <> to_agency and %(peer)s in (from_agency, to_agency))
           select e.id, %(peer)s || ' ' || o.id
             from mine o join comity.entry e on e.record = o.id and e.agency = o.agency
            where o.to_agency = comity.me() and e.kind = any(%(said)s)
               or o.from_agency = comity.me() and e.kind <> all(%(said)s) and (o.last is null or e.version <= o.last)
           union
           select e.id, %(peer)s || ' ' || o.id from mine o
             join comity.share s on s.offer = o.id and s.agency = o.agency and s.to_agency = o.to_agency and s.live
             join comity.entry e on e.record = s.record and e.agency = o.agency and e.version <= s.version
            where o.from_agency = comity.me() and not o.ends and s.decision <> 'withheld'""",
        {"peer": peer, "said": ["answer", NOTE]},
    ).fetchall()


def _passed(work: Work, peer: str) -> frozenset[str]:
    """The handling marks that the own agreements with the peer let pass today."""
    day = today(work.catalogue.definition.zone)
    return frozenset(
        mark
        for one in work.catalogue.agreements
        if one.to == peer and (one.from_ is None or one.from_ <= day) and (one.until is None or day <= one.until)
        for mark in one.marks
    )


def _row(work: Work, entry: UUID, offer: UUID, peer: str) -> dict[str, Any] | None:
    """The entry with what the offer opens of its record; None where it opens nothing of it any more."""
    return (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select e.*, c.content, c.salts, s.groups, o.ends, o.to_agency = comity.me() as received,
                      r.marks, r.field_marks, r.core_type, r.type as type_now,
                      array(select l.record::text from comity.share l where l.offer = o.id and l.decision <> 'withheld')
                          as opened
                 from comity.entry e join comity.offer o on o.agency = e.agency and o.id = %(offer)s
                  and %(peer)s in (o.from_agency, o.to_agency)
                 left join comity.entry_content c on c.entry = e.id
                 left join comity.record r on r.id = e.record and r.agency = e.agency
                 left join comity.share s on s.offer = o.id and s.record = e.record and s.agency = e.agency and s.live
                  and s.to_agency = o.to_agency
                where e.id = %(entry)s and e.agency = comity.me() and (s.id is not null or e.record = o.id)""",
            {"entry": entry, "offer": offer, "peer": peer},
        )
        .fetchone()
    )


def _as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's row in the spelling that is hashed."""
    return {
        **row, "entry": str(row["id"]), "record": str(row["record"]), "actor": str(row["actor"]),
        "occurred_at": show_instant(row["occurred_at"]), "entered_at": show_instant(row["entered_at"]),
        "refers": str(row["refers"]) if row["refers"] else None,
        "content": bytes(row["content"]) if row["content"] is not None else None,
    }  # fmt: skip


def _shown(work: Work, row: Mapping[str, Any], passed: frozenset[str]) -> Callable[[str], bool]:
    """What of an entry goes along. Of one's own answer all; of a record whose marks do not pass, or whose offer has
    ended, that it was offered and to whom."""
    if row["received"]:
        return lambda path: True
    if row["groups"] is None or not set(row["marks"]) <= passed:
        return lambda path: items.parse(path).kind == items.OFFER
    of = work.type_of(work.agency, row["type_now"], row["core_type"])
    groups, opened = frozenset(row["groups"]), frozenset(row["opened"])
    content = orjson.loads(row["content"]) if row["content"] is not None else {}
    whole = groups.issuperset(("base", *of.groups)) and not row["field_marks"]

    def shows(path: str) -> bool:
        item = items.parse(path)
        if item.kind in (items.SET, items.UNSET):
            return _field_open(of, item.name, groups) and item.name not in row["field_marks"]
        if item.kind in items.OF_A_LINK:
            return item.target in opened
        if item.kind == items.SHARE:
            return str(content[path].get("decision")) != "withheld"
        return item.kind in ALWAYS or (whole and item.kind in WHOLE)

    return shows


def _field_open(of: Type, name: str, groups: frozenset[str]) -> bool:
    known = of.fields.get(name)
    return known is not None and known.group in groups
