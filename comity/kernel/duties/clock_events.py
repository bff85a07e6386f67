"""What the entries of records say happened, as far as the reader may see it: the events that clocks are reckoned from.

What the reader may not see is no event; nothing is guessed from a hidden value. For one record or many, in the same
few statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.clock import read_when
from comity.kernel.law.clock_question import compiled
from comity.kernel.law.clock_rules import Binding, Book
from comity.kernel.law.due import Event
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import said_again, standing
from comity.kernel.types.expression import GuardError, evaluate
from comity.kernel.work import disclosure
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, loaded, subjects
from comity.kernel.work.visibility import _hidden_by_mark, readable_fields, readable_groups

Bound = tuple[tuple[str, Binding], ...]
"""An event's name with the binding that makes it."""


def disclosed(work: Work, subjects: Sequence[Subject]) -> None:
    """Record that what is due is about to be told from these records, with the fields of each that the reader sees."""
    seen = [(one, work.type_of(one.agency, one.type_name, one.core_type)) for one in subjects]
    disclosure.told(work, "due", [(one, sorted(readable_fields(work, of, one)[0])) for one, of in seen])


@lru_cache(maxsize=64)
def _bindings(book: Book) -> Mapping[str, Bound]:
    """By the name of a type, the events that its records may be."""
    held: dict[str, list[tuple[str, Binding]]] = defaultdict(list)
    for name, bindings in book.events.items():
        for one in bindings:
            held[one.type].append((name, one))
    return {name: tuple(many) for name, many in held.items()}


def _bound(subject: Subject, book: Book) -> Bound:
    by_type = _bindings(book)
    names = dict.fromkeys((subject.type_name, subject.core_type))
    return tuple(chain.from_iterable(by_type.get(name, ()) for name in names))


def events_of(work: Work, records: Iterable[Subject], book: Book, at: datetime) -> dict[UUID, list[Event]]:
    """What the entries of each record say happened, as the reader may see it and as it was known at `at`."""
    asked = {one.id: one for one in records if _bound(one, book)}
    rows: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in _entries(work, list(asked.values()), at) if asked else ():
        rows[row["record"]].append(row)
    linked = _linked(work, asked.values(), book)
    return {id: list(_told(work, one, _bound(one, book), rows[id], linked)) for id, one in asked.items()}


def _linked(work: Work, records: Iterable[Subject], book: Book) -> dict[str, Subject]:
    """The records through which the names of these records' events lead, as far as the reader may see them."""
    names = (
        (one, name)
        for one in records for _, binding in _bound(one, book) for source in binding.names.values()
        if (name := _through(source)[0])
    )  # fmt: skip
    return subjects(work, sorted({id for one, name in names for id in one.folded.links.get(name, ())}))


def _through(source: Any) -> tuple[str, str, str]:
    """Link, name and kind of `link:a.b`, what the record's link `a` links as `b`, or of `of:a.b`, the field `b` of what
    `a` links to; empty for another source."""
    kind, _, path = source.partition(":") if isinstance(source, str) else ("", "", "")
    link, dot, name = path.partition(".")
    return (link, name, kind) if dot and kind in ("link", "of") else ("", "", "")


