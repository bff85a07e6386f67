"""`comity due` and `comity law impact`: what the law asks of a record by when, and what a change of law touches."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from comity.cli import given, speech
from comity.cli.records import Reference
from comity.cli.session import INVESTIGATION, As, Json, Purpose, SeatName, signed_in
from comity.cli.speech import Shown

if TYPE_CHECKING:
    from rich.console import Console

    from comity.kernel.records.clocks import Dues
    from comity.kernel.types.due import Due

law = typer.Typer(help="Changes of law as data.", no_args_is_help=True)


def due(
    record: Reference,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="As it would have been answered at that time.")
    ] = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = INVESTIGATION,
    json: Json = False,
) -> Shown:
    """Show what is due on a record, with the working: rule, days and citation of each step."""
    from comity.kernel.records.clocks import due as verb

    asked = given.instant(at, "--at")
    with signed_in(as_, seat, purpose) as session:
        found = verb(session.node, session.actor, session.record(record), at=asked)
        zone = ZoneInfo(session.catalogue.definition.zone)
    return Shown(found.as_json(), lambda out: _page(found, zone, out))


@law.command()
def impact(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="A pack of the agency's law, or a YAML file.")],
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = INVESTIGATION,
    json: Json = False,
) -> Shown:
    """List the agency's records that a change of law touches, and what follows for each. Nothing is changed."""
    from comity.kernel.records.law import impact as verb
    from comity.kernel.records.law import read_pack

    held: Any = pack
    if pack.endswith((".yml", ".yaml")) and Path(pack).is_file():
        held = read_pack(Path(pack).stem, given.read_data(pack))
    with signed_in(as_, seat, purpose) as session:
        found = verb(session.node, session.actor, held)
    counts = Counter(one.verdict for one in found)

    def page(out: Console) -> None:
        rows = [
            (
                one.number or one.record, one.state, one.happened, one.verdict, one.why,
                ", ".join(f"{old} to {' or '.join(new) or 'nothing'}" for old, new in one.sections.items()),
            )
            for one in found
        ]  # fmt: skip
        columns = ("record", "state", "happened", "verdict", "why", "sections")
        out.print(speech.table(columns, rows, whole=("record", "verdict")) if rows else "no record is touched")
        if rows:
            out.print(", ".join(f"{many} {verdict}" for verdict, many in sorted(counts.items())), markup=False)

    payload = {"pack": pack, "counts": dict(sorted(counts.items())), "records": [one.as_json() for one in found]}
    return Shown(payload, page)


def _page(found: Dues, zone: ZoneInfo, out: Console) -> None:
    from rich.text import Text

    if not found.dues:
        out.print("no clock runs on what may be seen here", markup=False)
    for one in found.dues:
        when = _when(one, zone)
        out.print(
            Text.assemble((one.title, "bold"), "  ", (when, "bold cyan"), "  ", (_state(one, zone), _colour(one)))
        )
        rows = [(step.rule, step.said, "" if step.days is None else step.days, step.citation) for step in one.working]
        out.print(speech.table(("rule", "working", "days", "source"), rows, whole=("rule",)))
        for decision in one.decisions:
            out.print(Text.assemble(("a person must decide  ", "bold yellow"), f"{decision.message} [{decision.code}]"))
        for day, said in one.warnings:
            out.print(Text.assemble(("mind  ", "yellow"), f"{day}: {said}"))
        if one.consequence:
            out.print(Text.assemble(("then  ", "dim"), one.consequence))
        out.print(Text(f"{one.citation}, {one.verified}; {one.rule}\n", style="dim"))


def _when(one: Due, zone: ZoneInfo) -> str:
    if one.answer:
        return one.answer[:-1] if one.answer.startswith("1 ") and one.answer.endswith("s") else one.answer
    if isinstance(one.due, datetime):
        return f"{one.due.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    return one.due.isoformat() if one.due else "no day"


def _state(one: Due, zone: ZoneInfo) -> str:
    """Where the clock stands: what stopped it when, whether that was in time, how far a right has come."""
    ended = one.stopped.astimezone(zone).date() if isinstance(one.stopped, datetime) else one.stopped
    came = f"{one.state} {ended}" if ended else one.state
    kept = {True: "in time", False: "too late", None: ""}[one.kept]
    each = f"for {one.each[:8]}" if one.each else ""
    return "  ".join(part for part in (came, kept, one.stage, "paused" if one.paused else "", each) if part)


def _colour(one: Due) -> str:
    return {"running": "green", "expired": "red", "undecided": "yellow"}.get(one.state, "dim")
