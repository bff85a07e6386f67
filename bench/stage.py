"""The stage of a measurement: a node of its own in a folder that goes away, with the demo's agencies and members."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from comity import clock
from comity.config import demo, loader
from comity.config.database import Database, open_database
from comity.config.settings import Settings, settings
from comity.config.stories import referral
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter_many
from comity.kernel.work.node import Node
from comity.kernel.work.results import Draft, Receipt

AGENCY = "atf"
PERSON = "registry.person"
BATCH = 1_000
_UNSET = ("DATABASE_URL", "DATABASE_ADMIN_URL", "DATABASE_SEQUENCER_URL", "COMITY_TLS_CERT", "COMITY_TLS_KEY")


@dataclass(slots=True)
class Stage:
    settings: Settings
    database: Database
    node: Node
    actor: Actor
    serial: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to find this stage."""
        kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
        return {**kept, "COMITY_HOME": str(self.settings.home), "COMITY_BIND": "127.0.0.1:0"}

    def members(self, count: int) -> list[tokens.Issued]:
        """New members of the agency, each with a token of its own."""
        self.serial += 1
        return [tokens.admit(self.node, AGENCY, f"Bench {self.serial}.{at}", ["special_agent"]) for at in range(count)]

    def fill(self, count: int, seed: int) -> float:
        """Enter `count` invented persons in batches; answers the records entered a second."""
        people = persons(count, seed)
        began = clock.monotonic()
        for at in range(0, count, BATCH):
            drafts = [Draft(PERSON, fields) for fields in people[at : at + BATCH]]
            for answer in enter_many(self.node, self.actor, drafts):
                if not isinstance(answer, Receipt):
                    raise answer
        return count / (clock.monotonic() - began)

    def superuser(self, *statements: str) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)


@contextmanager
def furnished() -> Iterator[Stage]:
    """A stage; its database has ended and its folder is gone when this is left."""
    with tempfile.TemporaryDirectory(prefix="comity-bench-", ignore_cleanup_errors=True) as folder:
        of = settings({"COMITY_HOME": folder, "COMITY_BIND": "127.0.0.1:0"})
        with open_database(of) as database:
            node = loader.node_on(of, database, 4)
            try:
                actors = demo.prepare(node, of, referral.SCRIPT)
                stage = Stage(of, database, node, actors["atf_agent"])
                stage.superuser(
                    "create table public.bench_row (id bigint generated always as identity primary key, body jsonb)",
                    "create table public.bench_key (id uuid primary key, body jsonb not null)",
                    "create table public.bench_copy (id bigint, body jsonb not null)",
                    "create table public.bench_place (place bigint primary key, entry uuid not null, leaf bytea)",
                    "grant all on public.bench_row, public.bench_key, public.bench_copy, public.bench_place"
                    " to comity_app, comity_sequencer",
                )
                yield stage
            finally:
                node.close()
        wait_ended(of.home)


def wait_ended(home: Path) -> None:
    """The embedded server ends shortly after its last user has gone."""
    deadline = clock.monotonic() + 20
    while list(home.rglob("postmaster.pid")) and clock.monotonic() < deadline:
        clock.pause(0.1)


@contextmanager
def child(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with this one, however this one ends; its standard output is read by the caller."""
    tied = f"from comity.config.children import end_with_parent as tie; tie({os.getpid()}); "
    process = subprocess.Popen(
        [sys.executable, "-c", tied + arguments[0], *arguments[1:]],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def persons(count: int, seed: int) -> list[dict[str, Any]]:
    """Invented persons: 400 first names, 8,000 family names, each day of 60 years. Nobody real is meant."""
    chance = random.Random(seed)
    first = [_word(random.Random(f"first {at}"), 2) for at in range(400)]
    family = [_word(random.Random(f"family {at}"), 3) for at in range(8_000)]
    return [
        {
            "role": "subject",
            "name": f"{chance.choice(first)} {chance.choice(family)}",
            "birth_date": f"{chance.randint(1945, 2004)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "phone": f"+1 202 555 {chance.randint(0, 9999):04}",
            "remarks": "Seen at the address that the report names; nothing else is known of this person so far.",
        }
        for _ in range(count)
    ]


def _word(chance: random.Random, syllables: int) -> str:
    made = "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(syllables))
    return made.capitalize() + chance.choice(("n", "r", "s", "l", "k", ""))
