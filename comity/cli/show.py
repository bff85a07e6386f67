"""`comity show` and `comity history`: a record and its acts as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.records import SENT, Reference
from comity.cli.session import As, Json, Language, Purpose, SeatName, signed_in
from comity.errors import Problem
from comity.sentences import Text, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text as Styled

    from comity.kernel.views.history_page import HistoryPage
    from comity.kernel.views.page import RecordPage
    from comity.kernel.views.page_acts import NextAct
    from comity.kernel.views.timeline import Moment
    from comity.kernel.views.wording import Line
    from comity.kernel.work.results import HistoryLine

_TIMELINE = ("", "happened", "act", "by", "what")


def show(
    record: Reference,
    at: Annotated[str | None, typer.Option("--at", metavar="INSTANT", help="As it was in fact at that time.")] = None,
    as_entered: Annotated[
        str | None, typer.Option("--as-entered", metavar="INSTANT", help="As the log held it at that time.")
    ] = None,
    as_: As = None,
    seat: SeatName = None,
    language: Language = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Show a record: its fields, what is masked and why, what it is tied to, who sees it, what may be done next."""
    from comity.kernel.views.page import page as verb

    if at and as_entered:
        raise Problem("request_invalid", say("request_invalid.at_and_as_entered_exclude"))
    then = {"as_entered": input.instant(as_entered, "--as-entered"), "as_of": input.instant(at, "--at")}
    with signed_in(as_, seat, purpose) as session:
        page = verb(session.node, session.actor, session.record(record), language=language, **then)
    return Shown({**page.view.as_json(), "page": page.as_json()}, lambda out: _page(page, out))


def history(
    record: Reference,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Show the acts on a record, oldest first: who did what, when it happened and when it was entered."""
    from comity.kernel.views.history_page import history_page as verb

    with signed_in(as_, seat, purpose) as session:
        page = verb(session.node, session.actor, session.record(record), language=language)
    return Shown({"items": [one.as_json() for one in page.lines]}, lambda out: _history(page, out))


def _page(page: RecordPage, out: Console) -> None:
    from rich.text import Text as Styled

    state = (page.state_label, "yellow" if page.view.as_sent else "green")
    number = page.view.number or page.view.id
    head = Styled.assemble((page.label, "bold"), "  ", (output.shown(number), "bold cyan"), "  ", state)
    out.print(head.append(f"  {page.version}  {page.whose}"))
    for notice in page.notices:
        out.print(Styled(notice, "yellow"))
    if page.caption:
        out.print(Styled(page.caption, style="italic"))
    for mark in page.marks:
        out.print(Styled(mark.text, "yellow"))
    for lines in ([*page.featured, *page.lines], [*page.links, *page.linked_from, *page.files]):
        if lines:
            out.print(_pairs([_row(one) for one in lines]))
    _offer(page, out)
    for line in (*page.about, page.entered):
        out.print(_line(line.label, ", ".join(line.texts)))
    _waiting(page, out)
    _acts(page, out)
    if page.timeline:
        out.print(_line(page.headings["history"], page.earlier))
        out.print(output.headed(_TIMELINE, [_moved(one) for one in page.timeline], whole=("happened",)))


def _row(one: Line) -> tuple[Any, Any]:
    text = "\n".join(one.texts) if any(value.kind in ("link", "file", "object") for value in one.values) else ""
    return one.label, _dim(one.masked) if one.masked else text or ", ".join(one.texts)


def _offer(page: RecordPage, out: Console) -> None:
    offer = page.offer
    if offer is None:
        return
    out.print(_line(page.headings["offered"], offer.text))
    for one in offer.answer:
        out.print(_line(f"  {one.label}", ", ".join(one.texts)))
    if offer.manifest:
        rows = [
            (Text(one.label), one.version, Text(one.agency), Text(one.decision), Text(one.ground))
            for one in offer.manifest
        ]
        out.print(output.headed(SENT, rows))


def _waiting(page: RecordPage, out: Console) -> None:
    for due in page.due:
        out.print(_line(page.headings["due"], f"{due.label}  {due.text}"))
    for owed in page.owed:
        out.print(_line(page.headings["owed"], f"{output.shown(owed.number or owed.id)}  {owed.text}"))


def _acts(page: RecordPage, out: Console) -> None:
    """What may be done: the label of each act with the name by which it is called; what stands in its way below it."""
    for kind in ("open_to_you", "answers_open"):
        acts = [one for one in page.acts if one.heading == kind]
        if acts:
            out.print(_line(page.headings[kind], ", ".join(_called(one) for one in acts)))
        for one in acts:
            for obstacle in one.obstacles:
                out.print(_line(f"  {_called(one)}", obstacle.text))


def _called(one: NextAct) -> str:
    return one.label if one.label.lower() == one.name else f"{one.label} [{output.shown(one.name)}]"


def _moved(one: Moment, *more: str) -> tuple[Any, ...]:
    """An entry as a row of the timeline: its entering only where it was not at once."""
    act = f"{one.label}\n→ {one.state_label}" if one.state_label else one.label
    cells = ((one.happened, one.entered), (act,), (one.who,), (*one.said, one.late, *more))
    return one.version, *(Text("\n".join(text for text in cell if text)) for cell in cells)


def _history(page: HistoryPage, out: Console) -> None:
    if not page.moments:
        out.print(output.word("history_nothing"))
        return
    rows = [_moved(one, *_logged(line)) for one, line in zip(page.moments, page.lines, strict=True)]
    out.print(output.headed(_TIMELINE, rows, whole=("happened", "act")))


def _logged(line: HistoryLine) -> Iterator[str]:
    """What only the history tells of an entry: the rules that it overrode or was late by, its place and leaf."""
    if line.late_rules:
        yield output.word("history_late_by", rules=line.late_rules)
    if line.overrides:
        yield output.word("history_overrides", codes=line.overrides)
    leaf = line.leaf[:12]
    if line.place is None:
        yield output.word("history_not_placed", leaf=leaf)
    else:
        yield output.word("history_place", place=line.place, leaf=leaf)


def _line(label: str, text: str) -> Styled:
    from rich.text import Text as Styled

    return Styled.assemble((f"{label}  ", "dim"), text)


def _dim(text: str) -> Styled:
    from rich.text import Text as Styled

    return Styled(text, style="dim italic")


def _pairs(rows: Sequence[tuple[Any, ...]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text as Styled

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", max_width=34)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(Styled(label), value if isinstance(value, Styled) else Styled(str(value)))
    return grid
