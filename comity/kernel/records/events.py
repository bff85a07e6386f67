"""What the entries of records say happened, as far as the reader may see it: the events that clocks are reckoned from.

What the reader may not see is no event; nothing is guessed from a hidden value. For one record or many, in the same
few statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import said_again, standing
from comity.kernel.records import disclosure
from comity.kernel.records.node import Work
from comity.kernel.records.sight import _hidden_by_mark, readable_fields, readable_groups
from comity.kernel.records.subject import COLUMNS, Subject, loaded, subject_of, visible
from comity.kernel.types.asked import compiled
from comity.kernel.types.clock_rules import Binding, Book
from comity.kernel.types.due import Event, read_when
from comity.kernel.types.expression import GuardError, evaluate

STEPS = 2
MOST = 400

Bound = tuple[tuple[str, Binding], ...]
"""An event's name with the binding that makes it."""


def neighbourhoods(work: Work, subjects: Sequence[Subject], book: Book) -> dict[UUID, list[Subject]]:
    """Each record with those tied to it by at most STEPS links either way, at most MOST a step, the oldest first.

    Nothing is followed through a hub. At the last step only what can tell an event is read.
    """
    found = {one.id: one for one in subjects}
    ties: dict[UUID, set[UUID]] = {}
    edge = list(subjects)
    for step in range(STEPS):
        fresh = _tied(work, edge, ties, found, tuple(_bindings(book)) if step == STEPS - 1 else ())
        found.update((one.id, one) for one in fresh)
        edge = [one for one in fresh if one.core_type not in book.hubs]
    return {one.id: _around(one, ties, found, book) for one in subjects}


def _around(
    one: Subject, ties: Mapping[UUID, Collection[UUID]], found: Mapping[UUID, Subject], book: Book
) -> list[Subject]:
    out, edge = {one.id: one}, [one]
    for _ in range(STEPS):
        open_ = [held for held in edge if held is one or held.core_type not in book.hubs]
        ids = set(chain.from_iterable(ties.get(held.id, ()) for held in open_)) - out.keys()
        edge = sorted((found[id] for id in ids if id in found), key=lambda held: (held.entered_at, held.id))[:MOST]
        out.update((held.id, held) for held in edge)
    return list(out.values())


def _tied(
    work: Work, edge: Sequence[Subject], ties: dict[UUID, set[UUID]], known: Collection[UUID], types: Sequence[str]
) -> list[Subject]:
    """The records that these point at and those that point at them, as far as the reader may see them and they are not
    known yet; of these `types` only, if any is named. Whom each is tied to is put into `ties`."""
    if not edge:
        return []
    for one in edge:
        ties[one.id] = {UUID(target) for ids in one.folded.links.values() for target in ids}
    for target, record in work.conn.execute(
        f"""select tied.target, tied.record from unnest(%s::uuid[]) as asked(id) cross join lateral
              (select l.target, l.record from comity.link l join comity.record r on r.id = l.record
                where l.target = asked.id order by r.entered_at, r.id limit {MOST}) tied""",
        ([one.id for one in edge],),
    ):
        ties[target].add(record)
    condition, params = visible(work)
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS} from comity.record r where r.id = any(%(ids)s::uuid[]) and {condition}
              {"and (r.core_type = any(%(types)s) or r.type = any(%(types)s))" if types else ""}""",
        {
            **params, "ids": list(set().union(*(ties[one.id] for one in edge)).difference(known)),
            "types": list(types), "member": work.actor.member,
        },
    )  # fmt: skip
    return [subject_of(row) for row in rows]


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


def events_of(work: Work, subjects: Iterable[Subject], book: Book, at: datetime) -> dict[UUID, list[Event]]:
    """What the entries of each record say happened, as the reader may see it and as it was known at `at`."""
    asked = {one.id: one for one in subjects if _bound(one, book)}
    rows: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in _entries(work, list(asked.values()), at) if asked else ():
        rows[row["record"]].append(row)
    return {id: list(_told(work, one, _bound(one, book), rows[id])) for id, one in asked.items()}


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


def _told(work: Work, subject: Subject, bound: Bound, rows: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    groups, hidden = readable_groups(work, of, subject), _hidden_by_mark(work, subject)
    readable = {name for name, one in of.fields.items() if one.group in groups and name not in hidden}
    fields: dict[str, Any] = {}
    links: dict[str, list[str]] = {}
    set_at: dict[str, datetime] = {}
    marks: set[str] = set()
    state = ""
    for row in rows:
        content = row["content"] or {}
        _apply(fields, links, set_at, content, readable, row["entered_at"])
        marks |= {path[5:] for path in content if path.startswith("mark/")}
        marks -= {path[7:] for path in content if path.startswith("unmark/")}
        state = row["state_to"] if row["agency"] == subject.agency else state
        for name, one in bound:
            if one.act == row["act"] and _meets(one, fields, links, state, marks):
                told = _facts(one, subject, fields, links)
                yield Event(name, row["occurred_at"], told, row["entered_at"], str(subject.id))
    for name, one in bound:
        held = _stored(fields, one.field)
        day = read_when(fields.get(held)) if held else None
        if day is not None and _meets(one, fields, links, state, marks):
            yield Event(name, day, _facts(one, subject, fields, links), set_at[held], str(subject.id))


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
        elif source.startswith("link:"):
            held = links.get(source[5:])
            if held:
                out[name] = held[0]
        elif source.startswith("has:"):
            out[name] = source[4:] in out
        elif _stored(fields, source) in fields:
            out[name] = fields[_stored(fields, source)]
    return out
