"""Worked pairs: events on one side, what a clock must say on the other. Data: adding a case needs no code.

    clocks: us-federal.clocks_trial
    pairs:
      - name: the last day is a Saturday
        rule: indictment
        events: [{ is: arrest, at: 2025-01-02 }]
        at: 2025-01-20T12:00:00-05:00        # when it is asked; noon of the last event's day when it is not said
        settings: { parameter: value }       # choices that the law leaves open
        expect: { due: 2025-02-03, state: running }

`expect` may name due, by, state, stage, answer, kept, paused, started, stopped, law (a part of the citation), codes
(all the decisions), warn (days), steps (which the working must show), none: true (the clock does not run).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from comity.clock import read_when
from comity.errors import Problem
from comity.kernel.definitions.examples import ExampleResult, unreadable
from comity.kernel.law.clock_book import book_of
from comity.kernel.law.clock_calculation import calculate
from comity.kernel.law.clock_rules import Book
from comity.kernel.law.due import Due, Event, shown
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import Files, yaml_text
from comity.sentences import Text, joined, say

EXPECTED = frozenset(
    ("due", "by", "state", "stage", "answer", "kept", "paused", "started", "stopped", "law", "codes", "warn", "steps")
) | {"none"}  # fmt: skip
KEYS = frozenset(("name", "rule", "events", "at", "settings", "expect", "why", "each"))


@dataclass(frozen=True, slots=True)
class Pair:
    """One worked pair, ready to be asked. `rule` is the whole code."""

    file: str
    name: str
    rule: str
    events: tuple[Event, ...]
    at: datetime
    settings: Mapping[str, Any]
    expect: Mapping[str, Any]


def pairs(file: str, data: Mapping[str, Any], book: Book) -> Iterator[Pair]:
    """The pairs of one file. Raises ValueError for a pair that cannot be read."""
    calendar = book.calendars[book.default_calendar]
    for one in data["pairs"]:
        wrong = (one.keys() - KEYS) | (one["expect"].keys() - EXPECTED)
        if wrong:
            raise ValueError(say("clock_pairs.unknown_keys", file=file, name=one["name"], keys=sorted(wrong)))
        events = tuple(_event(item) for item in one["events"])
        asked = read_when(one.get("at"))
        if asked is None:
            last = max((read for item in events if (read := item.at)), key=lambda at: _instant(at, calendar.tz))
            asked = last
        if not isinstance(asked, datetime):
            asked = datetime.combine(asked, time(12), calendar.tz)
        rule = one["rule"] if one["rule"] in book.rules else f"{data['clocks']}.{one['rule']}"
        if rule not in book.rules:
            raise ValueError(say("clock_pairs.there_is_no_clock", file=file, name=one["name"], rule=rule))
        yield Pair(file, one["name"], rule, events, asked, one.get("settings", {}), one["expect"])


def _instant(value: date | datetime, zone: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(12), zone)


def _event(item: Mapping[str, Any]) -> Event:
    at, known = read_when(item["at"]), read_when(item.get("known"))
    if at is None:
        raise ValueError(say("clock_pairs.is_no_day_and_no_instant", at=str(item["at"])))
    fields = {key: value for key, value in item.items() if key not in ("is", "at", "known")}
    return Event(item["is"], at, fields, known if isinstance(known, datetime) else None)


def run(catalogue: Catalogue, files: Files) -> list[ExampleResult]:
    """The worked pairs of a jurisdiction's files as examples that hold or fail; one that cannot be read fails."""
    book, out = book_of(catalogue.rules), []
    for path, text in sorted(files.items()):
        stem = path.removesuffix(".yml")
        try:
            for one in pairs(stem, yaml_text(path, text).plain(), book):
                said = joined(differences(one, book), "semicolon")
                out.append(ExampleResult(stem, one.rule, "pair", one.name, not said, said))
        except (Problem, AttributeError, KeyError, TypeError, ValueError) as error:
            out.append(unreadable(stem, "", path, error))
    return out


def differences(pair: Pair, book: Book) -> list[Text]:
    """What the clock says otherwise than expected; empty when the pair holds."""
    dues = calculate(book, pair.rule, pair.events, pair.at, settings=pair.settings)
    if pair.expect.get("none"):
        return [say("clock_pairs.expected_no_clock", due=shown(one.due), state=one.state) for one in dues]
    if len(dues) != 1:
        return [say("clock_pairs.expected_one_clock", dues=len(dues))]
    got = _told(dues[0])
    out: list[Text] = []
    for key, wanted in pair.expect.items():
        have = got[key]
        if key == "law":
            same = str(wanted) in str(have)
        elif key == "steps":
            same = set(wanted) <= set(have)
        else:
            same = have == wanted
        if not same:
            out.append(say("clock_pairs.expected", key=key, wanted=str(wanted), have=str(have)))
    return out


def _told(due: Due) -> dict[str, Any]:
    return {
        "due": shown(due.due), "by": shown(due.by), "state": due.state, "stage": due.stage, "answer": due.answer,
        "kept": due.kept, "paused": due.paused, "started": shown(due.started), "stopped": shown(due.stopped),
        "law": due.citation, "codes": sorted(one.code for one in due.decisions),
        "warn": [day.isoformat() for day, _ in due.warnings], "steps": [one.rule for one in due.working],
    }  # fmt: skip
