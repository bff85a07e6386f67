"""What a foreign file is read as: its columns, and its rows one by one, in constant memory.

A row that cannot be read is a `BadRow` among the others, never an end of the reading. A file that cannot be read at
all is Problem import_refused. Row numbers are those a person sees who opens the file: the line in a text file, the
row in a spreadsheet, the place in a JSON array (from 1).
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from comity.errors import Fault, Problem
from comity.extensions import Row
from comity.sentences import NOTHING, Text, say

ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252"}
ROW_LIMIT = 1 << 20
"""Characters that one row may take. Beyond it the row is refused: a missing quote must not fill the memory."""
PEEK = 1000
UNREADABLE = "\udcff"
"""Stands for bytes that the encoding does not know. No decoded text holds it otherwise."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNREADABLE, error.end


codecs.register_error("comity_mark", _mark)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read. `value` is what was found there, cut short."""

    number: int
    code: str
    reason: Text
    value: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """A spreadsheet cell that holds a formula instead of a value."""

    text: str


@dataclass(frozen=True, slots=True)
class CellError:
    """A spreadsheet cell that shows an error such as #REF!."""

    text: str


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a file. `format` empty: by the file's suffix. `skip`: lines before the header. `at`: the key of a
    JSON object under which the rows stand. `formulas`: `refuse`, or `cached` for the values last computed."""

    format: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""
    skip: int = 0
    sheet: str = ""
    at: str = ""
    formulas: str = "refuse"


@dataclass(frozen=True, slots=True)
class Table:
    """An open file. `columns` are those of the header; in JSON those met in the first 1,000 rows, and `closed` is
    False: others may follow. `position` answers how many bytes of the file have been read, 0 where that cannot be
    known (XLSX)."""

    columns: tuple[str, ...]
    closed: bool
    rows: Iterator[Row | BadRow]
    position: Callable[[], int]


def refuse(code: str, path: str, message: Text, fix: Text = NOTHING) -> Problem:
    """The Problem of a file that cannot be read at all."""
    fault = Fault(code, path, message, fix)
    return Problem("import_refused", message, faults=[fault], fix=fault.fix)


@contextmanager
def open_text(file: Path, encoding: str) -> Iterator[tuple[io.TextIOWrapper, Callable[[], int]]]:
    """The file as text, line ends untouched, a byte order mark taken off; what cannot be decoded is UNREADABLE."""
    with file.open("rb") as raw:
        _mark_agrees(file, raw.read(4), encoding)
        raw.seek(0)
        text = io.TextIOWrapper(raw, encoding=ENCODINGS[encoding], errors="comity_mark", newline="")
        yield text, raw.tell


def _mark_agrees(file: Path, start: bytes, encoding: str) -> None:
    """Refuse a file whose byte order mark names another encoding than the mapping."""
    said = "utf-8" if start.startswith(codecs.BOM_UTF8) else ""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        said = "utf-16"
    if said and said != encoding:
        raise refuse(
            "encoding_mark", file.name, say("encoding_mark.file_byte_order_mark_says", said=said, encoding=encoding),
        )  # fmt: skip


def lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a text with their ends; one longer than ROW_LIMIT comes in pieces of that length."""
    return iter(lambda: text.readline(ROW_LIMIT), "")


def objects(rows: Iterator[Row | BadRow], position: Callable[[], int]) -> Table:
    """A table whose columns are known only from its rows."""
    first = list(islice(rows, PEEK))
    columns = dict.fromkeys(name for row in first if isinstance(row, Row) for name in row.values)
    return Table(tuple(columns), False, chain(first, rows), position)


def header(file: Path, names: list[Any]) -> tuple[str, ...]:
    """The column names of a header row. Raises Problem import_refused when one stands twice or none stands there."""
    found = tuple("" if name is None else str(name).strip() for name in names)
    while found and not found[-1]:
        found = found[:-1]
    named = [name for name in found if name]
    if not named:
        raise refuse(
            "header_missing", file.name, say("header_missing.file_has_no_header_row"),
        )  # fmt: skip
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise refuse("column_twice", file.name, say("column_twice.column_stands_twice_in_header", twice=twice[0]))
    return tuple(name or f"(column {index})" for index, name in enumerate(found, 1))


def cut(text: str, length: int = 120) -> str:
    """A value short enough for a report."""
    return text if len(text) <= length else text[: length - 3] + "..."
