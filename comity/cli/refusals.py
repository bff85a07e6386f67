"""`comity refusals`: which acts were refused, by which rule; nothing of their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, SeatName, signed_in
from comity.clock import parse_instant


def refusals(
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Last refused then or later: a day, or an instant.")
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", metavar="MEMBER", help="Of this member, by id or name.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help="With this code or fault, or by this rule.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="The next page's cursor.")] = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """List which acts were refused and why: yours, or with the power to see them those of the whole agency."""
    from comity.kernel.views.refusals import refusals as verb

    asked = input.when(since, "--since")
    with signed_in(as_, seat) as session:
        found = verb(
            session.node, session.actor, since=asked, member=member, code=code, limit=limit, cursor=cursor
        )  # fmt: skip
        zone = ZoneInfo(session.catalogue.definition.zone)

    def page(out: Any) -> None:
        rows = [
            (_last(one, zone), one["times"], _who(one), _what(one), one["record"], _why(one)) for one in found.items
        ]
        columns = ("last", "times", "who", "what", "record", "why")
        out.print(output.table(columns, rows, whole=("last", "record")) if rows else "nothing was refused")
        if found.next:
            out.print(f"more: --cursor {found.next}", markup=False, soft_wrap=True)

    return Shown(found.as_json(), page)


def _last(one: Mapping[str, Any], zone: ZoneInfo) -> str:
    return f"{parse_instant(one['last_at']).astimezone(zone):%Y-%m-%d %H:%M}"


def _who(one: Mapping[str, Any]) -> str:
    name = one["name"] or one["member"]
    return f"{name} for {one['on_behalf']}" if one["on_behalf"] else str(name)


def _what(one: Mapping[str, Any]) -> str:
    """The verb, and of which type; for an act or an answer its name: `act approve investigation.report`."""
    return " ".join(word for word in (one["verb"].replace("_", " "), one["act"], one["type"]) if word)


def _why(one: Mapping[str, Any]) -> str:
    faults = [f"{fault['code']} {fault['path']}".strip() for fault in one["faults"]]
    return "; ".join([one["code"], *faults, *one["rules"]])
