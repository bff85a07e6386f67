"""One way in for every format: `open_table` finds the reader by the mapping's format or the file's suffix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from comity.extensions import Format
from comity.formats import delimited, json_rows, spreadsheet
from comity.formats.rows import Options, Table, format_of, objects, refuse

READERS = {
    "csv": delimited.read, "tsv": delimited.read, "xlsx": spreadsheet.read,
    "json": json_rows.read, "jsonl": json_rows.read,
}  # fmt: skip


@contextmanager
def open_table(file: Path, options: Options, extra: Mapping[str, Format] | None = None) -> Iterator[Table]:
    """Open a foreign file as a Table. `extra` are the formats that pillars add, by `pillar.function`.

    Raises Problem import_refused when the file is absent, of an unknown format, or unreadable as a whole.
    """
    if not file.is_file():
        raise refuse("file_missing", str(file), f"There is no file {file}.", "Check the path.")
    kind = format_of(file, options)
    if extra and kind in extra:
        yield objects(extra[kind](file), lambda: 0)
    elif kind in READERS:
        with READERS[kind](file, kind, options) as table:
            yield table
    else:
        known = ", ".join(sorted([*READERS, *(extra or ())]))
        raise refuse("format_unknown", file.name, f"There is no reader for {kind!r}.", f"Formats are {known}.")
