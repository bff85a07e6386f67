"""A city's incidents come into the record: whole, once, and so that what was not taken can be found."""

import csv
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import uuid4

import openpyxl
import pytest
from psycopg_pool import ConnectionPool

from comity.config import paths
from comity.config.database import Database
from comity.config.loader import core_files, extensions
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.importing import importing
from comity.kernel.importing.report import ImportReport, Progress
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.install import install
from comity.kernel.work.disk_store import DiskStore
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import Node
from tests.patience import PATIENCE
from tests.speeds.sizes import size

ROOT = Path(__file__).resolve().parents[2]
CITY = ROOT / "agencies" / "cpd"
CHICAGO, DENVER = CITY / "mappings" / "chicago.yml", CITY / "mappings" / "denver.yml"
SAMPLE = ROOT / "comity" / "samples" / "chicago_incidents.csv"
WHOLE = ROOT.parent / "shared" / "data" / "city-crime-incidents"
needs_whole = pytest.mark.skipif(not WHOLE.is_dir(), reason="the full city files are not on this machine")


class City:
    """A police department of its own on the shared database: a records clerk, and a member who may enter nothing."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home
        self.agency = f"city-{uuid4().hex[:8]}"
        self.node = node_of(url, home)
        own = {name: text for name, text in read_folder(CITY).items() if name in ("agency.yml", "roles.yml")}
        own["agency.yml"] = own["agency.yml"].replace("agency: cpd", f"agency: {self.agency}")
        own["roles.yml"] += "  registrar: { title: Registrar who reads nothing, is: [records] }\n"
        install(
            self.node, Actor(self.agency, str(uuid4()), "operator", kind="operator"), agency=self.agency,
            core=core_files(), jurisdiction=read_folder(paths.jurisdictions() / "us-federal"), own=own,
        )  # fmt: skip
        self.clerk = self.member("R. Clerk", "records_clerk")
        self.stranger = self.member("N. Rights", "administrator")

    def member(self, name: str, role: str) -> Actor:
        issued = tokens.admit(self.node, self.agency, name, [role])
        return Actor(self.agency, issued.member, name)

    def run(self, file: Path, mapping: Path = CHICAGO, **rest: object) -> ImportReport:
        return importing.run(self.node, self.clerk, file, mapping, **rest)  # type: ignore[arg-type]

    def count(self) -> dict[str, int]:
        with self.node.transaction(self.agency) as (conn, _):
            return dict(conn.execute("select type, count(*) from comity.record where agency = comity.me() group by 1"))

    def rows(self, sql: str, *given: object) -> list[tuple[object, ...]]:
        with self.node.transaction(self.agency) as (conn, _):
            return conn.execute(sql, given).fetchall()


def node_of(url: str, home: Path) -> Node:
    pool = ConnectionPool(url, min_size=1, max_size=4, open=True, timeout=PATIENCE)
    return Node(
        pool=pool, home=home, keys=KeyRing(home / "keys"), files=DiskStore(home / "files"), extensions=extensions()
    )


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Iterator[City]:
    one = City(database.app_url, tmp_path)
    yield one
    one.node.close()


def lines(path: str | None) -> list[dict[str, str]]:
    assert path is not None
    with Path(path).open(newline="") as file:
        found = list(csv.DictReader(file))
    beside = [json.loads(line) for line in Path(path).with_suffix(".jsonl").read_text().splitlines()]
    assert [str(one["row"]) for one in beside] == [one["row"] for one in found]
    assert Path(path).stat().st_mode & 0o077 == 0
    return found


def edited(folder: Path, change: dict[int, tuple[str, str]], name: str = "edited.csv") -> Path:
    """The sample with some lines (from 1, the header) changed."""
    text = SAMPLE.read_text().splitlines()
    for line, (old, new) in change.items():
        assert old in text[line - 1], text[line - 1]
        text[line - 1] = text[line - 1].replace(old, new, 1)
    (folder / name).write_text("\n".join(text) + "\n")
    return folder / name


def test_the_sample_comes_in_whole_and_linked(city: City) -> None:
    told: list[Progress] = []
    report = city.run(SAMPLE, progress=told.append)
    assert report.as_json() | {"rows": 300, "rows_entered": 300, "unchanged": 0, "rows_rejected": 0} == report.as_json()
    assert city.count() == dict(report.entered)
    assert report.entered["investigation.incident"] == 300
    assert (report.rejects, report.unmapped, report.rejected) == (None, [], {})
    assert told[-1].rows == 300 and told[-1].bytes_done == told[-1].bytes_total
    linked = city.rows(
        """select count(*) from comity.link l
             join comity.record i on i.id = l.record join comity.record p on p.id = l.target
            where l.name = 'place' and i.type = 'investigation.incident' and p.type = 'registry.place'"""
    )
    assert linked == [(300,)]
    numbers = city.rows(
        "select count(distinct number), count(*) from comity.record where type = 'investigation.incident'"
    )
    assert numbers == [(300, 300)]


def test_the_same_file_again_changes_nothing(city: City) -> None:
    first = city.run(SAMPLE)
    before = (
        city.rows("select id, version from comity.record order by id"),
        city.rows("select count(*) from comity.entry"),
    )
    again = city.run(SAMPLE)
    assert (again.unchanged, again.rows_entered, again.rows_rejected, dict(again.entered)) == (300, 0, 0, {})
    assert again.digest == first.digest
    assert before == (
        city.rows("select id, version from comity.record order by id"), city.rows("select count(*) from comity.entry"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["tsv", "xlsx", "json", "jsonl"])
def test_the_same_rows_in_another_format_change_nothing(city: City, tmp_path: Path, kind: str) -> None:
    city.run(SAMPLE)
    with SAMPLE.open(newline="") as source:
        rows = list(csv.DictReader(source))
    file = tmp_path / f"sample.{kind}"
    if kind == "tsv":
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, rows[0], delimiter="\t")
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "json":
        file.write_text(json.dumps({"source": "a city", "rows": rows}, indent=1))
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        typed(rows, file)
    report = city.run(file)
    assert (report.unchanged, report.rows_entered, dict(report.rejected)) == (300, 0, {})


def typed(rows: list[dict[str, str]], file: Path) -> None:
    """The rows as a person would keep them in a sheet: numbers, times and yes or no as such, codes as text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(rows[0]))
    for row in rows:
        cells: dict[str, object] = {name: value or None for name, value in row.items()}
        for name in ("ID", "Ward", "Community Area"):
            cells[name] = int(row[name])
        for name in ("Latitude", "Longitude"):
            cells[name] = float(row[name]) if row[name] else None
        for name in ("Arrest", "Domestic"):
            cells[name] = row[name] == "true"
        cells["Date"] = datetime.strptime(row["Date"], "%m/%d/%Y %I:%M:%S %p")  # noqa: DTZ007 -- a sheet has no zone
        sheet.append(list(cells.values()))
    book.save(file)


