"""The shipped books of clocks, read once, and their worked pairs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from comity.kernel.definitions.clock_pairs import Pair, pairs
from comity.kernel.law.clock_book import read_book, speaks_of_clocks
from comity.kernel.law.clock_rules import Book
from comity.kernel.types.definition import Faults, Node, yaml_text

ROOT = Path(__file__).parents[2] / "jurisdictions"
LAWS = ("england-wales", "india", "us-federal")


@lru_cache(maxsize=8)
def nodes(law: str) -> dict[str, Node]:
    found = {}
    for file in sorted((ROOT / law / "rules").glob("*.yml")):
        node = yaml_text(f"rules/{file.name}", file.read_text(encoding="utf-8"))
        name = node.get("rule")
        if speaks_of_clocks(node) and name is not None:
            found[str(name.value)] = node
    return found


@lru_cache(maxsize=8)
def book(law: str) -> Book:
    faults = Faults()
    made = read_book(nodes(law), faults)
    assert faults.found == []
    return made


def all_pairs() -> list[tuple[str, Pair]]:
    found = []
    for law in LAWS:
        for file in sorted((ROOT / law / "examples" / "clocks").glob("*.yml")):
            data = yaml_text(file.name, file.read_text(encoding="utf-8")).plain()
            found += [(law, one) for one in pairs(file.stem, data, book(law))]
    return found
