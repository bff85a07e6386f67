"""`python -m tests.speeds quick|deep [ARGUMENTS OF PYTEST]`: the suite at one of two speeds, then what it left out.

Quick: everything on the embedded PostgreSQL with small harnesses, then what is marked pg15 on PostgreSQL 15.
Deep: everything with whole harnesses and files in random order, then on PostgreSQL 15 what is marked pg15, whole, and
all the rest, small. With arguments there is one run, of what they name, on the embedded PostgreSQL.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.speeds import order, outcomes, sizes
from tests.speeds.runs import written
from tests.speeds.summary import told

ROOT = Path(__file__).parents[2]
SERVER, OTHER_SERVER = "COMITY_TEST_PG_BIN", "COMITY_PG_BIN"
PLACES = ("/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin")
NO_SERVER = (
    "* PostgreSQL 15 was not found: what is marked pg15 ran on the embedded PostgreSQL only. "
    "Install postgresql-15, or name the folder of its binaries in COMITY_TEST_PG_BIN."
)
HANG = "--timeout=3600"
"""Seconds after which a test of a deep run is ended; of a quick one pyproject.toml says it."""
INTERRUPTED = 2
Step = tuple[list[str], dict[str, str]]
"""The arguments of pytest and the variables of one run."""


def steps(deep: bool, arguments: Sequence[str], server: str, by_chance: str) -> list[Step]:
    """The runs of a speed. `server` is the folder of PostgreSQL 15, empty if there is none; `by_chance` the number of
    the random order, empty for the order as written."""
    speed = {sizes.VARIABLE: "1"} if deep else {}
    ordered = {order.VARIABLE: by_chance} if by_chance else {}
    bound = [HANG] if deep else []
    found: list[Step] = [([*bound, *arguments], {**speed, **ordered})]
    if server and not arguments:
        found.append(([*bound, "-m", "pg15"], {**speed, SERVER: server}))
        if deep:
            found.append((["-m", "not pg15"], {**ordered, SERVER: server}))
    return found


def server_15(environment: Mapping[str, str]) -> str:
    """The folder of PostgreSQL 15: the one that is named, or where packages put it; empty if there is none."""
    named = environment.get(SERVER) or environment.get(OTHER_SERVER)
    return named or next((place for place in PLACES if (Path(place) / "postgres").exists()), "")


def main(speed: str, arguments: Sequence[str]) -> int:
    """The first exit code of pytest that is not 0. Every run is made, but after an interruption none."""
    deep, server, code = speed == "deep", server_15(os.environ), 0
    by_chance = os.environ.get(order.VARIABLE) or (str(random.randrange(100_000)) if deep else "")
    own = {SERVER, OTHER_SERVER, sizes.VARIABLE, order.VARIABLE}
    held = {name: value for name, value in os.environ.items() if name not in own}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(held.setdefault(outcomes.FILE, f"{folder}/outcomes.jsonl"))
        for more, variables in steps(deep, arguments, server, by_chance):
            command = [sys.executable, "-m", "pytest", "-n", "2", *more]
            done = subprocess.run(command, env={**held, **variables}, cwd=ROOT)
            code = code or done.returncode
            if done.returncode == INTERRUPTED:
                break
        lines = told(written(file))
    print("\n".join(lines if arguments or server else [*lines, NO_SERVER]), flush=True)
    return code


if __name__ == "__main__":
    if sys.argv[1:2] not in (["quick"], ["deep"]):
        sys.exit("python -m tests.speeds quick|deep [ARGUMENTS OF PYTEST]")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
