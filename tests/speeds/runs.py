"""What became of each test in each run of pytest, as it is kept in a file: one line of JSON a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

PASSED, FAILED, SKIPPED, DEEP = "passed", "failed", "skipped", "deep"
"""DEEP: skipped because it runs in `make test-deep` alone."""


@dataclass
class Run:
    """One run. `server` is a folder of PostgreSQL's binaries, empty for the embedded one; `selected` what pytest's -m
    asked for; `order` the number of its random order, empty for none; `small` the places of the harnesses that ran at
    their small size; `tests` holds by test id its outcome and, of one that was skipped, the reason."""

    deep: bool
    server: str
    selected: str
    order: str
    seconds: float = 0.0
    small: list[str] = field(default_factory=list)
    tests: dict[str, tuple[str, str]] = field(default_factory=dict)

    def ids(self, *outcomes: str) -> list[str]:
        return sorted(name for name, (found, _) in self.tests.items() if found in outcomes)

    def append_to(self, file: Path) -> None:
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(self)) + "\n")


def written(file: Path) -> list[Run]:
    """The runs of a file, in their order; none if there is no file."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    runs = [Run(**json.loads(line)) for line in lines]
    for run in runs:
        run.tests = {name: (outcome, reason) for name, (outcome, reason) in run.tests.items()}
    return runs
