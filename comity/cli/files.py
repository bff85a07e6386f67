"""Files of records on the command line: attach one, fetch one."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from comity.cli.output import Shown
from comity.cli.records import Reference
from comity.cli.session import As, Json, Key, Purpose, SeatName, signed_in
from comity.errors import Fault, Problem


def attach(
    record: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to keep with the record.")],
    media_type: Annotated[str | None, typer.Option("--media-type", help="Guessed from the name otherwise.")] = None,
    key: Key = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Keep a file with a record: hashed on the way in, encrypted with the agency's key."""
    from comity.kernel.records.attach import attach as verb

    if not file.is_file():
        fault = Fault("file_absent", "FILE", f"there is no file {file}", "check its path")
        raise Problem("request_invalid", "the file cannot be read", faults=[fault])
    guessed = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with signed_in(as_, seat) as session, file.open("rb") as stream:
        receipt = verb(
            session.node, session.actor, session.record(record), name=file.name, media_type=guessed, stream=stream,
            key=key,
        )  # fmt: skip
    return Shown(receipt.as_json(), f"{file.name} is kept with {receipt.number or receipt.record}; show names its id")


def fetch(
    file: Annotated[str, typer.Argument(metavar="FILE_ID", help="From comity show.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write it; an existing file stays.")],
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Write a file of a record to a path, checked against its digest."""
    from comity.kernel.records.attach import fetch as verb

    with signed_in(as_, seat, purpose) as session:
        info, blocks = verb(session.node, session.actor, file)
        try:
            with out.open("xb") as target:
                for block in blocks:
                    target.write(block)
        except FileExistsError:
            fault = Fault("file_exists", "OUT", f"{out} exists already", "choose another name")
            raise Problem("request_invalid", "nothing was written", faults=[fault]) from None
        except Problem:
            out.unlink(missing_ok=True)
            raise
    return Shown(
        {**info.as_json(), "path": str(out)}, f"{info.name}: {info.size} bytes, sha256 {info.sha256}, in {out}"
    )
