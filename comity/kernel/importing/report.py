"""What an import tells: counts, the rows that were not taken (kept in two files), how fast and in how much memory."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from comity.formats.format import WriteRow
from comity.formats.open_file import new_table
from comity.kernel.importing.mapping import Reject
from comity.sentences import DEFAULT, Locale, in_words

COLUMNS = ("row", "outcome", "record", "field", "column", "value", "code", "reason", "fix")

_OF_REJECT = tuple(one.name for one in fields(Reject))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. `bytes_done` is 0 where the format cannot say (XLSX)."""

    rows: int
    bytes_done: int
    bytes_total: int


@dataclass(slots=True)
class ImportReport:
    """`rows` = `rows_entered` + `unchanged` + `rows_rejected`. `entered` counts records by type, `rejected` reasons by
    code (a row may have several), `notes` what was taken and still deserves a look. `peak_memory_mib` is the process's
    highest, not the import's alone."""

    mapping: str
    version: int
    file: str
    digest: str
    dry_run: bool
    rows: int = 0
    rows_entered: int = 0
    unchanged: int = 0
    rows_rejected: int = 0
    entered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    unmapped: list[str] = field(default_factory=list)
    rejects: str | None = None
    seconds: float = 0.0
    peak_memory_mib: float = 0.0

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "mapping": self.mapping, "version": self.version, "file": self.file, "digest": self.digest,
            "dry_run": self.dry_run, "rows": self.rows, "rows_entered": self.rows_entered,
            "unchanged": self.unchanged, "rows_rejected": self.rows_rejected, "entered": dict(self.entered),
            "rejected": dict(self.rejected), "notes": dict(self.notes), "unmapped": list(self.unmapped),
            "rejects": self.rejects, "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.rows_per_second, 1), "peak_memory_mib": round(self.peak_memory_mib, 1),
        }  # fmt: skip


class RejectFiles:
    """The rows that were not taken, as CSV for a person and as JSONL beside it for a program; none when there is none.

    They hold what the source says of people, so only the owner of the process may read them.
    """

    def __init__(self, path: Path | None, locale: Locale = DEFAULT) -> None:
        self.path = path.with_suffix(".csv") if path else None
        self._locale = locale
        self._files = ExitStack()
        self._rows: list[WriteRow] = []

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path, self.path.with_suffix(".jsonl")) if self.path else ()

    def start(self) -> None:
        """Remove what an earlier run left under the same names."""
        for old in self.paths:
            old.unlink(missing_ok=True)

    def write(self, rejects: Sequence[Reject], *, taken: bool = False) -> None:
        if self.path is None:
            return
        if not self._rows:
            self._open()
        for one in rejects:
            said = {name: in_words(getattr(one, name), self._locale) for name in _OF_REJECT}
            line = {**said, "outcome": "taken" if taken else "refused"}
            for row in self._rows:
                row(line)

    def close(self) -> str | None:
        """Close both files; the path of the CSV, or None when nothing was written."""
        self._files.close()
        return str(self.path) if self._rows else None

    def _open(self) -> None:
        for one in self.paths:
            one.parent.mkdir(parents=True, exist_ok=True)
            self._rows.append(self._files.enter_context(new_table(one, COLUMNS, replace=True)))


def peak_memory_mib() -> float:
    """The most memory this process has held, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
