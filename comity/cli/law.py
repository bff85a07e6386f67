"""`comity law impact`: what a change of law touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import input, output
from comity.cli.output import Shown
from comity.cli.session import As, Json, Language, Purpose, SeatName, signed_in
from comity.sentences import Given, Text, joined, say

if TYPE_CHECKING:
    from rich.console import Console


law = typer.Typer(help="Changes of law as data.", no_args_is_help=True)


@law.command()
def impact(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="A pack of the agency's law, or a YAML file.")],
    language: Language = None,
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
        labels = session.labels(language)
    counts = Counter(one.verdict for one in found)

    def page(out: Console) -> None:
        rows = [
            (
                one.number or one.record, labels.state(one.type, one.state), one.happened, output.term(one.verdict),
                one.why, sections(one.sections),
            )
            for one in found
        ]  # fmt: skip
        columns = ("record", "state", "happened", "verdict", "why", "sections")
        out.print(output.headed(columns, rows, whole=("record", "verdict")) if rows else output.word("law_none"))
        if rows:
            told = (
                output.word("law_count", count=many, verdict=output.term(one)) for one, many in sorted(counts.items())
            )
            out.print(joined(told, "comma").to(output.locale()), markup=False)

    payload = {"pack": pack, "counts": dict(sorted(counts.items())), "records": [one.as_json() for one in found]}
    return Shown(payload, page)


def sections(changed: Mapping[str, Sequence[str]]) -> Text:
    """What became of each section: `302 to 103, 304A to nothing`."""
    told = [
        say("cli.law_section", old=old, new=joined(map(Given, new), "or"))
        if new
        else say("cli.law_section_gone", old=old)
        for old, new in changed.items()
    ]
    return joined(told, "comma")
