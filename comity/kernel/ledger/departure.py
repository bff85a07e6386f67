"""The folder in which an agency leaves: what stands in it, line by line. Pure; docs/leaving.md is its description.

proof.json            what the folder says of itself: entries, root, records, files, what is absent; digest of:
manifest-sha256.txt   SHA-256 and path of every other file
log.jsonl             the entries in order of their places, with content and salts
records.jsonl         of each record: type, last version, digest of its folded state, in order of ids
files/ID              files of records, plain
rows/TABLE.jsonl      definitions, members, offers, shares, disclosures, counters as they stood
LEFT_BEHIND.txt       what does not come along, in words
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from comity.clock import parse_instant
from comity.errors import Problem
from comity.kernel.ledger.canonical import canonical
from comity.kernel.ledger.entry import HASH, HEADER, header_fields
from comity.kernel.ledger.fold import Folded
from comity.sentences import say

FORMAT = "comity-leave-1"
PROOF, MANIFEST, LOG, RECORDS, LEFT_BEHIND = (
    "proof.json", "manifest-sha256.txt", "log.jsonl", "records.jsonl", "LEFT_BEHIND.txt",
)  # fmt: skip
FILES, ROWS = "files", "rows"
BLOCK = 1 << 20
LONGEST = 64 * BLOCK
"""Bytes of a line; the longest that is written is a layer of definitions, about one megabyte."""
SMALL = 16 * BLOCK
"""Bytes of proof.json."""
NAMED = 1 << 12
"""Bytes of a line of the manifest."""
_LOOKING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Unreadable(ValueError):
    """A file of the folder is not what it should be; the message says which and where."""


def opened(folder: Path, name: str) -> BinaryIO:
    """A plain file of the folder to be read: never what a link, a pipe or a device stands for. Raises Unreadable.

    `name` is relative, its parts parted by "/". Each part is looked at as it is opened, so that nothing hangs or leads
    outside, whatever is put in its place meanwhile. The folder itself may be reached by a link.
    """
    held: list[int] = []
    *above, last = name.split("/")
    try:
        held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC))
        for part in above:
            held.append(os.open(part, _LOOKING | os.O_DIRECTORY, dir_fd=held[-1]))
        found = os.open(last, _LOOKING, dir_fd=held[-1])
        held.append(found)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise Unreadable(say("folder_fault.is_no_plain_file", name=shown(name)))
        return os.fdopen(held.pop(), "rb")
    except (OSError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        linked = isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)
        raise Unreadable(
            say("folder_fault.is_no_plain_file", name=shown(name))
            if linked
            else say("folder_fault.file_is_not_readable", name=shown(name), error=error)
        ) from error
    finally:
        for one in held:
            os.close(one)


def shown(name: str) -> str:
    """A name that a stranger gave to a file, as it may be printed."""
    return name if name.isprintable() else ascii(name)


def standing(folder: Path) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a plain file) of everything that stands in the folder and in its two folders.

    No file is opened and no link followed. Raises Unreadable where a folder cannot be listed.
    """
    below = [""]
    for at in below:
        try:
            with os.scandir(folder / at) as found:
                for one in found:
                    if not at and one.name in (FILES, ROWS) and one.is_dir(follow_symlinks=False):
                        below.append(one.name)
                    else:
                        yield f"{at}/{one.name}".lstrip("/"), one.is_file(follow_symlinks=False)
        except OSError as error:
            raise Unreadable(
                say("folder_fault.folder_is_not_readable", at=at or folder, strerror=error.strerror)
            ) from error


def entry_line(row: Mapping[str, Any], place: int, placed_at: str) -> bytes:
    """One line of log.jsonl. `row` is in the spelling that is hashed, with bytes as bytes; content None: erased."""
    commitments, salts = bytes(row["commitments"]), row["salts"]
    line = {
        "place": place, "placed_at": placed_at, "header": header_fields(row),
        "commitments": [commitments[at : at + HASH].hex() for at in range(0, len(commitments), HASH)],
        "leaf": bytes(row["leaf"]).hex(),
        "content": None if row["content"] is None else bytes(row["content"]).decode("utf-8"),
        "salts": None if salts is None else bytes(salts).hex(),
    }  # fmt: skip
    return orjson.dumps(line) + b"\n"


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """The entries of log.jsonl in the form that `check_entry` takes, with `place` and `placed_at`.

    Raises Unreadable at the first line that is none.
    """
    for number, line in lines(folder, LOG):
        try:
            header = line["header"]
            if set(header) != {"v", *HEADER} or header["v"] != 1:
                raise Unreadable(say("folder_fault.header_has_other_members_than"))
            if set(line) != {"place", "placed_at", "header", "commitments", "leaf", "content", "salts"}:
                raise Unreadable(say("folder_fault.it_has_other_members_than"))
            if type(line["place"]) is not int or type(header["version"]) is not int:
                raise Unreadable(say("folder_fault.place_and_version_are_integers"))
            parse_instant(line["placed_at"])
            yield {
                **header, "place": line["place"], "placed_at": line["placed_at"],
                "commitments": bytes.fromhex("".join(line["commitments"])), "leaf": bytes.fromhex(line["leaf"]),
                "content": None if line["content"] is None else line["content"].encode("utf-8"),
                "salts": None if line["salts"] is None else bytes.fromhex(line["salts"]),
            }  # fmt: skip
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unreadable(say("folder_fault.line", log=LOG, number=number, error=error)) from error


