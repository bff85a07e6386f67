"""Acts on behalf at a terminal and over HTTP: the same verbs, the same refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comity import __version__
from comity.api import service
from comity.cli.app import run
from comity.config import loader, wsgi
from comity.config.identities import IDENTITIES
from comity.config.main import services
from comity.config.settings import settings
from tests.membership.stage import District
from tests.pillars.stage import staged
from tests.world import day, instant

Command = Callable[..., tuple[int, Any]]
Call = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("district")


@pytest.fixture(scope="module")
def district(home: Path) -> Iterator[District]:
    with staged(home) as stage:
        yield District(stage.node).open()


@pytest.fixture
def comity(district: District, home: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command as a seat of the district, by the token in its environment."""
    monkeypatch.setenv("COMITY_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")

    def call(seat: str, *arguments: str, page: bool = False) -> tuple[int, Any]:
        monkeypatch.setenv("COMITY_TOKEN", district.tokens[seat])
        capfd.readouterr()
        code = run(services(), [*arguments, *([] if page else ["--json"])])
        out = capfd.readouterr()[0]
        return code, out if page else json.loads(out)

    return call


@pytest.fixture
def call(district: District, home: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The HTTP way in, as a seat of the district; another test's service comes back."""
    from django.test import Client

    with monkeypatch.context() as patch:
        patch.setattr(service, "attach", lambda _: None)
        wsgi.make(settings({"COMITY_HOME": str(home)}))
    held = service.Service(
        open_node=lambda: district.node, core=loader.core_catalogue, version=__version__, identities=IDENTITIES
    )
    monkeypatch.setattr(service, "_service", held)
    monkeypatch.setattr(service, "_node", district.node)
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")

    def asked(seat: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {district.tokens[seat]}", **headers}
        answer = client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=sent)
        return answer.status_code, answer.json()

    return asked


@pytest.fixture(scope="module")
def paper(district: District) -> str:
    return district.document("docket", "Certified copy of the docket")


@pytest.fixture
def outside(district: District) -> Iterator[None]:
    """The court is outside until the test lets it join."""
    district.put("usdc", "outside")
    yield
    district.put("usdc", "outside")


def test_at_a_terminal(district: District, comity: Command, paper: str, outside: None) -> None:
    behalf = ("--on-behalf", "usdc", "--document", paper)
    line = ("enter", "court.case", "--set", "kind=criminal", "--set", "caption=United States v. Pruitt")
    person = district.enter("docket", "registry.person", {"role": "defendant", "name": "Dale Everett Pruitt"})
    line = (*line, "--set", f"opened_on={day()}", "--link", f"defendant={person}")
    assert comity("docket", *line)[1]["code"] == "not_allowed"
    assert comity("docket", *line, "--document", paper)[0] == 2
    assert comity("docket", *line, "--on-behalf", "usdc")[1]["code"] == "document_missing"
    code, case = comity("docket", *line, *behalf)
    assert (code, case["agency"]) == (0, "usao")
    for args in (
        ("act", case["record"], "deactivate", "--reason", "Fugitive"),
        ("act", case["record"], "reactivate", "--reason", "Arrested"),
        ("amend", case["record"], "--version", "3", "--set", "prosecution=usao"),
    ):
        assert comity("docket", *args, *behalf)[0] == 0, args
    filing = district.enter("attorney", "court.filing", {"court": "usdc", "kind": "motion", "title": "Motion"})
    assert comity("docket", "answer", filing, "filed", "--set", f"filed_at={instant()}", *behalf)[0] == 0
    for args in (("show", filing), ("show", case["record"]), ("history", case["record"]), ("find", "court.case")):
        code, page = comity("attorney", *args, page=True)
        assert code == 0 and "as reported by usao for usdc" in " ".join(page.split()), args
    district.join("usdc", **{"clerk one": ["deputy_clerk"]})
    district.tokens["clerk"] = district.tokens["clerk one"]
    code, found = comity("clerk", "reports")
    assert {one["state"] for one in found["items"]} == {"open"} and len(found["items"]) == 5
    assert comity("clerk", "dispute", case["entry"], "--reason", "Another caption")[0] == 0
    assert comity("clerk", "confirm", case["entry"])[0] == 4
    other = next(one["entry"] for one in found["items"] if one["act"] == "deactivate")
    assert comity("clerk", "confirm", other)[1]["state"] == "confirmed"
    code, page = comity("docket", "reports", page=True)
    assert "disputed by usdc" in " ".join(page.split()) and "confirmed by usdc" in " ".join(page.split())
    assert "disputed by usdc" in " ".join(comity("attorney", "show", case["record"], page=True)[1].split())


def test_over_http(district: District, call: Call, paper: str, outside: None) -> None:
    behalf = {"on_behalf": "usdc", "document": paper}
    person = district.enter("docket", "registry.person", {"role": "defendant", "name": "Dale Everett Pruitt"})
    fields = {"kind": "criminal", "caption": "United States v. Pruitt", "opened_on": day()}
    body = {"fields": fields, "links": {"defendant": [person]}}
    assert call("docket", "POST", "/records/court.case", {**body, "document": paper})[1]["code"] == "request_invalid"
    assert call("docket", "POST", "/records/court.case", {**body, "on_behalf": "usdc"})[0] == 422
    assert call("docket", "POST", "/records/court.case", {**body, **behalf, "on_behalf": "usms"})[0] == 409
    status, case = call("docket", "POST", "/records/court.case", {**body, **behalf})
    assert (status, case["agency"]) == (201, "usao")
    at = f"/records/id/{case['record']}"
    assert call("docket", "POST", f"{at}/acts/deactivate", {"reason": "Fugitive", **behalf})[0] == 200
    amended = {"fields": {"prosecution": "usao"}, **behalf}
    assert call("docket", "PATCH", at, amended, **{"If-Match": '"v2"'})[0] == 200
    filing = district.enter("attorney", "court.filing", {"court": "usdc", "kind": "motion", "title": "Motion"})
    answered = {"fields": {"filed_at": instant()}, **behalf}
    assert call("docket", "POST", f"/records/id/{filing}/answers/filed", answered)[0] == 200
    lines = [{"type": "court.docket_entry", "fields": {"entered_on": day(), "text": text},
              "links": {"case": [case["record"]]}} for text in ("One", "Two")]  # fmt: skip
    status, batch = call("docket", "POST", "/batch", {"operations": lines, **behalf})
    assert [one["status"] for one in batch["results"]] == [201, 201]
    seen = call("attorney", "GET", at)[1]
    assert (seen["on_behalf"], seen["reported"]) == ("usdc", "as reported by usao for usdc")
    district.join("usdc", **{"clerk two": ["deputy_clerk"]})
    found = call("clerk two", "GET", "/reports")[1]["items"]
    mine = [one["entry"] for one in found if one["record"] in {case["record"], filing} and one["state"] == "open"]
    assert len(mine) == 4
    assert call("clerk two", "POST", f"/reports/{mine[0]}/dispute", {})[0] == 422
    assert call("clerk two", "POST", f"/reports/{mine[0]}/dispute", {"reason": "Not so"})[0] == 200
    assert call("clerk two", "POST", f"/reports/{mine[0]}/confirm", {})[1]["code"] == "report_judged"
    assert call("clerk two", "POST", f"/reports/{mine[1]}/confirm")[0] == 200
    assert call("marshal", "POST", f"/reports/{mine[2]}/confirm")[0] == 404
    assert {one["kind"] for one in call("docket", "GET", "/inbox")[1]["items"]} >= {"disputed"}
