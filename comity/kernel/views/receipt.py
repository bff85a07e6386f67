"""The address of a receipt: where an entry stands now, for whoever may read the record that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.work.node import Node
from comity.kernel.work.results import as_uuid
from comity.kernel.work.subject import find_subject
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry is *appended*, then *sequenced*: it has its place in its agency's log and in the node's stream."""

    entry: str
    record: str
    agency: str
    type: str
    act: str
    version: int
    leaf: str
    at: datetime
    place: int | None
    stream_place: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry, "record": self.record, "agency": self.agency, "type": self.type, "act": self.act,
            "version": self.version, "leaf": self.leaf, "at": show_instant(self.at), "place": self.place,
            "stream_place": self.stream_place, "moment": "sequenced" if self.place else "appended",
        }  # fmt: skip


def receipt(node: Node, actor: Actor, entry: str) -> Standing:
    """Where an entry stands. Problem `not_found` for absent and forbidden alike."""
    with node.work(actor) as work:
        row = (
            work.conn.cursor(row_factory=dict_row)
            .execute(
                """select e.id::text as entry, e.agency, e.record::text as record, e.type, e.act, e.version, e.leaf,
                          e.entered_at as at, s.agency_place as place, s.place as stream_place
                     from comity.entry e left join comity.sequence s on s.entry = e.id where e.id = %s""",
                (as_uuid(entry),),
            )
            .fetchone()
        )
        if row is None:
            raise Problem("not_found", say("not_found.no_such_record_or_it"))
        if row["type"].startswith("kernel."):
            if row["agency"] != work.agency:
                raise Problem("not_found", say("not_found.no_such_record_or_it"))
        else:
            seen = find_subject(work, row["record"])
            if row["agency"] == seen.agency and row["version"] > seen.folded.version:
                raise Problem("not_found", say("not_found.no_such_record_or_it"))
        return Standing(**{**row, "leaf": row["leaf"].hex()})
