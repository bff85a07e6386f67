"""What the commands need from `config`, handed down: nothing here imports it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comity.errors import Problem

if TYPE_CHECKING:
    from comity.kernel.policy.identity import Identity
    from comity.kernel.work.node import Node

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Services:
    """Each is a function, so that a command pays only for what it uses.

    `settings` reads the environment; `opened` connects and checks; `refused` turns a start-up refusal into a Problem,
    or gives None for any other error; `identities` are the providers that say who speaks. `serve`, `demo` and
    `database` are whole commands of config.
    """

    settings: Callable[[], Any]
    opened: Callable[[Any], AbstractContextManager[Node]]
    refused: Callable[[BaseException], Problem | None]
    identities: Callable[[], Sequence[Identity]]
    serve: Callable[..., int]
    demo: Callable[..., int]
    examine: Callable[[Any], Sequence[Any]]
    migrate: Callable[[Any], Sequence[str]]
    pending_migrations: Callable[[Any], Sequence[str]]
    database_state: Callable[[Any], Mapping[str, Any]]
    hold_database: Callable[[Any, Callable[[], None]], None]
    stop_database: Callable[[Any], bool]
    core: Callable[[Path | None], Files]
    jurisdictions: Callable[[], Path]
    agencies: Callable[[], Path]


_services: Services | None = None


def attach(given: Services) -> None:
    global _services
    _services = given


def services() -> Services:
    if _services is None:
        raise RuntimeError("no services are attached: comity.config.main does it")
    return _services
