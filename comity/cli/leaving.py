"""Leaving with all that an agency owns: take it, check the folder, bring it to another node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.services import services
from comity.cli.session import As, Json, SeatName, operating, signed_in
from comity.errors import Fault, Problem

if TYPE_CHECKING:
    from comity.kernel.types.definition import Files

leave = typer.Typer(help="Leave with all that an agency owns: take it, verify the folder, import it elsewhere.")

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What comity leave wrote.")]


@leave.callback(invoke_without_command=True)
def take(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="A new folder; it must not exist.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Suspend the agency here: it has left.")] = False,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown | None:
    """Write all that an agency owns, with its log, to a folder that proves itself complete. By its administrator."""
    if context.invoked_subcommand is not None:
        return None
    if to is None:
        raise Problem("request_invalid", "say where to", faults=[Fault("required", "--to", "a new folder is named")])
    from comity.kernel.portability.leave import leave as verb

    with signed_in(as_, seat):
        pass  # at its end what this machine wrote gets its place, if no worker runs
    output.console(errors=True).print(
        "The folder is not encrypted: every record and file of the agency can be read in it. Keep it so.",
        style="bold red",
    )
    with signed_in(as_, seat) as session:
        done = verb(session.node, session.actor, to, close=close).as_json()
    return Shown(done, lambda out: _left(out, done))


def _left(out: Any, done: dict[str, Any]) -> None:
    out.soft_wrap = True
    _holds(out, done)
    out.print(f"written to {done['folder']}, not encrypted, readable by this account only", markup=False)
    for owner, count in done["left_behind"].items():
        out.print(f"  {count} records of {owner} that some role here could read stay with {owner}", markup=False)
    if done["closed"]:
        out.print(f"{done['agency']} is suspended on this node: it has left")
    out.print(f"write this down; whoever has it sees whether the folder is the same:\n  {done['proof']}")


def _holds(out: Any, done: dict[str, Any]) -> None:
    out.print(f"{done['agency']}: {done['entries']} entries without a gap, each gives its leaf", markup=False)
    out.print(f"  root     {done['root']}")
    out.print(f"  records  {sum(done['records'].values())} folded anew, each as stated")
    out.print(f"  files    {done['files']['count']}, {done['files']['bytes']} bytes")
    out.print(f"  erased   the content of {done['erased_entries']} entries, each under an order in the log")
    for one in done["receipts"]:
        out.print(f"  receipt  {one['entry']} is at place {one['place']}")


@leave.command()
def verify(
    folder: Folder,
    receipt: Annotated[
        list[Path] | None, typer.Option("--receipt", metavar="FILE", help="A receipt (JSON) that somebody kept.")
    ] = None,
    entry: Annotated[
        list[str] | None, typer.Option("--entry", metavar="ID", help="An entry that must be in the log.")
    ] = None,
    json: Json = False,
) -> Shown:
    """Check a folder by its own bytes: without a database, a key or the node that it came from."""
    from comity.kernel.ledger.departure_check import Held, check

    held = [_receipt(path) for path in receipt or ()] + [Held(one.strip().lower()) for one in entry or ()]
    found = check(folder, tuple(held))
    done = found.as_json()

    def page(out: Any) -> None:
        out.soft_wrap = True
        if found.faults:
            out.print(f"{folder} does not hold:", markup=False)
            for said in found.faults:
                out.print(f"  {said}", markup=False)
            if found.more:
                out.print(f"  and {found.more} more")
        else:
            _holds(out, done)
            out.print(f"  proof    {found.proof}")

    return Shown(done, page, output.REFUSED if found.faults else output.OK)


def _receipt(path: Path) -> Any:
    from comity.formats.strict_json import loads
    from comity.kernel.ledger.departure_check import Held

    try:
        found = loads(path.read_bytes())
        return Held(str(found["entry"]), str(found["leaf"]), found.get("place"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = Fault("receipt_unreadable", "--receipt", f"{path} is no receipt: {error}", "give the JSON of a receipt")
        raise Problem("request_invalid", "the receipt cannot be read", faults=[fault]) from None


@leave.command("import")
def import_(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try all of it, and take it back.")] = False,
    with_definitions: Annotated[
        bool, typer.Option("--with-definitions", help="Take its core and law though this node has others.")
    ] = False,
    json: Json = False,
) -> Shown:
    """Bring the agency and its log to this node, as its operator. The same folder again changes nothing."""
    from comity.kernel.portability.arrive import arrive

    with operating() as session:
        done = arrive(
            session.node, session.actor, folder, shipped=_shipped(), with_definitions=with_definitions, dry_run=dry_run
        ).as_json()

    def page(out: Any) -> None:
        out.soft_wrap = True
        if done["unchanged"]:
            out.print(f"{done['agency']} came from this folder before: nothing to do", markup=False)
            return
        verb = "would be brought in" if dry_run else "brought in"
        out.print(
            f"{done['agency']}: {done['entries']} entries, {done['records']} records, {done['members']} members, "
            f"{done['files']} files {verb}", markup=False,
        )  # fmt: skip
        out.print(f"  root  {done['root']}")
        if done["administrators"]:
            out.print("  a first code:", markup=False)
        for one in done["administrators"]:
            roles = " ".join(f"--role {role}" for role in one["roles"])
            out.print(f'    comity member invite {done["agency"]} --name "{one["name"]}" {roles}', markup=False)

    return Shown(done, page)


def _shipped() -> dict[str, Files]:
    """The core and every jurisdiction of this release, as `profile install` would lay them."""
    from comity.kernel.definitions.load import read_folder

    laws = sorted(services().jurisdictions().glob("*/jurisdiction.yml"))
    return {
        "core": services().core(None), **{f"jurisdiction/{one.parent.name}": read_folder(one.parent) for one in laws},
    }  # fmt: skip
