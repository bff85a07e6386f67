"""The HTTP way in, as Django serves it, on a node with three agencies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from comity.config.database import Database
from comity.config.settings import Settings
from comity.kernel.policy.tokens import Issued
from comity.kernel.work.node import Node
from tests.institutions import furnished, idle_office, seated


@pytest.fixture(scope="session")
def node(database: Database, node_settings: Settings) -> Iterator[Node]:
    made = furnished(database, node_settings)
    yield made
    made.close()


@pytest.fixture(scope="session")
def seats(node: Node) -> Mapping[str, Issued]:
    return seated(node)


@pytest.fixture(scope="session")
def application(node: Node, node_settings: Settings) -> Any:
    """The WSGI application, with the test's node in place of one of its own."""
    from comity import __version__
    from comity.api import service
    from comity.config import loader, wsgi
    from comity.config.identities import IDENTITIES

    made = wsgi.make(node_settings)
    service.attach(
        service.Service(
            open_node=lambda: node, core=loader.core_catalogue, version=__version__, identities=IDENTITIES
        )
    )  # fmt: skip
    return made


@dataclass(frozen=True)
class Caller:
    """One seat at the API: sends a request and gives the response, its JSON beside it."""

    client: Any
    token: str

    def __call__(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None,
        raw: bytes | None = None, content_type: str = "application/json", query: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.client.generic(
            method, f"/api/v1{path}", data, content_type=content_type, headers={**sent, **(headers or {})},
            query_params=query,
        )  # fmt: skip


@pytest.fixture(scope="session")
def call(application: Any, seats: Mapping[str, Issued]) -> Callable[[str], Caller]:
    """`call("agent")` is the special agent's seat; `call("")` bears no token."""
    from django.test import Client

    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    return lambda seat: Caller(client, seats[seat].token if seat else "")


@pytest.fixture
def idle(call: Callable[[str], Caller], node: Node) -> Caller:
    """The seat of an agency that has entered nothing, whatever the others have."""
    return Caller(call("").client, idle_office(node).token)


@pytest.fixture
def case(call: Callable[[str], Caller]) -> Any:
    """A case of ATF, just entered: the receipt."""
    response = call("agent")("POST", "/records/investigation.case", CASE)
    assert response.status_code == 201, response.content
    return response.json()


CASE = {"fields": {"title": "Straw purchases on the west side", "program": "firearms", "opened": "2026-11-20"}}
