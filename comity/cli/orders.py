"""`comity reconcile`: orders given and acts done, what is still within its time, and each difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Purpose, SeatName, signed_in

if TYPE_CHECKING:
    from rich.console import Console

    from comity.kernel.duties.duty import Duty, Reconciliation

DIFFER = 1


def reconcile(
    case: Annotated[
        str | None, typer.Option("--case", metavar="RECORD", help="Only what hangs on this record: its id or number.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="As it was known, or will be overdue, at that time.")
    ] = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Prove that orders given equal acts done, or list each difference. Exit code 1 when there is one."""
    from comity.kernel.duties.reconcile import reconcile as verb

    asked = input.instant(at, "--at")
    with signed_in(as_, seat, purpose) as session:
        held = session.record(case) if case else None
        found = verb(session.node, session.actor, case=held, at=asked)
        zone = ZoneInfo(session.catalogue.definition.zone)
    return Shown(found.as_json(), lambda out: _page(found, zone, out), DIFFER if found.differences else output.OK)


def _page(found: Reconciliation, zone: ZoneInfo, out: Console) -> None:
    from rich.text import Text

    if found.differences:
        out.print(Text("differences", style="bold red"))
        out.print(_table(found.differences, zone, "overdue since"))
    if found.open:
        out.print(Text("open, within its time", style="bold"))
        out.print(_table(found.open, zone, "due"))
    for name in found.unjudged:
        out.print(f"not judged: {name}: your roles do not open what would show it", markup=False)
    if found.late:
        out.print(Text("entered late or out of order", style="bold yellow"))
        rows = [(one.number or one.record, one.act, ", ".join(one.rules), one.cause) for one in found.late]
        out.print(output.table(("record", "act", "rule", "cause"), rows, whole=("record",)))
    said = f"{found.given} given, {found.done} done, {len(found.open)} open, {len(found.differences)} differences"
    out.print(Text(said, style="bold green" if not found.differences else "bold"))


def _table(duties: tuple[Duty, ...], zone: ZoneInfo, when: str) -> object:
    rows = [
        (
            one.number or one.record, one.owed_by, one.message, one.fix, _shown(one, zone),
            f"{one.citation} ({one.verified})" if one.citation else "local rule",
        )
        for one in duties
    ]  # fmt: skip
    return output.table(("record", "owed by", "what is missing", "what to do", when, "source"), rows, whole=("record",))


def _shown(one: Duty, zone: ZoneInfo) -> str:
    return f"{one.due.astimezone(zone):%Y-%m-%d %H:%M %Z}"
