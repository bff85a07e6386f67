"""Follower: what derives something from the log, declared as one value. The worker and pending_work iterate them.

A view keeps rows that can be made anew from the first entry, and moves its place in the same transaction. An effect
does something once: what it owes stands in the outbox, is resumed after a crash and is never rebuilt (ledger/follow).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from comity.kernel.policy.actor import Actor
from comity.kernel.work.node import Node

Kind = Literal["view", "effect"]
When = Literal["at_once", "entries", "clock"]
Step = Callable[[Node, str], int]


class Row(Protocol):
    """A line of a statistic; the members of `as_json` are its columns, in their order."""

    def as_json(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Statistic:
    """What a view shows: of the actor's own agency alone, from a day (UTC) on, newest first, in bounded number."""

    title: str
    columns: tuple[str, ...]
    rows: Callable[[Node, Actor, date | None], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Follower:
    """One follower, run for one agency at a time and with its rights only.

    `name` is that of its place (comity.follower) or of what it owes (comity.outbox). `step` does a bounded round for
    an agency and answers how much moved; it takes its own locks and may be called when nothing is pending.
    `pending` is the condition, in SQL, that the transaction's agency (comity.me()) has something for it at %(now)s.
    `when`: `clock`, in the round of everything only; `entries`, also when the agency's log grew; `at_once`, also
    between any two steps, because somebody waits for it. `agencies` is a query of the agencies that have something for
    it, across all, which whoever runs it may ask as a whole; `at_once` needs one. `of_any`: entries of other agencies
    may give it something to do, so an agency with something pending is looked at whenever anything was placed.
    `forgets`: what it did leaves the outbox after the node's period (rights/following allows that name by name).
    `suspended` is done for an agency that is suspended. `restart` makes a view anew; `statistic` is what it shows.
    """

    name: str
    kind: Kind
    step: Step
    pending: str
    when: When = "entries"
    agencies: str = ""
    of_any: bool = False
    forgets: bool = False
    suspended: Step | None = None
    restart: Step | None = None
    statistic: Statistic | None = None

    def __post_init__(self) -> None:
        if self.when == "at_once" and not self.agencies:
            raise ValueError(f"{self.name}: what is done at once needs a query of the agencies that wait")
        if (self.kind == "view") != (self.restart is not None):
            raise ValueError(f"{self.name}: a view, and no effect, can be made anew")


def behind_own_log(name: str) -> str:
    """The condition, in SQL, that a follower of the agency's own log has not come to its end."""
    return f"""coalesce((select max(agency_place) from comity.sequence where agency = comity.me()), 0)
        > coalesce((select place from comity.follower where name = '{name}' and agency = comity.me()), 0)"""


def behind_stream(name: str) -> str:
    """The condition, in SQL, that a follower of the node's stream has not come to its end."""
    return f"""comity.stream_end()
        > coalesce((select place from comity.follower where name = '{name}' and agency = comity.me()), 0)"""