def _entries(work: Work, subjects: Sequence[Subject], at: datetime) -> list[dict[str, Any]]:
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select e.id, e.kind, e.refers, e.record, e.agency, e.act, e.state_to, e.occurred_at, e.entered_at, c.content
             from unnest(%(ids)s::uuid[], %(owners)s::text[], %(tops)s::int[]) as asked(id, owner, top)
             join comity.entry e on e.record = asked.id and (e.agency = asked.owner and e.version <= asked.top
                  or e.agency <> asked.owner and e.kind = any(%(about)s))
             left join comity.entry_content c on c.entry = e.id
            where e.entered_at <= %(at)s or e.kind = %(erase)s order by e.entered_at, e.version""",
        {
            "ids": [one.id for one in subjects], "owners": [one.agency for one in subjects],
            "tops": [one.folded.version for one in subjects], "about": list(ABOUT_ANOTHERS), "at": at,
            "erase": ERASE,
        },
    )  # fmt: skip
    held = [{**row, "content": loaded(row["content"])} for row in rows]
    again = said_again(held)
    return [{**row, "content": standing(row, again)} for row in held if row["kind"] != ERASE]


def _told(
    work: Work, subject: Subject, bound: Bound, rows: Iterable[Mapping[str, Any]], linked: Mapping[str, Subject]
) -> Iterator[Event]:
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    groups, hidden = readable_groups(work, of, subject), _hidden_by_mark(work, subject)
    readable = {name for name, one in of.fields.items() if one.group in groups and name not in hidden}
    fields: dict[str, Any] = {}
    links: dict[str, list[str]] = {}
    set_at: dict[str, datetime] = {}
    marks: set[str] = set()
    state = ""
    rows = list(rows)
    last = next((row["state_to"] for row in reversed(rows) if row["agency"] == subject.agency), "")
    if of.core_state(last) in of.error_states:  # as it was known then: nothing of it happened
        return
    for row in rows:
        content = row["content"] or {}
        _apply(fields, links, set_at, content, readable, row["entered_at"])
        marks = items.marks_after(marks, content)
        state = row["state_to"] if row["agency"] == subject.agency else state
        for name, one in bound:
            if one.act == row["act"] and _meets(one, fields, links, state, marks):
                for told in _each(work, one, _facts(one, subject, fields, links), links, linked):
                    yield Event(name, row["occurred_at"], told, row["entered_at"], str(subject.id))
    for name, one in bound:
        held = _stored(fields, one.field)
        day = read_when(fields.get(held)) if held else None
        if day is not None and _meets(one, fields, links, state, marks):
            for told in _each(work, one, _facts(one, subject, fields, links), links, linked):
                yield Event(name, day, told, set_at[held], str(subject.id))


def _each(
    work: Work, one: Binding, facts: dict[str, Any], links: Mapping[str, Sequence[str]], linked: Mapping[str, Subject]
) -> list[dict[str, Any]]:
    """The facts of each event that this one is: of `link:a.b` one for each record to which it leads, and none where it
    leads to none; of `of:a.b` the field, if the reader sees it."""
    out = [facts]
    for name, source in one.names.items():
        link, far, kind = _through(source)
        held = [linked[id] for id in links.get(link, ()) if id in linked] if link else []
        if kind == "link":
            ends = dict.fromkeys(id for each in held for id in each.folded.links.get(far, ()))
            out = [{**told, name: id} for told in out for id in ends]
        for each in held if kind == "of" else ():
            of = work.type_of(each.agency, each.type_name, each.core_type)
            if far in readable_fields(work, of, each)[0] and far in each.folded.fields:
                out = [{**told, name: each.folded.fields[far]} for told in out]
    return out


def _stored(fields: Mapping[str, Any], name: str) -> str:
    """The name under which a field is stored: a layer's own bears the layer's name, and rules speak of it without."""
    return name if name in fields else next((one for one in fields if one.rpartition(":")[2] == name), name)


def _apply(
    fields: dict[str, Any], links: dict[str, list[str]], set_at: dict[str, datetime], content: Mapping[str, Any],
    readable: set[str], known: datetime,
) -> None:  # fmt: skip
    for path in sorted(content):
        kind, name, target = items.parse(path)
        if kind in (items.SET, items.ANSWER) and name in readable:
            if fields.get(name) != content[path]:
                set_at[name] = known
            fields[name] = content[path]
        elif kind == items.UNSET:
            fields.pop(name, None)
        elif kind == items.LINK:
            links.setdefault(name, []).append(target)
        elif kind == items.UNLINK:
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


def _facts(
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
        elif _through(source)[0]:
            continue
        elif source.startswith("link:"):
            held = links.get(source[5:])
            if held:
                out[name] = held[0]
        elif source.startswith("has:"):
            out[name] = source[4:] in out
        elif _stored(fields, source) in fields:
            out[name] = fields[_stored(fields, source)]
    return out