def test_a_colleague_who_may_read_it_resumes_an_import_and_another_learns_nothing_of_it(city: City) -> None:
    city.run(SAMPLE)
    before = city.count()
    again = importing.run(city.node, city.member("S. Sergeant", "sergeant"), SAMPLE, CHICAGO)
    assert (again.unchanged, again.rows_entered, again.rows_rejected) == (300, 0, 0)
    blind = city.member("B. Blind", "registrar")
    report = importing.run(city.node, blind, SAMPLE, CHICAGO)
    assert (report.unchanged, report.rows_entered, report.rows_rejected) == (0, 0, 300)
    ids = {str(id) for (id,) in city.rows("select id from comity.record")}
    told = Path(report.rejects or "").read_text()
    assert not [one for one in ids if one in told] and "idempotency_key_reused" in told
    assert city.count() == before


def test_two_imports_of_one_file_at_once_enter_it_once(city: City) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: city.run(SAMPLE, rejects=city.home / f"{uuid4()}.csv"), range(2)))
    assert sorted((one.rows_entered, one.unchanged, one.rows_rejected) for one in reports) == [(0, 300, 0), (300, 0, 0)]
    assert city.count()["investigation.incident"] == 300


def test_a_row_that_changed_is_refused_with_the_record_to_amend(city: City, tmp_path: Path) -> None:
    city.run(SAMPLE)
    before = city.count()
    report = city.run(edited(tmp_path, {5: (",false,", ",true,")}))
    assert (report.unchanged, dict(report.rejected)) == (299, {"row_changed": 1})
    (line,) = lines(report.rejects)
    assert (line["row"], line["code"], line["record"]) == ("5", "row_changed", "incident")
    assert city.rows("select type from comity.record where id = %s", line["value"]) == [("investigation.incident",)]
    assert line["value"] in line["fix"]
    assert city.count() == before


