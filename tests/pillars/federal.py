"""What a federal court and its addressees do again and again: enter an order, serve it, return it."""

from __future__ import annotations

from tests.pillars.stage import Stage
from tests.world import day, instant

AGENCIES = ("usao", "usdc", "usms", "detention", "pretrial", "defender", "state-police", "atf")
SEATS = (
    ("usao", "attorney", "attorney"),
    ("usao", "coordinator", "victim_coordinator"),
    ("usdc", "judge", "magistrate_judge"),
    ("usdc", "clerk", "deputy_clerk"),
    ("usms", "marshal", "deputy_marshal"),
    ("detention", "intake", "intake_officer"),
    ("detention", "records", "records_officer"),
    ("detention", "shift", "shift_supervisor"),
    ("pretrial", "pretrial", "pretrial_officer"),
    ("defender", "counsel", "assistant_defender"),
    ("state-police", "sergeant", "warrants_sergeant"),
)
NAME = {"name": "Dale Everett Pruitt", "birth_date": "1987-03-14"}
made: dict[str, str] = {}
"""The records of the story by a short name; the story clears it."""


def entered(stage: Stage, name: str, kind: str, title: str, links: dict[str, str], **fields: object) -> None:
    """Draft, sign and enter an order: chambers, judge, clerk."""
    made[name] = stage.enter(
        "clerk",
        "court.order",
        {"kind": kind, "title": title, "terms": f"{title}.", **fields},
        case=made["case"],
        **links,
    )
    stage.act("judge", made[name], "sign")
    line = stage.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": title}, case=made["case"])
    stage.act("clerk", made[name], "enter_on_docket", entered_on=day(), links={"docket_entry": line})


def serve(stage: Stage, order: str, addressee: str, duty: str, **links: str) -> None:
    made[f"{order}>{addressee}"] = stage.enter(
        "clerk", "court.order_service", {"addressee": addressee, "duty": duty}, order=made[order], **links
    )


def returned(stage: Stage, seat: str, service: str, title: str) -> str:
    """The addressee's return, filed by the clerk, who then records the execution."""
    filing = stage.enter(
        seat,
        "court.filing",
        {"court": "usdc", "kind": "return", "title": title, "outcome": "executed", "executed_at": instant()},
        service=made[service],
    )
    stage.answer("clerk", filing, "filed", filed_at=instant())
    stage.act("clerk", made[service], "record_execution", links={"return": filing})
    assert stage.state("clerk", made[service]) == "executed"
    return filing
