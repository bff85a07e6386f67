"""The stage of a story: the node, the seats, what was entered so far by a short name, and how long others waited."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from comity import clock
from comity.config.narration import Narration
from comity.errors import Problem
from comity.kernel.duties.clocks import due
from comity.kernel.duties.reconcile import reconcile
from comity.kernel.law.due import Due
from comity.kernel.policy.actor import Actor, Behalf
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.attach import attach
from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.read import read
from comity.kernel.work.node import Node
from comity.kernel.work.results import Receipt, View
from comity.sentences import say

Seat = tuple[str, str, Sequence[str]]
"""Agency, name of the person, roles."""
WAIT = 20.0


@dataclass(slots=True)
class Story:
    """What chapters are told on. A seat of an agency that is `outside` has nobody here: a member acts on its behalf.

    `reporters` says who: for each outsider, the seat that reports it, by the agency in whose log the act stands.
    """

    node: Node
    seats: Mapping[str, Actor]
    told: Narration
    cast: Mapping[str, Seat] = field(default_factory=dict)
    reporters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outside: Collection[str] = ()
    receipts: dict[str, Receipt] = field(default_factory=dict)
    latency: list[float] = field(default_factory=list)
    _papers: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _answered: dict[str, float] = field(default_factory=dict)
    chapter: str = ""

    def tell(self, seat: str, text: str, **more: Any) -> None:
        agency, name, _ = self.cast[seat]
        reporter = self.actor(seat) if agency in self.outside else None
        self.told.step(agency, name, text, reporter=reporter, **more)

    def actor(self, seat: str, owner: str | None = None) -> Actor:
        """Who acts in this seat, or for it: where it is outside, the member that reports it in the log of `owner`."""
        agency = self.cast[seat][0]
        if agency not in self.outside:
            return self.seats[seat]
        known = self.reporters[agency]
        reporter = self.seats[known.get(owner or "", next(iter(known.values())))]
        return replace(reporter, behalf=Behalf(agency, self._paper(reporter, agency)))

    def _paper(self, reporter: Actor, agency: str) -> str:
        """What the outsider sent, as a document with its file: one in each chapter for each reporter."""
        at = (self.chapter, reporter.agency, agency)
        if at not in self._papers:
            title = f"Copies received from {agency}: {self.chapter.strip('_').replace('_', ' ')}"
            made = enter(self.node, reporter, "registry.document", {"kind": "court_paper", "title": title})
            text = io.BytesIO(f"{title}\n\nInvented for the demo.\n".encode())
            attach(self.node, reporter, made.record, name="copies.txt", media_type="text/plain", stream=text)
            self._papers[at] = made.record
        return self._papers[at]

    def enter(self, name: str, seat: str, type: str, fields: Mapping[str, Any], **rest: Any) -> Receipt:
        self.receipts[name] = enter(self.node, self.actor(seat), type, fields, key=f"story:{name}", **rest)
        return self.receipts[name]

    def act(self, name: str, seat: str, what: str, **rest: Any) -> Receipt:
        made = self.receipts[name]
        return act(self.node, self.actor(seat, made.agency), made.record, what, key=f"story:{name}:{what}", **rest)

    def answer(self, name: str, seat: str, what: str, **rest: Any) -> Receipt:
        made = self.receipts[name]
        who = self.actor(seat, made.agency)
        said = answer(self.node, who, made.record, what, key=f"story:{name}:{what}", **rest)
        self._answered[name] = clock.monotonic()
        return said

    def amend(self, name: str, seat: str, **rest: Any) -> Receipt:
        made = self.receipts[name]
        now = self.read(seat, name).version
        return amend(self.node, self.actor(seat, made.agency), made.record, version=now, **rest)

    def read(self, seat: str, name: str) -> View:
        made = self.receipts[name]
        return read(self.node, self.actor(seat, made.agency), made.record)

    def number(self, name: str) -> str:
        return self.receipts[name].number or self.receipts[name].record[:8]

    def link(self, **named: str | Sequence[str]) -> dict[str, list[str]]:
        return {
            link: [self.receipts[n].record for n in ([names] if isinstance(names, str) else names)]
            for link, names in named.items()
        }

    def until(self, seat: str, name: str, state: str) -> View:
        """Wait until a record's own log has followed an answer, as a practitioner would see it do."""
        deadline = clock.monotonic() + WAIT
        while (view := self.read(seat, name)).state != state:
            if clock.monotonic() > deadline:
                raise Problem(
                    "unavailable",
                    say(
                        "unavailable.is_not_no_worker_follows", number=self.number(name), state=view.state, state2=state
                    ),
                )
            clock.pause(0.002)
        if name in self._answered:
            self.latency.append(clock.monotonic() - self._answered.pop(name))
        return view

    def clock(self, seat: str, name: str, rule: str) -> Due:
        """A clock of the law on a record, as the seat sees it; the story ends when it does not run there."""
        found = due(self.node, self.actor(seat), self.receipts[name].record).dues
        for one in found:
            if one.rule.rpartition(".")[2] == rule:
                return one
        raise Problem(
            "internal",
            say(
                "internal.no_clock_on", rule=rule, number=self.number(name), found=", ".join(one.rule for one in found)
            ),
        )

    def reconcile(self, seat: str) -> None:
        """What a seat sees of orders given and acts done, told as a step; the demo compares all of it afterwards."""
        found = reconcile(self.node, self.seats[seat])
        amiss = "; ".join(one.message for one in found.differences) or "no difference"
        self.tell(seat, f"reconciles: {found.given} duties under orders, {found.done} done, {amiss}")

    def noticed(self, seat: str, name: str, kind: str = "notice") -> None:
        """Wait until the seat's inbox has an item about the record, and note how long that took since it was asked."""
        began = clock.monotonic()
        wanted = self.receipts[name].record
        while not any(one.kind == kind and one.record == wanted for one in inbox(self.node, self.seats[seat])):
            if clock.monotonic() > began + WAIT:
                raise Problem("unavailable", say("unavailable.was_not_told_of", seat=seat, number=self.number(name)))
            clock.pause(0.002)
        self.latency.append(clock.monotonic() - began)

    def refused(self, code: str, fault: str, try_it: Callable[[], object]) -> str:
        """What the refusal says; the story ends when it is not refused, or for another reason."""
        try:
            try_it()
        except Problem as problem:
            found = next((one.message for one in problem.faults if one.code == fault), "")
            if problem.code == code and (found or not fault):
                return found or problem.detail
            raise
        raise Problem("internal", say("internal.this_should_have_been_refused", fault=fault or code))


@dataclass(frozen=True, slots=True)
class Script:
    """A story that can be played: who takes part under which law, the seats, the chapters in their order.

    `look` is the record and the seat with which a reader may look around afterwards.
    """

    jurisdiction: str
    agencies: Sequence[str]
    seats: Mapping[str, Seat]
    chapters: Sequence[Callable[[Story], None]]
    look: tuple[str, str]
    reporters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outsiders: Mapping[str, str] = field(default_factory=dict)
    """Words for `--outside`: court, jail."""

    def play(self, story: Story) -> None:
        for chapter in self.chapters:
            story.chapter = chapter.__name__
            chapter(story)


def working(due: Due) -> str:
    """How a clock came to its day, as one line: each step that counted, and the citation."""
    steps = "; ".join(one.said for one in due.working if one.day or one.days)
    return f"{due.title}: {steps} [{due.citation}]"


def day(ago: int = 0) -> str:
    return (clock.now() - timedelta(days=ago)).date().isoformat()


def instant(ago: int = 0) -> str:
    return (clock.now() - timedelta(days=ago)).replace(microsecond=0).isoformat()
