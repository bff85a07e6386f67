"""What is due on a record: its own acts and those of the records around it, read under the reader's rights, as events.

The law is that of the record's owner. What the reader may not see is no event, so a clock that it would have started
is not there; nothing is guessed from a hidden value. Asked about a past instant, only what was entered by then counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.kernel.policy.actor import Actor
from comity.kernel.records import disclosure
from comity.kernel.records.history import _entries
from comity.kernel.records.node import Node, Work
from comity.kernel.records.sight import _hidden_by_mark, readable_groups
from comity.kernel.records.subject import COLUMNS, Subject, find_subject, loaded, subject_of, visible
from comity.kernel.types.asked import compiled
from comity.kernel.types.book import book_for
from comity.kernel.types.clock_rules import Binding, Book
from comity.kernel.types.due import Due, Event, read_when
from comity.kernel.types.expression import GuardError, evaluate
from comity.kernel.types.reckon import reckon_all

STEPS = 2
MOST = 400


@dataclass(frozen=True, slots=True)
class Dues:
    """The clocks of a record at an instant. `events` is what they were reckoned from, out of `seen` records."""

    record: str
    at: datetime
    jurisdiction: str
    dues: tuple[Due, ...]
    events: tuple[Event, ...]
    seen: int

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "at": show_instant(self.at), "jurisdiction": self.jurisdiction,
            "records_read": self.seen, "events": len(self.events), "dues": [one.as_json() for one in self.dues],
        }  # fmt: skip


def due(node: Node, actor: Actor, record: str, *, at: datetime | None = None) -> Dues:
    """Every clock that runs, stopped, expired or needs a person, the soonest first. Problem `not_found`.

    `at`: as it would have been answered then, by what was known then under the law then in force. Reading others'
    records for it is disclosed to their owners before the answer goes out.
    """
    with node.work(actor) as work:
        subject = find_subject(work, record)
        whose = subject.institution
        law = work.catalogue if whose == work.agency else node.catalogue_of(work.conn, whose)
        book, settings = book_for(law)
        asked = at or work.now
        around = neighbourhood(work, subject, book)
        events = [event for one in around for event in events_of(work, one, book, asked)]
        dues = reckon_all(book, events, asked, settings=settings)
        disclosure.told(work, "due", [(one, sorted(one.folded.fields)) for one in around])
        return Dues(str(subject.id), asked, law.jurisdiction, tuple(dues), tuple(events), len(around))


def neighbourhood(work: Work, subject: Subject, book: Book) -> list[Subject]:
    """The record and those tied to it by at most STEPS links either way. Nothing is followed through a hub."""
    found = {str(subject.id): subject}
    edge = [subject]
    for _ in range(STEPS):
        edge = [one for one in edge if one is subject or one.core_type not in book.hubs]
        fresh = [one for one in _tied(work, edge) if str(one.id) not in found]
        found.update((str(one.id), one) for one in fresh)
        edge = fresh
        if not edge or len(found) > MOST:
            break
    return list(found.values())


def _tied(work: Work, edge: Sequence[Subject]) -> list[Subject]:
    """The records that these point at, and those that point at them, as far as the reader may see them."""
    if not edge:
        return []
    condition, params = visible(work)
    outward = [target for one in edge for ids in one.folded.links.values() for target in ids]
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS} from comity.record r where {condition} and (r.id = any(%(out)s::uuid[])
              or r.id in (select record from comity.link where target = any(%(ids)s::uuid[])))
             order by r.entered_at, r.id limit {MOST}""",
        {**params, "out": outward, "ids": [one.id for one in edge], "member": work.actor.member},
    )
    return [subject_of(row) for row in rows]


def events_of(work: Work, subject: Subject, book: Book, at: datetime) -> Iterator[Event]:
    """What the record's entries say happened, as far as the reader may see it and as it was known at `at`."""
    bound = [
        (name, one) for name, bindings in book.events.items() for one in bindings
        if one.type in (subject.type_name, subject.core_type)
    ]  # fmt: skip
    if not bound:
        return
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    groups, hidden = readable_groups(work, of, subject), _hidden_by_mark(work, subject)
    readable = {name for name, one in of.fields.items() if one.group in groups and name not in hidden}
    fields: dict[str, Any] = {}
    links: dict[str, list[str]] = {}
    set_at: dict[str, datetime] = {}
    marks: set[str] = set()
    state = ""
    for row in _entries(work, subject):
        if row["entered_at"] > at:
            continue
        content = loaded(row["content"]) or {}
        _apply(fields, links, set_at, content, readable, row["entered_at"])
        marks |= {path[5:] for path in content if path.startswith("mark/")}
        marks -= {path[7:] for path in content if path.startswith("unmark/")}
        state = row["state_to"] if row["agency"] == subject.agency else state
        for name, one in bound:
            if one.act == row["act"] and _meets(one, fields, links, state, marks):
                told = _told(one, subject, fields, links)
                yield Event(name, row["occurred_at"], told, row["entered_at"], str(subject.id))
    for name, one in bound:
        held = _stored(fields, one.field)
        day = read_when(fields.get(held)) if held else None
        if day is not None and _meets(one, fields, links, state, marks):
            yield Event(name, day, _told(one, subject, fields, links), set_at[held], str(subject.id))


def _stored(fields: Mapping[str, Any], name: str) -> str:
    """The name under which a field is stored: a layer's own bears the layer's name, and rules speak of it without."""
    return name if name in fields else next((one for one in fields if one.rpartition(":")[2] == name), name)


def _apply(
    fields: dict[str, Any], links: dict[str, list[str]], set_at: dict[str, datetime], content: Mapping[str, Any],
    readable: set[str], known: datetime,
) -> None:  # fmt: skip
    for path in sorted(content):
        kind, _, rest = path.partition("/")
        if kind in ("set", "answer") and rest in readable:
            if fields.get(rest) != content[path]:
                set_at[rest] = known
            fields[rest] = content[path]
        elif kind == "unset":
            fields.pop(rest, None)
        elif kind == "link":
            name, _, target = rest.rpartition("/")
            links.setdefault(name, []).append(target)
        elif kind == "unlink":
            name, _, target = rest.rpartition("/")
            links[name] = [one for one in links.get(name, []) if one != target]


def _meets(
    one: Binding, fields: Mapping[str, Any], links: Mapping[str, Sequence[str]], state: str, marks: Iterable[str]
) -> bool:
    """Whether the entry is the event. A field that is not there, or not the reader's to see, makes it none.

    `state` is the owner's state after the entry, `record.handling` the marks the record then bore.
    """
    if not one.when:
        return True
    given = {"record": {**fields, "handling": sorted(marks)}, "links": dict(links), "state": state}
    try:
        return evaluate(compiled(one.when, one.type), given)
    except GuardError:
        return False


def _told(
    one: Binding, subject: Subject, fields: Mapping[str, Any], links: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The event's facts: the record's fields, and by `names` its id, its link's target, what is there."""
    out = {name.rpartition(":")[2]: value for name, value in fields.items()}
    for name, source in one.names.items():
        if not isinstance(source, str):
            out[name] = source
        elif source == "id":
            out[name] = str(subject.id)
        elif source == "agency":
            out[name] = subject.institution
        elif source.startswith("link:"):
            held = links.get(source[5:])
            if held:
                out[name] = held[0]
        elif source.startswith("has:"):
            out[name] = source[4:] in out
        elif _stored(fields, source) in fields:
            out[name] = fields[_stored(fields, source)]
    return out
