"""Importing a foreign file: rows become records through a mapping, 1,000 rows a transaction, in constant memory.

Every record is entered under a key made from the mapping's name and what identifies the row in its source. So a second
run changes nothing, and a run after a killed one takes up where that one stopped. All records of a row are accepted or
refused together.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comity import clock
from comity.errors import Problem
from comity.extensions import Format, Row
from comity.formats.open_file import open_table
from comity.formats.rows import BadRow, Table
from comity.kernel.duties.lateness import rules_for
from comity.kernel.importing.mapping import Mapping as Rules
from comity.kernel.importing.mapping import Planned, Reject
from comity.kernel.importing.mapping_file import load
from comity.kernel.importing.report import ImportReport, Progress, RejectFiles, peak_memory_mib
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter_untraced, rehearse_many
from comity.kernel.work.node import Node
from comity.kernel.work.refusals import Attempt, trace
from comity.kernel.work.results import Draft, Receipt

ROWS = 1_000
DRAFTS = 3_000
REMEMBERED = 50_000
"""Shared records known to be entered are not sent again; the newest so many are remembered, about 15 MiB."""
PASSES = 5
NO_ROWS_FAULT = frozenset({
    "not_allowed", "policy_error", "agency_suspended", "agency_unknown", "member_suspended", "token_invalid",
    "type_unknown", "act_unknown", "disk_full",
})  # fmt: skip
"""Refusals that every further row would meet: the import stops and says so."""

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`dry_run` reads, maps and judges every row and writes no record. Rows that are not taken go to `rejects` (a CSV,
    and a JSONL beside it), by default under the node's home."""

    dry_run: bool = False
    rejects: Path | None = None
    progress: Report | None = None


def run(
    node: Node,
    actor: Actor,
    file: Path,
    mapping: Path,
    **options: Any,
) -> ImportReport:
    """Import a file for the actor's agency; `options` are the members of Options. Raises
    Problem mapping_invalid or import_refused before anything is written; `unavailable` and what no row is to blame for
    in the middle, with what was committed staying so: the same command again completes it.
    """
    chosen, rules = Options(**options), load(mapping)
    catalogue = node.catalogue(actor.agency)
    if faults := rules.faults(catalogue):
        first = faults[0]
        detail = f"{len(faults)} found against {actor.agency}'s types, first {first.path}: {first.message}"
        raise Problem("mapping_invalid", detail, faults=faults, fix=first.fix)
    digest = _digest(file)
    place = chosen.rejects or node.home / "imports" / f"{rules.name}-{digest[:12]}-rejects.csv"
    _spare(place, file, mapping)
    take: _Take = (_Rehearse if chosen.dry_run else _Enter)(node, actor, rules)
    return _Import(rules, file, digest, take, replace(chosen, rejects=place)).run(node.extensions.formats)


def inspect(file: Path, mapping: Path, *, rejects: Path | None = None, progress: Report | None = None) -> ImportReport:
    """Read and map a file without a node: what the mapping alone can tell. Raises as `run` does before it writes."""
    if rejects:
        _spare(rejects, file, mapping)
    return _Import(load(mapping), file, _digest(file), _Judge(), Options(True, rejects, progress)).run({})


def _spare(rejects: Path, *given: Path) -> None:
    """Refuse to write the rejects over what is read."""
    if {one.resolve() for one in RejectFiles(rejects).paths} & {one.resolve() for one in given}:
        raise Problem("import_refused", f"The rejects would be written over {rejects}.", fix="Name another file.")


def _digest(file: Path) -> str:
    if not file.is_file():
        raise Problem("import_refused", f"There is no file {file}.", fix="Check the path.")
    with file.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A row and the records that it asks for."""

    row: int
    planned: list[Planned]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of a row: `types` of the records newly entered, or the reasons against it; `notes` either way."""

    types: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    notes: tuple[Reject, ...] = ()


_Take = Callable[[list[_Asked]], Iterable[_Taken]]


