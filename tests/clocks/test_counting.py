"""Properties of counting: forward and backward undo one another, excluded days are a set, nothing ends on a day off."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.law.calendars import DAY, Calendar, nth_weekday
from comity.kernel.law.clock_calculation import calculate
from comity.kernel.law.clock_rules import Book, ClockRule, Version
from comity.kernel.law.counting import RULES, Counting, Period, add_months, days_of, last_day, last_hour, merged
from comity.kernel.law.due import Event
from tests.clocks.books import book

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31))
US = book("us-federal").calendars["us"]
EW = book("england-wales").calendars["ew"]
SPELL = st.tuples(DAYS, st.integers(0, 90)).map(lambda one: (one[0], one[0] + timedelta(days=one[1])))
SPELLS = st.lists(SPELL, max_size=6)
INSTANTS = DAYS.map(lambda day: datetime.combine(day, time(7, 30), UTC))
PLAIN, BACK = RULES["plain"], Counting("back", "plain days, backward", "GK", back=True)


@given(DAYS, st.integers(0, 4000))
def test_counting_back_undoes_counting_forward(day: date, days: int) -> None:
    there = last_day(PLAIN, day, Period(days), US).last
    assert last_day(BACK, there, Period(days), US).last == day
    assert there == day + timedelta(days=days)


@given(DAYS, st.integers(1, 400))
def test_a_federal_period_ends_on_a_working_day_and_never_early(day: date, days: int) -> None:
    counted = last_day(RULES["us.days"], day, Period(days), US)
    assert not US.off(counted.last)
    assert counted.last >= counted.plain == day + timedelta(days=days)
    assert all(US.off(one) for one, _ in counted.moved)
    assert len(counted.moved) == (counted.last - counted.plain).days


@given(DAYS, st.integers(1, 400))
def test_backward_ends_on_a_working_day_and_never_late(day: date, days: int) -> None:
    counted = last_day(RULES["us.backward"], day, Period(days), US)
    assert not US.off(counted.last, backward=True)
    assert counted.last <= counted.plain == day - timedelta(days=days)


@given(st.dates(min_value=date(2020, 1, 10), max_value=date(2026, 3, 1)), st.integers(1, 182))
def test_custody_never_ends_later_than_its_day(day: date, days: int) -> None:
    counted = last_day(RULES["ew.custody"], day, Period(days), EW)
    assert counted.last <= day + timedelta(days=days) and not EW.off(counted.last)


@given(DAYS, st.integers(1, 60))
def test_skipping_counts_exactly_the_working_days(day: date, days: int) -> None:
    last = last_day(RULES["us.skip"], day, Period(days), US).last
    between = [day + timedelta(days=step) for step in range(1, (last - day).days + 1)]
    assert sum(not US.off(one) for one in between) == days and not US.off(last)


@given(DAYS, st.integers(1, 200), SPELLS)
def test_excluded_days_count_once_however_often_they_are_named(
    day: date, days: int, spells: list[tuple[date, date]]
) -> None:
    union = days_of(spells)
    assert union == {one for first, last in spells for one in _days(first, last)} == days_of([*spells, *spells])
    last = last_day(PLAIN, day, Period(days), US, union).last
    counted = [one for one in _days(day + DAY, last) if one not in union]
    assert len(counted) == days and last not in union
    assert last_day(PLAIN, day, Period(days), US, days_of([*spells, *spells])).last == last


@given(DAYS, st.integers(1, 120), SPELLS)
def test_an_exclusion_never_shortens(day: date, days: int, spells: list[tuple[date, date]]) -> None:
    for rule in (RULES["us.days"], RULES["in.remand"], PLAIN):
        assert last_day(rule, day, Period(days), US, days_of(spells)).last >= last_day(rule, day, Period(days), US).last


@given(DAYS, st.integers(1, 60))
def test_remand_is_one_day_shorter_than_days_from(day: date, days: int) -> None:
    assert last_day(RULES["in.remand"], day, Period(days), US).last == day + timedelta(days=days - 1)


@given(DAYS, st.integers(0, 600))
def test_calendar_months(day: date, months: int) -> None:
    there = add_months(day, months)
    assert (there.year * 12 + there.month) - (day.year * 12 + day.month) == months
    assert there.day == day.day or (there.day < day.day and (there + DAY).day == 1)


@given(INSTANTS, st.integers(1, 200))
def test_hours_are_elapsed_hours_over_any_change_of_the_clocks(start: datetime, hours: int) -> None:
    end = last_hour(RULES["us.never_roll"], start, Period(hours=hours), US).last
    assert end.astimezone(UTC) - start == timedelta(hours=hours)
    rolled = last_hour(RULES["us.hours"], start, Period(hours=hours), US)
    assert not US.off(rolled.last.date()) and rolled.last.time() == rolled.plain.time()


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 60)), max_size=8))
def test_merged_intervals_cover_the_same_minutes(spells: list[tuple[int, int]]) -> None:
    zero = datetime(2025, 1, 1, tzinfo=UTC)
    given_ = [(zero + timedelta(minutes=a), zero + timedelta(minutes=a + n)) for a, n in spells]
    minutes = {a + step for a, n in spells for step in range(n)}
    out = merged(given_)
    assert sum(int((two - one).total_seconds()) // 60 for one, two in out) == len(minutes)
    assert all(first[1] < second[0] for first, second in pairwise(out))


@given(st.integers(1990, 2060), st.integers(1, 12), st.integers(0, 6), st.integers(1, 4))
def test_the_nth_weekday(year: int, month: int, weekday: int, nth: int) -> None:
    day = nth_weekday(year, month, weekday, nth)
    assert day is not None and day.weekday() == weekday and (day.day - 1) // 7 == nth - 1
    last = nth_weekday(year, month, weekday, -1)
    assert last is not None and last.weekday() == weekday and (last + timedelta(days=7)).month != month


@given(DAYS, st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=5))
def test_the_working_of_a_clock_excludes_the_union(day: date, spells: list[tuple[int, int]]) -> None:
    """The engine agrees with sets: motions as intervals, both ends excluded, overlaps once."""
    events = [Event("filed", day)]
    union: set[date] = set()
    for place, (after, length) in enumerate(spells):
        opens, closes = day + timedelta(days=after), day + timedelta(days=after + length)
        events += [Event("motion_filed", opens, {"motion": place}), Event("motion_heard", closes, {"motion": place})]
        union |= set(_days(opens, closes))
    rule = ClockRule("t.trial", "Trial", (_seventy(),))
    law = Book(
        {"t.trial": rule}, {"sta": book("us-federal").exclusions["sta"]}, {"plain": Calendar("p", "p", "UTC")}, {}
    )
    at = datetime.combine(day + timedelta(days=2000), datetime.min.time(), UTC)
    due = calculate(law, "t.trial", events, at)[0]
    expected, left = day, 70
    while left:
        expected += DAY
        left -= expected not in union
    assert due.due == expected


def _seventy() -> Version:
    from comity.kernel.law.clock_rules import Anchor, Case

    return Version(None, None, Anchor(events=("filed",)), "plain", (Case(period=Period(70)),), exclude=("sta",))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]
