"""`comity show` and `comity history`: a record and its acts as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.records import Reference
from comity.cli.session import As, Json, Purpose, SeatName, signed_in
from comity.errors import Problem
from comity.names import as_reported

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from comity.kernel.types.catalogue import Catalogue, Field, Type
    from comity.kernel.work.results import View

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def show(
    record: Reference,
    at: Annotated[str | None, typer.Option("--at", metavar="INSTANT", help="As it was in fact at that time.")] = None,
    as_entered: Annotated[
        str | None, typer.Option("--as-entered", metavar="INSTANT", help="As the log held it at that time.")
    ] = None,
    as_: As = None,
    seat: SeatName = None,
    language: Annotated[
        str | None,
        typer.Option("--language", envvar="COMITY_LANGUAGE", metavar="CODE", help="In which the words stand, as hi."),
    ] = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Show a record: its fields, what is masked and why, what it is tied to, who sees it, what may be done next."""
    from comity.kernel.types.language import in_language
    from comity.kernel.views.read import read

    if at and as_entered:
        raise Problem("request_invalid", "--at and --as-entered exclude each other")
    then = {"as_entered": input.instant(as_entered, "--as-entered"), "as_of": input.instant(at, "--at")}
    with signed_in(as_, seat, purpose) as session:
        view = read(session.node, session.actor, session.record(record), **then)
        catalogue = in_language(session.catalogue, language)
    return Shown(view.as_json(), lambda out: _page(view, catalogue, session.actor.agency, out))


def history(
    record: Reference, as_: As = None, seat: SeatName = None, purpose: Purpose = None, json: Json = False
) -> Shown:
    """Show the acts on a record, oldest first: who did what, when it happened and when it was entered."""
    from comity.kernel.views.history import history as verb

    with signed_in(as_, seat, purpose) as session:
        lines = [one.as_json() for one in verb(session.node, session.actor, session.record(record))]
        zone = ZoneInfo(session.catalogue.definition.zone)
    return Shown({"items": lines}, lambda out: _timeline(lines, zone, out))


def _page(view: View, catalogue: Catalogue, agency: str, out: Console) -> None:
    from rich.text import Text

    of = catalogue.types.get(view.type)
    zone = ZoneInfo(catalogue.definition.zone)
    title = catalogue.definition.words.get(view.type, "") or (of.title if of else view.type)
    owner = view.reported or ("ours" if view.agency == agency else f"of {view.agency}")
    sent = view.as_sent
    state = (f"{_state(of, view.state)}, as sent", "yellow") if sent else (_state(of, view.state), "green")
    out.print(
        Text.assemble(
            (title, "bold"), "  ", (view.number or view.id, "bold cyan"), "  ", state,
            f"  version {view.version}  {owner}",
        )
    )  # fmt: skip
    if sent:
        told = f"as sent to you: version {sent['version']} of {_when(sent['at'], zone)}. The record has changed since"
        out.print(
            Text(f"{told}; ask {as_reported(view.agency, view.on_behalf) or view.agency} what it is now", "yellow")
        )
    if view.in_error:
        named = ", ".join(one.number or one.id for one in view.replaced_by)
        out.print(Text("entered in error: it counts for nothing" + (f"; see {named}" if named else ""), "yellow"))
    if view.title:
        out.print(Text(view.title, style="italic"))
    for mark in view.marks:
        known = catalogue.marks.get(mark)
        out.print(Text(f"marked {known.title if known else mark}" + (f" · {known.basis}" if known else ""), "yellow"))
    _fields(view, of, zone, out)
    _ties(view, catalogue, out)
    _offer(view, zone, out)
    for claim in view.claims:
        other = claim["other_number"] or claim["other"] or "a record that you may not see"
        said = "; ".join(str(claim["fields"][name]) for name in ("basis", "weight") if name in claim["fields"])
        told = f"{other} ({said}; {claim['number']} by {claim['author']}, {claim['state']})"
        out.print(_line("not the same as" if claim["apart"] else "same as", told))
    for pointer in view.pointers:
        call = pointer.get("call") or {}
        who = " ".join(str(call[name]) for name in ("name", "phone") if name in call)
        met = {"target": "also a target of", "place": "also a place of", "operation": "also planned by"}
        told = f"{pointer.get('title') or pointer['agency']}: call {who}"
        out.print(_line(met.get(pointer.get("about", "target"), "contradicts claims of"), told))
    if view.seen_by:
        out.print(_line("also seen by", ", ".join(view.seen_by)))
    out.print(_line("entered", f"{_when(view.entered_at, zone)}, changed {_when(view.changed_at, zone)}"))
    if view.acts:
        out.print(_line("open to you", ", ".join(view.acts)))


