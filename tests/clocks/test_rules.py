"""Clock files that are refused, all faults at once; calendars; and events that records give."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from comity.kernel.definitions.load import load, read_core, read_folder
from comity.kernel.law.clock_book import book_of, read_book
from comity.kernel.law.clock_calculation import calculate
from comity.kernel.law.counting import Period
from comity.kernel.law.due import Event
from comity.kernel.types.definition import DefinitionsRefused, Faults, yaml_text
from comity.sentences import Locale
from tests.clocks.books import LAWS, ROOT, book, nodes

GOOD = "title: T, start: arrest, count: plain, days: 5, citation: C, verified: GK, consequence: none"


def codes(text: str) -> list[tuple[str, int]]:
    faults = Faults()
    read_book({"x.clocks": yaml_text("rules/clocks.yml", "rule: x.clocks\n" + text)}, faults)
    return sorted((one.code, int(one.path.rpartition(":")[2])) for one in faults.found)


def dated(versions: str) -> str:
    return f"clocks:\n  a: {{ {GOOD}, versions: [{versions}] }}\n"


def test_a_gap_between_dated_versions_is_a_fault() -> None:
    gap = dated("{ from: 2000-01-01, until_day: 2009-11-29 }, { from: 2009-12-01 }")
    assert [code for code, _ in codes(gap)] == ["clock_gap"]
    assert codes(gap.replace("2009-11-29", "2009-11-30")) == []


def test_two_versions_on_one_day_are_a_fault() -> None:
    both = dated("{ from: 2000-01-01, until_day: 2009-12-01 }, { from: 2009-12-01 }")
    assert [code for code, _ in codes(both)] == ["clock_overlap"]
    open_ended = dated("{ from: 2000-01-01 }, { from: 2009-12-01 }")
    assert [code for code, _ in codes(open_ended)] == ["clock_overlap"]


def test_all_faults_of_a_file_come_at_once_each_with_its_line() -> None:
    text = """clocks:
  a: { title: T, start: arrest, count: us.dayz, days: 5, citation: C, verified: GK }
  b: { title: T, start: arrest, count: plain, citation: C, verified: GK }
  c: { title: T, start: arrest, count: plain, days: 5 }
  d: { title: T, count: plain, days: 5, citation: C, verified: GK }
  e: { title: T, start: arrest, count: plain, days: 5, citation: C, verified: GK, exclude: nowhere }
  f: { title: T, start: { due: x.clocks.z }, count: plain, days: 5, citation: C, verified: GK }
  g: { title: T, start: arrest, count: plain, days: 5, citation: C, verified: GK, calendar: moon }
  h: { title: T, start: arrest, count: plain, days: 5, citation: C, verified: GK, applies: "record.matches('x')" }
  i: { title: T, start: arrest, count: plain, days: 5, citation: C, verified: hearsay }
