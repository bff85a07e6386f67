"""What a mapping says, what it refuses, and how a row becomes records with links."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.errors import Problem
from comity.extensions import Row
from comity.formats import values
from comity.formats.rows import CellError, Formula
from comity.kernel.importing.mapping import Mapping, Planned, Reject
from comity.kernel.importing.mapping_file import load

HEAD = "mapping: clinic\nversion: 1\nsource: {format: csv, zone: America/Denver, system: Intake log}\nkey: [ID]\n"
CODES_FROM = "title: {{ column: A, codes_from: {{ file: {}, from: a, to: b }} }}"
PLAIN = HEAD + "records:\n  visit: { type: registry.document, fields: { title: Title } }\n"


def written(folder: Path, text: str) -> Mapping:
    (folder / "clinic.yml").write_text(text)
    return load(folder / "clinic.yml")


def faults(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        written(folder, text)
    assert caught.value.code == "mapping_invalid"
    return [(one.code, one.path) for one in caught.value.faults]


def planned(mapping: Mapping, **row: object) -> list[Planned]:
    found = mapping.plan(Row(2, row))
    assert all(isinstance(one, Planned) for one in found), found
    return [one for one in found if isinstance(one, Planned)]


def rejects(mapping: Mapping, **row: object) -> list[tuple[str, str, str, str]]:
    found = mapping.plan(Row(2, row))
    return [(one.code, one.field, one.column, one.value) for one in found if isinstance(one, Reject)]


def field_mapping(folder: Path, field: str) -> Mapping:
    return written(
        folder, HEAD + f"records:\n  visit:\n    type: registry.document\n    fields:\n      title: {field}\n"
    )


class TestRefused:
    def test_everything_at_once_with_its_line(self, tmp_path: Path) -> None:
        text = HEAD.replace("America/Denver", "Denver") + (
            "records:\n"
            "  visit:\n"
            "    type: registry.document\n"
            "    feilds: {}\n"
            "    fields:\n"
            "      title: { colunm: Title }\n"
            "      pages: { column: Pages, as: number }\n"
            "      day: { column: Day, as: date, zone: UTC }\n"
            "    links: { place: palce }\n"
        )
        assert sorted(faults(tmp_path, text)) == [
            ("field_source", "clinic.yml:10"),
            ("key_idle", "clinic.yml:12"),
            ("record_unknown", "clinic.yml:13"),
            ("unknown_key", "clinic.yml:10"),
            ("unknown_key", "clinic.yml:8"),
            ("wrong_kind", "clinic.yml:11"),
            ("zone_unknown", "clinic.yml:3"),
        ]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "yaml_syntax"),
            ("mapping: [", "yaml_syntax"),
            ("mapping: a\nmapping: b\n", "yaml_duplicate_key"),
            ("mapping: &a x\nversion: *a\n", "yaml_alias"),
            ("mapping: !!python/object:os.system x\n", "yaml_tag"),
            ("mapping: x\n", "key_missing"),
            (PLAIN.replace("clinic", "Clinic 1"), "name_refused"),
            (PLAIN.replace("format: csv", "encoding: latin-9"), "wrong_kind"),
            (PLAIN.replace("title: Title", "title: { column: A, value: b }"), "field_source"),
            (PLAIN.replace("title: Title", "title: { column: A, otherwise: b }"), "codes_missing"),
            (PLAIN.replace("title: Title", CODES_FROM.format("../x.csv")), "codes_file"),
            (PLAIN.replace("title: Title", CODES_FROM.format("none.csv")), "codes_file"),
            (PLAIN.replace("fields:", "differs: first, fields:"), "differs_alone"),
            (PLAIN.replace("fields:", "key: [Other], fields:"), "shared_field_outside_key"),
            (PLAIN.replace("records:", "ignore: { Title: because }\nrecords:"), "ignored_and_used"),
            (
                HEAD + "records:\n  a: { type: x.y, links: { b: b } }\n  b: { type: x.y, links: { a: a } }\n",
                "link_cycle",
            ),
        ],
    )  # fmt: skip
    def test_by_code(self, tmp_path: Path, text: str, code: str) -> None:
        assert code in [found for found, _ in faults(tmp_path, text)]

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(Problem, match="mapping_invalid"):
            load(tmp_path / "none.yml")


class TestColumns:
    def test_absent_and_unmapped_are_named(self, tmp_path: Path) -> None:
        mapping = written(
            tmp_path,
            PLAIN.replace("records:", "ignore: { Copied: no fact }\nrecords:").replace(
                "title: Title", "title: Title, note: { column: Note, optional: true }"
            ),
        )
        assert [fault.path for fault in mapping.absent(["ID", "Other"])] == ["Title"]
        assert mapping.absent(["ID", "Title"]) == []
        for header in (["ID;Title;Note"], ['ID";"Title'], ["ID;What, and where;Title"], ["ID", "Title;Note"]):
            fixes = {fault.fix for fault in mapping.absent(header)}
            assert any("delimiter: ';'" in fix for fix in fixes) == ("ID" not in header)
        assert "delimiter: '|'" in mapping.absent(["ID|Title"])[0].fix
        assert "It has: Number, Name." in mapping.absent(["Number", "Name"])[0].fix
        assert mapping.unmapped(["ID", "Title", "Copied", "Other"]) == ["Other"]

    def test_a_row_without_its_key(self, tmp_path: Path) -> None:
        mapping = written(tmp_path, PLAIN)
        assert rejects(mapping, ID=" ", Title="x") == [("row_key_missing", "", "ID", "")]


class TestValues:
    @pytest.mark.parametrize(
        ("rule", "given", "result"),
        [
            ("Title", " 0486 ", "0486"),
            ("{ column: Title, strip: false }", " a ", " a "),
            ("{ column: Title, empty: ['NULL'] }", "NULL", None),
            ("{ column: Title, default: none }", "", "none"),
            ("{ value: fixed }", "anything", "fixed"),
            ("{ columns: [Title, ID], join: '-' }", "a", "a-7"),
            ("{ column: Title, codes: { M: male, F: female }, otherwise: unknown }", "X", "unknown"),
            ("{ column: Title, codes: { 'Y': true } }", "Y", True),
            ("Title", 9955810, "9955810"),
            ("Title", 41.50, "41.5"),
            ("{ column: Title, as: integer }", "0042", 42),
            ("{ column: Title, as: integer }", 42.0, 42),
            ("{ column: Title, as: decimal }", "+041.7500", "41.7500"),
            ("{ column: Title, as: decimal }", -87.5, "-87.5"),
            ("{ column: Title, as: boolean }", "FALSE", False),
            ("{ column: Title, as: boolean }", True, True),
            ("{ column: Title, as: date, format: '%d.%m.%Y' }", "08.02.2015", "2015-02-08"),
            ("{ column: Title, as: date }", datetime(2015, 2, 8, 23), "2015-02-08"),  # noqa: DTZ001
            ("{ column: Title, as: instant }", "2015-02-08T23:43:40+05:30", "2015-02-08T18:13:40.000000Z"),
            ("{ column: Title, as: instant }", datetime(2015, 2, 8, 23), "2015-02-09T06:00:00.000000Z"),  # noqa: DTZ001
        ],
    )
    def test_read(self, tmp_path: Path, rule: str, given: object, result: object) -> None:
        (one,) = planned(field_mapping(tmp_path, rule), ID="7", Title=given)
        assert one.fields.get("title") == result

    @pytest.mark.parametrize(
        ("rule", "given", "code"),
        [
            ("{ column: Title, required: true }", " ", "value_missing"),
            ("{ column: Title, codes: { M: male } }", "X", "code_unmapped"),
            ("{ column: Title, as: integer }", "4.5", "not_an_integer"),
            ("{ column: Title, as: integer }", "9007199254740993", "not_an_integer"),
            ("{ column: Title, as: integer }", "١٢", "not_an_integer"),
            ("{ column: Title, as: decimal }", "4E-08", "not_a_decimal"),
            ("{ column: Title, as: decimal }", "1,5", "not_a_decimal"),
            ("{ column: Title, as: boolean }", "maybe", "not_a_boolean"),
            ("{ column: Title, as: date }", "2015-02-30", "not_a_date"),
            ("{ column: Title, as: instant }", "yesterday", "not_an_instant"),
            ("{ column: Title, as: instant }", "0001-01-01T00:00:00+14:00", "not_an_instant"),
            ("Title", Formula("=A1"), "cell_formula"),
            ("Title", CellError("#REF!"), "cell_error"),
            ("Title", ["a"], "value_not_single"),
        ],
    )
    def test_refused(self, tmp_path: Path, rule: str, given: object, code: str) -> None:
        ((found, field, column, _),) = rejects(field_mapping(tmp_path, rule), ID="7", Title=given)
        assert (found, field, column) == (code, "title", "Title")

    def test_every_fault_of_a_row_is_told(self, tmp_path: Path) -> None:
        mapping = written(
            tmp_path, PLAIN.replace("title: Title", "title: { column: Title, as: date }, n: { column: N, as: integer }")
        )
        assert [one[0] for one in rejects(mapping, ID="1", Title="x", N="y")] == ["not_a_date", "not_an_integer"]

    def test_a_code_table_beside_the_mapping(self, tmp_path: Path) -> None:
        (tmp_path / "areas.csv").write_text("number,name\n1,Rogers Park\n2,West Ridge\n")
        mapping = field_mapping(tmp_path, "{ column: Title, codes_from: { file: areas.csv, from: number, to: name } }")
        assert planned(mapping, ID="7", Title="2")[0].fields == {"title": "West Ridge"}


class TestClocks:
    """Denver: on 5 November 2023 the clocks went from 2:00 back to 1:00; on 12 March 2023 from 2:00 on to 3:00."""

    TWICE, SKIPPED = "2023-11-05T01:30:00", "2023-03-12T02:30:00"

    def test_a_time_that_came_twice(self) -> None:
        with pytest.raises(values.ValueRefused) as caught:
            values.instant("", "America/Denver")(self.TWICE)
        assert caught.value.code == "time_ambiguous"
        earlier = values.instant("", "America/Denver", fold="earlier")(self.TWICE)
        later = values.instant("", "America/Denver", fold="later")(self.TWICE)
        assert earlier == datetime(2023, 11, 5, 7, 30, tzinfo=UTC)
        assert later == datetime(2023, 11, 5, 8, 30, tzinfo=UTC)

    def test_a_time_that_never_was(self) -> None:
        for fold in ("", "earlier", "later"):
            with pytest.raises(values.ValueRefused) as caught:
                values.instant("", "America/Denver", fold=fold)(self.SKIPPED)
            assert caught.value.code == "time_does_not_exist"
        assert values.instant("", "America/Denver", gap="forward")(self.SKIPPED) == datetime(
            2023, 3, 12, 9, 30, tzinfo=UTC
        )

    def test_the_hours_around_are_plain(self) -> None:
        read = values.instant("", "America/Denver")
        assert read("2023-11-05T00:59:59") == datetime(2023, 11, 5, 6, 59, 59, tzinfo=UTC)
        assert read("2023-11-05T02:00:00") == datetime(2023, 11, 5, 9, tzinfo=UTC)
        assert read("2023-03-12T03:00:00") == datetime(2023, 3, 12, 9, tzinfo=UTC)

    def test_no_zone_at_all(self) -> None:
        with pytest.raises(values.ValueRefused) as caught:
            values.instant("", "")("2023-03-12T03:00:00")
        assert caught.value.code == "zone_missing"


LINKED = (
    HEAD
    + """records:
  visit:
    type: registry.document
    occurred: { column: When }
    fields: { title: Title }
    links: { place: room, author: [nurse] }
  room:
    type: registry.place
    key: [Room]
    fields: { address: Room }
  nurse:
    type: registry.person
    when: { present: [Nurse], is: { Kind: [nurse, midwife] } }
    fields: { name: Nurse }
