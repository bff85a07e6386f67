"""`comity reconcile` as an office runs it: the page, the document, the exit code; and the clocks of its records."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from comity import clock
from comity.cli import credentials
from comity.cli.app import run
from comity.config.main import services
from comity.kernel.duties.clocks import due
from comity.kernel.policy import tokens
from comity.kernel.views.read import read
from tests.orders.flow import Release
from tests.pillars.stage import Stage
from tests.world import day, instant


@pytest.fixture
def clerk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a clerk with a seat on this machine."""
    name = "D. Clerk"
    if name not in stage.seats:
        issued = tokens.admit(stage.node, "usdc", name, ["deputy_clerk"])
        stage.seats[name] = tokens.sign_in(stage.node, issued.token)
        credentials.remember(stage.node.home, agency="usdc", member=issued.member, name=name, token=issued.token)
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
    assert run(services(), ["reconcile", "--as", "usdc", "--seat", clerk, "--case", number]) == 0
    page = capfd.readouterr().out
    assert "open, within its time" in page
    assert "pretrial has not acknowledged" in page
    later = clock.show_instant(clock.now() + timedelta(days=2))
    assert run(services(), ["reconcile", "--as", "usdc", "--case", number, "--at", later, "--json"]) == 1
    told = json.loads(capfd.readouterr().out)
    assert [(one["code"], one["owed_by"], one["state"]) for one in told["differences"]] == [
        ("acknowledged", "pretrial", "difference")
    ]
    assert told["given"] == told["done"] + len(told["open"]) + len(told["differences"])
    assert run(services(), ["reconcile", "--as", "usdc", "--case", "USDC-C1999-99999"]) == 3


