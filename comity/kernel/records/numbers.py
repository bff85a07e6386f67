"""Numbers such as ATF-2026-000123: drawn from blocks that a process reserves, so that no writer waits for another.

A block is reserved in its own short transaction with an asynchronous commit: a number that is used is on disk before
its entry is, because the log of the database is written in order. What a block leaves unused is a gap, explained by
comity.number_block. A server draws one at a time for people and more when they are wanted in quick succession: then the
block doubles, up to `burst` of the node, so that a number mostly costs nothing and few are left over.
"""

from __future__ import annotations

from datetime import timedelta

from comity import clock, names
from comity.kernel.types.catalogue import Type
from comity.kernel.work.node import Node, Work

QUICK = timedelta(seconds=1)
"""A block that was used up within it is followed by one of twice its size."""


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
            size = max(_block(node, agency, key), count - len(held))
            first = _reserve(node, agency, key, size)
            held.extend(range(first, first + size))
        taken, node._numbers[(agency, key)] = held[:count], held[count:]
        return taken


def _block(node: Node, agency: str, key: str) -> int:
    """How many to reserve now, as far as it is for the future."""
    now = clock.now()
    size, at = node._blocks.get((agency, key), (0, now))
    size = max(node.block, min(2 * size, node.burst) if now - at < QUICK else 0)
    node._blocks[(agency, key)] = (size, now)
    return size


def _reserve(node: Node, agency: str, key: str, size: int) -> int:
    return int(node.ask("select comity.reserve(%s, %s, %s, %s)", (agency, key, size, clock.now()))[0])
