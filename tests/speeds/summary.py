"""What a run did not do, and why, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.speeds.runs import DEEP, FAILED, PASSED, SKIPPED, Run

NAMED = 6
"""So many tests are named for one reason; those that only the deep run has are named all."""


def told(runs: Sequence[Run]) -> list[str]:
    """One block a run, under one head."""
    return ["", "What ran, and what did not:", *(line for run in runs for line in _of(run))]


def _of(run: Run) -> Iterator[str]:
    counts = f"{len(run.ids(PASSED))} passed, {len(run.ids(FAILED))} failed, {len(run.ids(SKIPPED, DEEP))} skipped"
    marked = f", marked {run.selected}" if run.selected else ""
    server = f"the PostgreSQL of {run.server}" if run.server else "the embedded PostgreSQL"
    minutes, seconds = divmod(round(run.seconds), 60)
    yield f"* {'deep' if run.deep else 'quick'}, on {server}{marked}: {counts} in {minutes} min {seconds} s"
    if run.order:
        yield f"  in random order {run.order} (COMITY_TEST_ORDER={run.order} repeats it)"
    if run.small:
        files = sorted({place.partition(":")[0] for place in run.small})
        harnesses = "1 harness" if len(run.small) == 1 else f"{len(run.small)} harnesses"
        yield f"  {harnesses} at a small size, whole in make test-deep: {', '.join(files)}"
    only = run.ids(DEEP)
    if only:
        yield f"  {len(only)} only in make test-deep: {', '.join(only)}"
    reasons: dict[str, list[str]] = {}
    for name in run.ids(SKIPPED):
        reasons.setdefault(run.tests[name][1], []).append(name)
    for reason, names in sorted(reasons.items()):
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"  {len(names)} skipped, {reason}: {', '.join(names[:NAMED])}{more}"
