"""One row of the table of codes, and how a row of each kind is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from comity.sentences import Sentence, say

ADDRESS = "/api/v1/problems/"
"""Below it each code is explained; with the code behind it, the `type` member of a problem answer (RFC 9457)."""
PROBLEM, FAULT, DECISION, STARTUP = "problem", "fault", "decision", "startup"


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means wherever it is said, and what to do then. A code never changes its meaning.

    `kind` problem: a refusal as a whole, with its HTTP `status`; its code may also stand on a fault. fault: one thing
    wrong, listed in `faults`. decision: what a person must decide about a clock. startup: why a node does not start,
    the `cause` of `startup_refused`.
    """

    name: str
    kind: str
    status: int | None = None

    @property
    def title(self) -> Sentence:
        return say(f"{self.name}.title")

    @property
    def meaning(self) -> Sentence:
        return say(f"{self.name}.meaning")

    @property
    def remedy(self) -> Sentence:
        return say(f"{self.name}.remedy")

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.name, "type": ADDRESS + self.name, "kind": self.kind, "status": self.status,
            "title": self.title, "meaning": self.meaning, "remedy": self.remedy, "source": "comity", "uses": [],
        }  # fmt: skip


def problem(name: str, status: int) -> Code:
    return Code(name, PROBLEM, status)


def _of(kind: str, name: str) -> Code:
    return Code(name, kind)


fault: Callable[[str], Code] = partial(_of, FAULT)
decision: Callable[[str], Code] = partial(_of, DECISION)
startup: Callable[[str], Code] = partial(_of, STARTUP)
