"""The command `comity` in this process, on a node with three agencies and a seat for each of its people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comity.cli import credentials
from comity.cli.app import run
from comity.config.database import Database
from comity.config.main import services
from comity.config.settings import Settings
from tests.institutions import furnished, idle_office, seated


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be exactly one JSON document."""
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture(scope="session")
def people(database: Database, node_settings: Settings) -> Path:
    """The home whose keys hold a token for every seat."""
    node = furnished(database, node_settings)
    for issued in seated(node).values():
        credentials.remember(
            node_settings.home, agency=issued.agency, member=issued.member, name=issued.name, token=issued.token
        )
    node.close()
    return node_settings.home


@pytest.fixture
def comity(people: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv("COMITY_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Said:
        capfd.readouterr()
        code = run(services(), arguments)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def idle(people: Path, database: Database, node_settings: Settings) -> tuple[str, ...]:
    """The options of a seat at an agency that has entered nothing, whatever the others have."""
    node = furnished(database, node_settings)
    issued = idle_office(node)
    node.close()
    credentials.remember(people, agency=issued.agency, member=issued.member, name=issued.name, token=issued.token)
    return ("--as", issued.agency)


AGENT = ("--as", "atf", "--seat", "Special Agent Rivera")
SUPERVISOR = ("--as", "atf", "--seat", "Okafor")


@pytest.fixture
def case(comity: Command) -> Any:
    said = comity(
        "enter", "investigation.case", *AGENT, "--json", "--set", "title=Straw purchases", "--set", "program=firearms",
        "--set", "opened=2026-11-20",
    )  # fmt: skip
    assert said.code == 0, said
    return said.json


@pytest.fixture
def count(comity: Command) -> str:
    """A proposed count of an offence of 17 March 2023."""
    case = comity(
        "enter", "investigation.case", *AGENT, "--json", "--set", "title=Due", "--set", "program=firearms",
        "--set", "opened=2026-10-05", "--set", "summary=Sample",
    ).json  # fmt: skip
    person = comity(
        "enter", "registry.person", *AGENT, "--json", "--set", "name=Ansel Reed", "--set", "role=subject"
    ).json
    made = comity(
        "enter", "investigation.offense", *AGENT, "--json", "--set", "statute=18 USC 922(g)(1)",
        "--set", "offense_date=2023-03-17", "--set", "count=1", "--link", f"case={case['record']}",
        "--link", f"subject={person['record']}",
    )  # fmt: skip
    assert made.code == 0, made
    return str(made.json["record"])
