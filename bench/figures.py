"""What a measurement is: numbers gathered in alternating rounds, and how they are told."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from comity import clock

ROUNDS = 5
"""A median of fewer rounds says too little on a machine that others use as well."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several rounds with their extremes, all in `unit`."""

    median: float
    least: float
    most: float
    unit: str

    @classmethod
    def of(cls, values: Sequence[float], unit: str) -> Spread:
        return cls(statistics.median(values), min(values), max(values), unit)

    def __str__(self) -> str:
        if self.median == self.least == self.most:
            return f"{shown(self.median)} {self.unit}"
        return f"{shown(self.median)} {self.unit} ({shown(self.least)}-{shown(self.most)})"

    def as_json(self) -> dict[str, Any]:
        return {"median": self.median, "min": self.least, "max": self.most, "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `ratio` is ours over the limit, both of the same run; `note` says what was done."""

    job: str
    ours: Spread
    limit: Spread | None = None
    ratio: float | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.job, "ours": self.ours.as_json(), "limit": self.limit.as_json() if self.limit else None,
            "ratio": round(self.ratio, 4) if self.ratio is not None else None, "note": self.note,
        }  # fmt: skip


def against(job: str, ours: Sequence[float], limit: Sequence[float], unit: str, note: str = "") -> Line:
    """A line whose ratio is the median of the rounds' own ratios: what slowed the machine slowed both sides."""
    ratio = statistics.median(a / b for a, b in zip(ours, limit, strict=True) if b)
    return Line(job, Spread.of(ours, unit), Spread.of(limit, unit), ratio, note)


def shown(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def seconds(what: Callable[[], Any]) -> float:
    began = clock.monotonic()
    what()
    return clock.monotonic() - began


@dataclass(slots=True)
class Report:
    """The lines of one run, in the order in which they were measured."""

    lines: list[Line] = field(default_factory=list)

    def add(self, *lines: Line) -> None:
        self.lines += lines
