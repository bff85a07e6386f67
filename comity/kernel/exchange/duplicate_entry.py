"""How often a fact was typed again though it could be seen: computed from what is stored.

*Retyped*: an ordinary value set by a person or an import that equals (NFKC, case folded) a value with the same `term`
on another record, reachable by links, that the agency could see at that moment. *Re-observed*: an own observation
(identity by fingerprint, weight in the laboratory), typed so in the definition; it is evidence, not retyping. Codes,
booleans, the effective date, what the type marks `retype: false`, what a link filled in and what stands on a record
that was entered in error do not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.rows import dict_row

from comity.kernel.ledger import items
from comity.kernel.types.catalogue import Field
from comity.kernel.types.comparison import normalise
from comity.kernel.work.node import OPERATOR, SYSTEM, Node, Work, system
from comity.kernel.work.subject import loaded, subjects, visible

TYPED = ("enter", "amend", "correction", "act", "answer")
HOPS = 6


@dataclass(frozen=True, slots=True)
class Retyped:
    """One fact that was typed twice: where it stands now and where it could have been seen."""

    agency: str
    record: str
    field: str
    term: str
    seen_on: str
    seen_field: str

    def as_json(self) -> dict[str, str]:
        return {
            "agency": self.agency, "record": self.record, "field": self.field, "term": self.term,
            "seen_on": self.seen_on, "seen_field": self.seen_field,
        }  # fmt: skip


@dataclass(slots=True)
class Facts:
    """All facts of a node: how many were entered by people and imports, which of them twice, how many observed anew."""

    entered: int = 0
    reobserved: int = 0
    retyped: list[Retyped] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "facts_entered": self.entered, "facts_reobserved": self.reobserved, "facts_retyped": len(self.retyped),
            "retyped": [one.as_json() for one in self.retyped],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """A value that stands or stood on a record, with its place in the stream."""

    record: str
    field: str
    term: str
    value: str
    place: int


def count(node: Node, *, agency: str | None = None) -> Facts:
    """Count for one agency or all, each with the rights of that agency's own system. Entries must be sequenced."""
    out = Facts()
    for one in [agency] if agency else node.agencies():
        with node.work(system(one)) as work:
            _count(work, out)
    return out


def _count(work: Work, out: Facts) -> None:
    held: dict[tuple[str, str], list[_Said]] = defaultdict(list)
    mine: list[_Said] = []
    for said, known in _own(work):
        out.entered += 1
        if known.observed:
            out.reobserved += 1
        elif said.term:
            mine.append(said)
        if said.term:
            held[said.term, said.value].append(said)
    wanted = {(said.term, said.value) for said in mine}
    for said in _others(work, wanted):
        held[said.term, said.value].append(said)
    for said in mine:
        twins = [one for one in held[said.term, said.value] if one.record != said.record and one.place < said.place]
        seen = _reachable(work, said.record, {one.record for one in twins}) if twins else None
        if seen is not None:
            twin = next(one for one in twins if one.record == seen)
            out.retyped.append(Retyped(work.agency, said.record, said.field, said.term, seen, twin.field))


def _own(work: Work) -> Iterator[tuple[_Said, Field]]:
    """What this agency's people and imports typed, in order of the stream. A value set anew as it was is no fact."""
    with work.conn.cursor(name="facts", row_factory=dict_row) as cur:
        cur.execute(
            """select e.record::text, e.type, c.content, s.place from comity.entry e
                 join comity.entry_content c on c.entry = e.id join comity.sequence s on s.entry = e.id
                where e.agency = comity.me() and e.kind = any(%s) and e.actor <> all(%s) and not exists (
                      select from comity.record r where r.id = e.record
                         and r.core_type || ' ' || r.core_state = any(%s)) order by s.place""",
            (list(TYPED), [SYSTEM, OPERATOR], [" ".join(one) for one in work.catalogue.in_error()]),
        )
        for row in cur:
            of = work.catalogue.types.get(row["type"])
            content = loaded(row["content"]) or {}
            taken = items.of_kind(content, items.TAKEN)
            for name, value in [*items.fields_set(content).items(), *items.answered(content).items()]:
                known = of.fields.get(name) if of else None
                if known is None or name in taken:
                    continue
                term = known.term if _counts(known) else ""
                for text in value if isinstance(value, list) else [value]:
                    if isinstance(text, str | int) and not isinstance(text, bool):
                        yield _Said(row["record"], name, term, normalise(str(text)), row["place"]), known
                    else:
                        yield _Said(row["record"], name, "", "", row["place"]), known


def _counts(known: Field) -> bool:
    """Whether a value of this field can be retyped at all: the type says what it is."""
    excluded = known.values is not None or known.effective or known.counterparty or known.party or not known.retype
    return bool(known.term) and not excluded and known.schema.get("type") != "boolean"


def _others(work: Work, wanted: set[tuple[str, str]]) -> Iterator[_Said]:
    """Values with a wanted term and text on others' records that this agency may see now, with their first place."""
    if not wanted:
        return
    condition, params = visible(work)
    ids = [
        row[0]
        for row in work.conn.execute(
            f"""select r.id::text from comity.record r where r.agency <> comity.me() and {condition}
                union select record::text from comity.share where to_agency = comity.me() and live""",
            params,
        )
    ]
    for at in range(0, len(ids), 1_000):
        for one in subjects(work, ids[at : at + 1_000]).values():
            of = work.type_of(one.agency, one.type_name, one.core_type)
            for name, value in one.folded.fields.items():
                known = of.fields.get(name)
                if known is None or not _counts(known):
                    continue
                for text in value if isinstance(value, list) else [value]:
                    if (known.term, normalise(str(text))) in wanted:
                        place = _first_place(work, str(one.id), name, value)
                        yield _Said(str(one.id), name, known.term, normalise(str(text)), place)


def _first_place(work: Work, record: str, name: str, value: Any) -> int:
    """Where in the stream the value was first set on the record; the end of the stream when that cannot be seen."""
    for content, place in work.conn.execute(
        """select c.content, s.place from comity.entry e join comity.entry_content c on c.entry = e.id
             join comity.sequence s on s.entry = e.id where e.record = %s order by s.place""",
        (record,),
    ):
        if items.fields_set(loaded(content) or {}).get(name) == value:
            return int(place)
    return 2**62


def _reachable(work: Work, start: str, wanted: set[str]) -> str | None:
    """The first of `wanted` that links reach from `start` over records that the agency sees, in either direction."""
    seen = {start}
    frontier: Sequence[str] = [start]
    for _ in range(HOPS):
        rows = work.conn.execute(
            """select target::text from comity.link where record = any(%(ids)s::uuid[])
               union select record::text from comity.link where target = any(%(ids)s::uuid[])""",
            {"ids": list(frontier)},
        ).fetchall()
        near = {row[0] for row in rows} - seen
        shown = subjects(work, sorted(near))
        found = next((one for one in shown if one in wanted), None)
        if found is not None:
            return found
        seen |= near
        frontier = list(shown)
        if not frontier:
            return None
    return None