def record_line(record: str, kind: str, state: Folded) -> dict[str, Any]:
    """One line of records.jsonl. `kind` is that of its first entry; see ABOUT_ANOTHERS."""
    return {
        "record": record, "kind": kind, "type": state.type, "version": state.version,
        "digest": hashlib.sha256(canonical(spelled(state))).hexdigest(),
    }  # fmt: skip


def spelled(state: Folded) -> dict[str, Any]:
    """A folded record as the JSON value whose canonical bytes are digested."""
    return {
        "version": state.version, "type": state.type, "type_version": state.type_version, "state": state.state,
        "number": state.number, "entered_by": state.entered_by, "fields": dict(state.fields),
        "links": {name: list(ids) for name, ids in state.links.items()}, "marks": list(state.marks),
        "field_marks": dict(state.field_marks), "files": dict(state.files), "erased": list(state.erased),
        "behalf": state.behalf,
    }  # fmt: skip


def proof(folder: Path) -> dict[str, Any]:
    """proof.json, with every member that the check and the import read. Raises Unreadable."""
    try:
        with opened(folder, PROOF) as source:
            text = source.read(SMALL + 1)
        if len(text) > SMALL:
            raise Unreadable(say("folder_fault.it_is_longer_than_bytes", small=SMALL))
        found = orjson.loads(text)
        kinds = {
            "format": str, "agency": str, "version": int, "layers": dict, "entries": int, "first": int, "last": int,
            "root": str, "records": dict, "files": dict, "absent": dict, "manifest": str,
        }  # fmt: skip
        for name, kind in kinds.items():
            if type(found[name]) is not kind:
                raise Unreadable(say("folder_fault.is_no", name=name, kind_name=kind.__name__))
        if found["format"] != FORMAT:
            raise Unreadable(say("folder_fault.format_is_not", format=found["format"], format2=FORMAT))
        return dict(found)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(say("folder_fault.proof_is_not_readable", proof=PROOF, error=error)) from error


def rows(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    """The rows that a table held. Raises Unreadable."""
    for number, line in lines(folder, f"{ROWS}/{table}.jsonl"):
        if not isinstance(line, dict):
            raise Unreadable(say("folder_fault.jsonl_line_it_is_no", rows=ROWS, table=table, number=number))
        yield line


def lines(folder: Path, name: str) -> Iterator[tuple[int, Any]]:
    """(number, value) of each line of a file. Raises Unreadable."""
    try:
        with opened(folder, name) as source:
            number = 0
            while line := source.readline(LONGEST):
                number += 1
                if not line.endswith(b"\n"):
                    raise Unreadable(
                        say("folder_fault.line_it_does_not_end", name=name, number=number, longest=LONGEST)
                    )
                yield number, orjson.loads(line)
    except (OSError, orjson.JSONDecodeError) as error:
        raise Unreadable(say("folder_fault.file_is_not_readable", name=name, error=error)) from error


def manifest(folder: Path) -> Iterator[tuple[str, str]]:
    """(SHA-256 in hex, path) of each line of the manifest. Raises Unreadable, also for a path that leads outside."""
    try:
        with opened(folder, MANIFEST) as source:
            while line := source.readline(NAMED):
                digest, _, name = line.decode("utf-8").removesuffix("\n").partition("  ")
                parts = name.split("/")
                if (
                    len(digest) != 2 * HASH or not all(parts) or {".", ".."} & set(parts) or not line.endswith(b"\n")
                    or parts[:-1] not in ([], [FILES], [ROWS])
                ):  # fmt: skip
                    raise Unreadable(say("folder_fault.manifest_line", manifest=MANIFEST, line=line[:100]))
                yield digest, name
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(say("folder_fault.manifest_is_not_readable", manifest=MANIFEST, error=error)) from error


def sha256(folder: Path, name: str) -> tuple[str, int]:
    """The digest of a file of the folder in hex, and its size. Raises Unreadable."""
    state, size = hashlib.sha256(), 0
    try:
        with opened(folder, name) as source:
            while block := source.read(BLOCK):
                state.update(block)
                size += len(block)
    except OSError as error:
        raise Unreadable(say("folder_fault.file_is_not_readable", name=shown(name), error=error)) from error
    return state.hexdigest(), size


def parsed(content: bytes | None) -> dict[str, Any] | None:
    """The items of an entry; None where they are gone or cannot be read, which check_entry tells."""
    try:
        found = None if content is None else orjson.loads(content)
    except (ValueError, Problem):
        return None
    return found if isinstance(found, dict) else None