def test_a_bad_row_leaves_no_half_of_itself(city: City, tmp_path: Path) -> None:
    with SAMPLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    only = rows[9]["Block"]
    assert [row["Block"] for row in rows].count(only) == 1
    change = {
        11: (rows[9]["Case Number"], "X" * 400),
        12: (rows[10]["Date"], "soon"),
        13: (",", ",,"),
        14: (rows[12]["Case Number"], ""),
    }
    report = city.run(edited(tmp_path, change))
    assert report.rows_rejected == 4 and report.rows_entered == 296
    found = {(one["row"], one["code"], one["field"], one["column"]) for one in lines(report.rejects)}
    assert found == {
        ("11", "max_length", "incident_number", "Case Number"),
        ("12", "not_an_instant", "occurred", "Date"), ("12", "not_an_instant", "occurred_from", "Date"),
        ("13", "row_width", "", ""),
        ("14", "value_missing", "incident_number", "Case Number"),
    }  # fmt: skip
    assert (
        city.rows("select 1 from comity.record where type = 'registry.place' and fields->>'address' = %s", only) == []
    )
    corrected = city.run(SAMPLE)
    assert (corrected.rows_entered, corrected.unchanged, corrected.rows_rejected) == (4, 296, 0)
    assert city.count()["investigation.incident"] == 300


