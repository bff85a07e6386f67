"""What was entered on behalf of institutions that were outside, on the command line: list, confirm, dispute."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Key, Purpose, SeatName, signed_in

Reported = Annotated[str, typer.Argument(metavar="ENTRY", help="The reported entry; comity reports lists them.")]


def reports(as_: As = None, seat: SeatName = None, purpose: Purpose = None, json: Json = False) -> Shown:
    """List what others reported in this agency's name, and what it reported of institutions outside."""
    from comity.kernel.exchange.reported import reports as verb

    with signed_in(as_, seat, purpose) as session:
        found = verb(session.node, session.actor)
        zone = ZoneInfo(session.catalogue.definition.zone)

    def page(out: Any) -> None:
        rows = [
            (one.entry, one.number or one.record, one.act, one.said, f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}")
            for one in found
        ]
        columns = ("entry", "record", "act", "what is said", "entered")
        out.print(output.table(columns, rows, whole=("entry",)) if rows else "nothing was reported")

    return Shown({"items": [one.as_json() for one in found]}, page)


def confirm(
    entry: Reported,
    reason: Annotated[str | None, typer.Option("--reason", help="What is to be said with it.")] = None,
    key: Key = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Confirm that this agency did what another reported of it."""
    from comity.kernel.exchange.reported import confirm as verb

    with signed_in(as_, seat, purpose) as session:
        receipt = verb(session.node, session.actor, entry, reason=reason, key=key)
    return Shown(receipt.as_json(), f"{receipt.number or receipt.record}: confirmed\nreceipt {receipt.address}")


def dispute(
    entry: Reported,
    reason: Annotated[str, typer.Option("--reason", help="What is not so.")],
    key: Key = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Dispute what another reported of this agency. Its reporter is told and corrects it."""
    from comity.kernel.exchange.reported import dispute as verb

    with signed_in(as_, seat, purpose) as session:
        receipt = verb(session.node, session.actor, entry, reason=reason, key=key)
    return Shown(receipt.as_json(), f"{receipt.number or receipt.record}: disputed\nreceipt {receipt.address}")
