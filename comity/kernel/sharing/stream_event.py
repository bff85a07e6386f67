"""What happened in the stream, and which of it one reader may be told: pointers, decided at the moment of telling.

The follower of subscriptions, the webhooks and the live feed all ask here, so that there is one answer to *who may be
told of this entry*: whoever may read its record now, at a version that shows the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.ledger.entry import ABOUT_ANOTHERS
from comity.kernel.policy.actor import Actor
from comity.kernel.sharing.filter import Filter, sentence
from comity.kernel.types.expression import evaluate
from comity.kernel.work.node import Conn, Work
from comity.kernel.work.subject import Subject, subjects
from comity.kernel.work.visibility import readable_fields
from comity.sentences import say

SUBSCRIBER = UUID(int=3)
"""Who reads for a role: nobody in person, so what a role may see only of what is assigned to oneself stays shut."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One sequenced entry about a record. `agency` entered it, `owner` owns the record."""

    place: int
    entry: UUID
    record: UUID
    type: str
    core_type: str
    act: str
    kind: str
    version: int
    agency: str
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is told: that it happened, and where to look. Never what the record says."""

    place: int
    entry: str
    record: str
    type: str
    act: str
    agency: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "place": self.place, "entry": self.entry, "record": self.record, "type": self.type, "act": self.act,
            "agency": self.agency, "at": show_instant(self.at), "address": f"/api/v1/records/id/{self.record}",
        }  # fmt: skip


Verdicts = Mapping[UUID, Pointer | Problem]
"""By entry. An entry that is absent is not this reader's to be told; a Problem is a filter that could not be judged."""

_SELECT = """select s.place, e.id, e.record, r.type, r.core_type, e.act, e.kind, e.version, e.agency, r.agency,
           e.entered_at
    from comity.sequence s join comity.entry e on e.id = s.entry join comity.record r on r.id = e.record"""


def stream_end(conn: Conn) -> int:
    """The last place of the node's stream."""
    row = conn.execute("select comity.stream_end()").fetchone()
    return int(row[0]) if row else 0


def stream_events(conn: Conn, *, after: int, until: int, limit: int = 1000) -> list[StreamEvent]:
    """The entries in places (after, until] that the agency reaches, in order."""
    rows = conn.execute(
        f"{_SELECT} where s.place > %s and s.place <= %s order by s.place limit %s", (after, until, limit)
    )
    return [StreamEvent(*row) for row in rows]


def stream_events_of(conn: Conn, entries: Iterable[UUID]) -> dict[UUID, StreamEvent]:
    """The same by entry; one that the agency reaches no longer is absent."""
    rows = conn.execute(f"{_SELECT} where e.id = any(%s)", (list(entries),))
    return {row[1]: StreamEvent(*row) for row in rows}


def chosen(conn: Conn, wanted: Filter, found: Sequence[StreamEvent]) -> list[StreamEvent]:
    """Those that the filter names by type, act and link. Decides no rights."""
    types, acts = set(wanted.types), set(wanted.acts)
    some = [
        one for one in found
        if (not types or one.type in types or one.core_type in types) and (not acts or one.act in acts)
    ]  # fmt: skip
    if not wanted.linked or not some:
        return some
    linked = {
        row[0]
        for row in conn.execute(
            """select record from comity.link where target = %(target)s and record = any(%(records)s)
                  and (%(link)s = '' or name = %(link)s)""",
            {"target": UUID(wanted.linked), "records": [one.record for one in some], "link": wanted.link},
        )
    }
    return [one for one in some if one.record in linked or str(one.record) == wanted.linked]


def judge(work: Work, wanted: Filter, found: Sequence[StreamEvent]) -> tuple[Verdicts, list[Subject]]:
    """What the work's actor may be told of `found` now, and the records that this shows it.

    Three statements at most, whatever the number of entries, and one more with a sentence about links.
    """
    if not found:
        return {}, []
    asked = {str(one.record) for one in found} | ({wanted.linked} if wanted.linked else set())
    seen = subjects(work, sorted(asked))
    out: dict[UUID, Pointer | Problem] = {}
    shown: dict[str, Subject] = {}
    held: dict[UUID, dict[str, Any]] = {}
    for one in found:
        subject = seen.get(str(one.record))
        if subject is None or not _shows(subject, one):
            continue
        if wanted.linked and wanted.linked not in seen:
            gone = say("not_found.record_that_is_watched_is", linked=wanted.linked)
            out[one.entry] = Problem("not_found", gone)
            continue
        if wanted.where:
            try:
                if subject.id not in held:
                    held[subject.id] = _variables(work, wanted, subject)
                told_of = {"act": one.act, "agency": one.agency, "type": subject.core_type}
                if not evaluate(sentence(wanted.where), {**held[subject.id], **told_of}):
                    continue
            except Problem as problem:
                out[one.entry] = problem
                continue
        shown[str(subject.id)] = subject
        type_name = subject.type_name if subject.agency == work.agency else subject.core_type
        out[one.entry] = Pointer(
            one.place, str(one.entry), str(one.record), type_name, one.act, one.agency, one.at
        )  # fmt: skip
    return out, list(shown.values())


def _shows(subject: Subject, one: StreamEvent) -> bool:
    """Whether the record, as this reader sees it, shows the entry: the same rule as its history."""
    if one.agency == subject.agency:
        return one.version <= subject.folded.version
    return one.kind in ABOUT_ANOTHERS


def _variables(work: Work, wanted: Filter, subject: Subject) -> dict[str, Any]:
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    links: Mapping[str, Sequence[str]] = {}
    if "links" in wanted.where:
        everyone = {target for ids in subject.folded.links.values() for target in ids}
        open_to = set(subjects(work, sorted(everyone)))
        links = {
            name: [target for target in ids if target in open_to] for name, ids in subject.folded.links.items()
        }  # fmt: skip
    day = str(work.today)
    return {
        "record": readable_fields(work, of, subject)[0], "state": subject.core_state, "links": links,
        "actor": actor_facts(work.actor), "today": f"{day[:4]}-{day[4:6]}-{day[6:]}",
    }  # fmt: skip


def actor_facts(actor: Actor) -> dict[str, Any]:
    return {"agency": actor.agency, "member": actor.member, "roles": sorted(actor.roles)}
