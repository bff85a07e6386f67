"""How fast the sequencer gives entries their place, beside COPY of as many rows into a table with one key."""

from __future__ import annotations

import os
from functools import partial

import psycopg

from bench.figures import ROUNDS, Line, Spread, against, seconds
from bench.stage import Stage
from comity import clock
from comity.kernel.ledger import sequence

LOT = 5_000


def run(stage: Stage, *, quick: bool) -> list[Line]:
    """Drains what the fill before left waiting."""
    lot = 1_000 if quick else LOT
    ours: list[float] = []
    limit: list[float] = []
    with psycopg.connect(stage.database.sequencer_url, autocommit=True) as conn:
        sequence.drain(conn, clock.now(), limit=lot)
        for at in range(ROUNDS):
            began = clock.monotonic()
            placed = sequence.drain(conn, clock.now(), limit=lot)
            ours.append(placed / (clock.monotonic() - began))
            limit.append(lot / seconds(partial(_copy, conn, at * lot, lot)))
        rest, began = 0, clock.monotonic()
        while placed := sequence.drain(conn, clock.now()):
            rest += placed
        took = clock.monotonic() - began
    note = f"lots of {lot:,}; limit: COPY of as many rows"
    lines = [against("entries given their place a second", ours, limit, "/s", note)]
    if rest > lot:
        all_ = Spread.of([rest / took], "/s")
        lines.append(Line("the same, all the rest in lots of 5,000", all_, note=f"{rest:,} entries"))
    return lines


def _copy(conn: psycopg.Connection[object], first: int, count: int) -> None:
    leaf = os.urandom(32)
    with conn.transaction(), conn.cursor() as cur, cur.copy("copy bench_place (place, entry, leaf) from stdin") as out:
        for place in range(first, first + count):
            out.write_row((place, os.urandom(16).hex(), leaf))
