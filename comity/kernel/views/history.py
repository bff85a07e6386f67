"""A record's history: its entries in order, with what each changed as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.kernel.exchange.reported import Told, told
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, NOTE
from comity.kernel.ledger.verify import items_erased
from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Type
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import HistoryLine
from comity.kernel.work.subject import Subject, find_subject, loaded, subjects
from comity.kernel.work.visibility import Visibility, core_code, visibility

LATE = timedelta(hours=24)


def history(node: Node, actor: Actor, record: str) -> list[HistoryLine]:
    """The entries about a record, oldest first: its owner's, and the answers of the agency to which it was offered."""
    with node.work(actor) as work:
        subject = find_subject(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        return lines(work, of, subject, visibility(work, of, subject))


def lines(work: Work, of: Type, subject: Subject, seen: Visibility, last: int | None = None) -> list[HistoryLine]:
    """What `history` answers, within a transaction that is open already, and disclosed as by it; or the `last` of it.

    `of` is the owner's type, `seen` what of the record the reader sees.
    """
    members = dict(work.conn.execute("select id, name from comity.member where agency = comity.me()").fetchall())
    rows = [(row, loaded(row["content"])) for row in _entries(work, subject, last)]
    open_targets = _open_targets(work, of, [held for row, held in rows if held and row["agency"] == work.agency])
    reports = told(work, subject, whole=seen.whole)
    entries = {row["id"] for row, _ in rows}
    reader = _Reader(work, of, subject, seen, members, open_targets, entries)
    found = [reader.line(row, content, reports.get(row["id"])) for row, content in rows]
    disclosure.told(work, "history", [(subject, ["history"])])
    return found


def _entries(work: Work, subject: Subject, last: int | None) -> list[dict[str, Any]]:
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select e.*, c.content, c.salts, s.agency_place, s.place from comity.entry e
             left join comity.entry_content c on c.entry = e.id left join comity.sequence s on s.entry = e.id
            where e.record = %(record)s and (e.agency = %(owner)s and e.version <= %(top)s
                  or e.agency <> %(owner)s and e.kind = any(%(about)s))
            order by e.entered_at desc, (e.kind = %(note)s) desc, e.version desc limit %(last)s""",
        {
            "record": subject.id, "owner": subject.agency, "top": subject.folded.version, "about": list(ABOUT_ANOTHERS),
            "last": last, "note": NOTE,
        },
    )  # fmt: skip
    return rows.fetchall()[::-1]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads which record, and what of its entries is shown: once for all of its lines."""

    work: Work
    of: Type
    subject: Subject
    seen: Visibility
    members: Mapping[UUID, str]
    open_targets: Container[str]
    entries: Container[UUID]

    def line(self, row: Mapping[str, Any], content: Mapping[str, Any] | None, report: Told | None) -> HistoryLine:
        told = content or {}
        own = row["agency"] == self.work.agency
        gone, all_gone = items_erased(row), not content
        between = (
            row["kind"] not in ABOUT_ANOTHERS or own or self.subject.agency == self.work.agency
        )  # what was answered is said to these two
        said = told if (self.seen.whole and between) or str(row["actor"]) == self.work.actor.member else {}
        states = row["state_from"], row["state_to"]
        if self.subject.agency != self.work.agency and row["agency"] == self.subject.agency:
            states = self.of.core_state(states[0]), self.of.core_state(states[1])
        return HistoryLine(
            entry=str(row["id"]), kind=row["kind"], act=row["act"], agency=row["agency"],
            member=_who(row["actor"], self.members) if own else "", at=row["entered_at"],
            occurred_at=row["occurred_at"],
            late=row["entered_at"] - row["occurred_at"] > LATE or bool(items.late_rules(told)),
            cause=items.text(said, items.CAUSE),
            reason=items.text(said, items.REASON), version=row["version"], state_from=states[0], state_to=states[1],
            changes=_changes(self.of, told, self.seen, self.open_targets, own=own), leaf=row["leaf"].hex(),
            place=row["agency_place"], stream=row["place"], corrects=items.text(told, items.CORRECTS),
            refers=str(row["refers"]) if row["refers"] in self.entries else "",
            authority=items.text(said, items.AUTHORITY),
            erased=gone > 0 and all_gone, erased_part=gone > 0 and not all_gone, late_rules=items.late_rules(told),
            on_behalf=report.agency if report else "",
            document=report.document if report else "", reported=report.said if report else "",
            overrides=items.overridden(told),
        )  # fmt: skip


def _who(actor: UUID, members: Mapping[UUID, str]) -> str:
    if actor.int == 1:
        return "system"
    if actor.int == 2:
        return "operator"
    return members.get(actor, "")


def _open_targets(work: Work, of: Type, contents: Sequence[Mapping[str, Any]]) -> Container[str]:
    """Of the records that own entries linked or shared, those that this member may read; members are always named."""
    said = [item for told in contents for item, _ in items.parsed(told)]
    linked = [item for item in said if item.kind in items.OF_A_LINK]
    members = {name for name, link in of.links.items() if link.to == ("member",)}
    named = {item.target for item in linked if item.name in members}
    pointed = {item.target for item in linked} | {item.name for item in said if item.kind == items.SHARE}
    return named | set(subjects(work, sorted(pointed - named)))


def _changes(
    of: Type, content: Mapping[str, Any], seen: Visibility, open_targets: Container[str], *, own: bool
) -> dict[str, Any]:
    """The content items of an entry that the reader may see; reasons and marks stand elsewhere on the line."""
    out: dict[str, Any] = {}
    for path in sorted(content):
        kind, name, target = items.parse(path)
        if kind in (items.SET, items.UNSET, items.ANSWER):
            if name in of.fields and seen.shows(of, name):
                out[path] = content[path] if own else core_code(of.fields[name], content[path])
        elif (
            kind in (items.NUMBER, items.MARK, items.UNMARK, items.OFFER, items.COUNTS)
            or (own and kind == items.FIELD_MARK)
            or (own and kind in items.OF_A_LINK and target in open_targets)
            or (own and kind == items.SHARE and name in open_targets)
            or (own and kind == items.FILE and seen.whole)
        ):
            out[path] = content[path]
    return out
