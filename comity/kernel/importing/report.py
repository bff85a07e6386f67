"""What an import tells: counts, the rows that were not taken (kept in two files), how fast and in how much memory."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from comity.kernel.importing.mapping import Reject

COLUMNS = ("row", "outcome", "record", "field", "column", "value", "code", "reason", "fix")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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

    They hold what the source says of people, so only the owner of the process may read them. In the CSV a value that
    a spreadsheet would run as a formula stands behind an apostrophe.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path.with_suffix(".csv") if path else None
        self._files: list[TextIO] = []
        self._csv: Any = None

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
        if not self._files:
            self._open()
        for one in rejects:
            line = {**asdict(one), "outcome": "taken" if taken else "refused"}
            self._csv.writerow([_plain(line[name]) for name in COLUMNS])
            self._files[1].write(json.dumps(line, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        for one in self._files:
            one.flush()

    def close(self) -> str | None:
        """Close both files; the path of the CSV, or None when nothing was written."""
        for one in self._files:
            one.close()
        return str(self.path) if self._files else None

    def _open(self) -> None:
        for one in self.paths:
            one.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(one, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._files.append(os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline=""))
        self._csv = csv.writer(self._files[0])
        self._csv.writerow(COLUMNS)


def _plain(value: Any) -> str:
    said = str(value).replace("\0", "\\0")
    return "'" + said if said.startswith(_FORMULA) else said


def peak_memory_mib() -> float:
    """The most memory this process has held, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
