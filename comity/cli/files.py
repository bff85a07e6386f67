"""Files of records on the command line: attach one, fetch one."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.records import Reference
from comity.cli.session import As, Json, Key, Language, Purpose, SeatName, signed_in
from comity.errors import Fault, Problem
from comity.sentences import say


def attach(
    record: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to keep with the record.")],
    media_type: Annotated[str | None, typer.Option("--media-type", help="Guessed from the name otherwise.")] = None,
    key: Key = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Keep a file with a record: hashed on the way in, encrypted with the agency's key."""
    from comity.kernel.records.attach import attach as verb

    if not file.is_file():
        fault = Fault("file_absent", "FILE", say("file_absent.there_is_no_file", file=file))
        raise Problem("request_invalid", say("request_invalid.file_cannot_be_read"), faults=[fault])
    guessed = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with signed_in(as_, seat) as session, file.open("rb") as stream:
        receipt = verb(
            session.node, session.actor, session.record(record), name=file.name, media_type=guessed, stream=stream,
            key=key,
        )  # fmt: skip
    record = receipt.number or receipt.record
    return Shown(receipt.as_json(), output.word("file_kept", file=file.name, record=record, command="comity show"))


def fetch(
    file: Annotated[str, typer.Argument(metavar="FILE_ID", help="From comity show.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write it; an existing file stays.")],
    language: Language = None,
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
            fault = Fault("file_exists", "OUT", say("file_exists.exists_already", out=out))
            raise Problem("request_invalid", say("request_invalid.nothing_was_written"), faults=[fault]) from None
        except Problem:
            out.unlink(missing_ok=True)
            raise
    said = output.word("file_written", file=info.name, count=info.size, digest=f"sha256 {info.sha256}", path=out)
    return Shown({**info.as_json(), "path": str(out)}, said)
