"""Where a clock can begin, read off the bindings: so that whoever lists all clocks looks only there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from comity.kernel.law.clock_question import compiled
from comity.kernel.law.clock_rules import Anchor, Binding, Book
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.expression import GuardError, evaluate


@dataclass(frozen=True, slots=True)
class Starts:
    """What of one type can begin a clock: an act, or a field that is set while the record is in one of the states."""

    acts: frozenset[str]
    fields: frozenset[str]
    states: frozenset[str]


@lru_cache(maxsize=64)
def started_by(book: Book) -> Mapping[str, tuple[str, ...]]:
    """By the name of an event, the clocks that it may begin."""
    held: dict[str, list[str]] = defaultdict(list)
    for rule in book.rules.values():
        for name in dict.fromkeys(_begins(book, rule.code)):
            held[name].append(rule.code)
    return {name: tuple(codes) for name, codes in held.items()}


def _begins(book: Book, code: str) -> Iterator[str]:
    for version in book.rules[code].versions:
        for anchor in (version.start, *version.restart):
            yield from sorted(anchor.names())
            for other in _dues(anchor):
                yield from _begins(book, other)


def _dues(anchor: Anchor) -> Iterator[str]:
    if anchor.due:
        yield anchor.due
    for one in (*anchor.latest, *anchor.earliest):
        yield from _dues(one)


@lru_cache(maxsize=64)
def starts(catalogue: Catalogue, book: Book) -> Mapping[str, Starts]:
    """By the name of a type, what of its records can begin a clock. A type that begins none is not there."""
    begin = [one for name in started_by(book) for one in book.events.get(name, ())]
    found = {}
    for of in catalogue.types.values():
        bound = [one for one in begin if one.type in (of.name, of.core_name)]
        if bound:
            fields = [one for one in bound if one.field]
            names = {one.field for one in fields}
            found[of.name] = Starts(
                acts=frozenset(one.act for one in bound if one.act),
                fields=frozenset(name for name in of.fields if name in names or name.rpartition(":")[2] in names),
                states=frozenset(state for state in of.states if any(_possible(one, state) for one in fields)),
            )
    return found


def _possible(one: Binding, state: str) -> bool:
    """Whether the event can be there in this state: its condition is not false whatever else the record says."""
    try:
        return not one.when or evaluate(compiled(one.when, one.type), {"state": state})
    except GuardError:
        return True
