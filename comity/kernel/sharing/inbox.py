"""What waits for an agency: offers to answer, answers that came, obligations, collisions, emergency openings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.kernel.policy.actor import Actor
from comity.kernel.records import disclosure
from comity.kernel.records.node import Node, Work
from comity.kernel.records.sight import readable_fields, sight
from comity.kernel.records.subject import subjects


@dataclass(frozen=True, slots=True)
class InboxItem:
    """`kind`: offer (answer it) · answer (yours was answered) · obligation · pointer · emergency. `since` dates it."""

    kind: str
    record: str
    type: str
    number: str | None
    from_agency: str
    state: str
    message: str
    since: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "record": self.record, "type": self.type, "number": self.number,
            "from_agency": self.from_agency, "state": self.state, "message": self.message,
            "since": show_instant(self.since),
        }  # fmt: skip


def inbox(node: Node, actor: Actor) -> list[InboxItem]:
    """Everything that waits for the actor's agency and that this actor may see, newest first."""
    with node.work(actor) as work:
        items = [*_offers(work), *_obligations(work), *_pointers(work), *_emergencies(work)]
        return sorted(items, key=lambda one: one.since, reverse=True)


def _offers(work: Work) -> Iterator[InboxItem]:
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select * from comity.offer where to_agency = comity.me() and state = 'offered'
               or from_agency = comity.me() and answered_at > %s - interval '30 days'
            order by offered_at desc limit 500""",
            (work.now,),
        )
        .fetchall()
    )
    seen = subjects(work, [row["id"] for row in rows])
    disclosure.told(work, "inbox", [(one, ["number"]) for one in seen.values()])
    for row in rows:
        one = seen.get(str(row["id"]))
        if one is None:
            continue
        mine = row["from_agency"] == work.agency
        if mine:
            of = work.type_of(one.agency, one.type_name, one.core_type)
            reason = row["answer"].get("reason") if sight(work, of, one).whole else None
            state = row["state"].replace("_", " ")
            message = f"{row['label']} was {state} by {row['to_agency']}" + (f": {reason}" if reason else "")
        else:
            message = f"{row['label']} from {row['from_agency']}: answer it"
        yield InboxItem(
            "answer" if mine else "offer", str(row["id"]), row["type"], one.folded.number,
            row["to_agency"] if mine else row["from_agency"], row["state"], message,
            row["answered_at"] if mine else row["offered_at"],
        )  # fmt: skip


def _obligations(work: Work) -> Iterator[InboxItem]:
    """Records that name this agency as a party and are open: what it owes, here or to others."""
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select id from comity.record where core_state = 'open' and fields->>'owed_by' = comity.me()
            order by entered_at desc limit 500"""
    )
    for one in subjects(work, [row["id"] for row in rows]).values():
        fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
        yield InboxItem(
            "obligation", str(one.id), one.core_type, one.folded.number, one.agency, "open",
            f"{fields.get('about_label', '')}: {fields.get('message', '')} (since {fields.get('since', '')})",
            one.entered_at,
        )  # fmt: skip


def _pointers(work: Work) -> Iterator[InboxItem]:
    rows = work.conn.execute(
        """select p.record::text, p.other, p.found_at, a.title, a.contact->'deconfliction' from comity.pointer p
             join comity.agency a on a.id = p.other
            where p.agency = comity.me() order by p.found_at desc limit 500"""
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    for record, other, at, title, contact in rows:
        one = seen.get(record)
        if one is not None:
            call = ", ".join(str(value) for value in (contact or {}).values())
            yield InboxItem(
                "pointer", record, one.core_type, one.folded.number, other, "open",
                f"{title} has an interest in the same target; call {call or title}", at,
            )  # fmt: skip


def _emergencies(work: Work) -> Iterator[InboxItem]:
    rows = work.conn.execute(
        """select record::text, agency, opened_at, reason, until, id::text from comity.emergency
            where owner = comity.me() and reviewed_at is null order by opened_at desc limit 200"""
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    for record, agency, at, reason, until, opening in rows:
        one = seen.get(record)
        if one is not None:
            yield InboxItem(
                "emergency", record, one.core_type, one.folded.number, agency, "unreviewed",
                f"{agency} opened it in an emergency until {show_instant(until)}: {reason}; review {opening}", at,
            )  # fmt: skip
