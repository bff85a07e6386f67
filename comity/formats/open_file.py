"""The formats there are, and one way in and out for all: by a format's name, else by the file's suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from comity.formats import delimited, json_rows, spreadsheet
from comity.formats.format import Format, WriteRow
from comity.formats.rows import Options, Table, refuse
from comity.sentences import Text, say

FORMATS: tuple[Format, ...] = (
    Format("csv", (".csv",), delimited.read, delimited.write),
    Format("tsv", (".tsv", ".tab"), delimited.read, delimited.write),
    Format("xlsx", (".xlsx",), spreadsheet.read),
    Format("json", (".json",), json_rows.read),
    Format("jsonl", (".jsonl", ".ndjson"), json_rows.read, json_rows.write),
)


@contextmanager
def open_table(file: Path, options: Options) -> Iterator[Table]:
    """Open a foreign file as a Table. Raises Problem import_refused when the file is absent, of an unknown format, or
    unreadable as a whole."""
    if not file.is_file():
        raise refuse("file_missing", str(file), say("file_missing.there_is_no_file", file=file))
    kind = options.format or _by_suffix(file, say("format_unknown.name_one_in_mapping.fix"))
    found = next((one for one in FORMATS if one.name == kind), None)
    if found is None or found.read is None:
        known = ", ".join(sorted(one.name for one in FORMATS if one.read))
        raise refuse("format_unknown", file.name, say("format_unknown.there_is_no_reader_for", kind=kind, known=known))
    with found.read(file, found.name, options) as table:
        yield table


def writable(file: Path) -> Format:
    """The format in which a file of this name is written, by its suffix. Raises Problem import_refused."""
    known = ", ".join(suffix for one in FORMATS if one.write for suffix in one.suffixes)
    kind = _by_suffix(file, say("format_unknown.name_file_that_ends.fix", known=known))
    found = next(one for one in FORMATS if one.name == kind)
    if found.write is None:
        fix = say("format_unknown.name_file_that_ends.fix", known=known)
        raise refuse("format_unknown", file.name, say("format_unknown.is_read_here_and_not", kind=kind), fix)
    return found


@contextmanager
def new_table(file: Path, columns: Sequence[str], *, replace: bool = False) -> Iterator[WriteRow]:
    """A new file of rows, for its owner alone; gives what writes a row, which is in the file from then on, whatever
    ends the process. FileExistsError where a file is there already and may not be replaced. Raises Problem
    import_refused for a name that no format writes."""
    write = writable(file).write
    assert write is not None
    way = os.O_TRUNC if replace else os.O_EXCL
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | way, 0o600)
    with os.fdopen(handle, "w", buffering=1, encoding="utf-8", errors="backslashreplace", newline="") as out:
        yield write(out, writable(file).name, columns)


def _by_suffix(file: Path, fix: Text) -> str:
    for one in FORMATS:
        if file.suffix.lower() in one.suffixes:
            return one.name
    raise refuse(
        "format_unknown",
        file.name,
        say("format_unknown.suffix_names_no_format", suffix=file.suffix or say("format_unknown.no_suffix")),
        fix,
    )