"""
    found = codes(text)
    for expected in (
        ("counting_unknown", 3), ("period_missing", 4), ("citation_missing", 5), ("wrong_kind", 6),
        ("exclusion_unknown", 7), ("clock_unknown", 8), ("calendar_unknown", 9), ("guard_function", 10),
        ("wrong_kind", 11),
    ):  # fmt: skip
        assert expected in found, (expected, found)


def test_a_jurisdiction_with_a_bad_clock_is_not_loaded() -> None:
    core = read_core(ROOT.parent / "comity" / "pillars")
    law = dict(read_folder(ROOT / "england-wales"))
    law["rules/clocks.yml"] = law["rules/clocks.yml"].replace("count: ew.custody", "count: ew.custoody", 1)
    with pytest.raises(DefinitionsRefused) as refused:
        load(core, law)
    assert {one.path.partition(":")[0] for one in refused.value.faults} == {"rules/clocks.yml"}


def test_worked_pairs_are_not_carried_with_the_law() -> None:
    assert not [name for name in read_folder(ROOT / "india") if "clocks/" in name]


@pytest.mark.parametrize("law", LAWS)
def test_a_book_read_again_from_the_catalogue_is_the_same(law: str) -> None:
    again = book_of({name: node.plain() for name, node in nodes(law).items()})
    assert {code: one.versions for code, one in again.rules.items()} == {
        code: one.versions for code, one in book(law).rules.items()
    }


def test_the_eleven_holidays_of_2025() -> None:
    us = book("us-federal").calendars["us"]
    held = [
        "01-01", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11", "11-27", "12-25",
    ]  # fmt: skip
    found = [day for day in _year(2025) if us.off(day) and day.weekday() < 5]
    assert [f"{day:%m-%d}" for day in found] == held


def test_a_sunday_holiday_is_kept_on_monday_and_juneteenth_begins_in_2021() -> None:
    us = book("us-federal").calendars["us"]
    assert us.off(date(2022, 12, 26)) == "Christmas Day (observed)"
    assert us.off(date(2022, 6, 20)) and not us.off(date(2020, 6, 19))


def test_a_state_holiday_counts_forward_only() -> None:
    dc = book("us-federal").calendars["dcd"]
    assert dc.off(date(2025, 4, 16)) and not dc.off(date(2025, 4, 16), backward=True)


def _year(year: int) -> list[date]:
    return [date.fromordinal(day) for day in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())]


def test_the_working_names_the_event_that_was_picked() -> None:
    """Of several starts the latest, or the earliest, counts: its name stands in the working, not the last one read."""
    days = {"indictment_filed": "2025-01-06", "first_appearance": "2025-01-15", "indictment_public": "2025-02-03"}
    events = tuple(Event(name, date.fromisoformat(day)) for name, day in days.items())
    told = calculate(book("us-federal"), "us-federal.clocks_trial.trial", events, datetime(2025, 2, 4, tzinfo=UTC))[0]
    assert told.working[0].said == "indictment public: Feb 3, 2025"


def test_within_a_minute_what_was_known_first_came_first() -> None:
    """People state the minute; an act's own instant has microseconds. The release does not come before the bond."""
    then = datetime(2025, 3, 20, 10, 0, 30, 900, tzinfo=UTC)
    known = [then + timedelta(seconds=one) for one in range(4)]
    events = (
        Event("remanded", date(2025, 1, 1), {"person": "p1", "max_years": 3, "death_or_life": False}),
        Event("default_bail_claimed", then - timedelta(days=1), {"person": "p1"}, known[0]),
        Event("bail_furnished", then, {"person": "p1"}, known[1]),
        Event("released", then.replace(second=30, microsecond=0), {"person": "p1"}, known[2]),
    )
    asked = then + timedelta(days=2)
    told = calculate(book("india"), "india.clocks_investigation.default_bail", events, asked)
    assert [one.stage for one in told] == ["released"]


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (Period(days=1), "1 day"), (Period(days=2), "2 days"), (Period(hours=1), "1 hour"),
        (Period(hours=48), "48 hours"), (Period(months=1), "1 month"), (Period(months=2), "2 months"),
        (Period(months=12), "1 year"), (Period(months=60), "5 years"),
        (Period(months=13, days=1), "1 year and 1 month and 1 day"), (Period(), "0 days"),
    ],
)  # fmt: skip
def test_a_period_is_said_as_people_say_it(period: Period, said: str) -> None:
    assert period.words() == said


def test_what_is_not_known_is_named_in_words_and_a_day_within_itself_is_the_same_day() -> None:
    us = book("us-federal")
    first = Event("first_appearance", datetime(2026, 3, 2, 20, 30, tzinfo=UTC))
    undecided = calculate(us, "us-federal.clocks_trial.preliminary_hearing", [first], datetime(2026, 3, 3, tzinfo=UTC))[
        0
    ]
    assert undecided.decisions[0].message == "in custody is not known, and the answer depends on it"
    order = Event("first_date_with_both_counsel", first.at)
    due = calculate(us, "us-federal.clocks_trial.brady_order", [order], datetime(2026, 3, 2, 21, tzinfo=UTC))[0]
    eastern = Locale(territory="US", zone=ZoneInfo("America/New_York"))
    assert [one.said.to(eastern) for one in due.working] == [
        "first date with both counsel: Mar 2, 2026, 3:30 PM EST", "the same day: Mar 2, 2026",
    ]  # fmt: skip
