"""A format of its own, read and written: cells of twelve characters, as old registers are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from comity.extensions import Row
from comity.formats.format import Format, WriteRow
from comity.formats.rows import Options, Table

WIDTH = 12


def _cells(line: str) -> list[str]:
    return [line[at : at + WIDTH].strip() for at in range(0, len(line.rstrip("\n")), WIDTH)]


@contextmanager
def read(file: Path, kind: str, options: Options) -> Iterator[Table]:
    with file.open(encoding="utf-8") as text:
        columns = tuple(_cells(text.readline()))
        rows = (Row(at, dict(zip(columns, _cells(line), strict=False))) for at, line in enumerate(text, 2))
        yield Table(columns, True, rows, lambda: 0)


def write(out: TextIO, kind: str, columns: Sequence[str]) -> WriteRow:
    def line(cells: Sequence[Any]) -> None:
        out.write("".join(f"{'' if one is None else one!s:<{WIDTH}.{WIDTH}}" for one in cells).rstrip() + "\n")

    def row(values: Mapping[str, Any]) -> None:
        line([values.get(name) for name in columns])

    line(columns)
    return row


FIXED = Format("fixed", (".txt",), read, write)
