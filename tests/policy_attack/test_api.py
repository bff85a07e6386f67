"""Two thousand probes over HTTP: the same matrix, and refusals that tell nothing, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from comity import __version__
from comity.api import service
from comity.config import loader, wsgi
from comity.config.identities import IDENTITIES
from comity.config.settings import Settings
from tests.policy_attack.planting import Garden
from tests.policy_attack.test_verbs import SEATS as EVERY_SEAT
from tests.policy_attack.test_verbs import Opponent
from tests.speeds.sizes import size
from tests.world import World

SEATS = size(
    small=[
        ("cpd", "detective"), ("cpd", "property_clerk"), ("atf", "special_agent"), ("dea", "special_agent"),
        ("fsl", "evidence_technician"), ("usao", "clerk"),
    ],
    deep=EVERY_SEAT,
)  # fmt: skip
ENOUGH = 350
Call = Callable[..., Any]


@pytest.fixture
def call(world: World, node_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """`call(seat, method, path, body)` at the HTTP way in, on the world's node; another test's service comes back."""
    from django.test import Client

    with monkeypatch.context() as patch:
        patch.setattr(service, "attach", lambda _: None)
        wsgi.make(node_settings)
    held = service.Service(
        open_node=lambda: world.node, core=loader.core_catalogue, version=__version__, identities=IDENTITIES
    )
    monkeypatch.setattr(service, "_service", held)
    monkeypatch.setattr(service, "_node", world.node)
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")

    def asked(seat: str, method: str, path: str, body: Any = None, query: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {world.issued[seat].token}", **headers}
        data = b"" if body is None else json.dumps(body).encode()
        return client.generic(
            method, f"/api/v1{path}", data, content_type="application/json", headers=sent, query_params=query
        )

    yield asked


def said(response: Any) -> Any:
    """Status, headers and body, as one looks at them."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return [response.status_code, dict(response.headers), body.decode("utf-8", "replace")]


@pytest.mark.parametrize(("agency", "role"), SEATS)
def test_no_answer_shows_what_the_matrix_does_not_allow(
    world: World, garden: Garden, call: Call, agency: str, role: str
) -> None:
    seat = world.seat(agency, role)
    opponent = Opponent(garden, world.seats[seat])

    def probe(method: str, path: str, body: Any = None, query: Any = None, **headers: str) -> Any:
        response = call(seat, method, path, body, query, **headers)
        named = {path, *map(str, (query or {}).values())}
        assert response.status_code < 500, (method, path, said(response))
        opponent.check(said(response), named, f"{agency} {role} {method} {path} {query}")
        opponent.asked += 1
        return response

    for one in garden.all:
        at = f"/records/id/{one.id}"
        assert (probe("GET", at).status_code == 200) == (one.id in opponent.may.ids), one.name
        probe("GET", f"{at}/history")
        probe("GET", f"/types/{one.type}")
        if one.file:
            probe("GET", f"/files/{one.file}")
        word = next(iter(sorted(next(iter(one.fields.values()), {"x"}))))
        probe("GET", f"/records/{one.type}", query={"q": word})
        if one.agency != agency:
            answers = [
                probe("PATCH", at, {"fields": {"title": "x"}}, **{"If-Match": '"v1"'}),
                probe("POST", f"{at}/acts/close", {"reason": "x"}),
                probe("POST", f"{at}/answers/no_such_answer", {"reason": "x"}),
            ]
            assert all(answer.status_code in (403, 404, 412, 422) for answer in answers), one.name
            if one.id not in opponent.may.ids:
                assert all(answer.status_code == 404 for answer in answers), one.name
    for path in ("/inbox", "/me", "/emergencies"):
        probe("GET", path)
    assert opponent.asked >= ENOUGH


def test_absent_and_forbidden_are_the_same_bytes(world: World, garden: Garden, call: Call) -> None:
    """The body and the headers of each refusal, but for the request's own reference and the id that was asked for."""
    hidden = garden["atf.document"]
    ((entry,),) = world.rows("atf", "select id::text from comity.entry where record = %s and version = 1", hidden.id)
    asked = [
        ("GET", "/records/id/{}", None, hidden.id), ("GET", "/records/id/{}/history", None, hidden.id),
        ("PATCH", "/records/id/{}", {"fields": {"title": "x"}}, hidden.id),
        ("POST", "/records/id/{}/acts/supersede", {"reason": "x"}, hidden.id),
        ("POST", "/records/id/{}/answers/accepted", {}, hidden.id),
        ("POST", "/records/id/{}/emergency", {"reason": "x"}, hidden.id),
        ("POST", "/records/id/{}/submissions?to=usao", {}, hidden.id),
        ("POST", "/records/id/{}/files?name=x", {}, hidden.id),
        ("GET", "/files/{}", None, hidden.file), ("GET", "/entries/{}", None, entry),
    ]  # fmt: skip
    for method, path, body, known in asked:
        absent = str(uuid4())
        told = []
        for one in (known, absent):
            response = call("dea_agent", method, path.format(one), body, **{"If-Match": '"v1"'})
            assert response.status_code == 404, (method, path, response.content)
            reference = response.headers["Comity-Request"]
            plain = response.content.replace(reference.encode(), b"-").replace(one.encode(), b"-")
            headers = {name: value for name, value in response.headers.items() if name != "Comity-Request"}
            told.append((plain, headers))
        assert told[0] == told[1], (method, path)


def test_no_token_or_a_wrong_one_reads_nothing(world: World, garden: Garden, call: Call) -> None:
    for token in ("", "x", "comity_" + "A" * 43):
        for path in (f"/records/id/{garden['atf.person'].id}", "/records/registry.person", "/inbox", "/types"):
            response = call("atf_agent", "GET", path, Authorization=f"Bearer {token}")
            assert response.status_code == 401
            assert garden["atf.person"].id not in response.content.decode()


def test_a_stated_purpose_opens_nothing_that_no_agreement_names(world: World, garden: Garden, call: Call) -> None:
    for purpose, status in (
        ("investigation", 200),
        ("curiosity", 400),
        ("prosecution", 404),
        ("Investigation' or true", 400),
    ):
        response = call("dea_agent", "GET", f"/records/id/{garden['cpd.incident'].id}", **{"Comity-Purpose": purpose})
        assert response.status_code == status, purpose
