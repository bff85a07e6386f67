"""`comity due`: what the law asks by when, of one record with its working, or of all records of an office."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, Purpose, SeatName, Session, signed_in
from comity.errors import Problem
from comity.names import as_reported, counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from comity.kernel.duties.agenda import Agenda, Line
    from comity.kernel.duties.clocks import Dues
    from comity.kernel.law.due import Due


def due(
    record: Annotated[
        str | None, typer.Argument(metavar="[RECORD]", help="A record's id or number; without it the whole office.")
    ] = None,
    type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only clocks that records of this type started.")
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="DAYS", help="Due within so many days: 30d, 2w.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="DAY", help="Due on that day or before.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue or has lapsed.")] = False,
    person: Annotated[
        bool, typer.Option("--person-must-decide", help="Only what a person must decide something about.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="What is done too, and what is no deadline.")] = False,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="AGENCY", help="On records of that agency that you may find.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="On every agency's records that you may find.")] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WHEN", help="As it would have been answered then: a day, or an instant."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="The next page's cursor.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Show what is due in the office, overdue first; or on one record, each step of the working with its citation."""
    asked, until = input.when(at, "--at"), input.read(date.fromisoformat, by, "--by", "a day", "2026-11-22")
    days = input.days(within, "--within")
    narrowed = bool(type or within or by or overdue or person or owner)
    if record is not None and (narrowed or every or everyone or cursor or limit != 50):
        fix = "leave RECORD out to list an office; with it only --at and --language are used"
        raise Problem("request_invalid", "Of one record all clocks are shown", fix=fix)
    if owner and everyone:
        raise Problem("request_invalid", "--owner and --everyone exclude each other", fix="leave one of them out")
    with signed_in(as_, seat, purpose) as session:
        if record is not None:
            return _of_one(session, record, asked, language)
        from comity.kernel.duties.agenda import agenda

        zone, office = ZoneInfo(session.catalogue.definition.zone), session.catalogue.definition.title
        listed = agenda(
            session.node, session.actor, type=type, at=asked, until=until, within=days, overdue=overdue, person=person,
            every=every, owner=owner, everyone=everyone, limit=limit, cursor=cursor, language=language,
        )  # fmt: skip
    return Shown(listed.as_json(), lambda out: _list(listed, zone, office, narrowed, out))


def _of_one(session: Session, record: str, at: date | None, language: str | None) -> Shown:
    from comity.kernel.duties.clocks import due
    from comity.kernel.types.language import in_language

    in_language(session.catalogue, language)
    found, zone = due(session.node, session.actor, session.record(record), at=at), session.catalogue.definition.zone
    return Shown(found.as_json(), lambda out: _page(found, ZoneInfo(zone), language, out))


def _list(found: Agenda, zone: ZoneInfo, office: str, narrowed: bool, out: Console) -> None:
    from rich.text import Text

    at = shown(found.at, zone)
    if not found.lines:
        what = "Nothing of what was asked for is due" if narrowed else "Nothing is due"
        out.print(f"{what} at {office}, {at}.", markup=False, soft_wrap=True)
        if not found.types:
            out.print("No clock of the law in force here starts on a record of that type.", markup=False)
    else:
        out.print(Text(f"What is due at {office}, {at}", style="bold"))
        rows = [(_due_cell(one, zone), _left(one, found.at), _record(one), _clock(one)) for one in found.lines]
        out.print(output.table(("due", "left", "record", "clock"), rows, whole=("left",)))
    said = [_COUNTED[one].format(many) for one, many in found.counts.items() if one in _COUNTED]
    if said and (narrowed or found.next or len(found.lines) > 1):
        out.print(f"in all: {', '.join(said)}", markup=False)
    if found.next:
        out.print(f"more: --cursor {found.next}", markup=False, soft_wrap=True)


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COUNTED = {
    "overdue": "{} overdue", "lapsed": "{} lapsed", "running": "{} running", "undecided": "{} for a person to decide",
}  # fmt: skip
_COLOURS = {
    "overdue": "bold red", "lapsed": "red", "running": "green", "undecided": "yellow", "done": "dim",
    "permitted": "dim", "answered": "dim",
}  # fmt: skip


