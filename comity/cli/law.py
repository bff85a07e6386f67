"""`comity law impact`: what a change of law touches."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Purpose, SeatName, signed_in

if TYPE_CHECKING:
    from rich.console import Console


law = typer.Typer(help="Changes of law as data.", no_args_is_help=True)


@law.command()
def impact(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="A pack of the agency's law, or a YAML file.")],
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """List the agency's records that a change of law touches, and what follows for each. Nothing is changed."""
    from comity.kernel.duties.law_change import impact as verb
    from comity.kernel.duties.law_change import read_pack

    held: Any = pack
    if pack.endswith((".yml", ".yaml")) and Path(pack).is_file():
        held = read_pack(Path(pack).stem, input.read_data(pack))
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
        out.print(output.table(columns, rows, whole=("record", "verdict")) if rows else "no record is touched")
        if rows:
            out.print(", ".join(f"{many} {verdict}" for verdict, many in sorted(counts.items())), markup=False)

    payload = {"pack": pack, "counts": dict(sorted(counts.items())), "records": [one.as_json() for one in found]}
    return Shown(payload, page)
