"""Foreign files as they come: cut off, wrongly quoted, in another encoding, hostile. A bad row ends nothing."""

import json
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from comity.errors import Problem
from comity.extensions import Row
from comity.formats.open_file import open_table
from comity.formats.rows import ROW_LIMIT, BadRow, CellError, Formula, Options
from tests.speeds.sizes import size


def read(file: Path, options: Options | None = None) -> tuple[tuple[str, ...], list[Row | BadRow]]:
    with open_table(file, options or Options()) as table:
        return table.columns, list(table.rows)


def short(rows: list[Row | BadRow]) -> list[tuple[int, object]]:
    """Row numbers with their values, or with the code of what is wrong."""
    return [(row.number, list(row.values.values()) if isinstance(row, Row) else row.code) for row in rows]


def refused(file: Path, options: Options | None = None) -> str:
    with pytest.raises(Problem) as caught:
        read(file, options)
    assert caught.value.code == "import_refused" and caught.value.fix
    return caught.value.faults[0].code


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestDelimited:
    @pytest.mark.parametrize(
        ("encoding", "content"),
        [
            ("utf-8", "name,city\nJosé,Łódź\n".encode()),
            ("utf-8", "name,city\nJosé,Łódź\n".encode("utf-8-sig")),
            ("utf-16", "name,city\nJosé,Łódź\n".encode("utf-16")),
            ("utf-16", b"\xfe\xff" + "name,city\nJosé,Łódź\n".encode("utf-16-be")),
            ("cp1252", "name,city\nJosé,Zürich €\n".encode("cp1252")),
        ],
    )
    def test_encodings_and_byte_order_marks(self, tmp_path: Path, encoding: str, content: bytes) -> None:
        columns, rows = read(put(tmp_path, "a.csv", content), Options(encoding=encoding))
        assert columns == ("name", "city")
        assert [row.values["name"] for row in rows if isinstance(row, Row)] == ["José"]

    def test_a_byte_order_mark_that_contradicts_the_mapping(self, tmp_path: Path) -> None:
        assert refused(put(tmp_path, "a.csv", "a,b\n1,2\n".encode("utf-16"))) == "encoding_mark"
        assert (
            refused(put(tmp_path, "b.csv", "a,b\n".encode("utf-8-sig")), Options(encoding="cp1252")) == "encoding_mark"
        )

    def test_quoted_line_ends_and_delimiters(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", 'id,text\r\n1,"two\r\nlines, and ""quotes"""\r\n2,plain\r\n')
        assert short(read(file)[1]) == [(2, ["1", 'two\r\nlines, and "quotes"']), (4, ["2", "plain"])]

    def test_tabs_and_semicolons(self, tmp_path: Path) -> None:
        assert short(read(put(tmp_path, "a.tsv", "a\tb\n1\t2,3\n"))[1]) == [(2, ["1", "2,3"])]
        assert short(read(put(tmp_path, "a.csv", "a;b\n1;2,3\n"), Options(delimiter=";"))[1]) == [(2, ["1", "2,3"])]

    def test_lines_before_the_header(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", "Report of 22 November\n\na,b\n1,2\n")
        assert short(read(file, Options(skip=2))[1]) == [(4, ["1", "2"])]

    def test_a_wrong_number_of_columns_is_a_bad_row(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", "a,b\n1\n2,3\n4,5,6\n\n7,8,,\n")
        assert short(read(file)[1]) == [(2, "row_width"), (3, ["2", "3"]), (4, "row_width"), (6, ["7", "8"])]

    def test_nul_and_undecodable_bytes_are_bad_rows(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", b"a,b\n1,x\0y\n2,\xff\xfe\n3,fine\n")
        assert short(read(file)[1]) == [(2, "row_nul"), (3, "row_encoding"), (4, ["3", "fine"])]
        file = put(tmp_path, "b.csv", b"a,b\n1,\x81\n2,fine\n")
        assert short(read(file, Options(encoding="cp1252"))[1]) == [(2, "row_encoding"), (3, ["2", "fine"])]

    def test_utf16_cut_in_the_middle_of_a_character(self, tmp_path: Path) -> None:
        whole = "a,b\n1,2\n3,4".encode("utf-16")
        assert short(read(put(tmp_path, "a.csv", whole[:-1]), Options(encoding="utf-16"))[1]) == [
            (2, ["1", "2"]), (3, "row_encoding"),
        ]  # fmt: skip

    def test_an_open_quote_costs_its_own_line_only(self, tmp_path: Path) -> None:
        last = size(small=30_000, deep=500_000)
        lines = ["id,text", '1,"never closed', *(f"{n},fine" for n in range(2, last + 1))]
        rows = read(put(tmp_path, "a.csv", "\n".join(lines)))[1]
        assert [row.number for row in rows if isinstance(row, BadRow)] == [2]
        assert len(rows) == last

    def test_text_after_a_closing_quote(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", 'id,text\n1,"a"b\n2,fine\n3,"open')
        assert short(read(file)[1]) == [(2, "row_unreadable"), (3, ["2", "fine"]), (4, "row_unreadable")]

    def test_one_endless_line_does_not_fill_the_memory(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.csv", b"a,b\n" + b"x" * (40 * ROW_LIMIT))
        tracemalloc.start()
        rows = read(file)[1]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert {row.code for row in rows if isinstance(row, BadRow)} == {"row_unreadable"}
        assert not any(isinstance(row, Row) for row in rows)
        assert peak < 16 * ROW_LIMIT

    def test_no_header_and_a_doubled_one(self, tmp_path: Path) -> None:
        assert refused(put(tmp_path, "a.csv", "")) == "header_missing"
        assert refused(put(tmp_path, "b.csv", "a,b,a\n1,2,3\n")) == "column_twice"

    def test_no_file_and_no_format(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "none.csv") == "file_missing"
        assert refused(put(tmp_path, "a.dbf", "x")) == "format_unknown"


BAD = {
    "json_nan": '{"a": NaN}', "json_duplicate_key": '{"a": 1, "a": 2}', "json_nul": '{"a": "\\u0000"}',
    "json_surrogate": '{"a": "\\ud800"}', "json_integer": '{"a": 9007199254740993}',
    "json_depth": '{"a": ' + "[" * 80 + "]" * 80 + "}", "json_syntax": '{"a": 01, "b": "}"}', "row_not_object": "7",
}  # fmt: skip


class TestJson:
    def test_an_array_an_object_and_lines(self, tmp_path: Path) -> None:
        rows = [{"id": 1, "at": {"lat": "41.8"}}, {"id": 2, "more": None}]
        wanted = [(1, [1, "41.8"]), (2, [2, None])]
        assert short(read(put(tmp_path, "a.json", json.dumps(rows)))[1]) == wanted
        assert read(put(tmp_path, "a.json", json.dumps(rows)))[0] == ("id", "at.lat", "more")
        file = put(tmp_path, "b.json", json.dumps({"meta": {"n": [1]}, "other": [], "data": rows, "end": 1}))
        assert short(read(file, Options(at="data"))[1]) == wanted
        assert short(read(put(tmp_path, "c.jsonl", "\n".join(map(json.dumps, rows))))[1]) == wanted

    def test_a_byte_order_mark(self, tmp_path: Path) -> None:
        assert short(read(put(tmp_path, "a.json", b'\xef\xbb\xbf[{"a": 1}]'))[1]) == [(1, [1])]
        assert short(read(put(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"a": 1}\n'))[1]) == [(1, [1])]

    @pytest.mark.parametrize("code", BAD)
    def test_a_refused_row_does_not_end_the_reading(self, tmp_path: Path, code: str) -> None:
        bad = BAD[code]
        array = put(tmp_path, "a.json", f'[{{"a": 1}}, {bad}, {{"a": 3}}]')
        lines = put(tmp_path, "a.jsonl", f'{{"a": 1}}\n{bad}\n{{"a": 3}}\n')
        assert short(read(array)[1]) == [(1, [1]), (2, code), (3, [3])]
        assert short(read(lines)[1]) == [(1, [1]), (2, code), (3, [3])]

    def test_undecodable_bytes(self, tmp_path: Path) -> None:
        array = put(tmp_path, "a.json", b'[{"a": "\xff"}, {"a": 2}]')
        assert short(read(array)[1]) == [(1, "row_encoding"), (2, [2])]
        assert short(read(put(tmp_path, "a.jsonl", b'{"a": "\xff"}\n{"a": 2}'))[1]) == [(1, "row_encoding"), (2, [2])]

    @pytest.mark.parametrize(
        "text", ['[{"a": 1}, {"a": 2}', '[{"a": 1}, {"a": 2},', '[{"a": 1} {"a": 2}]', '[{"a": 1}, {"a"']
    )
    def test_a_cut_off_array_says_that_the_rest_was_not_read(self, tmp_path: Path, text: str) -> None:
        rows = read(put(tmp_path, "a.json", text))[1]
        assert short(rows)[0] == (1, [1])
        assert isinstance(rows[-1], BadRow) and rows[-1].code in ("json_rest_unread", "json_syntax")

    @pytest.mark.parametrize("text", ["", "7", '{"a": 1}', '{"a" 1}', '"x"', "{", '{"a": "'])
    def test_no_array(self, tmp_path: Path, text: str) -> None:
        assert refused(put(tmp_path, "a.json", text)) == "array_missing"

    def test_a_long_array_in_constant_memory(self, tmp_path: Path) -> None:
        file, many = tmp_path / "a.json", size(small=40_000, deep=1_000_000)
        with file.open("w") as out:
            out.write("[")
            out.write(",".join(json.dumps({"id": n, "text": "x" * 200}) for n in range(many)))
            out.write("]")
        tracemalloc.start()
        with open_table(file, Options()) as table:
            count = sum(1 for row in table.rows if isinstance(row, Row))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == many
        assert peak < 4 << 20

    def test_an_endless_string_ends_at_the_bound(self, tmp_path: Path) -> None:
        file = put(tmp_path, "a.json", b'[{"a": "' + b"x" * (8 * ROW_LIMIT))
        rows = read(file)[1]
        assert [row.code for row in rows if isinstance(row, BadRow)][-1] in ("json_syntax", "json_rest_unread")
        line = put(tmp_path, "a.jsonl", b'{"a": "' + b"x" * (3 * ROW_LIMIT) + b'"}\n{"a": 2}\n')
        assert short(read(line)[1]) == [(1, "row_too_large"), (2, [2])]


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
SIZED = SHEET.replace(b"<sheetData>", b'<dimension ref="A1"/><sheetData>')


class TestSpreadsheet:
    def book(self, tmp_path: Path, rows: list[list[object]], name: str = "a.xlsx") -> Path:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        book.create_sheet("Other").append(["z"])
        book.save(tmp_path / name)
        return tmp_path / name

    def test_values_dates_and_blank_rows(self, tmp_path: Path) -> None:
        moment = datetime(2015, 2, 8, 23, 43, 40)  # noqa: DTZ001 -- a workbook knows no zone
        file = self.book(tmp_path, [["id", "at", "lat", "ok"], [7, moment, 41.5, True], [], ["x", None, None, None]])
        columns, rows = read(file)
        assert columns == ("id", "at", "lat", "ok")
        assert short(rows) == [(2, [7, moment, 41.5, True]), (4, ["x", None, None, None])]

    def test_formulas_and_errors_are_told_from_values(self, tmp_path: Path) -> None:
        file = self.book(tmp_path, [["id", "sum", "bad"], [1, "=1+1", "#REF!"]])
        (row,) = read(file)[1]
        assert isinstance(row, Row)
        assert row.values == {"id": 1, "sum": Formula("=1+1"), "bad": CellError("#REF!")}
        (cached,) = read(file, Options(formulas="cached"))[1]
        assert isinstance(cached, Row) and cached.values["sum"] is None  # openpyxl computes nothing

    def test_cells_behind_the_header(self, tmp_path: Path) -> None:
        assert short(read(self.book(tmp_path, [["a", "b"], [1, 2, 3], [4], [5, 6, None]]))[1]) == [
            (2, "row_width"), (3, [4, None]), (4, [5, 6]),
        ]  # fmt: skip

    def test_sheets_by_name(self, tmp_path: Path) -> None:
        file = self.book(tmp_path, [["a"], [1]])
        assert read(file, Options(sheet="Other"))[0] == ("z",)
        assert refused(file, Options(sheet="None")) == "sheet_missing"

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
    def test_a_truncated_workbook(self, tmp_path: Path, share: float) -> None:
        whole = self.book(tmp_path, [["a"], *[list[object]([n]) for n in range(500)]]).read_bytes()
        assert refused(put(tmp_path, "cut.xlsx", whole[: int(len(whole) * share)])) == "workbook_damaged"

    def test_a_workbook_that_is_none(self, tmp_path: Path) -> None:
        assert refused(put(tmp_path, "a.xlsx", "a,b\n1,2\n")) == "workbook_damaged"
        with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
            archive.writestr("hello.txt", "x")
        assert refused(tmp_path / "b.xlsx") == "workbook_damaged"

    def changed(self, tmp_path: Path, member: str, content: bytes) -> Path:
        source = self.book(tmp_path, [["a"], [1], [2]], "source.xlsx")
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
            for one in old.namelist():
                new.writestr(one, content if one == member else old.read(one))
        return tmp_path / "a.xlsx"

    def test_a_sheet_damaged_at_its_start_is_refused(self, tmp_path: Path) -> None:
        assert (
            refused(self.changed(tmp_path, "xl/worksheets/sheet1.xml", SHEET + b'<row r="1"><c r'))
            == "workbook_damaged"
        )

    def test_a_sheet_damaged_later_says_where_it_ends(self, tmp_path: Path) -> None:
        rows = b"".join(b'<row r="%d"><c r="A%d" t="str"><v>a%d</v></c></row>' % (n, n, n) for n in range(1, 9_000))
        found = read(self.changed(tmp_path, "xl/worksheets/sheet1.xml", SIZED + rows + b"<row"))[1]
        assert short(found)[0] == (2, ["a2"])
        assert short(found)[-1][1] == "sheet_damaged"

    def test_a_bomb_is_refused_before_it_is_opened(self, tmp_path: Path) -> None:
        assert refused(self.changed(tmp_path, "xl/worksheets/sheet1.xml", b" " * (300 << 20))) == "workbook_too_large"

    def test_entities_are_refused(self, tmp_path: Path) -> None:
        bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
        assert refused(self.changed(tmp_path, "xl/styles.xml", bomb)) == "workbook_hostile"

    def test_a_wrong_dimension_cuts_nothing_off(self, tmp_path: Path) -> None:
        rows = b"".join(
            b'<row r="%d"><c r="A%d" t="str"><v>a%d</v></c><c r="B%d" t="str"><v>b%d</v></c></row>' % (n, n, n, n, n)
            for n in (1, 2, 3)
        )
        file = self.changed(tmp_path, "xl/worksheets/sheet1.xml", SIZED + rows + b"</sheetData></worksheet>")
        assert short(read(file)[1]) == [(2, ["a2", "b2"]), (3, ["a3", "b3"])]
