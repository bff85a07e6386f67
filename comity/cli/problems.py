"""`comity problems`: what a code means and what to do, of Comity, its pillars, and with a seat of the agency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.services import services
from comity.cli.session import As, Json, Language, SeatName, signed_in

if TYPE_CHECKING:
    from rich.console import Console

Known = dict[str, dict[str, Any]]


def problems(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A code; without one all are listed.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Say what a code means and what to do. With --as the codes of that agency's own rules are among them."""
    from comity.kernel.definitions.problem_codes import look_up

    known = _known(as_, seat)
    if code is None:
        items = list(known.values())
        return Shown({"items": items}, lambda out: _list(items, out))
    one = look_up(code, known)
    return Shown(one, lambda out: _page(one, out))


def _known(as_: str | None, seat: str | None) -> Known:
    """The codes that may be told. Without a seat it needs no database."""
    from comity.kernel.definitions.load import load
    from comity.kernel.definitions.problem_codes import explained

    if as_ is None and seat is None:
        return explained(load(services().core(None)))
    with signed_in(as_, seat) as session:
        return explained(session.catalogue)


def _list(items: list[dict[str, Any]], out: Console) -> None:
    rows = [(one["code"], output.term(one["kind"]), one["status"] or "", one["title"], one["source"]) for one in items]
    out.print(output.headed(("code", "kind", "status", "what_it_means", "of"), rows, whole=("code",)))


def _page(one: dict[str, Any], out: Console) -> None:
    from rich.text import Text as Styled

    told = {"kind": output.term(one["kind"]), "source": one["source"]}
    code, title, remedy = (output.shown(one[name]) for name in ("code", "title", "remedy"))
    out.print(Styled.assemble((code, "bold"), f"  {title}"), soft_wrap=True)
    if one["status"]:
        out.print(output.word("problem_with_status", **told, status=one["status"]), markup=False)
    else:
        out.print(output.word("problem_of", **told), markup=False)
    out.print(output.shown(one["meaning"]), markup=False, soft_wrap=True)
    out.print(Styled.assemble((f"{output.word('what_to_do')}  ", "bold"), remedy), soft_wrap=True)
    if one["uses"]:
        rows = [(place["at"], place["message"], place["fix"]) for place in one["uses"]]
        out.print(output.headed(("where", "what_it_says", "what_to_do"), rows))
