"""Whether what was found for a given record is about the same matter: the same case, the same person, the same stay.

Each institution keeps records of its own, so two that differ may be of one person all the same. What leads nowhere is
not judged; one agreement is enough; what differs, and agrees nowhere, is another's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from psycopg.rows import dict_row

from comity.kernel.law.obligation_rules import About
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, subjects, visible

STEPS = 2
"""From the court's defendant to an earlier record of the prisoner, and from there to that of this stay."""


class Walked(Protocol):
    """What a reading of the joints offers: its steps, under the rights of who asks and at the instant asked for."""

    work: Work

    def known(self, found: Sequence[Subject]) -> list[Subject]: ...

    def along(self, path: Sequence[str], page: Sequence[Subject]) -> Mapping[Any, Sequence[Subject]]: ...


def of_others(
    walk: Walked, about: Sequence[About], page: Sequence[Subject], found: Iterable[Mapping[Any, Sequence[Subject]]]
) -> set[tuple[UUID, UUID]]:
    """Of each given and what was found for it, the pairs (given, found) that are of two matters."""
    pairs = [(given, hit) for hits in found for given in page for hit in hits.get(given.id, ())]
    hits = list({hit.id: hit for _, hit in pairs}.values())
    agree, differ = set(), set()
    for one in about if hits else ():
        asked = [hit for hit in hits if not one.of or hit.core_type in one.of]
        ours, theirs = ends(walk, one.given, page), ends(walk, one.done, asked)
        tied = _tied(walk, one.tie, {end for many in theirs.values() for end in many}) if one.tie else {}
        owner = _owners(walk, {*tied, *(end for many in tied.values() for end in many)}) if one.tie else {}
        for given, hit in pairs:
            here, there = ours[given.id], theirs.get(hit.id, set())
            there = there.union(*(tied[end] for end in there if end in tied))
            known = {end for end in there if owner.get(end) == given.institution} if one.tie else there
            if here & there:
                agree.add((given.id, hit.id))
            elif here and known:
                differ.add((given.id, hit.id))
    return differ - agree


def ends(walk: Walked, paths: Sequence[str], page: Sequence[Subject]) -> dict[UUID, set[str]]:
    """To what each record leads on any of the paths. The ends themselves are not read."""
    out: dict[UUID, set[str]] = {one.id: set() for one in page}
    for path in paths:
        *names, last = path.split(".")
        for record, reached in walk.along(names, page).items():
            out[record].update(target for one in reached for target in one.folded.links.get(last, ()))
    return out


def _tied(walk: Walked, name: str, ids: Collection[str]) -> dict[str, set[str]]:
    """For each end what live claims that may be seen say to be the same, at most STEPS away; itself always."""
    edges: dict[str, set[str]] = defaultdict(set)
    edge = set(ids)
    for _ in range(STEPS):
        for one, other in _claims(walk, name, edge):
            edges[one].add(other)
            edges[other].add(one)
        edge = {other for one in edge for other in edges[one]}
    out = {one: {one} for one in ids}
    for _ in range(STEPS):
        out = {one: same.union(*(edges[other] for other in same)) for one, same in out.items()}
    return out


def _claims(walk: Walked, name: str, ids: Collection[str]) -> Iterator[tuple[str, str]]:
    of = walk.work.catalogue.types.get(name)
    if of is None or of.ties is None or not ids:
        return
    may, params = visible(walk.work)
    rows = walk.work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS} from comity.record r where r.core_type = %(tie)s and {may} and r.id in
            (select record from comity.link where target = any(%(ids)s::uuid[]) and name = any(%(ends)s))""",
        {**params, "tie": name, "ids": list(ids), "ends": list(of.ties.ends), "member": walk.work.actor.member},
    )
    for claim in walk.known([subject_of(row) for row in rows]):
        if claim.core_state in of.ties.live and not of.ties.is_apart(claim.folded.fields):
            one, other = (claim.folded.links.get(end, ()) for end in of.ties.ends)
            yield from ((first, second) for first in one for second in other)


def _owners(walk: Walked, ids: Collection[str]) -> dict[str, str]:
    return {record: one.institution for record, one in subjects(walk.work, sorted(ids)).items()}
