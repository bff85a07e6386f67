"""Rules with dated versions: what a rule says in common, laid under each version, and no day without law or with two.

    acknowledged: { title: .., citation: .., verified: GK, versions: [{ from: 2024-07-01, within: PT24H }] }

`from` and `until` are days, both included; a rule without versions is one version, open where it names no day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from comity.kernel.law.calendars import DAY, Calendar, read_day
from comity.kernel.types.definition import (
    DefinitionsRefused,
    Faults,
    Form,
    Kind,
    Node,
    is_text,
    nearest,
    nodes_of,
    spoken_keys,
)
from comity.kernel.types.duration import read_duration
from comity.kernel.types.part import Part
from comity.sentences import say

MARKS = ("read", "GK", "secondary", "local")
T = TypeVar("T")

LAW: Mapping[str, Kind] = {
    "citation": is_text, "verified": lambda value: value in MARKS, "from": is_text, "until": is_text, "note": is_text,
}  # fmt: skip
"""The keys of every dated rule. `verified: local` is a rule of the house, which cites nobody."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: calendar days (or legal days, see `after`), then elapsed hours and minutes."""

    days: int = 0
    minutes: int = 0

    def after(self, start: datetime, zone: str, legal: Calendar | None = None) -> datetime:
        """The end of the span from `start`: days keep the local hour in `zone`; with a calendar, days off do not
        count."""
        local = start.astimezone(ZoneInfo(zone))
        day, left = local.date(), self.days
        while left:
            day += DAY
            left -= 0 if legal is not None and legal.off(day) else 1
        moved = datetime.combine(day, time(local.hour, local.minute, local.second, local.microsecond), local.tzinfo)
        return moved.astimezone(start.tzinfo) + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Law(Generic[T]):
    """One version of a rule: what it says and when and why it holds."""

    said: T
    from_: date | None = None
    until: date | None = None
    citation: str = ""
    verified: str = "GK"

    def holds(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """A rule by its full name, `<file's rule>.<name>`, with its versions in order of time."""

    name: str
    versions: tuple[Law[T], ...]
    source: str = ""

    def on(self, day: date) -> Law[T] | None:
        """The version in force on a day; None outside all of them."""
        return next((one for one in self.versions if one.holds(day)), None)


def _versions(node: Node, keys: Mapping[str, Kind], what: Part, faults: Faults) -> list[tuple[Form, Law[None]]]:
    """Each version's form, the common part under it, with its dates and source of law, oldest first.

    Faults: rule_gap, rule_overlap, citation_missing and those of any definition file.
    """
    allowed = {**keys, **LAW, "versions": lambda value: isinstance(value, list) and bool(value)}
    form = Form(node, faults, what, allowed)
    listed = form.get("versions")
    common = {key: one for key, one in node.items() if key != "versions"}
    found = []
    for one in listed.value if listed is not None else (Node({}, node.source, {}),):
        laid = Node({**common, **dict(one.items())}, one.source, {**(node.keys or {}), **(one.keys or {})})
        part = Form(laid, faults, what, allowed)
        law = Law(
            None, read_day(part.plain("from"), part, "from", faults),
            read_day(part.plain("until"), part, "until", faults), part.text("citation"), part.text("verified", "GK"),
        )  # fmt: skip
        if "verified" not in part or ("citation" not in part and law.verified != "local"):
            fix = say("citation_missing.add_citation_and_verified_read.fix")
            faults.add("citation_missing", part.source, say("citation_missing.cites_nothing", what=what.said()), fix)
        found.append((part, law))
    found.sort(key=lambda one: one[1].from_ or date.min)
    _unbroken(found, what, faults)
    return found


def _unbroken(found: Sequence[tuple[Form, Law[None]]], what: Part, faults: Faults) -> None:
    for (_, before), (form, after) in pairwise(found):
        if after.from_ is None or before.until is None or after.from_ <= before.until:
            fix = say("rule_overlap.end_earlier_one_with_until.fix")
            faults.add(
                "rule_overlap",
                form.source,
                say("rule_overlap.two_versions_of_hold_on", what=what.said(), from_=after.from_),
                fix,
            )
        elif after.from_ != before.until + DAY:
            said = say(
                "rule_gap.no_version_of_holds_from", what=what.said(), until=before.until + DAY, from_=after.from_ - DAY
            )
            faults.add("rule_gap", form.source, said, say("rule_gap.let_each_version_begin_day.fix"))


def span(form: Form, key: str, faults: Faults) -> Span | None:
    """A duration such as P1D, PT24H or P1DT12H; None where it is not written."""
    text = form.text(key)
    if not text:
        return None
    found = read_duration(text)
    if found is None:
        faults.add("wrong_kind", form.at(key), say("wrong_kind.is_no_duration", key=key, text=text))
        return Span()
    return Span(*found)


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """How rules of one kind are read: the key under which rule files keep them, what one is called, the keys that it
    may have, and what is made of a version's form. Faults: rule_gap, rule_overlap, rule_unknown, citation_missing and
    those of any definition file."""

    key: str
    what: str
    keys: Mapping[str, Kind]
    make: Callable[[Form, str, Faults], T]

    def read(self, files: Mapping[str, Node], homes: frozenset[str], faults: Faults) -> dict[str, Rule[T]]:
        """The rules of rule files, by full name."""
        out = {}
        for name, node in _rules_of(files, self.key, homes, faults):
            made = [
                Law(self.make(form, name, faults), law.from_, law.until, law.citation, law.verified)
                for form, law in _versions(node, self.keys, Part(self.what, name), faults)
            ]
            out[name] = Rule(name, tuple(made), str(node.source))
        return out

    def of(self, rules: Mapping[str, Any]) -> dict[str, Rule[T]]:
        """Those of a catalogue's rules, which were checked when they were loaded."""
        faults = Faults()
        found = self.read(nodes_of(rules), frozenset(), faults)
        if faults.found:
            raise DefinitionsRefused(faults.found)
        return found


def _rules_of(files: Mapping[str, Node], key: str, homes: frozenset[str], faults: Faults) -> Iterator[tuple[str, Node]]:
    """The rules that the files keep under a key, by full name. A later file that names a rule of an earlier one in
    full (`pillar.file.name`) lays its keys over that one; `rule_unknown` where that pillar, one of the `homes`, has
    none. What is laid over a rule of a pillar that is not here is left out."""
    held: dict[str, Node] = {}
    for file, node in files.items():
        written = node.get(key)
        for name, one in written.items() if written is not None else ():
            full = name if name in held else f"{file}.{name}"
            if "." in name and name not in held:
                if name.partition(".")[0] in homes:
                    said = say("rule_unknown.there_is_no_rule_to", name=name)
                    faults.add("rule_unknown", one.source, said, nearest(name, held))
                continue
            under = held.get(full)
            one = _joined(under, one)
            keys = {**((under.keys if under else None) or {}), **(one.keys or {})}
            laid = {**(dict(under.items()) if under else {}), **dict(one.items())}
            held[full] = Node(laid, one.source, keys) if one.is_map else one
    yield from held.items()


def _joined(under: Node | None, over: Node) -> Node:
    """What is laid over a rule. A part of it that says words in other languages alone joins the part under it."""
    if under is None or not over.is_map:
        return over
    parts = {}
    for name, one in over.items():
        below = under.get(name)
        parts[name] = one
        if below is not None and below.is_map and one.is_map and len(spoken_keys(one)) == len(one.value):
            parts[name] = Node({**dict(below.items()), **dict(one.items())}, one.source, one.keys)
    return Node(parts, over.source, over.keys)
