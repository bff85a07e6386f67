"""What is derived inherits the marks of its source, also those that are put on the source later (ADR 0013).

A mark that an entry puts on a record goes on to the own records that derive from it, and on along the chain, in the
same transaction; to those of other agencies by an entry in their own log (sharing/mark_delivery). One that is taken
off goes the same way, but only from records where it came by this way and stands on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from psycopg.rows import dict_row

from comity import clock
from comity.kernel.ledger import items
from comity.kernel.ledger.columns import array, columns
from comity.kernel.ledger.fold import Folded, said_again, standing
from comity.kernel.types.catalogue import Type
from comity.kernel.work.change import Change, Step, changed
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, loaded, subject_of

INHERIT = "inherit"
"""The kind of an entry by which a record follows the marks of what it derives from."""
LOCK = 4_801_008


@dataclass(frozen=True, slots=True)
class Moved:
    """What an entry did to the marks of a record from which others derive."""

    record: UUID
    entry: UUID
    put: frozenset[str]
    lifted: frozenset[str]

    def after(self, earlier: Moved | None) -> Moved:
        """This and an earlier one of the same record as one."""
        if earlier is None:
            return self
        put, lifted = earlier.put - self.lifted | self.put, earlier.lifted - self.put | self.lifted
        return replace(self, put=put, lifted=lifted)


def moved(changes: Iterable[Change]) -> list[Moved]:
    """Which of the changes move marks of records that were there before, so that others may derive from them."""
    found = []
    for one in changes:
        if one.moves_marks:
            before, after = frozenset(one.before.marks), frozenset(one.after.marks)
            found.append(Moved(one.entry.record, one.entry.id, after - before, before - after))
    return found


def lock_exclusive(work: Work) -> None:
    """Wait until nobody is deriving anything. Lock: LOCK, alone, until the transaction ends; before any row lock."""
    work.conn.execute("select pg_advisory_xact_lock(%s, 0)", (LOCK,))


def lock_shared(work: Work) -> Work:
    """Wait until nobody is moving marks, and let nobody; the answered work has the time after the wait.

    Lock: LOCK, shared, until the transaction ends. Only for who moves no mark of what is there; who does is `alone`.
    """
    work.conn.execute("select pg_advisory_xact_lock_shared(%s, 0)", (LOCK,))
    return replace(work, now=clock.now())


def stale(work: Work, changes: Iterable[Change]) -> bool:
    """Whether a source that these changes newly derive from bears a mark that they did not read.

    Lock: LOCK, shared, until the transaction ends. Whoever marks a source waits for it and then sees what derives.
    """
    derived = [(source, one) for one in changes for source in one.new_sources]
    if not derived:
        return False
    marks = dict(
        work.conn.execute("select * from comity.derive(%s::uuid[])", (array({t for t, _ in derived}),)).fetchall()
    )
    return any(not set(marks.get(target, ())) <= set(one.after.marks) for target, one in derived)


def propagate(work: Work, changes: Sequence[Change]) -> list[Change]:
    """What follows the changes in the own log, along whole chains. The caller is `alone` if there is anything."""
    latest = {one.entry.record: one for one in changes if one.projected}
    out: list[Change] = []
    front = moved(changes)
    while front:
        followed = dependants(work, front, latest)
        out += followed
        front = moved(followed)
    return out


def dependants(work: Work, sources: Sequence[Moved], latest: dict[UUID, Change]) -> list[Change]:
    """The system's entries on own records that derive from the sources. `latest` are records in changes not yet
    written, and is kept up."""
    doer = work.as_system()
    by_record: dict[UUID, Moved] = {}
    for one in sources:
        by_record[one.record] = one.after(by_record.get(one.record))
    out = []
    for subject, of, targets in _deriving(work, by_record):
        now = latest[subject.id].after if subject.id in latest else subject.folded
        causes = [by_record[target] for target in targets]
        put = frozenset[str]().union(*(one.put for one in causes)) - set(now.marks)
        lifted = frozenset[str]().union(*(one.lifted for one in causes)) & set(now.marks)
        if lifted:
            lifted -= _grounded(work, of, subject.id, now, latest)
        if put or lifted:
            content = items.put_marks(sorted(put)) | items.lift_marks(sorted(lifted))
            done = Step(INHERIT, INHERIT, now.state, refers=causes[0].entry)
            change = changed(doer, of, now, subject.id, done, content)
            latest[subject.id] = change
            out.append(change)
    return out


def _deriving(work: Work, sources: Mapping[UUID, Moved]) -> list[tuple[Subject, Type, list[UUID]]]:
    """The own records that point at the sources by links that inherit, each with the sources that it points at."""
    found: dict[UUID, tuple[Subject, Type, list[UUID]]] = {}
    for row in work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS}, l.name as link, l.target from comity.link l
              join comity.record r on r.id = l.record and r.agency = l.agency
             where l.target = any(%(sources)s) and l.agency = comity.me() order by r.id""",
        {"sources": list(sources), "member": work.actor.member},
    ):
        subject = subject_of(row)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        link = of.links.get(row["link"])
        if link is not None and link.inherit:
            found.setdefault(subject.id, (subject, of, []))[2].append(row["target"])
    return list(found.values())


def _grounded(work: Work, of: Type, record: UUID, now: Folded, latest: Mapping[UUID, Change]) -> set[str]:
    """The record's marks that stand on something: on itself, or on a source that bears them.

    A source that the agency reaches no longer may bear any.
    """
    sources = {UUID(t) for name, ids in now.links.items() if name in of.links and of.links[name].inherit for t in ids}
    marks = dict(
        work.conn.execute("select id, marks from comity.record where id = any(%s)", (list(sources),)).fetchall()
    )
    marks |= {one: latest[one].after.marks for one in sources & latest.keys()}
    if sources - marks.keys():
        return set(now.marks)
    return set().union(*marks.values()) | of_its_own(work, record, now.marks, latest.get(record))


def of_its_own(work: Work, record: UUID, held: Sequence[str], waiting: Change | None = None) -> set[str]:
    """Which of the marks that a record holds were put on it otherwise than by following. What was erased counts as its
    order says it again.

    `waiting` is a change of it that is not written yet.
    """
    rows = [
        {**row, "content": loaded(row["content"])}
        for row in work.conn.cursor(row_factory=dict_row).execute(
            """select e.id, e.kind, e.refers, c.content
                 from comity.entry e left join comity.entry_content c on c.entry = e.id
                where e.record = %s and e.agency = comity.me() order by e.version""",
            (record,),
        )
    ]
    again = said_again(rows)
    said = [(row["kind"], standing(row, again)) for row in rows]
    own: set[str] = set()
    for kind, content in [*said, *([(waiting.entry.kind, waiting.entry.content)] if waiting else [])]:
        if content is None:
            return set(held)
        if kind != INHERIT:
            own = items.marks_after(own, content)
        else:
            own -= set(items.of_kind(content, items.UNMARK))
    return own & set(held)


def enqueue(work: Work, changes: Iterable[Change]) -> None:
    """Owe the marks that these written changes move to the other agencies whose records derive from theirs."""
    rows = [
        (one.entry, one.record, sign + mark)
        for one in moved(changes)
        for sign, marks in (("+", one.put), ("-", one.lifted))
        for mark in sorted(marks)
    ]
    if rows:
        work.conn.execute("select comity.pass_on(%s::uuid[], %s::uuid[], %s::text[], %s)", (*columns(rows), work.now))