def docketed(on: Stage, case: str, made: str) -> str:
    on.act("judge", made, "sign")
    line = on.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": "Entered"}, case=case)
    on.act("clerk", made, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    return made


def hearing(on: Stage, of: Release) -> str:
    fields = {"kind": "initial_appearance", "scheduled": instant()}
    made = on.enter("clerk", "court.hearing", fields, case=of.made["case"])
    on.act("clerk", made, "open", held_at=instant())
    return made


def ruling(on: Stage, of: Release) -> str:
    """An order about something: here the case itself."""
    case = of.made["case"]
    fields = {"kind": "other", "title": "Ruling", "terms": "Denied.", "addressees": ["usao"]}
    return docketed(on, case, on.enter("clerk", "court.order", fields, case=case, about=case))


def warrant(kind: str) -> Callable[[Stage, Release], str]:
    def made(on: Stage, of: Release) -> str:
        place = on.enter("clerk", "registry.place", {"address": "1 Sample Street"})
        fields = {"kind": kind, "terms": "As asked.", "addressees": ["usms"], "expires_on": day(-10)}
        one = on.enter("clerk", "court.warrant", fields, case=of.made["case"], place=place)
        return docketed(on, of.made["case"], one)

    return made


def executed(on: Stage, of: Release, made: str) -> None:
    fields = {"court": "usdc", "kind": "return", "title": "Return", "outcome": "executed", "executed_at": instant()}
    service = on.enter("clerk", "court.order_service", {"addressee": "usms", "duty": "search"}, order=made)
    on.answer("marshal", service, "acknowledged", acknowledged_at=instant())
    filing = on.enter("marshal", "court.filing", fields, service=service)
    on.answer("clerk", filing, "filed", filed_at=instant())
    on.act("clerk", made, "record_execution", links={"return": filing})


def item(kind: str) -> Callable[[Stage, Release], str]:
    def made(on: Stage, of: Release) -> str:
        matter = on.enter("attorney", "prosecution.matter", {"title": "Sample", "received_on": day()})
        one = on.enter("attorney", "prosecution.disclosure_item", {"label": kind}, matter=matter)
        on.act("attorney", one, "schedule", **{"class": kind, "due": day(-20)})
        return one

    return made


def withheld(on: Stage, of: Release, made: str) -> None:
    on.act("attorney", made, "withhold", "Privileged", **{"class": "privileged"})


def notice(on: Stage, of: Release) -> str:
    person = on.enter("coordinator", "registry.person", {"role": "victim", "name": "Nora Sample"})
    victim = on.enter("coordinator", "community.victim", {"wants_notice": True, "way": "phone"}, person=person)
    fields = {"event": "release", "message": "Released."}
    return on.enter("coordinator", "community.notice", fields, victim=victim, about=person)


def told(on: Stage, of: Release, made: str) -> None:
    on.act("coordinator", made, "send", way="phone", sent_at=instant())
    on.act("coordinator", made, "record_told", told_at=instant())


def arrival(on: Stage, of: Release) -> str:
    of.held()
    stay = of.made["stay"]
    person = read(on.node, on.seats["intake"], stay).links["person"][0]
    fields = {"receiver": "usms", "reason": "detainer", "planned_for": instant()}
    made = on.enter("records", "custody.transfer", fields, intake=stay, person=person)
    on.answer("marshal", made, "accepted", received_at=instant())
    of.without = "hold on the detainer"
    of.detainer()
    return made


def lifted(on: Stage, of: Release, made: str) -> None:
    on.act("sergeant", of.made["detainer"], "lift", "Recalled")


def served(on: Stage, of: Release, made: str) -> None:
    on.enter("clerk", "court.order_service", {"addressee": "usao", "duty": "take_note"}, order=made)


def nothing(on: Stage, of: Release, made: str) -> None:
    pass


@pytest.mark.parametrize(
    ("rule", "seat", "start", "standing", "stop", "ended"),
    [
        ("trial.trial_not_before", "clerk", hearing, "running", nothing, "running"),
        ("operations.entry_notice", "clerk", ruling, "undecided", served, "done"),
        ("process.search_warrant", "clerk", warrant("search"), "running", executed, "done"),
        ("process.tracker_install", "clerk", warrant("tracking"), "running", executed, "done"),
        ("trial.discovery", "attorney", item("test_report"), "running", withheld, "done"),
        ("trial.expert_disclosure", "attorney", item("expert"), "running", withheld, "done"),
        ("process.victim_notice", "coordinator", notice, "undecided", told, "done"),
        ("trial.detainer_arrival", "records", arrival, "running", lifted, "done"),
    ],
)
def test_a_record_starts_its_clock_and_stops_it(
    stage: Stage, rule: str, seat: str, start: Callable[[Stage, Release], str], standing: str,
    stop: Callable[[Stage, Release, str], None], ended: str,
) -> None:  # fmt: skip
    played = Release(stage)
    played.ordered()
    made = start(stage, played)

    def stands() -> dict[str, str]:
        found = due(stage.node, stage.seats[seat], made).dues
        return {one.rule.removeprefix("us-federal.clocks_"): one.standing for one in found if one.record == made}

    assert stands().get(rule) == standing
    stop(stage, played, made)
    assert stands()[rule] == ended
    if "search" in rule:
        assert stands()["process.search_return"] == "done", "an execution is recorded with its return"


def test_who_sent_a_detainer_reads_that_nothing_stands_for_it(
    stage: Stage, clerk: str, capfd: pytest.CaptureFixture[str]
) -> None:
    issued = tokens.admit(stage.node, "state-police", f"{clerk} of warrants", ["warrants_sergeant"])
    credentials.remember(
        stage.node.home, agency="state-police", member=issued.member, name=f"{clerk} of warrants", token=issued.token
    )
    wanted = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "S. Sample"})
    detainer = stage.enter("sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, person=wanted)
    said = "nothing of theirs stands for it yet"
    for state in ("offered", "lodged"):
        capfd.readouterr()
        assert run(services(), ["show", detainer, "--as", "state-police", "--seat", f"{clerk} of warrants"]) == 0
        assert (said in capfd.readouterr().out) is (state == "lodged")
        if state == "offered":
            stage.answer("records", detainer, "lodged", lodged_at=clock.show_instant(clock.now()))
