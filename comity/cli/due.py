"""`comity due`: what the law asks by when, of one record with its working, or of all records of an office."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, Purpose, SeatName, Session, signed_in
from comity.errors import Problem
from comity.names import as_reported
from comity.sentences import NOTHING, Given, Text, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text as Styled

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
    asked, until = (
        input.when(at, "--at"),
        input.read(date.fromisoformat, by, "--by", say("cli.input_day"), "2026-11-22"),
    )
    days = input.days(within, "--within")
    narrowed = bool(type or within or by or overdue or person or owner)
    if record is not None and (narrowed or every or everyone or cursor or limit != 50):
        fix = say("request_invalid.leave_record_out_to_list.fix")
        raise Problem("request_invalid", say("request_invalid.of_one_record_all_clocks"), fix=fix)
    if owner and everyone:
        raise Problem("request_invalid", say("request_invalid.owner_and_everyone_exclude_each"))
    with signed_in(as_, seat, purpose) as session:
        if record is not None:
            return _of_one(session, record, asked, language)
        from comity.kernel.duties.agenda import agenda

        office = session.catalogue.definition.title
        listed = agenda(
            session.node, session.actor, type=type, at=asked, until=until, within=days, overdue=overdue, person=person,
            every=every, owner=owner, everyone=everyone, limit=limit, cursor=cursor, language=language,
        )  # fmt: skip
    return Shown(listed.as_json(), lambda out: _list(listed, office, narrowed, out))


def _of_one(session: Session, record: str, at: date | None, language: str | None) -> Shown:
    from comity.kernel.duties.clocks import due
    from comity.kernel.types.language import in_language

    in_language(session.catalogue, language)
    found = due(session.node, session.actor, session.record(record), at=at)
    return Shown(found.as_json(), lambda out: _page(found, out))


def _list(found: Agenda, office: str, narrowed: bool, out: Console) -> None:
    from rich.text import Text as Styled

    if not found.lines:
        nothing = "due_nothing_of_what_was_asked" if narrowed else "due_nothing"
        out.print(output.word(nothing, office=office, at=found.at), markup=False, soft_wrap=True)
        if not found.types:
            out.print(output.word("due_no_clock_on_type"), markup=False)
    else:
        out.print(Styled(output.word("due_at", office=office, at=found.at), style="bold"))
        rows = [(_due_cell(one), _left(one, found.at), _record(one), _clock(one)) for one in found.lines]
        out.print(output.headed(("due", "left", "record", "clock"), rows, whole=("left",)))
    counts = [output.word(f"due_count_{one}", count=many) for one, many in found.counts.items() if one in _COUNTED]
    if counts and (narrowed or found.next or len(found.lines) > 1):
        out.print(output.word("due_in_all", counts=counts), markup=False)
    if found.next:
        out.print(output.word("more_with_cursor", option=f"--cursor {found.next}"), markup=False, soft_wrap=True)


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COUNTED = ("overdue", "lapsed", "running", "undecided")
_COLOURS = {
    "overdue": "bold red", "lapsed": "red", "running": "green", "undecided": "yellow", "done": "dim",
    "permitted": "dim", "answered": "dim",
}  # fmt: skip


def _due_cell(one: Line) -> Styled:
    from rich.text import Text as Styled

    due = one.due
    if due.due is None:
        undecided = output.word("due_person_must_decide") if due.standing == "undecided" else NOTHING
        said = output.shown(due.answer or undecided)
    else:
        said = output.word("due_not_before", when=due.due) if due.kind == "not_before" else output.shown(due.due)
    return Styled(said, style=_COLOURS[due.standing])


def _left(one: Line, at: datetime) -> Styled:
    """How much time is left, or how long ago it ended: hours where the law counts hours and the end is near."""
    from rich.text import Text as Styled

    standing = one.due.standing
    if standing not in ("overdue", "lapsed", "running") or one.left is None:
        return Styled("" if standing == "undecided" else output.shown(output.term(standing)), style="dim")
    count, unit = abs(one.left), "days"
    if isinstance(one.due.due, datetime) and abs(one.due.due - at) < timedelta(hours=48):
        count, unit = int(abs(one.due.due - at) / timedelta(hours=1)), "hours"
    elif not count:
        unit = "today"
    key = f"left_{unit}" if standing == "running" else f"left_{unit}_{standing}"
    return Styled(output.word(key, count=count), style=_COLOURS[standing])


def _record(one: Line) -> Styled:
    from rich.text import Text as Styled

    held = one.subject
    told: list[str | None] = [held.folded.number or str(held.id), Text(one.label), held.title]
    if one.whose is not None:
        told.append(output.word("due_for", name=one.whose.title or one.whose.folded.number or one.whose.id))
    if not held.title:
        told += [" ".join(part for part in (near.folded.number, near.title) if part) for near in one.about]
    told.append(as_reported(held.agency, held.folded.behalf))
    return Styled(output.lines(*told))


def _clock(one: Line) -> Styled:
    from rich.text import Text as Styled

    due = one.due
    text = Styled(_title(due), style="bold")
    if due.stage:
        text.append(f"\n{_stage(due)}", "not bold")
    for decision in due.decisions:
        said = output.word("due_person_must_decide_on", message=decision.message, code=decision.code)
        text.append(f"\n{said}", "yellow")
    if due.consequence:
        text.append(f"\n{output.word('due_consequence_is', consequence=due.consequence)}", "not bold")
    text.append(f"\n{_source(due)}", "not bold dim")
    return text


def _title(one: Due) -> str:
    return output.shown(one.title)


def _stage(one: Due) -> str:
    return output.shown(one.stage if isinstance(one.stage, Text) else Given(one.stage.replace("_", " ")))


def _source(one: Due) -> str:
    return output.word("due_source", citation=one.citation, verified=output.term(one.verified))


def _page(found: Dues, out: Console) -> None:
    from rich.text import Text as Styled

    if not found.dues:
        out.print(output.word("due_no_clock_runs"), markup=False)
    for one in found.dues:
        when = output.shown(one.answer or one.due or output.word("due_no_day"))
        stands = "  ".join(part for part in (_state(one), _whose(found, one.each)) if part)
        out.print(
            Styled.assemble((_title(one), "bold"), "  ", (when, "bold cyan"), "  ", (stands, _COLOURS[one.standing]))
        )
        rows = [(step.rule, step.said, step.days, step.citation) for step in one.working]
        out.print(output.headed(("rule", "working", "days", "source"), rows, whole=("rule",)))
        for decision in one.decisions:
            said = f"{output.shown(decision.message)} [{output.shown(decision.code)}]"
            out.print(Styled.assemble((f"{output.word('due_person_must_decide')}  ", "bold yellow"), said))
        for day, warning in one.warnings:
            said = f"{output.shown(day)}: {output.shown(warning)}"
            out.print(Styled.assemble((f"{output.word('due_mind')}  ", "yellow"), said))
        if one.consequence:
            said = output.shown(one.consequence)
            out.print(Styled.assemble((f"{output.word('due_consequence')}  ", "dim"), said))
        out.print(Styled(f"{_source(one)}; {output.shown(one.rule)}\n", style="dim"))


def _whose(found: Dues, each: str) -> str:
    if not each or each == found.record:
        return ""
    named = found.named.get(each) or (output.word("due_hidden_record") if _ID.fullmatch(each) else each)
    return output.word("due_for", name=named)


def _state(one: Due) -> str:
    """Where the clock stands: what stopped it when, whether that was in time, how far a right has come."""
    zone = output.locale().zone
    ended = one.stopped.astimezone(zone).date() if isinstance(one.stopped, datetime) else one.stopped
    if ended:
        came = output.word("due_done", day=ended)
    elif one.standing in ("undecided", "answered"):
        came = output.word("due_open" if one.standing == "undecided" else "due_so_far")
    else:
        came = Text(output.shown(output.term(one.standing)))
    kept = {True: "due_in_time", False: "due_too_late", None: ""}[one.kept] if ended else ""
    told = (came, output.word(kept) if kept else "", _stage(one), output.word("due_paused") if one.paused else "")
    return "  ".join(part for part in told if part)
