"""The console script `comity`. Everything else is imported by the command that needs it: help is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comity.cli import app
from comity.cli.services import Services
from comity.config import paths
from comity.config.settings import Settings, settings
from comity.config.startup import StartupRefused
from comity.errors import Problem

if TYPE_CHECKING:
    from comity.config.doctor import Finding
    from comity.kernel.policy.identity import Identity
    from comity.kernel.work.node import Node


def main() -> None:
    sys.exit(app.run(services(), sys.argv[1:]))


def services() -> Services:
    return Services(
        settings=settings,
        opened=_opened,
        refused=_refused,
        identities=_identities,
        serve=_serve,
        demo=_demo,
        examine=_examine,
        migrate=_migrate,
        pending_migrations=_pending_migrations,
        database_state=_database_state,
        hold_database=_hold_database,
        stop_database=_stop_database,
        core=_core,
        jurisdictions=paths.jurisdictions,
        agencies=paths.agencies,
    )


def _opened(of: Settings) -> AbstractContextManager[Node]:
    from comity.config.command_node import opened

    return opened(of)


def _refused(error: BaseException) -> Problem | None:
    if not isinstance(error, StartupRefused):
        return None
    from comity.config.loader import as_problem

    return as_problem(error)


def _identities() -> Sequence[Identity]:
    from comity.config.identities import IDENTITIES

    return IDENTITIES


def _serve(of: Settings, *, as_json: bool) -> int:
    from comity.config.serve import serve

    return serve(of, as_json=as_json)


def _demo(of: Settings, *, story: str, outside: Sequence[str], serve: bool, as_json: bool) -> int:
    from comity.config.demo import run

    return int(run(of, story=story, outside=outside, serve=serve, as_json=as_json))


def _examine(of: Settings) -> Sequence[Finding]:
    from comity.config.doctor import examine

    return examine(of)


def _migrate(of: Settings) -> Sequence[str]:
    from comity.config.database import migrate, open_database

    with open_database(of) as database:
        return migrate(database)


def _pending_migrations(of: Settings) -> Sequence[str]:
    from comity.config.database import open_database, pending_migrations

    with open_database(of) as database:
        return pending_migrations(database.owner_url or database.app_url)


def _database_state(of: Settings) -> Mapping[str, Any]:
    from comity.config.client_session import state

    return state(of)


def _hold_database(of: Settings, ready: Callable[[], None]) -> None:
    from comity.config.client_session import hold

    hold(of, ready)


def _stop_database(of: Settings) -> bool:
    from comity.config.client_session import stop

    return stop(of)


def _core(root: Path | None) -> Mapping[str, str]:
    from comity.config.loader import core_files

    return core_files(root)