class _Import:
    """One run over one file."""

    def __init__(self, rules: Rules, file: Path, digest: str, take: _Take, chosen: Options) -> None:
        self.rules, self.file, self.take, self.progress = rules, file, take, chosen.progress
        self.report = ImportReport(rules.name, rules.version, file.name, digest, chosen.dry_run)
        self.rejects = RejectFiles(chosen.rejects)
        self.waiting: list[_Asked] = []

    def run(self, formats: Mapping[str, Format]) -> ImportReport:
        began = clock.monotonic()
        try:
            with open_table(self.file, self.rules.options, formats) as table:
                if absent := self.rules.absent(table.columns):
                    names = ", ".join(fault.path for fault in absent)
                    raise Problem(
                        "import_refused", f"The file lacks what the mapping reads: {names}.", faults=absent,
                        fix=absent[0].fix,
                    )  # fmt: skip
                self.rejects.start()
                self._rows(table)
        except Problem as problem:
            problem.extra.setdefault("rows_done", self.report.rows - len(self.waiting))
            raise
        finally:
            self.report.rejects = self.rejects.close()
        self.report.seconds = clock.monotonic() - began
        self.report.peak_memory_mib = peak_memory_mib()
        return self.report

    def _rows(self, table: Table) -> None:
        size = self.file.stat().st_size
        columns = dict.fromkeys(table.columns)
        drafts = 0
        for row in table.rows:
            self.report.rows += 1
            if isinstance(row, BadRow):
                self._refuse([Reject(row.number, row.code, row.reason, value=row.value)])
            else:
                if not table.closed:
                    columns |= dict.fromkeys(row.values)
                drafts += self._plan(row)
            if len(self.waiting) >= ROWS or drafts >= DRAFTS:
                self._commit()
                drafts = 0
            if self.report.rows % ROWS == 0:
                self._tell(table, size)
        self._commit()
        self.report.unmapped = self.rules.unmapped(list(columns))
        self._tell(table, size)

    def _plan(self, row: Row) -> int:
        """Put the row in the queue, or refuse it; how many records it asks for."""
        found = self.rules.plan(row)
        planned = [one for one in found if isinstance(one, Planned)]
        if planned:
            self.waiting.append(_Asked(row.number, planned))
        else:
            self._refuse([one for one in found if isinstance(one, Reject)])
        return len(planned)

    def _commit(self) -> None:
        if not self.waiting:
            return
        for taken in self.take(self.waiting):
            if taken.rejects:
                self._refuse(taken.rejects)
                continue
            self.report.entered.update(taken.types)
            if taken.types:
                self.report.rows_entered += 1
            else:
                self.report.unchanged += 1
            if taken.notes:
                self.rejects.write(taken.notes, taken=True)
                self.report.notes.update(one.code for one in taken.notes)
        self.waiting.clear()
        self.rejects.flush()

    def _refuse(self, rejects: Iterable[Reject]) -> None:
        found = list(rejects)
        self.report.rows_rejected += 1
        self.report.rejected.update(one.code for one in found)
        self.rejects.write(found)

    def _tell(self, table: Table, size: int) -> None:
        if self.progress is not None:
            self.progress(Progress(self.report.rows, min(size, table.position()), size))


class _Judge:
    """Takes rows where there is no node: the mapping alone has judged them, and nothing is entered."""

    def __init__(self) -> None:
        self.known = _Known()

    def __call__(self, asked: list[_Asked]) -> Iterator[_Taken]:
        for one in asked:
            types: list[str] = []
            for planned in one.planned:
                if planned.shared:
                    if self.known.has(planned.key):
                        continue
                    self.known.put(planned)
                types.append(planned.type)
            yield _Taken(tuple(types), ())


