"""`comity refusals`: which acts were refused, by which rule; nothing of their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, SeatName, signed_in
from comity.clock import parse_instant
from comity.sentences import Text, joined

if TYPE_CHECKING:
    from comity.cli.labels import Labels


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
    language: Language = None,
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
        labels = session.labels(language)

    def page(out: Any) -> None:
        rows = [
            (
                parse_instant(one["last_at"]), one["times"], _who(one), _what(one, labels), one["record"], _why(one)
            )
            for one in found.items
        ]  # fmt: skip
        columns = ("last", "times", "who", "what", "record", "why")
        out.print(output.headed(columns, rows, whole=("record",)) if rows else output.word("refusals_none"))
        if found.next:
            out.print(output.word("more_with_cursor", option=f"--cursor {found.next}"), markup=False, soft_wrap=True)

    return Shown(found.as_json(), page)


def _who(one: Mapping[str, Any]) -> str:
    name = one["name"] or one["member"]
    return output.word("refusals_for", name=name, agency=one["on_behalf"]) if one["on_behalf"] else str(name)


def _what(one: Mapping[str, Any], labels: Labels) -> Text:
    """What was tried, and on which type; of an act or an answer its label."""
    tried = labels.act(one["type"], one["act"], done=False) if one["act"] else output.term(one["verb"])
    return joined((part for part in (tried, labels.type(one["type"])) if part), "comma")


def _why(one: Mapping[str, Any]) -> str:
    faults = [f"{fault['code']} {fault['path']}".strip() for fault in one["faults"]]
    return "; ".join([one["code"], *faults, *one["rules"]])
