"""A list of 20, a read by id and a search by words, at two sizes, beside a read by primary key."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg

from bench.figures import ROUNDS, Line, Spread, percentile
from bench.stage import AGENCY, PERSON, Stage, persons
from comity import clock
from comity.kernel.views.find import find
from comity.kernel.views.read import read

SEED = 11


def run(stage: Stage, *, quick: bool) -> list[Line]:
    """Fill to 1,000, measure, fill on, measure again. `quick` stops at 10,000 in place of 100,000."""
    small, large = 1_000, 10_000 if quick else 100_000
    samples = 40 if quick else 100
    lines: list[Line] = []
    rates = [stage.fill(small, SEED)]
    first = _measure(stage, small, samples)
    parts = 3
    for part in range(parts):
        size = (large - small) // parts + ((large - small) % parts if part == 0 else 0)
        rates.append(stage.fill(size, SEED + 1 + part))
    _analysed(stage)
    second = _measure(stage, large, samples)
    for job in first:
        if job == "primary key":
            continue
        for size, found in ((small, first), (large, second)):
            lines += _lines(f"{job}, {size:,} records", found[job], found["primary key"])
        growth = percentile(_all(second[job]), 0.5) / percentile(_all(first[job]), 0.5)
        lines.append(Line(f"{job}: {large:,} over {small:,}, p50", Spread(growth, growth, growth, "x")))
    note = "enter_many, in process"
    lines.append(Line("records entered a second in batches of 1,000", Spread.of(rates, "/s"), note=note))
    return lines


Rounds = list[list[float]]


def _all(rounds: Rounds) -> list[float]:
    return [one for values in rounds for one in values]


def _lines(job: str, ours: Rounds, limit: Rounds) -> list[Line]:
    out = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        mine = [percentile(one, share) for one in ours]
        theirs = [percentile(one, share) for one in limit]
        ratio = sorted(a / b for a, b in zip(mine, theirs, strict=True))[len(mine) // 2]
        out.append(Line(f"{job}, {name}", Spread.of(mine, "ms"), Spread.of(theirs, "ms"), ratio))
    return out


def _measure(stage: Stage, size: int, samples: int) -> dict[str, Rounds]:
    """Milliseconds of each job by round; within a round the jobs take turns, one sample each."""
    chance = random.Random(size)
    with stage.node.transaction(AGENCY) as (conn, _):
        rows = conn.execute(
            "select id, fields->>'name' from comity.record where type = %s and agency = %s order by id limit 3000",
            (PERSON, AGENCY),
        ).fetchall()
    people = persons(1, seed=0)[0]
    with psycopg.connect(stage.database.app_url, autocommit=True) as conn:
        conn.execute("delete from bench_key")
        conn.execute(
            "insert into bench_key select gen_random_uuid(), %s::jsonb from generate_series(1, %s)",
            (psycopg.types.json.Jsonb(people), size),
        )
        keys = [row[0] for row in conn.execute("select id from bench_key limit 3000")]
        jobs: dict[str, Callable[[], Any]] = {
            "primary key": lambda: conn.execute(
                "select id, body from bench_key where id = %s", (chance.choice(keys),)
            ).fetchone(),
            "read by id": lambda: read(stage.node, stage.actor, str(chance.choice(rows)[0])),
            "list of 20": lambda: find(stage.node, stage.actor, type=PERSON),
            "find by two words": lambda: find(stage.node, stage.actor, type=PERSON, text=chance.choice(rows)[1]),
        }
        for _ in range(8):
            for job in jobs.values():
                job()
        found: dict[str, Rounds] = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name in jobs:
                found[name].append([])
            for _ in range(samples):
                for name, job in jobs.items():
                    began = clock.monotonic()
                    job()
                    found[name][-1].append((clock.monotonic() - began) * 1000)
    return found


def _analysed(stage: Stage) -> None:
    """What autovacuum does within a minute of such a load; here at once, so that runs can be compared."""
    stage.superuser("analyze")
