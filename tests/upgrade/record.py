"""Writes what tests/upgrade keeps of a version: `python -m tests.upgrade.record FOLDER`, in a checkout of it."""

from __future__ import annotations

import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comity import clock
from comity.config.database import Database, open_database
from comity.config.embedded import packaged_binaries
from comity.config.settings import settings
from comity.config.stories import STORIES
from tests.upgrade.keys import write_keys
from tests.upgrade.outcome import choose_readings, outcome
from tests.world import node_on

MAIN = "from comity.config.main import main; main()"
LINE_ONLY_FOR_PSQL = re.compile(r"^\\(un)?restrict .*\n|^SET transaction_timeout = 0;\n", re.MULTILINE)
"""The second is unknown to PostgreSQL 15."""
ATF, DEA, USAO = (
    ("--as", "atf", "--seat", "Rivera"),
    ("--as", "dea", "--seat", "Cole"),
    ("--as", "usao", "--seat", "Feldman"),
)
PROSECUTOR, OFFICER = ("--as", "in-prosecution", "--seat", "Mathur"), ("--as", "in-police", "--seat", "Kumari")
PERSON = ("enter", "registry.person", "--set", "role=witness", "--set", "name=Invented Näme")
FILING = ("enter", "court.filing", "--set", "kind=application", "--set", "title=Application that waits", "--set")
AFTERWARDS: dict[str, Sequence[Sequence[str]]] = {
    "us": (
        (*FILING, "court=usdc", *USAO),
        ("attach", "ATF-2026-000001", "note.txt", *ATF),
        ("subscribe", "--type", "investigation.case", "--name", "Cases", *USAO),
        ("emergency", "open", "ATF-2026-000001", "--reason", "A life is at stake", *DEA),
    ),
    "india": ((*FILING, "court=in-court", *PROSECUTOR),),
}
"""What the stories leave out: an offer that nobody has answered yet, a file, a subscription, an emergency."""
LAST = {"us": (*PERSON, *ATF), "india": (*PERSON, *OFFICER)}
"""Entered while nobody gives places: it stays pending."""


def record(story: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="comity-") as base:
        home, server = Path(base) / "home", Path(base) / "server"
        write_keys(home / "keys", STORIES[story].agencies)
        with open_database(settings({"COMITY_HOME": str(server)})) as database:
            given = _environment(home, database)
            _comity(given, home, "demo", story, "--no-serve", "--json")
            (home / "note.txt").write_text("An invented note.\n")
            for line in AFTERWARDS[story]:
                _comity(given, home, *line)
            _comity({**given, "DATABASE_SEQUENCER_URL": ""}, home, *LAST[story])
            node = node_on(database, settings(given))
            try:
                at = clock.now()
                found = outcome(node, at, list(choose_readings(node)))
            finally:
                node.close()
            told = {"at": clock.show_instant(at), "agencies": list(STORIES[story].agencies), **found}
            (folder / f"{story}.json").write_text(json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
            (folder / f"{story}.sql.xz").write_bytes(
                lzma.compress(_dump(database).encode(), preset=9 | lzma.PRESET_EXTREME)
            )


def _environment(home: Path, database: Database) -> dict[str, str]:
    return {
        **os.environ,
        "COMITY_HOME": str(home),
        "DATABASE_URL": database.app_url,
        "DATABASE_ADMIN_URL": database.owner_url,
        "DATABASE_SEQUENCER_URL": database.sequencer_url,
    }


def _comity(given: dict[str, str], home: Path, *line: str) -> None:
    done = subprocess.run([sys.executable, "-c", MAIN, *line], env=given, cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"comity {' '.join(line)}: {done.stdout}{done.stderr}")


def _dump(database: Database) -> str:
    command = [str(packaged_binaries() / "pg_dump"), "--inserts", "--rows-per-insert=500", database.superuser_url]
    done: Any = subprocess.run(command, capture_output=True, text=True, check=True)
    return LINE_ONLY_FOR_PSQL.sub("", done.stdout)


if __name__ == "__main__":
    to = Path(sys.argv[1])
    to.mkdir(parents=True, exist_ok=True)
    for story in AFTERWARDS:
        record(story, to)
