"""The matter that a record belongs to: what its clocks are reckoned from, the same whichever of its records is asked.

Two records are of one matter where links lead from one to the other, either way, through records that the reader may
see; nothing is followed through a hub, which stands in each matter that points at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from psycopg.rows import dict_row

from comity.kernel.law.clock_rules import Book
from comity.kernel.law.due import Decision, Due
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, visible
from comity.sentences import say

MOST = 1000
"""Records of one matter, and of what points at one record; `ALL` of all matters read together."""
ALL = 20000


@dataclass(frozen=True, slots=True)
class Matter:
    """The records of one matter, the oldest first. `cut`: there are more than are read."""

    records: tuple[Subject, ...]
    cut: bool = False

    def told(self, due: Due) -> Due:
        """The due, saying so if not all that bears on it was read."""
        if not self.cut:
            return due
        said = say("matter_cut.more_records", count=len(self.records))
        return replace(due, decisions=(*due.decisions, Decision("matter_cut", said)))


class _Groups:
    """Which records are of one matter: each points towards the one that stands for it."""

    def __init__(self) -> None:
        self.towards: dict[UUID, UUID] = {}
        self.size: dict[UUID, int] = {}

    def of(self, id: UUID) -> UUID:
        self.towards.setdefault(id, id)
        self.size.setdefault(id, 1)
        while self.towards[id] != id:
            self.towards[id] = id = self.towards[self.towards[id]]
        return id

    def join(self, one: UUID, other: UUID) -> None:
        small, large = sorted((self.of(one), self.of(other)), key=self.size.__getitem__)
        if small != large:
            self.towards[small] = large
            self.size[large] += self.size[small]


def matters(work: Work, subjects: Sequence[Subject], book: Book) -> dict[UUID, list[Matter]]:
    """The matter of each record; of a hub, each that points at it."""
    found = {one.id: one for one in subjects}
    ties: dict[UUID, set[UUID]] = {}
    groups, cut, edge = _Groups(), set[UUID](), list(subjects)
    while edge:
        full = _tied(work, edge, ties, found)
        fresh = [id for one in edge for id in ties[one.id] if id not in ties]
        for one in edge:
            for id in ties[one.id] if one.core_type not in book.hubs else ():
                if id in found and found[id].core_type not in book.hubs:
                    groups.join(one.id, id)
        cut |= full
        next_ = [found[id] for id in dict.fromkeys(fresh) if id in found and found[id].core_type not in book.hubs]
        edge = [one for one in next_ if len(found) < ALL and groups.size[groups.of(one.id)] < MOST]
        cut |= {one.id for one in next_} - {one.id for one in edge}
    made = _made(found, ties, groups, cut, book)
    return {
        one.id: [made[root] for root in dict.fromkeys(groups.of(id) for id in _own(one, found, ties, book))]
        or [Matter((one,))]
        for one in subjects
    }


def _own(one: Subject, found: Mapping[UUID, Subject], ties: Mapping[UUID, set[UUID]], book: Book) -> list[UUID]:
    if one.core_type not in book.hubs:
        return [one.id]
    near = [found[id] for id in ties[one.id] if id in found and found[id].core_type not in book.hubs]
    return [held.id for held in sorted(near, key=_age)]


def _age(one: Subject) -> tuple[object, UUID]:
    return one.entered_at, one.id


def _made(
    found: Mapping[UUID, Subject], ties: Mapping[UUID, set[UUID]], groups: _Groups, cut: set[UUID], book: Book
) -> dict[UUID, Matter]:
    held: dict[UUID, dict[UUID, Subject]] = defaultdict(dict)
    for one in found.values():
        if one.core_type not in book.hubs:
            of = held[groups.of(one.id)]
            of[one.id] = one
            of.update(
                (id, found[id]) for id in ties.get(one.id, ()) if id in found and found[id].core_type in book.hubs
            )
    short = {groups.of(id) for id in cut}
    return {root: Matter(tuple(sorted(of.values(), key=_age)), root in short) for root, of in held.items()}


def _tied(work: Work, edge: Sequence[Subject], ties: dict[UUID, set[UUID]], found: dict[UUID, Subject]) -> set[UUID]:
    """Put into `ties` whom each points at and who points at it, and into `found` those that the reader may see. The ids
    of those at which more point than are read."""
    for one in edge:
        ties[one.id] = {UUID(target) for ids in one.folded.links.values() for target in ids}
    inward: dict[UUID, int] = defaultdict(int)
    for target, record in work.conn.execute(
        f"""select tied.target, tied.record from unnest(%s::uuid[]) as asked(id) cross join lateral
              (select l.target, l.record from comity.link l join comity.record r on r.id = l.record
                where l.target = asked.id order by r.entered_at, r.id limit {MOST}) tied""",
        ([one.id for one in edge],),
    ):
        ties[target].add(record)
        inward[target] += 1
    condition, params = visible(work)
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"select {COLUMNS} from comity.record r where r.id = any(%(ids)s::uuid[]) and {condition}",
        {
            **params, "ids": list(set().union(*(ties[one.id] for one in edge)).difference(found)),
            "member": work.actor.member,
        },
    )  # fmt: skip
    for row in rows:
        subject = subject_of(row)
        found[subject.id] = subject
    return {id for id, many in inward.items() if many >= MOST}
