"""What reconciling answers: duties, each done, open or a difference; of one agency, or of a node without content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comity.clock import show_instant
from comity.kernel.duties.lateness import Late
from comity.sentences import Text


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty and what came of it. `state`: done · open (within its time, until `due`) · difference (overdue, or
    what must not be is there). `each` is the value that it was given for; `found` the records that speak for or
    against it. `code` is the joint's own name, `joint` that with its file."""

    joint: str
    title: Text
    record: str
    type: str
    number: str | None
    agency: str
    each: str
    owed_by: str
    since: datetime
    due: datetime
    state: str
    message: Text
    fix: Text
    citation: str
    verified: str
    found: tuple[str, ...] = ()
    never: bool = field(default=False, compare=False)

    @property
    def code(self) -> str:
        return self.joint.rpartition(".")[2]

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "joint": self.joint, "title": self.title, "record": self.record, "type": self.type,
            "number": self.number, "agency": self.agency, "each": self.each, "owed_by": self.owed_by,
            "since": show_instant(self.since), "due": show_instant(self.due), "state": self.state,
            "message": self.message, "fix": self.fix, "citation": self.citation, "verified": self.verified,
            "found": list(self.found),
        }  # fmt: skip

    def bare(self) -> dict[str, Any]:
        """The same without a word of what a record says."""
        kept = ("code", "joint", "record", "number", "agency", "owed_by", "since", "due")
        return {name: value for name, value in self.as_json().items() if name in kept}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`given` duties are `done`, `open` or `differences`. `unjudged` are joints that the reader's roles do not open,
    `late` the entries on own records among them that broke a rule of order."""

    at: datetime
    agency: str
    given: int
    done: int
    open: tuple[Duty, ...]
    differences: tuple[Duty, ...]
    unjudged: tuple[str, ...] = ()
    late: tuple[Late, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "at": show_instant(self.at), "agency": self.agency, "given": self.given, "done": self.done,
            "open": [one.as_json() for one in self.open],
            "differences": [one.as_json() for one in self.differences], "unjudged": list(self.unjudged),
            "late": [one.as_json() for one in self.late],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodeReconciliation:
    """All agencies of a node, each duty once: what any of them finds done is done, what any finds amiss is amiss."""

    at: datetime
    agencies: Mapping[str, Reconciliation]
    given: int
    done: int
    open: tuple[Duty, ...]
    differences: tuple[Duty, ...]
    suspended: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "at": show_instant(self.at), "given": self.given, "done": self.done,
            "open": [one.bare() for one in self.open], "differences": [one.bare() for one in self.differences],
            "agencies": {
                name: {
                    "given": one.given, "done": one.done, "open": len(one.open), "differences": len(one.differences),
                }
                for name, one in self.agencies.items()
            },
            "suspended": list(self.suspended),
        }  # fmt: skip