def _due_cell(one: Line, zone: ZoneInfo) -> Text:
    from rich.text import Text

    if one.due.due is None:
        open_ = "a person must decide" if one.due.standing == "undecided" else ""
        return Text(one.due.answer or open_, style=_COLOURS[one.due.standing])
    before = "not before " if one.due.kind == "not_before" else ""
    return Text(f"{before}{shown(one.due.due, zone)}", style=_COLOURS[one.due.standing])


def _left(one: Line, at: datetime) -> Text:
    """How much time is left, or how long ago it ended: hours where the law counts hours and the end is near."""
    from rich.text import Text

    if one.due.standing not in ("overdue", "lapsed", "running") or one.left is None:
        return Text("" if one.due.standing == "undecided" else one.due.standing, style="dim")
    late = one.due.standing != "running"
    days, unit = abs(one.left), "day"
    if isinstance(one.due.due, datetime) and abs(one.due.due - at) < timedelta(hours=48):
        days, unit = int(abs(one.due.due - at) / timedelta(hours=1)), "hour"
    said = counted(days, unit) if days or unit == "hour" else "today"
    word = {"overdue": " overdue", "lapsed": " since it lapsed"}.get(one.due.standing, "") if days or late else ""
    return Text(f"{said}{word}", style=_COLOURS[one.due.standing])


def _record(one: Line) -> Text:
    from rich.text import Text

    held = one.subject
    lines = [held.folded.number or str(held.id), one.label, held.title]
    if one.whose is not None:
        lines.append(f"for {one.whose.title or one.whose.folded.number or one.whose.id}")
    if not held.title:
        lines += [" ".join(part for part in (near.folded.number, near.title) if part) for near in one.about]
    lines.append(as_reported(held.agency, held.folded.behalf))
    return Text("\n".join(line for line in lines if line))


def _clock(one: Line) -> Text:
    from rich.text import Text

    text = Text(one.clock, style="bold")
    if one.due.stage:
        text.append(f"\n{one.due.stage.replace('_', ' ')}", "not bold")
    for decision in one.due.decisions:
        text.append(f"\na person must decide: {decision.message} [{decision.code}]", "yellow")
    if one.due.consequence:
        text.append(f"\nconsequence: {one.due.consequence}", "not bold")
    text.append(f"\n{one.due.citation}, {one.due.verified}", "not bold dim")
    return text


def shown(when: date | datetime, zone: ZoneInfo) -> str:
    """A day as it is, an instant in the agency's zone with the name of the zone."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}" if isinstance(when, datetime) else when.isoformat()


def _page(found: Dues, zone: ZoneInfo, language: str | None, out: Console) -> None:
    from rich.text import Text

    if not found.dues:
        out.print("no clock runs on what may be seen here", markup=False)
    for one in found.dues:
        title = one.labels.get(language or "en", one.title)
        when = one.answer or (shown(one.due, zone) if one.due else "no day")
        stands = "  ".join(part for part in (_state(one, zone), _whose(found, one.each)) if part)
        out.print(Text.assemble((title, "bold"), "  ", (when, "bold cyan"), "  ", (stands, _COLOURS[one.standing])))
        rows = [(step.rule, step.said, "" if step.days is None else step.days, step.citation) for step in one.working]
        out.print(output.table(("rule", "working", "days", "source"), rows, whole=("rule",)))
        for decision in one.decisions:
            out.print(Text.assemble(("a person must decide  ", "bold yellow"), f"{decision.message} [{decision.code}]"))
        for day, said in one.warnings:
            out.print(Text.assemble(("mind  ", "yellow"), f"{day}: {said}"))
        if one.consequence:
            out.print(Text.assemble(("consequence  ", "dim"), one.consequence))
        out.print(Text(f"{one.citation}, {one.verified}; {one.rule}\n", style="dim"))


def _whose(found: Dues, each: str) -> str:
    if not each or each == found.record:
        return ""
    hidden = "a record that is not yours to see" if _ID.fullmatch(each) else each
    return f"for {found.named.get(each) or hidden}"


def _state(one: Due, zone: ZoneInfo) -> str:
    """Where the clock stands: what stopped it when, whether that was in time, how far a right has come."""
    ended = one.stopped.astimezone(zone).date() if isinstance(one.stopped, datetime) else one.stopped
    came = f"done {ended}" if ended else {"undecided": "open", "answered": "so far"}.get(one.standing, one.standing)
    kept = {True: "in time", False: "too late", None: ""}[one.kept] if ended else ""
    return "  ".join(part for part in (came, kept, one.stage.replace("_", " "), "paused" if one.paused else "") if part)
