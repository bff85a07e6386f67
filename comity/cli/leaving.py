"""Leaving with all that an agency owns: take it, check the folder, bring it to another node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.services import services
from comity.cli.session import As, Json, Language, SeatName, operating, signed_in
from comity.errors import Fault, Problem
from comity.sentences import say

if TYPE_CHECKING:
    from comity.kernel.types.definition import Files

leave = typer.Typer(help="Leave with all that an agency owns: take it, verify the folder, import it elsewhere.")

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What comity leave wrote.")]


@leave.callback(invoke_without_command=True)
def take(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="A new folder; it must not exist.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Suspend the agency here: it has left.")] = False,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown | None:
    """Write all that an agency owns, with its log, to a folder that proves itself complete. By its administrator."""
    if context.invoked_subcommand is not None:
        return None
    if to is None:
        raise Problem(
            "request_invalid",
            say("request_invalid.say_where_to"),
            faults=[Fault("required", "--to", say("required.new_folder_is_named"))],
        )
    from comity.kernel.portability.leave import leave as verb

    with signed_in(as_, seat):
        pass  # at its end what this machine wrote gets its place, if no worker runs
    output.console(errors=True).print(output.word("leave_not_encrypted"), style="bold red")
    with signed_in(as_, seat) as session:
        done = verb(session.node, session.actor, to, close=close).as_json()
    return Shown(done, lambda out: _left(out, done))


def _left(out: Any, done: dict[str, Any]) -> None:
    out.soft_wrap = True
    _holds(out, done)
    out.print(output.word("leave_written", folder=done["folder"]), markup=False)
    for owner, count in done["left_behind"].items():
        out.print(f"  {output.word('leave_left_behind', count=count, owner=owner)}", markup=False)
    if done["closed"]:
        out.print(output.word("leave_closed", agency=done["agency"]), markup=False)
    out.print(f"{output.word('leave_write_down')}\n  {output.shown(done['proof'])}", markup=False)


def _holds(out: Any, done: dict[str, Any]) -> None:
    out.print(output.word("leave_entries", agency=done["agency"], count=done["entries"]), markup=False)
    files = done["files"]
    _pairs(
        out,
        ("leave_root", done["root"]),
        ("leave_records", output.word("leave_records_folded", count=sum(done["records"].values()))),
        ("leave_files", output.word("leave_files_are", count=files["count"], bytes=files["bytes"])),
        ("leave_erased", output.word("leave_erased_entries", count=done["erased_entries"])),
        *(
            ("leave_receipt", output.word("leave_receipt_at", entry=one["entry"], place=one["place"]))
            for one in done["receipts"]
        ),
    )


def _pairs(out: Any, *pairs: tuple[str, str]) -> None:
    """Lines of a word and what it is, the latter below one another."""
    told = [(output.word(key), output.shown(value)) for key, value in pairs]
    wide = max(cell_len(word) for word, _ in told)
    for word, value in told:
        out.print(f"  {word}{' ' * (wide - cell_len(word))}  {value}", markup=False)


@leave.command()
def verify(
    folder: Folder,
    receipt: Annotated[
        list[Path] | None, typer.Option("--receipt", metavar="FILE", help="A receipt (JSON) that somebody kept.")
    ] = None,
    entry: Annotated[
        list[str] | None, typer.Option("--entry", metavar="ID", help="An entry that must be in the log.")
    ] = None,
    language: Language = None,
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
            out.print(output.word("leave_does_not_hold", folder=folder), markup=False)
            for said in found.faults:
                out.print(f"  {output.shown(said)}", markup=False)
            if found.more:
                out.print(f"  {output.word('and_more', count=found.more)}", markup=False)
        else:
            _holds(out, done)
            _pairs(out, ("leave_proof", found.proof))

    return Shown(done, page, output.REFUSED if found.faults else output.OK)


def _receipt(path: Path) -> Any:
    from comity.formats.strict_json import loads
    from comity.kernel.ledger.departure_check import Held

    try:
        found = loads(path.read_bytes())
        return Held(str(found["entry"]), str(found["leaf"]), found.get("place"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = Fault(
            "receipt_unreadable", "--receipt", say("receipt_unreadable.is_no_receipt", path=path, error=error)
        )
        raise Problem("request_invalid", say("request_invalid.receipt_cannot_be_read"), faults=[fault]) from None


@leave.command("import")
def import_(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try all of it, and take it back.")] = False,
    with_definitions: Annotated[
        bool, typer.Option("--with-definitions", help="Take its core and law though this node has others.")
    ] = False,
    language: Language = None,
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
            out.print(output.word("arrive_unchanged", agency=done["agency"]), markup=False)
            return
        counts = {name: done[name] for name in ("agency", "entries", "records", "members", "files")}
        out.print(output.word("arrive_would_be" if dry_run else "arrived", **counts), markup=False)
        _pairs(out, ("leave_root", done["root"]))
        if done["administrators"]:
            out.print(f"  {output.word('arrive_first_code')}", markup=False)
        for one in done["administrators"]:
            roles = " ".join(f"--role {role}" for role in one["roles"])
            command = f'comity member invite {done["agency"]} --name "{one["name"]}" {roles}'
            out.print(f"    {output.shown(command)}", markup=False)

    return Shown(done, page)


def _shipped() -> dict[str, Files]:
    """The core and every jurisdiction of this release, as `profile install` would lay them."""
    from comity.kernel.definitions.load import read_folder

    laws = sorted(services().jurisdictions().glob("*/jurisdiction.yml"))
    return {
        "core": services().core(None), **{f"jurisdiction/{one.parent.name}": read_folder(one.parent) for one in laws},
    }  # fmt: skip
