"""A record's history: its entries in order, with what each changed as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.kernel.policy.actor import Actor
from comity.kernel.records import disclosure
from comity.kernel.records.node import Node, Work
from comity.kernel.records.results import HistoryLine
from comity.kernel.records.sight import _hidden_by_mark, readable_groups
from comity.kernel.records.subject import Subject, find_subject, loaded
from comity.kernel.types.catalogue import Type

LATE = timedelta(hours=24)


def history(node: Node, actor: Actor, record: str) -> list[HistoryLine]:
    """The entries about a record, oldest first: its owner's, and the answers of the agency to which it was offered."""
    with node.work(actor) as work:
        subject = find_subject(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        groups = readable_groups(work, of, subject)
        hidden = _hidden_by_mark(work, subject)
        members = dict(work.conn.execute("select id, name from comity.member").fetchall())
        lines = [_line(work, of, subject, groups, hidden, members, row) for row in _entries(work, subject)]
        disclosure.told(work, "history", [(subject, ["history"])])
        return lines


def _entries(work: Work, subject: Subject) -> list[dict[str, Any]]:
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select e.*, c.content, s.agency_place, s.place from comity.entry e
             left join comity.entry_content c on c.entry = e.id left join comity.sequence s on s.entry = e.id
            where e.record = %(record)s and (e.agency = %(owner)s and e.version <= %(top)s
                  or e.agency <> %(owner)s and e.kind = 'answer')
            order by e.entered_at, e.version""",
        {"record": subject.id, "owner": subject.agency, "top": subject.folded.version},
    )
    return rows.fetchall()


def _line(
    work: Work, of: Type, subject: Subject, groups: frozenset[str], hidden: Mapping[str, str],
    members: Mapping[UUID, str], row: Mapping[str, Any],
) -> HistoryLine:  # fmt: skip
    content = loaded(row["content"])
    told = content or {}
    if row["kind"] == "answer":
        may_reasons = subject.agency == work.agency
    else:
        may_reasons = subject.agency == work.agency or set(of.groups) <= groups
    own = row["agency"] == work.agency
    return HistoryLine(
        entry=str(row["id"]), kind=row["kind"], act=row["act"], agency=row["agency"],
        member=_who(row["actor"], members) if own else "", at=row["entered_at"], occurred_at=row["occurred_at"],
        late=row["entered_at"] - row["occurred_at"] > LATE, cause=str(told.get("cause", "")),
        reason=str(told.get("reason", "")) if own or may_reasons else "",
        version=row["version"], state_from=row["state_from"], state_to=row["state_to"],
        changes=_changes(of, told, groups, hidden, own=own), leaf=row["leaf"].hex(),
        place=row["agency_place"], stream=row["place"], corrects=str(told.get("corrects", "")),
        erased=content is None,
    )  # fmt: skip


def _who(actor: UUID, members: Mapping[UUID, str]) -> str:
    if actor.int == 1:
        return "system"
    if actor.int == 2:
        return "operator"
    return members.get(actor, "")


def _changes(
    of: Type, content: Mapping[str, Any], groups: frozenset[str], hidden: Mapping[str, str], *, own: bool
) -> dict[str, Any]:
    """The content items of an entry that the reader may see; reasons and marks stand elsewhere on the line."""
    out: dict[str, Any] = {}
    for path in sorted(content):
        kind, _, rest = path.partition("/")
        if kind in ("set", "unset", "answer"):
            known = of.fields.get(rest)
            if known is None or known.group not in groups or rest in hidden:
                continue
            out[path] = content[path]
        elif kind in ("number", "mark", "offer") or (own and kind in ("link", "unlink", "file", "share", "field_mark")):
            out[path] = content[path]
    return out
