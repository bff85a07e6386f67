"""CSV and TSV, read and written, as of RFC 4180: quoted fields may hold delimiters, quotes and line ends.

An unclosed or misplaced quote costs the line it stands on and no other: the lines that it swallowed are read again.
Each line is read at most twice, since the quote that closes an open one is the next there is.

What is written stands behind an apostrophe where a spreadsheet would run it as a formula: whoever opens the file wants
to read what somebody else entered. Read again, it still stands there.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from comity.extensions import Row
from comity.formats.format import WriteRow
from comity.formats.rows import ROW_LIMIT, UNREADABLE, BadRow, Options, Table, cut, header, lines, open_text
from comity.sentences import reason, say

DELIMITERS = {"csv": ",", "tsv": "\t"}
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


@contextmanager
def read(file: Path, kind: str, options: Options) -> Iterator[Table]:
    """Open a CSV or TSV file. Raises Problem import_refused for a missing or doubled header."""
    with open_text(file, options.encoding) as (text, position):
        for _ in range(options.skip):
            text.readline(ROW_LIMIT)
        source = _Lines(text, options.skip)
        reader = csv.reader(source, delimiter=options.delimiter or DELIMITERS[kind], strict=True)
        columns = header(file, _first(reader, source))
        yield Table(columns, True, _rows(reader, source, columns), position)


class _Lines:
    """The lines of a file for the csv reader; remembers those of the present row, and can take them back."""

    def __init__(self, text: io.TextIOWrapper, skipped: int) -> None:
        self._lines = lines(text)
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = skipped
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        self._size += len(line)
        if self._size > ROW_LIMIT:
            raise csv.Error(say("row_unreadable.row_is_too_long"))
        return line

    def start(self) -> None:
        """A new row begins."""
        self.number += len(self.taken)
        self.taken.clear()
        self._size = 0

    def back(self) -> str:
        """Give up the present row: keep its first line for the report, read the others again."""
        first = self.taken[0] if self.taken else ""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        return first


def _first(reader: Iterator[list[str]], source: _Lines) -> list[str]:
    source.start()
    try:
        return next(reader, [])
    except csv.Error:
        source.back()
        return []


def _rows(reader: Iterator[list[str]], source: _Lines, columns: tuple[str, ...]) -> Iterator[Row | BadRow]:
    width = len(columns)
    while True:
        source.start()
        number = source.number + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            said = say("row_unreadable.row_cannot_be_read", error=reason(error))
            yield BadRow(number, "row_unreadable", said, cut(source.back()))
            continue
        if not values:
            continue
        if len(values) != width:
            # a delimiter at the end of the line is no value
            if len(values) > width and not any(values[width:]):
                values = values[:width]
            else:
                said = say("row_width.row_has_columns", columns=len(values), width=width)
                yield BadRow(number, "row_width", said, cut("".join(source.taken).rstrip("\r\n")))
                continue
        taken = source.taken[0] if len(source.taken) == 1 else "".join(source.taken)
        if "\0" in taken:
            shown = cut(taken.replace("\0", "\\0").rstrip("\r\n"))
            yield BadRow(number, "row_nul", say("row_nul.row_holds_u_0000"), shown)
        elif UNREADABLE in taken:
            shown = cut(taken.replace(UNREADABLE, "\ufffd").rstrip("\r\n"))
            yield BadRow(number, "row_encoding", say("row_encoding.row_holds_bytes"), shown)
        else:
            yield Row(number, dict(zip(columns, values, strict=True)))


def write(out: TextIO, kind: str, columns: Sequence[str]) -> WriteRow:
    """Begin a CSV or TSV text with its header; gives what writes a row (see Format)."""
    writer = csv.writer(out, delimiter=DELIMITERS[kind])
    writer.writerow([spelled(name) for name in columns])

    def row(values: Mapping[str, Any]) -> None:
        writer.writerow([spelled(values.get(name)) for name in columns])

    return row


def spelled(value: Any) -> str:
    """A value as it stands in a cell. Lists and objects stand as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = str(value).replace("\0", "\\0")
    return "'" + text if _FORMULA.match(text) and not _NUMBER.match(text) else text
