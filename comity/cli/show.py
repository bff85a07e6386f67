"""`comity show` and `comity history`: a record and its acts as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from comity.cli import headings, input, output
from comity.cli.output import Shown
from comity.cli.records import Reference
from comity.cli.session import As, Json, Language, Purpose, SeatName, signed_in
from comity.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from comity.kernel.views.page import RecordPage
    from comity.kernel.views.page_acts import NextAct
    from comity.kernel.views.timeline import Moment
    from comity.kernel.views.wording import Line

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


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
        raise Problem("request_invalid", "--at and --as-entered exclude each other")
    then = {"as_entered": input.instant(as_entered, "--as-entered"), "as_of": input.instant(at, "--at")}
    with signed_in(as_, seat, purpose) as session:
        page = verb(session.node, session.actor, session.record(record), language=language, **then)
    return Shown({**page.view.as_json(), "page": page.as_json()}, lambda out: _page(page, out))


def history(
    record: Reference, as_: As = None, seat: SeatName = None, purpose: Purpose = None, json: Json = False
) -> Shown:
    """Show the acts on a record, oldest first: who did what, when it happened and when it was entered."""
    from comity.kernel.views.history import history as verb

    with signed_in(as_, seat, purpose) as session:
        lines = [one.as_json() for one in verb(session.node, session.actor, session.record(record))]
        zone = ZoneInfo(session.catalogue.definition.zone)
    return Shown({"items": lines}, lambda out: _timeline(lines, zone, out))


def _page(page: RecordPage, out: Console) -> None:
    from rich.text import Text

    state = (page.state_label, "yellow" if page.view.as_sent else "green")
    number = page.view.number or page.view.id
    head = Text.assemble((page.label, "bold"), "  ", (number, "bold cyan"), "  ", state)
    out.print(head.append(f"  {page.version}  {page.whose}"))
    for notice in page.notices:
        out.print(Text(notice, "yellow"))
    if page.caption:
        out.print(Text(page.caption, style="italic"))
    for mark in page.marks:
        out.print(Text(mark.text, "yellow"))
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
        out.print(output.table(headings.TIMELINE, [_moved(one) for one in page.timeline], whole=("happened",)))


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
        rows = [(one.label, one.version, one.agency, one.decision, one.ground) for one in offer.manifest]
        out.print(output.table(headings.SENT, rows))


def _waiting(page: RecordPage, out: Console) -> None:
    for due in page.due:
        out.print(_line(page.headings["due"], f"{due.label}  {due.text}"))
    for owed in page.owed:
        out.print(_line(page.headings["owed"], f"{owed.number or owed.id}  {owed.text}"))


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
    return one.label if one.label.lower() == one.name else f"{one.label} [{one.name}]"


def _moved(one: Moment) -> tuple[Any, ...]:
    when = "\n".join(part for part in (one.happened, one.entered) if part)
    act = f"{one.label}\n→ {one.state_label}" if one.state_label else one.label
    return one.version, when, act, one.who, "\n".join(part for part in (*one.said, one.late) if part)


def _timeline(lines: Sequence[Mapping[str, Any]], zone: ZoneInfo, out: Console) -> None:
    rows = [_moment(one, zone) for one in lines]
    out.print(output.table(headings.TIMELINE, rows, whole=("happened", "act")) if rows else "no acts to see")


def _moment(one: Mapping[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    """One entry as a row of the timeline: its entering only where it was not at once, its place in the log last."""
    happened, entered = _when(one["occurred_at"], zone), _when(one["at"], zone)
    when = happened if happened == entered else f"{happened}\nentered {entered}"
    moved = one["state_from"] != one["state_to"] and one["state_to"]
    what = ["erased under an order"] if one["erased"] else _changes(one["changes"], zone)
    what += ["partly erased under an order"] if one["erased_part"] else []
    if one["corrects"]:
        what.insert(0, f"corrects entry {one['corrects'][:8]}")
    if one["kind"] == "erase":
        what.insert(0, f"erases from entry {one['refers'][:8]}")
    what += [f"{name}: {one[name]}" for name in ("reason", "authority") if one[name]]
    late = ", ".join(one["late_rules"])
    what += [f"late{f' ({late})' if late else ''}{': ' + one['cause'] if one['cause'] else ''}"] if one["late"] else []
    what += [f"overrides {', '.join(one['overrides'])}"] if one["overrides"] else []
    place = f"place {one['place']}" if one["place"] is not None else "not placed yet"
    what.append(f"{place}, leaf {one['leaf'][:12]}")
    act = f"{one['act']}\n→ {one['state_to']}" if moved else one["act"]
    typed = f"{one['member']}\n{one['agency']}" if one["member"] else one["agency"]
    who = f"{one['reported']}\nentered by {one['member'] or one['agency']}" if one["reported"] else typed
    what += [f"document: {one['document']}"] if one.get("document") else []
    return one["version"], when, act, who, "\n".join(what)


def _changes(changes: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """What an entry set, unset, tied and untied, a line each."""
    lines: list[str] = []
    for path, value in changes.items():
        kind, _, name = path.partition("/")
        if kind in ("set", "answer"):
            lines.append(f"{_words(name)}: {_cut(_plain(value, zone))}")
        elif kind == "unset":
            lines.append(f"{_words(name)}: taken away")
        elif name and kind != "share":
            lines.append(f"{_words(kind)}: {_words(name.partition('/')[0])}")
    shared = sum(path.startswith("share/") for path in changes)
    return list(dict.fromkeys(lines)) + ([f"opens {shared} records to the receiver"] if shared else [])


def _cut(text: str, length: int = 72) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _plain(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(str(name))}: {_plain(part, zone)}" for name, part in value.items())
    if isinstance(value, list):
        return (
            "\n".join(_plain(part, zone) for part in value)
            if value and isinstance(value[0], Mapping)
            else ", ".join(_plain(part, zone) for part in value)
        )
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return _when(value, zone)
    return str(value)


def _words(name: str) -> str:
    return name.rpartition(":")[2].replace("_", " ")


def _when(value: Any, zone: ZoneInfo) -> str:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") if instant is not None else ""


def _line(label: str, text: str) -> Text:
    from rich.text import Text

    return Text.assemble((f"{label}  ", "dim"), text)


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="dim italic")


def _pairs(rows: Sequence[tuple[Any, ...]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", max_width=34)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(Text(label), value if isinstance(value, Text) else Text(str(value)))
    return grid
