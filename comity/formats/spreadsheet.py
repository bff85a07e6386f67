"""XLSX sheets as rows, read as a stream.

A workbook is a ZIP of XML: before a byte of it is parsed, its declared sizes are bounded (a ZIP that inflates past
them is cut off by the reader) and a document type declaration is refused. Dates come as datetime without a zone.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from comity.extensions import Row
from comity.formats.rows import BadRow, CellError, Formula, Options, Table, cut, header, refuse
from comity.sentences import say

MEMBERS = 2_000
INFLATED = 2 << 30
RATIO = 200
IN_MEMORY = 256 << 20
"""Shared texts and styles are held in memory by the reader: this is their bound, inflated."""
COLUMNS = 1_000
_STREAMED = "xl/worksheets/"
_DAMAGED = (zipfile.BadZipFile, ParseError, KeyError, ValueError, EOFError, OSError, IndexError,
            TypeError, AttributeError)  # fmt: skip
"""What the reader raises on a damaged workbook."""


@contextmanager
def read(file: Path, kind: str, options: Options) -> Iterator[Table]:
    """Open one sheet of a workbook. Raises Problem import_refused when it is damaged, hostile or has no such sheet."""
    import openpyxl  # only where a workbook is read: every command knows this format
    from openpyxl.utils.exceptions import InvalidFileException

    _inspect(file)
    try:
        book = openpyxl.load_workbook(
            file, read_only=True, data_only=options.formulas == "cached", keep_links=False, rich_text=False
        )
    except (InvalidFileException, *_DAMAGED) as error:
        raise _damaged(file, error) from None
    try:
        sheet = _sheet(file, book, options.sheet)
        sheet.reset_dimensions()  # what a file says of its own size may be wrong, and would cut columns off
        cells = enumerate(sheet.iter_rows(max_col=COLUMNS), 1)
        try:
            first = next(islice(cells, options.skip, None), (0, ()))[1]
        except _DAMAGED as error:
            raise _damaged(file, error) from None
        columns = header(file, [cell.value for cell in first])
        yield Table(columns, True, _rows(cells, columns), lambda: 0)
    finally:
        with suppress(*_DAMAGED):
            book.close()


def _rows(cells: Iterator[tuple[int, Any]], columns: tuple[str, ...]) -> Iterator[Row | BadRow]:
    width = len(columns)
    number = 0
    while True:
        try:
            number, found = next(cells)
        except StopIteration:
            return
        except _DAMAGED as error:
            said = say("sheet_damaged.damaged_from_here_on", error=type(error).__name__)
            yield BadRow(number + 1, "sheet_damaged", said, "")
            return
        values = [_value(cell) for cell in found]
        if all(value is None for value in values):
            continue
        if len(values) > width:
            if any(value is not None for value in values[width:]):
                said = say("row_width.cells_behind_header", width=width)
                yield BadRow(number, "row_width", said, _shown(values))
                continue
            del values[width:]
        values.extend([None] * (width - len(values)))
        if any(isinstance(value, str) and "\0" in value for value in values):
            yield BadRow(number, "row_nul", say("row_nul.row_holds_u_0000"), _shown(values))
        else:
            yield Row(number, dict(zip(columns, values, strict=True)))


def _value(cell: Any) -> Any:
    value = cell.value
    kind = cell.data_type
    if kind == "f" and isinstance(value, str):
        return Formula(value)
    if kind == "e":
        return CellError(str(value))
    if value is not None and not isinstance(value, (str, int, float, bool)) and not hasattr(value, "isoformat"):
        return Formula(str(getattr(value, "text", value)))  # an array formula, a duration: no value of ours
    return None if value == "" else value


def _shown(values: list[Any]) -> str:
    plain = (value.isoformat() if isinstance(value, datetime) else str(value) for value in values if value is not None)
    return cut(", ".join(plain).replace("\0", "\\0"))


def _sheet(file: Path, book: Any, name: str) -> Any:
    if name and name not in book.sheetnames:
        said = say("sheet_missing.workbook_has_no_sheet_of", name=name, sheets=", ".join(book.sheetnames))
        raise refuse("sheet_missing", file.name, said, say("sheet_missing.name_sheet_in_mapping_as.fix"))
    sheet = book[name] if name else next((one for one in book.worksheets), None)
    if sheet is None or not hasattr(sheet, "reset_dimensions"):
        raise refuse("sheet_missing", file.name, say("sheet_missing.workbook_has_no_sheet_with"))
    return sheet


def _inspect(file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            inflated = sum(one.file_size for one in members)
            held = sum(one.file_size for one in members if not one.filename.startswith(_STREAMED))
            steep = any(one.file_size > 1 << 20 and one.file_size > RATIO * one.compress_size for one in members)
            if len(members) > MEMBERS or inflated > INFLATED or held > IN_MEMORY or steep:
                raise refuse(
                    "workbook_too_large", file.name,
                    say("workbook_too_large.workbook_inflates_to_mib_in", inflated=inflated >> 20, count=len(members)),
                )  # fmt: skip
            for one in members:
                if one.filename.endswith((".xml", ".rels")):
                    with archive.open(one) as part:
                        if b"<!DOCTYPE" in part.read(1 << 16).replace(b"\0", b""):
                            raise refuse(
                                "workbook_hostile",
                                file.name,
                                say("workbook_hostile.holds_document_type_declaration", filename=one.filename),
                            )
    except (*_DAMAGED, zipfile.LargeZipFile, RuntimeError, NotImplementedError) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> Exception:
    return refuse(
        "workbook_damaged", file.name, say("workbook_damaged.workbook_is_cut_off_or", name=type(error).__name__),
    )  # fmt: skip
