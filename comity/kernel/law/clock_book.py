"""The clocks of all rule files in one book: read together, checked against each other, and those of a catalogue.

How one clock is written: `clock_reading`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from comity.kernel.law.calendars import Calendar, read_calendars
from comity.kernel.law.clock_reading import MARKS, each, read_clock, read_length
from comity.kernel.law.clock_rules import Anchor, Binding, Book, ClockRule, Exclusion
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import (
    DefinitionsRefused,
    Faults,
    Form,
    Node,
    is_map,
    is_names,
    is_text,
    is_words,
    nearest,
    nodes_of,
)
from comity.kernel.types.expression import guard_text
from comity.kernel.types.part import Part
from comity.sentences import Worded, say

ENDS = ("both", "first", "last", "neither")
_EXCLUSION: Mapping[str, Any] = {
    "title": is_text, "opens": is_names, "closes": is_names, "key": is_text, "until": is_text, "at_most": is_map,
    "requires": is_text, "ends": lambda v: v in ENDS, "citation": is_text, "verified": lambda v: v in MARKS,
    "over": lambda v: v in ("cut", "decide"), "note": is_words,
}  # fmt: skip


def book_for(catalogue: Catalogue) -> tuple[Book, Mapping[str, Any]]:
    """The clocks of an agency's law, and its own choices where the law leaves one open (rule files with `settings`)."""
    return _book(catalogue), _settings(catalogue)


@lru_cache(maxsize=64)
def _book(catalogue: Catalogue) -> Book:
    """Days are those of the agency's own zone, unless a court's calendar is named: its day ends when its clocks say."""
    book = book_of(catalogue.rules)
    usual = book.calendars.get(book.default_calendar)
    if usual is None:
        return book
    here = replace(usual, zone=catalogue.definition.zone, memo={})
    return replace(book, calendars={**book.calendars, book.default_calendar: here})


def _settings(catalogue: Catalogue) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for data in catalogue.rules.values():
        chosen = data.get("settings") if isinstance(data, Mapping) else None
        held.update(chosen if isinstance(chosen, Mapping) else {})
    return held


def read_book(files: Mapping[str, Node], faults: Faults) -> Book:
    """The book of the rule files (by their `rule` name) that speak of clocks; the others are passed over.

    Faults: clock_gap, clock_overlap, clock_unknown, calendar_unknown, counting_unknown, exclusion_unknown,
    version_missing, period_missing, and those of any definition file.
    """
    calendars: dict[str, Calendar] = {}
    exclusions: dict[str, tuple[Exclusion, ...]] = {}
    rules: dict[str, ClockRule] = {}
    events: dict[str, tuple[Binding, ...]] = {}
    default = ""
    hubs: list[str] = []
    said: dict[str, dict[str, str]] = {}
    for node in files.values():
        if node.get("calendars") is not None:
            calendars |= read_calendars(node, faults, base=calendars)
            chosen = node.get("default")
            default = str(chosen.value) if chosen is not None else default
    for node in files.values():
        for name, one in _mapping(node, "exclusions"):
            exclusions[name] = tuple(_exclusion(code, item, faults) for code, item in one.items())
        held = node.get("hubs")
        hubs += [str(one.value) for one in each(held)] if held is not None else []
        for key in (key for key, _ in node.items() if key == "words" or key.startswith("words_")):
            for name, one in _mapping(node, key):
                said.setdefault(name, {})[key.removeprefix("words").removeprefix("_")] = str(one.value)
        for name, one in _mapping(node, "events"):
            events[name] = tuple(_binding(name, item, faults) for item in each(one))
    for file, node in files.items():
        for name, one in _mapping(node, "clocks"):
            made = read_clock(f"{file}.{name}", one, faults)
            if made is not None:
                rules[made.code] = made
    words = {name: Worded(one.get("", name.replace("_", " ")), one) for name, one in said.items()}
    book = Book(rules, exclusions, calendars, events, default, tuple(hubs), words)
    _check(book, faults)
    return book


def speaks_of_clocks(node: Node) -> bool:
    return any(node.get(key) is not None for key in ("clocks", "calendars", "exclusions", "events"))


def book_of(rules: Mapping[str, Any]) -> Book:
    """The book of a catalogue's rules. Raises DefinitionsRefused for what could not have been loaded."""
    faults = Faults()
    book = read_book({name: node for name, node in nodes_of(rules).items() if speaks_of_clocks(node)}, faults)
    if faults.found:
        raise DefinitionsRefused(faults.found)
    return book


def _mapping(node: Node, key: str) -> list[tuple[str, Node]]:
    held = node.get(key)
    return list(held.items()) if held is not None else []


def _binding(name: str, node: Node, faults: Faults) -> Binding:
    keys = {"type": is_text, "act": is_text, "field": is_text, "when": is_text, "names": is_map}
    form = Form(node, faults, Part("event", name), keys)
    if not form.text("type") or bool(form.text("act")) == bool(form.text("field")):
        fix = say("wrong_kind.name_type_and_act_or.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.event_does_not_say_what", name=name), fix)
    return Binding(
        type=form.text("type"), act=form.text("act"), field=form.text("field"), names=form.plain("names", {}),
        when=guard_text(form, "when", faults),
    )  # fmt: skip


def _exclusion(code: str, node: Node, faults: Faults) -> Exclusion:
    form = Form(node, faults, Part("exclusion", code), _EXCLUSION)
    if not form.names("opens") or not (form.names("closes") or form.text("until")):
        fix = say("wrong_kind.name_what_opens_it_and.fix")
        faults.add("wrong_kind", form.source, say("wrong_kind.exclusion_has_no_two_ends", code=code), fix)
    return Exclusion(
        code=code, title=form.titled(code), opens=form.names("opens"), closes=form.names("closes"),
        key=form.text("key"), until=form.text("until"), at_most=read_length(form, "at_most", faults),
        over=form.text("over", "cut"), requires=guard_text(form, "requires", faults), ends=form.text("ends", "both"),
        citation=form.text("citation"), verified=form.text("verified", "GK"), note=form.worded("note"),
    )  # fmt: skip


def _check(book: Book, faults: Faults) -> None:
    """What can only be said once every file is read: names that point at nothing."""
    for rule in book.rules.values():
        if rule.calendar and rule.calendar not in book.calendars:
            fix = nearest(rule.calendar, book.calendars)
            faults.add(
                "calendar_unknown",
                rule.source,
                say("calendar_unknown.counts_by", code=rule.code, calendar=rule.calendar),
                fix,
            )
        for version in rule.versions:
            lists = (*version.exclude, *((version.measure,) if version.measure else ()))
            for name in (one for one in lists if one not in book.exclusions):
                said = say("exclusion_unknown.excludes_which_is_no_list", code=rule.code, name=name)
                faults.add("exclusion_unknown", rule.source, said, nearest(name, book.exclusions))
            for name in _dues(version.start):
                if name not in book.rules:
                    fix = nearest(name, book.rules)
                    faults.add(
                        "clock_unknown",
                        rule.source,
                        say("clock_unknown.starts_when_is_due", code=rule.code, name=name),
                        fix,
                    )


def _dues(anchor: Anchor) -> set[str]:
    return ({anchor.due} if anchor.due else set()).union(*(_dues(one) for one in (*anchor.latest, *anchor.earliest)))
