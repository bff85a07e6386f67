"""`comity reconcile` as an office runs it: the page, the document, the exit code."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from comity import clock
from comity.cli import seats
from comity.cli.app import run
from comity.config.main import ways
from comity.kernel.policy import tokens
from comity.kernel.records.read import read
from tests.orders.flow import Release
from tests.pillars.stage import Stage


@pytest.fixture
def clerk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a clerk with a seat on this machine."""
    name = "D. Clerk"
    if name not in stage.seats:
        issued = tokens.admit(stage.node, "usdc", name, ["deputy_clerk"])
        stage.seats[name] = tokens.sign_in(stage.node, issued.token)
        seats.remember(stage.node.home, agency="usdc", member=issued.member, name=name, token=issued.token)
    monkeypatch.setenv("COMITY_HOME", str(stage.node.home))
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.delenv("COMITY_TOKEN", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return name


def test_the_exit_code_says_whether_there_is_a_difference(
    stage: Stage, clerk: str, capfd: pytest.CaptureFixture[str]
) -> None:
    played = Release(stage, "acknowledgment of pretrial").played()
    number = str(read(stage.node, stage.seats["clerk"], played.made["case"]).number)
    capfd.readouterr()
    assert run(ways(), ["reconcile", "--as", "usdc", "--seat", clerk, "--case", number]) == 0
    page = capfd.readouterr().out
    assert "open, within its time" in page
    assert "pretrial has not acknowledged" in page
    later = clock.show_instant(clock.now() + timedelta(days=2))
    assert run(ways(), ["reconcile", "--as", "usdc", "--case", number, "--at", later, "--json"]) == 1
    told = json.loads(capfd.readouterr().out)
    assert [(one["code"], one["owed_by"], one["state"]) for one in told["differences"]] == [
        ("acknowledged", "pretrial", "difference")
    ]
    assert told["given"] == told["done"] + len(told["open"]) + len(told["differences"])
    assert run(ways(), ["reconcile", "--as", "usdc", "--case", "USDC-C1999-99999"]) == 3


def test_who_sent_a_detainer_reads_that_nothing_stands_for_it(
    stage: Stage, clerk: str, capfd: pytest.CaptureFixture[str]
) -> None:
    issued = tokens.admit(stage.node, "state-police", f"{clerk} of warrants", ["warrants_sergeant"])
    seats.remember(
        stage.node.home, agency="state-police", member=issued.member, name=f"{clerk} of warrants", token=issued.token
    )
    wanted = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "S. Sample"})
    detainer = stage.enter("sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, person=wanted)
    said = "nothing of theirs stands for it yet"
    for state in ("offered", "lodged"):
        capfd.readouterr()
        assert run(ways(), ["show", detainer, "--as", "state-police", "--seat", f"{clerk} of warrants"]) == 0
        assert (said in capfd.readouterr().out) is (state == "lodged")
        if state == "offered":
            stage.answer("records", detainer, "lodged", lodged_at=clock.show_instant(clock.now()))