def test_a_shared_place_survives_the_refusal_of_the_row_that_named_it_first(city: City, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    header, first, *_ = SAMPLE.read_text().splitlines()
    number, case, rest = first.split(",", 2)
    file.write_text("\n".join([header, f"{number},{'X' * 99},{rest}", f"1,{case},{rest}", f"2,{case},{rest}"]) + "\n")
    report = city.run(file)
    assert (report.rows_entered, report.rows_rejected) == (2, 1)
    assert city.count() == {"registry.place": 1, "investigation.incident": 2}


def test_an_absent_column_stops_before_anything_is_written(city: City, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        city.run(edited(tmp_path, {1: ("IUCR", "Code")}))
    assert caught.value.code == "import_refused"
    assert [fault.path for fault in caught.value.faults] == ["IUCR"]
    assert city.count() == {}


def test_a_mapping_that_does_not_fit_the_types_is_refused_with_its_lines(city: City, tmp_path: Path) -> None:
    for name in ("chicago.yml", "chicago_community_areas.csv"):
        (tmp_path / name).write_text((CITY / "mappings" / name).read_text())
    mapping = tmp_path / "chicago.yml"
    text = (
        mapping.read_text()
        .replace("{ value: block }", "{ value: street }")
        .replace("beat: { column: Beat }", "bate: { column: Beat }")
    )
    mapping.write_text(text.replace("place: place", "site: place").replace("Arrest, as: boolean", "Arrest"))
    with pytest.raises(Problem) as caught:
        city.run(SAMPLE, mapping)
    assert caught.value.code == "mapping_invalid"
    assert {one.code for one in caught.value.faults} == {"code_unknown", "unknown_field", "link_unknown", "type"}
    assert all(one.path.startswith("chicago.yml:") for one in caught.value.faults)


def test_unmapped_columns_are_listed(city: City, tmp_path: Path) -> None:
    report = city.run(edited(tmp_path, {1: ("Updated On", "Refreshed")}), dry_run=True)
    assert report.unmapped == ["Refreshed"]


def test_a_dry_run_judges_and_writes_nothing(city: City, tmp_path: Path) -> None:
    with SAMPLE.open(newline="") as file:
        case = next(csv.DictReader(file))["Case Number"]
    report = city.run(edited(tmp_path, {2: (case, "X" * 99)}), dry_run=True, rejects=tmp_path / "out" / "r.csv")
    assert (report.rows_entered, dict(report.rejected)) == (299, {"max_length": 1})
    assert lines(report.rejects)[0]["row"] == "2"
    assert city.count() == {}


def test_who_may_not_enter_is_told_once_and_nothing_is_written(city: City) -> None:
    with pytest.raises(Problem) as caught:
        importing.run(city.node, city.stranger, SAMPLE, CHICAGO)
    assert caught.value.code == "not_allowed"
    assert city.count() == {}


def test_a_formula_in_a_reject_does_not_run_in_a_spreadsheet(city: City, tmp_path: Path) -> None:
    with SAMPLE.open(newline="") as file:
        date = next(csv.DictReader(file))["Date"]
    report = city.run(edited(tmp_path, {2: (date, "=HYPERLINK(1)")}), dry_run=True)
    assert {one["value"] for one in lines(report.rejects)} == {"'=HYPERLINK(1)"}


def test_offences_of_one_incident_share_it_and_the_first_row_stands(city: City, tmp_path: Path) -> None:
    header = (
        "OBJECTID,INCIDENT_ID,OFFENSE_ID,OFFENSE_CODE,OFFENSE_CODE_EXTENSION,OFFENSE_TYPE_ID,OFFENSE_CATEGORY_ID,"
        "FIRST_OCCURRENCE_DATE,LAST_OCCURRENCE_DATE,REPORTED_DATE,INCIDENT_ADDRESS,GEO_X,GEO_Y,GEO_LON,GEO_LAT,"
        "DISTRICT_ID,PRECINCT_ID,NEIGHBORHOOD_ID,IS_CRIME,IS_TRAFFIC,VICTIM_COUNT,x,y"
    )
    row = (
        "{n},{i},{o},1313,0,weapon-poss,other,11/5/2023 1:30:00 AM,,11/5/2023 2:30:00 AM,{at},0,0,-104.9,39.7,1,111,"
        "cbd,1,0,1,0,0"
    )
    given = [
        ("100", "1001", "1 MAIN ST"),
        ("100", "1002", "1 MAIN STREET"),
        ("100", "1003", "1 MAIN ST"),
        ("200", "2001", ""),
    ]
    file = tmp_path / "denver.csv"
    file.write_text(
        "\n".join([header, *(row.format(n=n, i=i, o=o, at=at) for n, (i, o, at) in enumerate(given))]) + "\n"
    )
    report = city.run(file, DENVER)
    assert (report.rows_entered, report.rows_rejected, dict(report.notes)) == (4, 0, {"first_kept": 1})
    wanted = {"investigation.incident": 2, "investigation.reported_offense": 4}
    assert {name: city.count()[name] for name in wanted} == wanted
    (note,) = lines(report.rejects)
    assert (note["row"], note["outcome"], note["record"]) == ("3", "taken", "incident")
    again = city.run(file, DENVER)
    assert (again.unchanged, again.rows_rejected, dict(again.entered)) == (4, 0, {})


def _import_until_killed(url: str, home: str, agency: str, member: str, file: str) -> None:
    node = node_of(url, Path(home))

    def die(progress: Progress) -> None:
        if progress.rows >= 2_000:
            os.kill(os.getpid(), signal.SIGKILL)

    importing.run(node, Actor(agency, member), Path(file), CHICAGO, progress=die)


def test_a_killed_import_is_completed_by_the_next_run(city: City, tmp_path: Path) -> None:
    header, *rows = SAMPLE.read_text().splitlines()
    file, times = tmp_path / "long.csv", size(small=11, deep=60)
    file.write_text("\n".join([header, *(f"{n}{row[row.index(',') :]}" for n, row in enumerate(rows * times))]) + "\n")
    start = multiprocessing.get_context("spawn").Process(
        target=_import_until_killed, args=(city.url, str(tmp_path), city.agency, city.clerk.member, str(file))
    )
    start.start()
    start.join(120)
    assert start.exitcode == -signal.SIGKILL
    killed = city.count()["investigation.incident"]
    assert 0 < killed < 300 * times
    report = city.run(file)
    assert (report.unchanged, report.rows_entered, report.rows_rejected) == (killed, 300 * times - killed, 0)
    assert city.count() == {"investigation.incident": 300 * times, "registry.place": 300}


@needs_whole
@pytest.mark.parametrize(
    ("name", "mapping", "rows", "types"),
    [
        ("chicagoCrimes10k.csv", CHICAGO, 9_999, {"investigation.incident": 9_999, "registry.place": 8_766}),
        (
            "denver_crime_2023.csv", DENVER, 10_000,
            {"investigation.incident": 9_335, "investigation.reported_offense": 10_000, "registry.place": 6_060},
        ),
    ],
)  # fmt: skip
def test_the_whole_files_of_two_cities(
    city: City, tmp_path: Path, name: str, mapping: Path, rows: int, types: dict[str, int]
) -> None:
    dry = city.run(WHOLE / name, mapping, dry_run=True)
    assert (dry.rows, dry.rows_entered, dict(dry.entered), dry.unmapped) == (rows, rows, types, [])
    part, taken = tmp_path / name, size(small=1_000, deep=rows)
    with (WHOLE / name).open("rb") as whole, part.open("wb") as out:
        out.writelines(islice(whole, taken + 1))
    report = city.run(part, mapping)
    assert (report.rows_entered, dict(report.rejected)) == (taken, {})
    assert city.count() == dict(report.entered)


def test_the_rejects_are_not_written_over_what_is_read(city: City, tmp_path: Path) -> None:
    file = edited(tmp_path, {})
    for place in (file, file.with_suffix(".jsonl")):
        with pytest.raises(Problem) as caught:
            city.run(file, rejects=place)
        assert caught.value.code == "import_refused"
    assert file.is_file()
