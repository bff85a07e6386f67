"""The table of codes: every problem, fault, clock decision and start-up refusal that Comity itself says, by its code.

A code has one meaning everywhere. What the pillars, the law and the agencies bring are codes too: they stand in their
definitions (kernel/definitions/problem_codes). What a code means and
what to do stands in the catalogue of sentences: `CODE.title`, `CODE.meaning`, `CODE.remedy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from comity.problems import carrying, definitions, entering, importing, law, layers, refusals, startup
from comity.problems.code import ADDRESS, Code

PARTS = (refusals, entering, carrying, importing, definitions, layers, law, startup)

CODES: Mapping[str, Code] = MappingProxyType({one.name: one for part in PARTS for one in part.ROWS})
"""Every code, also those that only stand in `faults`, in a clock's decisions or as the cause of a start-up refusal."""

STATUSES: Mapping[str, int] = MappingProxyType(
    {one.name: one.status for one in sorted(refusals.ROWS, key=lambda row: row.name) if one.status is not None}
)
"""The HTTP status of each code that a `Problem` may have."""

__all__ = ["ADDRESS", "CODES", "PARTS", "STATUSES", "Code"]
