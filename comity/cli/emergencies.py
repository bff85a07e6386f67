"""Emergency access on the command line: open, list, review."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.records import Reference
from comity.cli.session import As, Json, Language, Purpose, SeatName, signed_in

emergency = typer.Typer(help="Emergency access: open, list, review.", no_args_is_help=True)


@emergency.command("open")
def open_(
    record: Reference,
    reason: Annotated[str, typer.Option("--reason", help="What the emergency is; the owner reads it.")],
    hours: Annotated[int, typer.Option("--hours", min=1, max=24, help="How long it is needed.")] = 4,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Open another agency's record for some hours, where its agreement allows it. The owner is told and reviews it."""
    from comity.kernel.records.emergency import open_in_emergency

    with signed_in(as_, seat, purpose) as session:
        opened = open_in_emergency(
            session.node, session.actor, session.record(record), reason=reason, lasting=timedelta(hours=hours)
        )
    return Shown(opened.as_json(), output.word("emergency_open", until=opened.until, owner=opened.owner))


@emergency.command("list")
def listed(language: Language = None, as_: As = None, seat: SeatName = None, json: Json = False) -> Shown:
    """List the openings by this agency and of its records."""
    from comity.kernel.records.emergency import openings

    with signed_in(as_, seat) as session:
        found = openings(session.node, session.actor)

    def page(out: Any) -> None:
        rows = [(one.id, one.record, one.owner, one.agency, one.reason, one.until, one.finding) for one in found]
        columns = ("opening", "record", "of", "opened_by", "reason", "until", "finding")
        out.print(output.headed(columns, rows) if rows else output.word("none"))

    return Shown({"items": [one.as_json() for one in found]}, page)


@emergency.command()
def review(
    opening: Annotated[str, typer.Argument(metavar="OPENING", help="From comity emergency list.")],
    finding: Annotated[str, typer.Option("--finding", help="Whether it was justified, and why.")],
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Say, for the owner, whether an opening was justified."""
    from comity.kernel.records.emergency import review as verb

    with signed_in(as_, seat) as session:
        done = verb(session.node, session.actor, opening, finding=finding)
    return Shown(done.as_json(), output.word("emergency_reviewed"))
