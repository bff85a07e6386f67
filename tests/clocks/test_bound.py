"""Clocks of a district that the records of police and court start and stop by themselves. Those of a federal court's
records are in tests/orders/test_command.py, where such a court sits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from comity import clock
from comity.kernel.duties.clocks import due
from comity.kernel.policy.actor import Actor
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.views.read import read
from comity.kernel.work.node import Node
from tests.world import instant

Start = Callable[["District"], str]
Stop = Callable[["District", str], Any]


def day(ago: int = 0) -> str:
    """The day in India, which for some hours is the next of UTC's: what is done now is not done the day before."""
    return (clock.today("Asia/Kolkata") - timedelta(days=ago)).isoformat()


class District:
    """Verbs by the short name of an institution."""

    def __init__(self, node: Node, seats: Mapping[str, Actor]) -> None:
        self.node, self.seats = node, seats

    def enter(self, seat: str, type: str, fields: Mapping[str, Any], **links: str) -> str:
        held = {name: [one] for name, one in links.items()}
        return enter(self.node, self.seats[f"in-{seat}"], type, fields, links=held).record

    def act(self, seat: str, record: str, name: str, reason: str | None = None, **fields: Any) -> None:
        act(self.node, self.seats[f"in-{seat}"], record, name, fields=fields, reason=reason)

    def stands(self, seat: str, record: str, days: int = 0) -> dict[str, str]:
        at = clock.now() + timedelta(days=days)
        found = due(self.node, self.seats[f"in-{seat}"], record, at=at).dues
        return {one.rule.removeprefix("india.clocks_"): one.standing for one in found}


@pytest.fixture(scope="module")
def on(node: Node, district: Mapping[str, Actor]) -> District:
    return District(node, district)


def fir(on: District) -> str:
    return on.enter(
        "police", "india.fir", {"sections": "BNS 303(2)", "received_at": instant(), "information": "Sample."}
    )


def case(on: District) -> str:
    fields = {"program": "property_crime", "opened": day(), "title": "Sample", "summary": "Sample."}
    return on.enter("police", "investigation.case", fields)


def diary(on: District, made: str) -> None:
    fields = {"subject_line": "Day's work", "activity": "interview", "narrative": "Sample.", "occurred": instant()}
    with clock.at(clock.now() + timedelta(days=3)):
        on.enter("police", "investigation.report", {**fields, "occurred": instant()}, case=made)


def closed(on: District, made: str) -> None:
    on.act("police", made, "close", "Sample", clearance="administratively_closed")


def produced(on: District) -> str:
    fields = {
        "description": "Phone", "category": "digital_device", "origin": "seized", "legal_basis": "warrant",
        "taken_at": instant(), "seal_number": "S 1",
    }  # fmt: skip
    made = on.enter("police", "evidence.item", fields)
    on.act("police", made, "book")
    on.act("police", made, "store", storage_location="Shelf 1")
    on.act("police", made, "check_out", "Called for by the court", out_to="court")
    return made


def change(on: District, seat: str, made: str, **fields: Any) -> None:
    actor = on.seats[f"in-{seat}"]
    amend(on.node, actor, made, version=read(on.node, actor, made).version, fields=fields)


def described(on: District, made: str) -> None:
    change(on, "police", made, **{"india:statement_on": day()})


def pronounced(on: District, made: str) -> None:
    change(on, "court", made, pronounced_on=day())


def sent(on: District, made: str) -> None:
    on.act("police", made, "send", sent_on=day())


def argued(on: District) -> str:
    party = on.enter("court", "registry.person", {"role": "defendant", "name": "Sample"})
    fields = {"kind": "criminal", "caption": "State v. Sample", "opened_on": day(), "prosecution": "in-police"}
    held = on.enter("court", "court.case", fields, defendant=party)
    fields = {"kind": "acquittal", "rests_on": "bench_trial", "india:arguments_ended_on": day(2)}
    return on.enter("court", "court.judgment", fields, case=held, defendant=party)


def memo(on: District) -> str:
    fields = {"made_at": instant(), "kind": "produced", "recorded": True}
    return on.enter("police", "india.seizure_memo", fields, fir=fir(on), item=produced(on))


def filed(on: District) -> str:
    fields = {
        "court": "in-court", "outcome": "closure_untraced", "accused_status": "not_arrested", "completed_on": day(),
        "facts": "Nobody was found.",
    }  # fmt: skip
    return on.enter("police", "india.police_report", fields, fir=fir(on))


def objected(on: District, made: str) -> None:
    answer(on.node, on.seats["in-court"], made, "objected", fields={"objections": "Page 2 is missing."})


@pytest.mark.parametrize(
    ("rule", "seat", "start", "standing", "stop", "ended", "days"),
    [
        ("trial.procedure_code", "police", fir, "answered", None, "answered", 0),
        ("trial.case_diary", "police", case, "overdue", diary, "running", 3),
        ("trial.case_diary", "police", case, "running", closed, "done", 0),
        ("trial.property_statement", "police", produced, "running", described, "done", 0),
        ("trial.judgment_any", "court", argued, "running", pronounced, "done", 0),
        ("investigation.report_contents", "police", filed, "undecided", objected, "done", 0),
        ("investigation.search_copies", "police", memo, "undecided", sent, "done", 0),
    ],
)  # fmt: skip
def test_a_record_starts_its_clock_and_stops_it(
    on: District, rule: str, seat: str, start: Start, standing: str, stop: Stop | None, ended: str, days: int
) -> None:
    made = start(on)
    assert on.stands(seat, made, days).get(rule) == standing
    if stop is not None:
        stop(on, made)
    assert on.stands(seat, made, days)[rule] == ended
