"""Puts the node together: database, start-up check, keys, and what the pillars add. The one importer of pillars."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comity.config import file_stores, paths
from comity.config.database import Database, migrate, open_database
from comity.config.settings import Settings
from comity.config.startup import StartupRefused, check
from comity.errors import Problem
from comity.extensions import Extensions
from comity.problems import STATUSES
from comity.sentences import say

if TYPE_CHECKING:
    from comity.kernel.types.backfill import Backfill
    from comity.kernel.types.catalogue import Catalogue
    from comity.kernel.work.node import Node

ALLOWED = ("comity.pillars.", "comity.formats.")
_kept: list[Database] = []


def open_node(settings: Settings, *, threads: int = 1) -> Node:
    """A node for the life of this process; the embedded database stays up as long. Raises StartupRefused."""
    database = open_database(settings)
    _kept.append(database)
    return node_on(settings, database, threads)


def node_on(settings: Settings, database: Database, threads: int) -> Node:
    """A node on an open database, after the start-up check. Raises StartupRefused."""
    from psycopg_pool import ConnectionPool

    from comity.kernel.work.key_ring import KeyRing
    from comity.kernel.work.node import Node

    migrate(database)
    check(database.app_url)
    pool: ConnectionPool[Any] = ConnectionPool(
        database.app_url,
        min_size=1,
        max_size=2 * threads + 2,  # drawing a number opens a second, short transaction beside that of the verb
        open=True,
        name="comity",
        timeout=10,
        kwargs={"application_name": "comity"},
    )
    return Node(
        pool=pool, home=settings.home, keys=KeyRing(settings.keys), files=file_stores.opened(settings),
        extensions=extensions(),
        outward=settings.webhook_allow, outbox_days=settings.outbox_days, refusal_days=settings.refusal_days,
        backfill=backfill(),
    )  # fmt: skip


def as_problem(refused: StartupRefused) -> Problem:
    """A start-up refusal as a way in shows it: under its own code where it has one, with the cause beside it."""
    code = "unavailable" if refused.code == "database_unreachable" else "startup_refused"
    if refused.code in STATUSES:
        code = refused.code
    return Problem(code, refused.message, fix=refused.fix, cause=refused.code)


def core_files(root: Path | None = None) -> Mapping[str, str]:
    """The definition files of all pillars, or of those below `root`: the core layer."""
    from comity.kernel.definitions.load import read_core

    return read_core(root or paths.pillars())


@lru_cache(maxsize=1)
def backfill() -> Backfill:
    """What definitions that older versions installed leave unsaid (backfill.yml, beside this file)."""
    from comity.kernel.types.backfill import Backfill

    path = Path(__file__).with_name("backfill.yml")
    return Backfill.read(path.name, path.read_text("utf-8"))


@lru_cache(maxsize=1)
def core_catalogue() -> Catalogue:
    """The core types without any agency's layer: the same for every caller."""
    from comity.kernel.definitions.load import load

    return load(core_files())


@lru_cache(maxsize=1)
def extensions() -> Extensions:
    """What the pillars' `pillar.yml` name under `extensions`, imported."""
    found: dict[str, dict[str, Callable[..., Any]]] = {"calculations": {}, "packages": {}}
    for pillar in sorted(paths.pillars().glob("*/pillar.yml")):
        for kind, named in _named(pillar).items():
            for name, target in named.items():
                whole = name if "." in name else f"{pillar.parent.name}.{name}"
                found[kind][whole] = _imported(target, pillar)
    return Extensions(**found)


def _named(pillar: Path) -> Mapping[str, Mapping[str, str]]:
    import yaml

    held: Mapping[str, Mapping[str, str]] = (yaml.safe_load(pillar.read_text("utf-8")) or {}).get("extensions") or {}
    return held


def _imported(target: str, pillar: Path) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    if not module.startswith(ALLOWED):
        raise StartupRefused(
            "extension_refused",
            say("extension_refused.lies_outside_pillars", name=pillar.parent.name, target=target),
        )
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
