"""Numbers such as ATF-2026-000123: drawn from blocks that a process reserves, so that no writer waits for another.

A block is reserved in its own short transaction with an asynchronous commit: a number that is used is on disk before
its entry is, because the log of the database is written in order. What a block leaves unused is a gap, explained by
comity.number_block.
"""

from __future__ import annotations

from comity import clock, names
from comity.kernel.records.node import Node, Work
from comity.kernel.types.catalogue import Type


def draw(work: Work, of: Type, count: int = 1) -> list[str | None]:
    """The next numbers for new records of a type; Nones when its records carry none."""
    if not of.number:
        return [None] * count
    definition = work.catalogue.definition
    key = names.number_key(
        of.number, agency=work.agency, type_name=of.name, year=clock.today(definition.zone).year,
        station=definition.station,
    )  # fmt: skip
    return [names.number_text(of.number, key, seq) for seq in _take(work.node, work.agency, key, count)]


def _take(node: Node, agency: str, key: str, count: int) -> list[int]:
    with node._lock:
        held = node._numbers.setdefault((agency, key), [])
        if len(held) < count:
            first, size = _reserve(node, agency, key, max(node.block, count - len(held)))
            held.extend(range(first, first + size))
        taken, node._numbers[(agency, key)] = held[:count], held[count:]
        return taken


def _reserve(node: Node, agency: str, key: str, size: int) -> tuple[int, int]:
    row = node.ask("select comity.reserve(%s, %s, %s, %s)", (agency, key, size, clock.now()))
    return row[0], size
