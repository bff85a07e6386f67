"""Importing a foreign file: rows become records through a mapping, 1,000 rows a transaction, in constant memory.

Every record is entered under a key made from the mapping's name and what identifies the row in its source. So a second
run changes nothing, and a run after a killed one takes up where that one stopped. All records of a row are accepted or
refused together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comity import clock
from comity.errors import Problem
from comity.extensions import Row
from comity.formats.open_file import open_table
from comity.formats.rows import BadRow, Table
from comity.kernel.importing.mapping import Mapping as Rules
from comity.kernel.importing.mapping import Planned, Reject
from comity.kernel.importing.mapping_file import load
from comity.kernel.importing.report import ImportReport, Progress, RejectFiles, peak_memory_mib
from comity.kernel.importing.taking import Asked, Enter, Judge, Rehearse, Take
from comity.kernel.policy.actor import Actor
from comity.kernel.work.node import Node
from comity.sentences import DEFAULT, Locale, say

ROWS = 1_000
DRAFTS = 3_000
Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`dry_run` reads, maps and judges every row and writes no record. Rows that are not taken go to `rejects` (a CSV,
    and a JSONL beside it), by default under the node's home, and are told of in the reader's words."""

    dry_run: bool = False
    rejects: Path | None = None
    progress: Report | None = None
    locale: Locale = DEFAULT


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
        detail = say(
            "mapping_invalid.found_against_types_first",
            count=len(faults),
            agency=actor.agency,
            path=first.path,
            message=first.message,
        )
        raise Problem("mapping_invalid", detail, faults=faults, fix=first.fix)
    digest = _digest(file)
    place = chosen.rejects or node.home / "imports" / f"{rules.name}-{digest[:12]}-rejects.csv"
    _spare(place, file, mapping)
    take: Take = (Rehearse if chosen.dry_run else Enter)(node, actor, rules)
    return _Import(rules, file, digest, take, replace(chosen, rejects=place)).run()


def inspect(file: Path, mapping: Path, **options: Any) -> ImportReport:
    """Read and map a file without a node: what the mapping alone can tell. `options` and what it raises as of `run`."""
    chosen = Options(**{**options, "dry_run": True})
    if chosen.rejects:
        _spare(chosen.rejects, file, mapping)
    return _Import(load(mapping), file, _digest(file), Judge(), chosen).run()


def _spare(rejects: Path, *given: Path) -> None:
    """Refuse to write the rejects over what is read."""
    if {one.resolve() for one in RejectFiles(rejects).paths} & {one.resolve() for one in given}:
        raise Problem("import_refused", say("import_refused.rejects_would_be_written_over", rejects=rejects))


def _digest(file: Path) -> str:
    if not file.is_file():
        raise Problem("import_refused", say("import_refused.there_is_no_file", file=file))
    with file.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


class _Import:
    """One run over one file."""

    def __init__(self, rules: Rules, file: Path, digest: str, take: Take, chosen: Options) -> None:
        self.rules, self.file, self.take, self.progress = rules, file, take, chosen.progress
        self.report = ImportReport(rules.name, rules.version, file.name, digest, chosen.dry_run)
        self.rejects = RejectFiles(chosen.rejects, chosen.locale)
        self.waiting: list[Asked] = []

    def run(self) -> ImportReport:
        began = clock.monotonic()
        try:
            with open_table(self.file, self.rules.options) as table:
                if absent := self.rules.absent(table.columns):
                    names = ", ".join(fault.path for fault in absent)
                    raise Problem(
                        "import_refused",
                        say("import_refused.file_lacks_what_mapping_reads", names=names),
                        faults=absent,
                        fix=absent[0].fix,
                    )
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
            self.waiting.append(Asked(row.number, planned))
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

    def _refuse(self, rejects: Iterable[Reject]) -> None:
        found = list(rejects)
        self.report.rows_rejected += 1
        self.report.rejected.update(one.code for one in found)
        self.rejects.write(found)

    def _tell(self, table: Table, size: int) -> None:
        if self.progress is not None:
            self.progress(Progress(self.report.rows, min(size, table.position()), size))
