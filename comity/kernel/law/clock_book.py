"""The clocks of a catalogue's rules, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from comity.kernel.law.clock_reading import book_of
from comity.kernel.law.clock_rules import Book
from comity.kernel.types.catalogue import Catalogue


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
