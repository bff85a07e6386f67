"""What a statutory clock is: its anchor, cases, exclusions, extensions, stages and dated versions. Frozen, from YAML.

The language is described in `clock_reading`, which makes these; `clock_calculation` computes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from comity.kernel.law.calendars import Calendar
from comity.kernel.law.counting import Period
from comity.sentences import UNWORDED, Worded


@dataclass(frozen=True, slots=True)
class Anchor:
    """When a clock starts. One of: events by name, the latest or earliest of several, the due day of another clock."""

    events: tuple[str, ...] = ()
    field: str = ""
    pick: str = "first"
    plus: Period | None = None
    optional: bool = False
    when: str = ""
    latest: tuple[Anchor, ...] = ()
    earliest: tuple[Anchor, ...] = ()
    due: str = ""

    def names(self) -> frozenset[str]:
        """Every event that the anchor speaks of."""
        return frozenset(self.events).union(*(one.names() for one in (*self.latest, *self.earliest)))


@dataclass(frozen=True, slots=True)
class Case:
    """How long, under a condition over what is known (`when` empty: always). `until`: the event states the day itself.
    `part`/`of`: a fraction of a number of years stated in a field. `answer`: no period, a word."""

    when: str = ""
    period: Period | None = None
    until: str = ""
    part: tuple[int, int] = (0, 1)
    of: str = ""
    answer: Worded = UNWORDED
    forthwith: bool = False
    title: Worded = UNWORDED
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    events: tuple[str, ...]
    period: Period | None = None
    field: str = ""
    until: str = ""
    at_most: Period | None = None
    in_time: bool = False
    late: str = "ignored"
    requires: str = ""
    times: int = 0
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An interval that does not count: from an opening event to a closing one (matched by `key`), or to the day in the
    opening event's field `until`. `ends` says which of the two end days are excluded."""

    code: str
    title: Worded
    opens: tuple[str, ...]
    closes: tuple[str, ...] = ()
    key: str = ""
    until: str = ""
    at_most: Period | None = None
    over: str = "cut"
    requires: str = ""
    ends: str = "both"
    citation: str = ""
    verified: str = "GK"
    note: Worded = UNWORDED


@dataclass(frozen=True, slots=True)
class Decide:
    """A case in which the law leaves it to a person. `still`: the day is computed all the same."""

    code: str
    message: Worded
    when: str = ""
    still: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A choice that the law leaves open. `value` None: nobody has chosen, so a person must decide."""

    name: str
    value: Any
    note: Worded = UNWORDED


@dataclass(frozen=True, slots=True)
class Move:
    stage: str
    on: tuple[str, ...]
    from_: tuple[str, ...]
    decide: Decide | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """The law of one clock between two days, both included; None is open."""

    from_: date | None
    until: date | None
    start: Anchor
    count: str
    cases: tuple[Case, ...]
    kind: str = "deadline"
    restart: tuple[Anchor, ...] = ()
    stop: tuple[str, ...] = ()
    applies: str = ""
    decide: tuple[Decide, ...] = ()
    exclude: tuple[str, ...] = ()
    extend: tuple[Extension, ...] = ()
    warn: tuple[Case, ...] = ()
    first_stage: str = ""
    moves: tuple[Move, ...] = ()
    early: bool = False
    """A stop that came before the start stops the clock as well: what it asks for was there already."""
    service: bool = False
    filing: bool = False
    measure: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    consequence: Worded = UNWORDED
    limit: Worded = UNWORDED
    citation: str = ""
    verified: str = "GK"
    dated: str = "GK"
    note: str = ""

    def in_force(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One clock. `code` is `<file's rule>.<name>`; `rows` name what it carries out of the domain's list."""

    code: str
    title: Worded
    versions: tuple[Version, ...]
    transition: str = "start"
    each: str = ""
    calendar: str = ""
    owed_by: Worded = UNWORDED
    rows: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """How a record becomes an event: an act on a type, or a field of it with the day. `names`: event's <- record's."""

    type: str
    act: str = ""
    when: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All the clocks, exclusions, calendars and event bindings of one catalogue.

    `hubs` are types through which nothing is followed: a person is in many cases, one's events are not another's.
    """

    rules: Mapping[str, ClockRule]
    exclusions: Mapping[str, tuple[Exclusion, ...]]
    calendars: Mapping[str, Calendar]
    events: Mapping[str, tuple[Binding, ...]]
    default_calendar: str = ""
    hubs: tuple[str, ...] = ()
    words: Mapping[str, Worded] = field(default_factory=dict)

    def word(self, name: str) -> Worded:
        """An event, a fact or a stage as it is said: as `words` of a rule file has it, else its name in words."""
        return self.words.get(name) or Worded(name.replace("_", " "))
