"""What was entered on behalf of institutions that were outside, on the command line: list, confirm, dispute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Key, Language, Purpose, SeatName, signed_in

if TYPE_CHECKING:
    from comity.kernel.work.results import Receipt

Reported = Annotated[str, typer.Argument(metavar="ENTRY", help="The reported entry; comity reports lists them.")]


def reports(
    language: Language = None, as_: As = None, seat: SeatName = None, purpose: Purpose = None, json: Json = False
) -> Shown:
    """List what others reported in this agency's name, and what it reported of institutions outside."""
    from comity.kernel.exchange.reported import reports as verb

    with signed_in(as_, seat, purpose) as session:
        found = verb(session.node, session.actor)
        labels = session.labels(language)

    def page(out: Any) -> None:
        rows = [(one.entry, one.number or one.record, labels.act(one.type, one.act), one.said, one.at) for one in found]
        columns = ("entry", "record", "act", "what_is_said", "entered")
        out.print(output.headed(columns, rows, whole=("entry",)) if rows else output.word("reports_none"))

    return Shown({"items": [one.as_json() for one in found]}, page)


def confirm(
    entry: Reported,
    reason: Annotated[str | None, typer.Option("--reason", help="What is to be said with it.")] = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Confirm that this agency did what another reported of it."""
    from comity.kernel.exchange.reported import confirm as verb

    with signed_in(as_, seat, purpose) as session:
        receipt = verb(session.node, session.actor, entry, reason=reason, key=key)
    return _judged("report_confirmed", receipt)


def dispute(
    entry: Reported,
    reason: Annotated[str, typer.Option("--reason", help="What is not so.")],
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Dispute what another reported of this agency. Its reporter is told and corrects it."""
    from comity.kernel.exchange.reported import dispute as verb

    with signed_in(as_, seat, purpose) as session:
        receipt = verb(session.node, session.actor, entry, reason=reason, key=key)
    return _judged("report_disputed", receipt)


def _judged(key: str, receipt: Receipt) -> Shown:
    said = output.word(key, record=receipt.number or receipt.record)
    return Shown(receipt.as_json(), output.lines(said, output.word("receipt_address", address=receipt.address)))
