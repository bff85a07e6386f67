"""`python -m tests.speeds.must_run NAMES OUTCOMES` fails unless each test that a file names really ran.

A line names a test by its id, or many by the beginning of theirs: a folder, a file, a class, a test with parameters.
Empty lines and what follows `#` are left out. What only the deep run has is asked for in no quick run, unless a line
names nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.speeds.runs import DEEP, FAILED, PASSED, Run, written


def names(text: str) -> list[str]:
    lines = (line.partition("#")[0].strip().rstrip("/") for line in text.splitlines())
    return [line for line in lines if line]


def faults(wanted: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """A sentence for each test that a line names and that no run ran, and for each line that names no test."""
    return [fault for name in wanted for fault in _faults(name, runs)]


def _faults(name: str, runs: Sequence[Run]) -> Iterator[str]:
    found = {one for run in runs for one in run.tests if _names(name, one)}
    ran = {one for run in runs for one in run.ids(PASSED, FAILED)}
    deep = {one for run in runs for one in run.ids(DEEP)}
    if not found:
        yield f"{name}: no test has this name, or it did not run; mend the line or the test"
    elif found <= deep - ran:
        yield f"{name}: runs in make test-deep alone; name it not, or give it a small size"
    for one in sorted(found - ran - deep):
        reasons = sorted({run.tests[one][1] for run in runs if one in run.tests})
        yield f"{one}: was skipped ({'; '.join(reasons)}), and {name} must run"


def _names(name: str, test: str) -> bool:
    return test == name or (test.startswith(name) and test[len(name)] in "/:[")


def main(arguments: Sequence[str]) -> int:
    listed, outcomes = map(Path, arguments)
    wanted = names(listed.read_text("utf-8"))
    found = faults(wanted, written(outcomes)) if wanted else [f"{listed} names no test"]
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"All that {listed} names ran: {len(wanted)} lines.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
