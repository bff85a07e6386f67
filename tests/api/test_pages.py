"""A record's page says the same words on the command line, over HTTP and as plain HTML, in English and in Hindi."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from comity.cli.app import run
from comity.config import loader, paths
from comity.config.main import services
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from comity.kernel.work.node import Node
from tests.api.conftest import Caller

SCRIPT = Path(__file__).parents[2] / "docs" / "page_as_html.py"


@pytest.fixture(scope="module")
def officer(call: Callable[[str], Caller], node: Node) -> Caller:
    """An investigating officer of an Indian police station, at the API."""
    install(
        node, tokens.operator(), agency="in-police", core=loader.core_files(),
        jurisdiction=read_folder(paths.jurisdictions() / "india"), own=read_folder(paths.agencies() / "in-police"),
    )  # fmt: skip
    issued = tokens.admit(node, "in-police", "SI A. Kumari", ["investigating_officer", "station_house_officer"])
    return Caller(call("").client, issued.token)


@pytest.fixture(scope="module")
def fir(officer: Caller) -> str:
    """A first information report on an accused and an informant, of which a copy was given; markup in its words."""

    def enter(type: str, fields: dict[str, Any], **rest: Any) -> str:
        answer = officer("POST", f"/records/{type}", {"fields": fields, **rest})
        assert answer.status_code == 201, answer.content
        return str(answer.json()["record"])

    accused = enter("registry.person", {"role": "subject", "name": "अर्जुन नमूना"})
    informant = enter("registry.person", {"role": "complainant", "name": "Meera <b>Namuna</b>"})
    made = enter(
        "india.fir",
        {"sections": "BNS 303(2)", "received_at": "2026-10-01T21:10:00+05:30", "information": "<i>A phone</i> & more",
         "occurred_from": "2026-10-01T20:00:00+05:30", "zero_fir": False},
        links={"accused": [accused], "informant": [informant]}, late_cause="The server was down",
    )  # fmt: skip
    done = officer("POST", f"/records/id/{made}/acts/give_copy", {"fields": {"copy_given_on": "2026-10-02"}})
    assert done.status_code == 200, done.content
    return made


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(application: Any) -> Iterator[str]:
    """The API as a program on this machine reaches it."""
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v1"
        server.shutdown()
        thread.join()


def words(page: dict[str, Any]) -> list[str]:
    """All that a page says, in its order, apart from the headings of its parts."""
    out = [page["label"], page["number"], page["caption"], page["state_label"], page["version"], page["whose"]]
    out += [*page["notices"], *(one["text"] for one in page["marks"]), page["earlier"]]
    for part in ("featured", "lines", "links", "linked_from", "files", "about", "entered", "due", "owed", "acts"):
        for one in page[part]:
            out += [one["label"], *one["texts"]]
    out += [text for one in page["timeline"] for text in one["texts"]]
    return [one for one in out if one]


def squeezed(text: str) -> str:
    """Without the breaks and blanks by which a page is laid out."""
    return "".join(text.split())


@pytest.mark.parametrize(
    ("language", "some"),
    [
        (
            "en",
            ["First information report", "Registered", "Sections of law", "Copy given to the informant", "Give copy"],
        ),
        ("hi", ["प्रथम सूचना रिपोर्ट", "पंजीकृत", "सूचना प्राप्ति का समय", "अभियुक्त", "दर्ज करना"]),
    ],
)
def test_three_ways_out_say_the_same_words_of_one_model(
    language: str, some: list[str], officer: Caller, fir: str, address: str, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    answer = officer("GET", f"/records/id/{fir}", query={"page": "true", "language": language})
    assert answer.status_code == 200, answer.content
    page = answer.json()["page"]
    said = words(page)
    labels = {one for one in said if one in some}
    assert len(labels) >= 4, (some, said)
    monkeypatch.setenv("COMITY_TOKEN", officer.token)
    monkeypatch.setenv("COLUMNS", "400")
    capfd.readouterr()
    assert run(services(), ["show", fir, "--language", language]) == 0
    shown = squeezed(capfd.readouterr().out)
    assert [one for one in said if squeezed(one) not in shown] == []
    done = subprocess.run(
        [sys.executable, str(SCRIPT), address, fir, language], capture_output=True, text=True, timeout=120, check=True
    )
    texts = {html.unescape(one) for one in re.findall(r">([^<>]+)<", done.stdout) if one.strip()}
    assert texts == {*said, *page["headings"].values()} - {page["headings"]["answers_open"]} - _unused(page)
    assert "<i>" not in done.stdout and "&lt;i&gt;A phone&lt;/i&gt; &amp; more" in done.stdout
    assert len(SCRIPT.read_text("utf-8").splitlines()) <= 40


def _unused(page: dict[str, Any]) -> set[str]:
    """The headings of parts that this page has not."""
    return {page["headings"][part] for part in ("due", "owed") if not page[part]} | (
        set() if page["offer"] else {page["headings"]["offered"]}
    )


def test_the_readers_language_is_asked_for_or_preferred(officer: Caller, fir: str) -> None:
    def label(accepted: str = "", **query: str) -> str:
        answer = officer(
            "GET", f"/records/id/{fir}", headers={"Accept-Language": accepted}, query={"page": "true", **query}
        )
        assert answer.status_code == 200, answer.content
        assert "Accept-Language" in answer["Vary"]
        return str(answer.json()["page"]["label"])

    english, hindi = "First information report", "प्रथम सूचना रिपोर्ट"
    assert label() == english
    assert label("hi-IN,en;q=0.5") == hindi and label("fr, hi;q=0.4, en;q=0.3") == hindi
    assert label("fr") == english and label("hi;q=0, en") == english and label("hi;q=x,en") == english
    assert label("en", language="hi") == hindi and label("hi", language="en") == english
    unknown = officer("GET", f"/records/id/{fir}", query={"page": "true", "language": "fr"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "request_invalid")


def test_a_type_keeps_all_its_labels_in_another_language(officer: Caller) -> None:
    found = officer("GET", "/types/india.fir", query={"language": "hi"}).json()
    assert found["title"] == "प्रथम सूचना रिपोर्ट" and found["groups"]["narrative"] == "सूचना"
    assert found["states"]["registered"]["label"] == "पंजीकृत"
    assert found["acts"]["transfer"]["label"] == "अंतरित करना"
    assert [one["message"] for one in found["acts"]["transfer"]["conditions"]] == [
        "केवल जीरो एफआईआर दूसरे थाने को अंतरित होती है।"
    ]
    form = {one["name"]: one for one in found["form"]["fields"]}
    assert found["form"]["open"] and form["sections"]["label"] == "विधि की धाराएँ" and form["sections"]["required"]
    person = officer("GET", "/types/registry.person", query={"language": "hi"}).json()["fields"]["sex"]["values"]
    assert person["female"] == "महिला"
    court = officer("GET", "/types/court.filing", query={"language": "hi"}).json()
    assert court["answers"]["filed"]["label"] == "दाखिल" and court["ends"]["withdrawn"]["label"] == "प्रत्याहृत"
    listed = officer("GET", "/types", query={"language": "hi"}).json()["items"]
    assert {"india.fir": "प्रथम सूचना रिपोर्ट"}.items() <= {one["type"]: one["title"] for one in listed}.items()


def test_a_list_has_its_page_beside_its_items(officer: Caller, fir: str) -> None:
    plain = officer("GET", "/records/india.fir").json()
    worded = officer("GET", "/records/india.fir", query={"page": "true", "language": "hi"}).json()
    assert "page" not in plain and worded["items"] == plain["items"]
    page = worded["page"]
    assert page["label"] == "प्रथम सूचना रिपोर्ट" and [one["label"] for one in page["columns"]][1:4] == [
        "विधि की धाराएँ", "सूचना प्राप्ति का समय", "अभियुक्त"
    ]  # fmt: skip
    row = next(one for one in page["rows"] if one["id"] == fir)
    assert [cell["texts"] for cell in row["cells"]][3:5] == [["अर्जुन नमूना"], ["Meera <b>Namuna</b>"]]


def test_without_asking_a_record_is_answered_as_before(officer: Caller, fir: str) -> None:
    plain = officer("GET", f"/records/id/{fir}")
    worded = officer("GET", f"/records/id/{fir}", query={"page": "true"})
    assert "page" not in plain.json()
    assert {name: one for name, one in worded.json().items() if name != "page"} == plain.json()
    assert plain["ETag"] != worded["ETag"] and worded["ETag"].startswith('"v')
