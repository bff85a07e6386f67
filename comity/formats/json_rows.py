"""JSON as rows: an array of objects, an object that holds one, or one object a line (JSONL), which is written too.

Read in constant memory. An element that is refused (see strict_json) is one BadRow; reading goes on behind it as long
as its brackets tell where it ends. Objects within an object become columns with a dot: `location.latitude`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from comity.errors import Problem
from comity.extensions import Row
from comity.formats import strict_json
from comity.formats.format import WriteRow
from comity.formats.rows import ROW_LIMIT, UNREADABLE, BadRow, Options, Table, cut, lines, objects, open_text, refuse
from comity.sentences import say

_BLANK = re.compile(r"[ \t\r\n]*")
_CHUNK = 1 << 16


@contextmanager
def read(file: Path, kind: str, options: Options) -> Iterator[Table]:
    """Open a JSON or JSONL file. Raises Problem import_refused when no array is found where the rows should be."""
    with open_text(file, options.encoding) as (text, position):
        rows = _lines(text) if kind == "jsonl" else _Array(file, text, options.at).rows()
        yield objects(rows, position)


def write(out: TextIO, kind: str, columns: Sequence[str]) -> WriteRow:
    """Begin a JSONL text; gives what writes a row (see Format). What is empty in a row is null."""

    def row(values: Mapping[str, Any]) -> None:
        line = {name: values.get(name) for name in columns}
        out.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")

    return row


def _lines(text: TextIOWrapper) -> Iterator[Row | BadRow]:
    cut_off = False
    number = 0
    for line in lines(text):
        whole = line.endswith(("\n", "\r")) or len(line) < ROW_LIMIT
        if cut_off:
            cut_off = not whole
            continue
        number += 1
        if not whole:
            cut_off = True
            yield BadRow(number, "row_too_large", say("row_too_large.line_is_longer", limit=ROW_LIMIT), cut(line))
        elif line.strip():
            yield _line(number, line)


def _line(number: int, line: str) -> Row | BadRow:
    if UNREADABLE in line:
        shown = cut(line.replace(UNREADABLE, "\ufffd").rstrip("\r\n"))
        return BadRow(number, "row_encoding", say("row_encoding.line_holds_bytes"), shown)
    try:
        return _row(number, strict_json.loads(line), line)
    except Problem as problem:
        return _bad(number, problem, line)


def _row(number: int, value: Any, text: str) -> Row | BadRow:
    if not isinstance(value, dict):
        return BadRow(number, "row_not_object", say("row_not_object.row_is_no_object"), cut(text.strip()))
    if any(isinstance(one, dict) for one in value.values()):
        value = dict(_flat(value, ""))
    return Row(number, value)


def _flat(value: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        if isinstance(one, dict) and one:
            yield from _flat(one, f"{before}{key}.")
        else:
            yield f"{before}{key}", one


def _bad(number: int, problem: Problem, text: str) -> BadRow:
    first = problem.faults[0]
    said = say("row_unreadable.at_place", said=first.message, place=first.path) if first.path else first.message
    shown = cut(text.strip().encode("utf-8", "backslashreplace").decode().replace("\0", "\\0"))
    return BadRow(number, first.code, said, shown)


class _Array:
    """The elements of one array in a JSON text that is read piece by piece."""

    def __init__(self, file: Path, text: TextIOWrapper, at: str) -> None:
        self._file, self._text, self._at = file, text, at
        self._buffer, self._here, self._ended = "", 0, False

    def rows(self) -> Iterator[Row | BadRow]:
        self._enter()
        number = 0
        if self._next() == "]":
            return
        while True:
            number += 1
            yield self._element(number)
            mark = self._next()
            if mark == "]":
                return
            if mark != ",":
                key = "json_rest_unread.no_comma" if mark else "json_rest_unread.array_is_not_closed"
                rest = cut(self._buffer[self._here : self._here + 200])
                yield BadRow(number + 1, "json_rest_unread", say(key), rest)
                return
            self._here += 1
            if self._next() == "":
                yield BadRow(number + 1, "json_rest_unread", say("json_rest_unread.file_is_cut_off"), "")
                return

    def _element(self, number: int) -> Row | BadRow:
        while True:
            try:
                value, end = strict_json.element(self._buffer, self._here)
            except Problem as problem:
                end = problem.extra.get("end", 0)
                if not end and self._more():
                    continue
                start = self._here
                self._here = end or strict_json.span(self._buffer, start) or len(self._buffer)
                return self._encoded(number, start) or _bad(number, problem, self._buffer[start : self._here])
            if end == len(self._buffer) and self._more():
                continue  # a number may go on
            start, self._here = self._here, end
            return self._encoded(number, start) or _row(number, value, self._buffer[start : min(end, start + 200)])

    def _encoded(self, number: int, start: int) -> BadRow | None:
        """The BadRow of an element with bytes that the encoding does not know; None when there are none."""
        if self._buffer.find(UNREADABLE, start, self._here) < 0:
            return None
        shown = cut(self._buffer[start : self._here].replace(UNREADABLE, "\ufffd"))
        return BadRow(number, "row_encoding", say("row_encoding.row_holds_bytes"), shown)

    def _enter(self) -> None:
        """Go behind the bracket that opens the array of rows."""
        mark = self._next()
        if mark == "{":
            self._here += 1
            while self._next() == '"':
                key = self._value()
                if self._next() != ":":
                    break
                self._here += 1
                mark = self._next()
                if mark == "[" and (not self._at or key == self._at):
                    break
                self._value()
                if self._next() == ",":
                    self._here += 1
                mark = ""
        if mark != "[":
            said = say("array_missing.not_under", at=self._at) if self._at else say("array_missing.not_in_file")
            raise refuse("array_missing", self._file.name, said, say("array_missing.give_an_array.fix"))
        self._here += 1

    def _value(self) -> Any:
        """Read over one value before the array. Raises Problem import_refused when it is not JSON or too long."""
        while True:
            try:
                value, self._here = strict_json.element(self._buffer, self._here)
                return value
            except Problem as problem:
                end = problem.extra.get("end", 0)
                if end:
                    self._here = end
                    return None
                if not self._more():
                    detail = problem.faults[0].message
                    raise refuse(
                        "array_missing", self._file.name, detail, say("array_missing.repair_file_or_export_it.fix")
                    ) from None

    def _next(self) -> str:
        """The next character that is not blank; empty at the end of the file."""
        while True:
            self._here = _BLANK.match(self._buffer, self._here).end()  # type: ignore[union-attr]
            if self._here < len(self._buffer):
                return self._buffer[self._here]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; False at the end of the file, or when the row at hand has reached ROW_LIMIT."""
        held = len(self._buffer) - self._here
        if self._ended or held >= ROW_LIMIT:
            return False
        piece = self._text.read(max(_CHUNK, held))  # doubling: a long row is tried few times
        self._ended = not piece
        self._buffer, self._here = self._buffer[self._here :] + piece, 0
        return bool(piece)