"""
)


ROW = {"ID": "7", "Title": "t", "Room": "12", "Nurse": "A. Example", "Kind": "nurse", "When": "2026-01-02T03:04:05Z"}


class TestRecords:
    def test_links_point_backwards_by_key(self, tmp_path: Path) -> None:
        room, nurse, visit = planned(written(tmp_path, LINKED), **ROW)
        assert [room.record, nurse.record, visit.record] == ["room", "nurse", "visit"]
        assert visit.links == {"place": ("key:" + room.key,), "author": ("key:" + nurse.key,)}
        assert visit.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert (room.shared, nurse.shared) == (True, False)

    def test_a_record_that_does_not_apply_is_not_linked(self, tmp_path: Path) -> None:
        mapping = written(tmp_path, LINKED)
        room, visit = planned(mapping, **{**ROW, "Kind": "visitor"})
        assert visit.links == {"place": ("key:" + room.key,)}
        assert [one.record for one in planned(mapping, **{**ROW, "Room": "", "Nurse": ""})] == ["visit"]

    def test_keys_are_stable_and_apart(self, tmp_path: Path) -> None:
        mapping = written(tmp_path, LINKED)
        first, again = planned(mapping, **ROW), planned(mapping, **ROW)
        other = planned(mapping, **{**ROW, "ID": "8"})
        assert [one.key for one in first] == [one.key for one in again]
        assert [a.key == b.key for a, b in zip(first, other, strict=True)] == [True, False, False]
        number = planned(mapping, **{**ROW, "ID": 7})
        assert [one.key for one in number] == [one.key for one in first]  # the same row from a spreadsheet

    def test_content_tells_a_changed_row(self, tmp_path: Path) -> None:
        mapping = written(tmp_path, LINKED)
        first, other = planned(mapping, **ROW), planned(mapping, **{**ROW, "Title": "u"})
        assert [a.content == b.content for a, b in zip(first, other, strict=True)] == [True, True, False]
