"""The demo's own seconds, as `comity demo` tells them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from bench.figures import Line, Spread
from bench.stage import child, wait_ended

AIM = 15.0


def run(*, quick: bool) -> list[Line]:
    """A whole demo from nothing, in a process of its own: its story's seconds, and those of its set-up before."""
    found = [_once() for _ in range(1 if quick else 3)]
    story = Spread.of([one["story"] for one in found], "s")
    verdict = "within" if story.median < AIM else "beyond"
    return [
        Line("the demo after set-up", story, ratio=story.median / AIM, note=f"{verdict} the aim of {AIM:.0f} s"),
        Line("its set-up: database, tables, eleven institutions", Spread.of([one["set_up"] for one in found], "s")),
    ]


def _once() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="comity-bench-", ignore_cleanup_errors=True) as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        environment["COMITY_HOME"] = folder
        script = "from comity.config.main import main; main()"
        with child([script, "demo", "--no-serve", "--json"], environment) as process:
            out, _ = process.communicate(timeout=120)
        wait_ended(Path(folder))
    told = json.loads(out)
    if not told["rebuild_equal"] or told["facts_retyped"]:
        raise RuntimeError("the demo did not end well")
    found: dict[str, float] = told["seconds"]
    return found
