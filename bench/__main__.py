"""`python -m bench [--quick] [--only NAME ...]`: one table on the terminal and one JSON file beside this one."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import arrival, entries, imports, places, reading, story
from bench.figures import Line, Report, shown
from bench.stage import furnished
from comity import clock

LAST = Path(__file__).resolve().parent / "last.json"
JOBS = ("reading", "places", "entries", "imports", "arrival", "story")


def main() -> int:
    given = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    given.add_argument("--quick", action="store_true", help="smaller sizes and shorter rounds: under 90 seconds")
    given.add_argument("--only", nargs="+", choices=JOBS, default=JOBS, help="only these")
    given.add_argument("--rows", type=Path, help="a larger file of incidents for the import")
    asked = given.parse_args()
    report, began = Report(), clock.monotonic()
    with furnished() as stage:
        for name in JOBS:
            if name not in asked.only or name in ("arrival", "story"):
                continue
            _say(name, began)
            if name == "reading":
                report.add(*reading.run(stage, quick=asked.quick))
            elif name == "places":
                if "reading" not in asked.only:
                    stage.fill(10_000, seed=5)
                report.add(*places.run(stage, quick=asked.quick))
            elif name == "entries":
                report.add(*entries.run(stage, quick=asked.quick))
            else:
                report.add(*imports.run(stage, quick=asked.quick, rows=asked.rows))
    if "arrival" in asked.only:
        _say("arrival", began)
        report.add(*arrival.run(quick=asked.quick))
    if "story" in asked.only:
        _say("story", began)
        report.add(*story.run(quick=asked.quick))
    took = clock.monotonic() - began
    _show(report.lines, took)
    LAST.write_text(json.dumps(_kept(report, took, quick=asked.quick), indent=1) + "\n", encoding="utf-8")
    print(LAST)
    return 0


def _kept(report: Report, took: float, *, quick: bool) -> dict[str, object]:
    return {
        "quick": quick, "seconds": round(took, 1), "python": platform.python_version(), "processors": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()], "lines": [one.as_json() for one in report.lines],
    }  # fmt: skip


def _say(name: str, began: float) -> None:
    print(f"{clock.monotonic() - began:6.1f} s  {name}", file=sys.stderr, flush=True)


def _show(lines: list[Line], took: float) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    table = Table(caption=f"{took:.0f} s, {os.cpu_count()} processors, load {load}; medians, extremes in brackets")
    for name in ("job", "measured", "limit", "ratio", ""):
        table.add_column(name, justify="left" if name in ("job", "") else "right", overflow="fold")
    for one in lines:
        ratio = "" if one.ratio is None else shown(one.ratio)
        table.add_row(one.job, str(one.ours), str(one.limit or ""), ratio, one.note)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
