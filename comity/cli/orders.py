"""`comity reconcile`: orders given and acts done, what is still within its time, and each difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, Purpose, SeatName, signed_in

if TYPE_CHECKING:
    from rich.console import Console

    from comity.cli.labels import Labels
    from comity.kernel.duties.duty import Duty, Reconciliation

DIFFER = 1


def reconcile(
    case: Annotated[
        str | None, typer.Option("--case", metavar="RECORD", help="Only what hangs on this record: its id or number.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="As it was known, or will be overdue, at that time.")
    ] = None,
    language: Language = None,
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
        labels = session.labels(language)
    return Shown(found.as_json(), lambda out: _page(found, labels, out), DIFFER if found.differences else output.OK)


def _page(found: Reconciliation, labels: Labels, out: Console) -> None:
    from rich.text import Text as Styled

    if found.differences:
        out.print(Styled(output.word("orders_differences"), style="bold red"))
        out.print(_table(found.differences, "overdue_since"))
    if found.open:
        out.print(Styled(output.word("orders_open"), style="bold"))
        out.print(_table(found.open, "due"))
    for name in found.unjudged:
        out.print(output.word("orders_not_judged", name=name), markup=False)
    if found.late:
        out.print(Styled(output.word("orders_late"), style="bold yellow"))
        rows = [
            (one.number or one.record, labels.act("", one.act), ", ".join(one.rules), one.cause) for one in found.late
        ]
        out.print(output.headed(("record", "act", "rule", "cause"), rows, whole=("record",)))
    said = output.word(
        "orders_sum", given=found.given, done=found.done, open=len(found.open), differences=len(found.differences)
    )
    out.print(Styled(said, style="bold green" if not found.differences else "bold"))


def _table(duties: tuple[Duty, ...], when: str) -> object:
    rows = [
        (
            one.number or one.record, one.owed_by, one.message, one.fix, one.due,
            f"{one.citation} ({one.verified})" if one.citation else output.word("orders_local_rule"),
        )
        for one in duties
    ]  # fmt: skip
    headings = ("record", "owed_by", "what_is_missing", "what_to_do", when, "source")
    return output.headed(headings, rows, whole=("record",))
