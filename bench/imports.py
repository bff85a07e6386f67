"""Imported rows a second, beside COPY of the same rows, and the memory that an import takes."""

from __future__ import annotations

import csv
import json
import sys
from functools import partial
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from bench.figures import ROUNDS, Line, Spread, against, seconds
from bench.stage import Stage, child
from comity.config import command_node, paths
from comity.kernel.importing.importing import run as import_file
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.tokens import admit, sign_in

SAMPLE = paths.samples() / "chicago_incidents.csv"
MAPPING = paths.agencies() / "cpd" / "mappings" / "chicago.yml"
FULL = Path("shared") / "data" / "city-crime-incidents" / "chicagoCrimes10k.csv"
"""A larger extract of the same portal, looked for beside the checkout."""


def run(stage: Stage, *, quick: bool, rows: Path | None = None) -> list[Line]:
    size = 600 if quick else 1_000
    actor = _clerk(stage)
    ours: list[float] = []
    limit: list[float] = []
    with psycopg.connect(stage.database.app_url, autocommit=True) as conn:
        for at in range(ROUNDS + 1):
            file = expanded(stage.settings.home / f"rows-{at}.csv", size, at)
            took = seconds(partial(import_file, stage.node, actor, file, MAPPING))
            copied = seconds(partial(_copy, conn, file))
            if at:  # the first round warms both
                ours.append(size / took)
                limit.append(size / copied)
    lines = [
        against("imported rows a second", ours, limit, "/s",
                f"{size:,} rows a round, each an incident and its place; limit: COPY of the same rows as JSON"),
        *_memory(stage, quick),
    ]  # fmt: skip
    larger = rows or paths.PACKAGE.parent.parent / FULL
    if not quick and larger.is_file():
        told = imported_apart(stage, larger)
        note = f"peak {told['peak']:.0f} MiB in all; {told['rejected']} rejected"
        rate = Spread.of([told["rows"] / told["seconds"]], "/s")
        lines.append(Line(f"rows a second, {told['rows']:,} rows of the portal", rate, note=note))
    return lines


def _memory(stage: Stage, quick: bool) -> list[Line]:
    """Peak memory of a process that imports a short file, and of one that imports one several times as long."""
    short = 500 if quick else 1_500
    peaks = []
    for at, size in ((90, short), (91, 3 * short if quick else 5 * short)):
        peaks.append(imported_apart(stage, expanded(stage.settings.home / f"rows-{at}.csv", size, at))["peak"])
    note = f"{short:,} rows; {3 if quick else 5} times as many take {peaks[1] / peaks[0]:.2f}x that memory"
    return [Line("peak memory of an importing process", Spread.of(peaks, "MiB"), note=note)]


def imported_apart(stage: Stage, file: Path) -> dict[str, float]:
    """Import in a process of its own; its rows, seconds and peak memory."""
    with child(["from bench.imports import main; main()", str(file)], stage.environment) as process:
        out, _ = process.communicate(timeout=300)
    found: dict[str, float] = json.loads(out)
    return found


def main() -> None:
    """In that process."""
    from comity.config.settings import settings

    of = settings()
    with command_node.opened(of) as node:
        kept = json.loads((of.keys / "tokens.json").read_text(encoding="utf-8"))["seats"]
        token = next(one["token"] for one in kept if one["agency"] == "cpd")
        report = import_file(node, sign_in(node, token), Path(sys.argv[1]), MAPPING)
    # Not getrusage: its maximum begins with the size of the process that started this one.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"rows": report.rows, "seconds": report.seconds, "peak": peak, "rejected": report.rows_rejected}))


def expanded(file: Path, size: int, lot: int) -> Path:
    """The shipped sample over and over, each row an incident of its own at a block of its own for three in four."""
    with SAMPLE.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    head, body = rows[0], rows[1:]
    number, case, block = head.index("ID"), head.index("Case Number"), head.index("Block")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(head)
        for at in range(size):
            row = list(body[at % len(body)])
            serial = lot * 100_000 + at
            row[number], row[case] = str(10_000_000 + serial), f"BN{serial:07}"
            if at % 4:
                row[block] = f"{serial:07} {row[block]}"
            writer.writerow(row)
    return file


def _copy(conn: psycopg.Connection[object], file: Path) -> None:
    with (
        file.open(encoding="utf-8", newline="") as source,
        conn.cursor() as cur,
        cur.copy("copy bench_copy (id, body) from stdin") as out,
    ):
        for at, row in enumerate(csv.DictReader(source)):
            out.write_row((at, Jsonb(row)))


def _clerk(stage: Stage) -> Actor:
    return sign_in(stage.node, admit(stage.node, "cpd", "Bench clerk", ["records_clerk"]).token)