def _fields(view: View, of: Type | None, zone: ZoneInfo, out: Console) -> None:
    rows: list[tuple[Any, ...]] = []
    masked = {one["field"]: one for one in view.masked if "field" in one}
    order = [name for name in (of.fields if of else ()) if name in view.fields or name in masked]
    order += [name for name in (*view.fields, *masked) if name not in order]
    for name in order:
        one = of.fields.get(name) if of else None
        if name in masked:
            rows.append((_label(one, name), _dim(f"masked: {masked[name]['ground']}")))
        else:
            rows.append((_label(one, name), _value(one, view.fields[name], zone)))
    for other in view.masked:
        if "field" not in other:
            rows.append((other.get("group", ""), _dim(f"masked: {other.get('ground', '')}")))
    if rows:
        out.print(_pairs(rows))


def _ties(view: View, catalogue: Catalogue, out: Console) -> None:
    """What the record points at, by the link's name; what points at it, by its type; and its files."""
    of = catalogue.types.get(view.type)
    rows: list[tuple[Any, ...]] = []
    for one in view.linked:
        link = of.links.get(one.name) if of else None
        label = link.label if link and link.label else _words(one.name).capitalize()
        rows.append((label, _record(one, catalogue, with_type=True)))
    inward = {one.id: one for one in view.linked_from}
    for one in sorted(inward.values(), key=lambda one: (one.type, one.number or "")):
        known = catalogue.types.get(one.type)
        rows.append((known.title if known else one.type, _record(one, catalogue, with_type=False)))
    for id, info in view.files.items():
        name = info.get("name") if isinstance(info, Mapping) else info
        rows.append(("File", f"{name}  {id}"))
    if rows:
        out.print(_pairs(rows))


def _record(one: Any, catalogue: Catalogue, *, with_type: bool) -> str:
    if one.type == "member":
        return str(one.title or one.id)
    known = catalogue.types.get(one.type)
    what = [known.title if known else one.type] if with_type else []
    state = _words(one.state) + (f" as sent in version {one.as_sent['version']}, changed since" if one.as_sent else "")
    where = ", ".join([*what, state, as_reported(one.agency, one.on_behalf) or one.agency])
    return "  ".join(part for part in (one.number or one.id, one.title, f"({where})") if part)


def _offer(view: View, zone: ZoneInfo, out: Console) -> None:
    offer = view.offer
    if not offer:
        return
    whose = as_reported(offer["from"], view.on_behalf) or offer["from"]
    told = f"{whose} to {offer['to']} on {_when(offer['offered_at'], zone)}: {offer['state']}"
    if offer.get("answered_at"):
        told += f" on {_when(offer['answered_at'], zone)}"
        told += f", {as_reported(offer['reported_by'], offer['to'])}" if offer.get("reported_by") else ""
        told += "; nothing of theirs stands for it yet" if offer.get("silent_since") else ""
    elif offer.get("seen_at"):
        told += f", seen {_when(offer['seen_at'], zone)}"
    else:
        told += ", not seen yet"
    if offer.get("expires_at") and not offer.get("answered_at"):
        told += f", expires {_when(offer['expires_at'], zone)}"
    out.print(_line("offered", told))
    for name, value in (offer.get("answer") or {}).items():
        out.print(_line(f"  {_words(name)}", _plain(value, zone)))
    if offer.get("manifest"):
        known = {one.id: f"{one.number or ''} {one.title}".strip() for one in view.linked}
        known[view.id] = view.number or "this record"
        rows = [
            (known.get(one["record"], one["record"]), one["version"], one["agency"], one["decision"], one["ground"])
            for one in offer["manifest"]
        ]
        out.print(output.table(("record", "version", "of", "sent as", "ground"), rows))


def _timeline(lines: Sequence[Mapping[str, Any]], zone: ZoneInfo, out: Console) -> None:
    columns = ("", "happened", "act", "by", "what")
    rows = [_moment(one, zone) for one in lines]
    out.print(output.table(columns, rows, whole=("happened", "act")) if rows else "no acts to see")


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


def _value(one: Field | None, value: Any, zone: ZoneInfo) -> str:
    """A value as a person reads it: a code by its title, an instant in the reader's zone, a measure with its unit."""
    if one is not None and one.values is not None:
        titles = {name: code.title or name for name, code in one.values.items()}
        return ", ".join(titles.get(part, str(part)) for part in (value if isinstance(value, list) else [value]))
    shown = _plain(value, zone)
    return f"{shown} {one.unit}" if one is not None and one.unit else shown


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


def _state(of: Type | None, state: str) -> str:
    known = of.states.get(state) if of else None
    return known.label if known and known.label else _words(state)


def _label(one: Field | None, name: str) -> str:
    label = one.label if one is not None and one.label else _words(name).capitalize()
    return f"{label} [{one.cls}]" if one is not None and one.cls != "ordinary" else label


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