class _Known:
    """The shared records entered lately: key -> what was said of them. Bounded; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def has(self, key: str) -> bool:
        if key in self._held:
            self._held.move_to_end(key)
            return True
        return False

    def same(self, planned: Planned) -> bool:
        return self._held[planned.key] == planned.content

    def put(self, planned: Planned) -> None:
        self._held[planned.key] = planned.content
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)


class _Enter:
    """Takes rows by entering their records, one transaction a call; a second one for rows that the first decided."""

    def __init__(self, node: Node, actor: Actor, rules: Rules) -> None:
        self.node, self.actor, self.rules = node, actor, rules
        self.known = _Known()
        self.first = {one.name for one in rules.records if one.shared and one.differs == "first"}
        self.said = f"Imported from {rules.system or rules.name}"
        law = node.catalogue(actor.agency)
        self.ordered = {one.type for one in rules.records if rules_for(law, f"{one.type}.enter")}

    def __call__(self, asked: list[_Asked]) -> Iterator[_Taken]:
        left = {one.row: one for one in asked}
        done: dict[int, _Taken] = {}
        dropped: dict[int, set[str]] = {}
        for _ in range(PASSES):
            if not left:
                break
            again = self._pass(left, done, dropped)
            left = {row: one for row, one in left.items() if row in again}
        for row in left:
            reason = "Rows of one batch say different things about one shared record."
            done[row] = _Taken(rejects=(Reject(row, "row_unsettled", reason, fix="Import the file again."),))
        return iter([done[one.row] for one in asked])

    def _pass(self, left: dict[int, _Asked], done: dict[int, _Taken], dropped: dict[int, set[str]]) -> set[int]:
        """Try the rows that are left; the numbers of those to be tried again without what the first row stands for."""
        notes: dict[int, list[Reject]] = {}
        sent: list[tuple[int, Planned]] = []
        for row, one in left.items():
            notes[row] = []
            refused: list[Reject] = []
            chosen: list[Planned] = []
            for planned in one.planned:
                if planned.shared and self.known.has(planned.key):
                    if not self.known.same(planned):
                        (notes[row] if planned.record in self.first else refused).append(self._differs(row, planned))
                elif planned.key in dropped.get(row, ()):
                    notes[row].append(self._differs(row, planned))
                else:
                    chosen.append(planned)
            if refused:
                done[row] = _Taken(rejects=tuple(refused))
            elif chosen:
                sent += [(row, planned) for planned in chosen]
            else:
                done[row] = _Taken(notes=tuple(notes[row]))
        try:
            answers = self._ask([self._draft(row, planned) for row, planned in sent])
        except Problem as problem:
            self._trace([("", problem)])
            raise
        by_row: dict[int, list[tuple[Planned, Receipt | Problem]]] = {}
        for (row, planned), answer in zip(sent, answers, strict=True):
            by_row.setdefault(row, []).append((planned, answer))
        self._remember(sent, answers)
        again = self._again(by_row, dropped)
        final = {row: found for row, found in by_row.items() if row not in again}
        for row, found in final.items():
            done[row] = self._taken(row, found, notes[row])
        self._trace([(one.type, told) for found in final.values() for one, told in found if isinstance(told, Problem)])
        return again

    def _ask(self, drafts: list[Draft]) -> list[Receipt | Problem]:
        return enter_untraced(self.node, self.actor, drafts)

    def _trace(self, refused: list[tuple[str, Problem]]) -> None:
        """The trace of what was refused for good, each with its type."""
        trace(self.node, self.actor, [(Attempt("import", type), problem) for type, problem in refused])

    def _draft(self, row: int, planned: Planned) -> Draft:
        return Draft(
            type=planned.type, fields=planned.fields, links=planned.links, key=planned.key,
            occurred_at=planned.occurred_at, reason=self.said, marks=planned.marks, group=row,
            late_cause=self.said if planned.occurred_at or planned.type in self.ordered else None,
        )  # fmt: skip

    def _remember(self, sent: list[tuple[int, Planned]], answers: list[Receipt | Problem]) -> None:
        for (_, planned), answer in zip(sent, answers, strict=True):
            if isinstance(answer, Receipt):
                if planned.shared:
                    self.known.put(planned)
            elif answer.code in NO_ROWS_FAULT:
                self._trace([(planned.type, answer)])
                raise answer

    def _again(
        self, by_row: dict[int, list[tuple[Planned, Receipt | Problem]]], dropped: dict[int, set[str]]
    ) -> set[int]:
        """Rows refused only because a shared record stands already with other content, where the first is to stand."""
        failed = {
            planned.key
            for found in by_row.values()
            for planned, answer in found
            if isinstance(answer, Problem) and answer.code != "idempotency_key_reused"
        }
        again: set[int] = set()
        for row, found in by_row.items():
            problems = [(planned, one) for planned, one in found if isinstance(one, Problem)]
            real = [(planned, one) for planned, one in problems if one.code != "group_refused"]
            if real and all(
                one.code == "idempotency_key_reused" and planned.record in self.first for planned, one in real
            ):
                again.add(row)
                # where the one that stood first in this batch was itself refused, this row's own is tried next
                dropped.setdefault(row, set()).update(planned.key for planned, _ in real if planned.key not in failed)
        return again

    def _taken(self, row: int, found: list[tuple[Planned, Receipt | Problem]], notes: list[Reject]) -> _Taken:
        rejects: list[Reject] = []
        types: list[str] = []
        for planned, answer in found:
            if isinstance(answer, Receipt):
                types += [] if answer.replayed else [planned.type]
            elif answer.code != "group_refused":
                rejects += self._rejects(row, planned, answer)
        if not rejects and any(isinstance(one, Problem) for _, one in found):
            rejects.append(Reject(row, "group_refused", "A record that this row shares with another was refused."))
        return _Taken(tuple(types), tuple(rejects), tuple(notes))

    def _rejects(self, row: int, planned: Planned, problem: Problem) -> Iterator[Reject]:
        if problem.code == "idempotency_key_reused" and "record" in problem.extra:
            record = str(problem.extra["record"])
            yield Reject(
                row, "row_changed", "Since it was first imported, the source says something else of this record.",
                planned.record, value=record,
                fix=f"Amend the record {record} with what changed: an import never overwrites.",
            )  # fmt: skip
            return
        if not problem.faults:
            yield Reject(row, problem.code, problem.detail, planned.record, fix=problem.fix)
        for fault in problem.faults:
            name, column = self.rules.column_of(planned.record, fault.path)
            value = str(planned.fields.get(name, ""))[:120]
            yield Reject(row, fault.code, fault.message, planned.record, name, column, value, fault.fix)

    def _differs(self, row: int, planned: Planned) -> Reject:
        kept = planned.record in self.first
        return Reject(
            row, "first_kept" if kept else "rows_differ",
            f"Another row said something else of the shared {planned.record}; what came first stands.",
            planned.record, fix="" if kept else "Correct the file, or say differs: first in the mapping.",
        )  # fmt: skip


class _Rehearse(_Enter):
    """Takes rows in a dry run at a node: policy, conditions and what is there already decide, and nothing is written.

    Shared records that an earlier batch would have entered are sent along again where this one points at them.
    """

    def __init__(self, node: Node, actor: Actor, rules: Rules) -> None:
        super().__init__(node, actor, rules)
        self.shared: OrderedDict[str, Draft] = OrderedDict()

    def _ask(self, drafts: list[Draft]) -> list[Receipt | Problem]:
        asked = {one.key for one in drafts}
        along: dict[str, Draft] = {}
        todo = sorted({key for one in drafts for key in _cited(one)} - {one.key for one in drafts})
        while todo:
            key = todo.pop()
            if key in self.shared and key not in along and key not in asked:
                along[key] = self.shared[key]
                todo += _cited(along[key])
        return rehearse_many(self.node, self.actor, [*drafts, *along.values()])[: len(drafts)]

    def _trace(self, refused: list[tuple[str, Problem]]) -> None:
        """What is only tried is refused to nobody."""

    def _remember(self, sent: list[tuple[int, Planned]], answers: list[Receipt | Problem]) -> None:
        super()._remember(sent, answers)
        for (row, planned), answer in zip(sent, answers, strict=True):
            if planned.shared and isinstance(answer, Receipt):
                self.shared[planned.key] = replace(self._draft(row, planned), group=None)
                if len(self.shared) > REMEMBERED:
                    self.shared.popitem(last=False)


def _cited(draft: Draft) -> list[str]:
    """The keys that a draft's links name."""
    return [to[4:] for given in draft.links.values() for to in given if to.startswith("key:")]
