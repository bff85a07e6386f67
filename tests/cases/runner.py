"""Plays cases on a scratch node. It knows acts by seats and what they are answered, and nothing of the domain: no case
writes an event, a fact, a state or a clock."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from comity import clock
from comity.config import loader, paths, worker
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.clocks import Dues, due
from comity.kernel.importing import importing
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.attach import attach
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find, find_by_number
from comity.kernel.views.read import read
from comity.kernel.work.node import Node
from tests.cases.case import Case, Step
from tests.cases.dues import Unread, said_of

ROUNDS = 20
FOUNDED = datetime(2020, 1, 1, tzinfo=UTC)
OPENS = time(9)
MINUTE = timedelta(minutes=1)
ANSWERED = "answered"
"""An answer moves another's record, so what follows from it is done before anybody goes on."""
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_RECORD = re.compile(r"\$(?P<id>\w+)(?P<number>\.number(?:\.(?P<how>\w+))?)?\Z")
SPELLINGS: Mapping[str | None, Callable[[str], str]] = {
    None: str,
    "lower": str.lower,
    "blanks": lambda number: number.replace("-", " "),
    "unpadded": lambda number: re.sub(r"\b0+(?=\d)", "", number),
    "short_year": lambda number: re.sub(r"\b20(?=\d\d\b)", "", number),
}
_SEAT = re.compile(r"@(?P<seat>[\w ]+)\Z")
_INSTANT = re.compile(r"T(?:(?P<by>[+-]\d+)(?P<unit>[mhd]))?\Z")
_DAY = re.compile(r"today(?P<by>[+-]\d+)?\Z")
_IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Wrong(Exception):
    """An answer that is not the right one."""


class Scratch:
    """A node for cases. Agencies are installed when a case first has a seat there; each case has its own members."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.installed: set[str] = set()

    def ready(self, case: Case) -> None:
        """The agencies of a dated case are there before its first day."""
        law = read_folder(paths.jurisdictions() / case.law)
        with clock.at(FOUNDED) if case.dated else nullcontext():
            for agency in sorted(case.agencies - self.installed):
                own, core = read_folder(paths.agencies() / agency), loader.core_files()
                install(self.node, tokens.operator(), agency=agency, core=core, jurisdiction=law, own=own)
                self.installed.add(agency)

    def play(self, case: Case, folder: Path) -> list[str]:
        """What went otherwise than the case says, one line a step: one that failed, or a marked one that did not."""
        self.ready(case)
        found = []
        with ExitStack() as held:
            playing = Playing(self.node, case, folder, held)
            for at, step in enumerate(case.steps, 1):
                try:
                    playing.do(step)
                except (Wrong, Unread, Problem, KeyError) as wrong:
                    if not step.marked or step.today not in _why(wrong):
                        found.append(f"step {at}, {step}: {_why(wrong)}")
                else:
                    if step.marked:
                        found.append(f"step {at}, {step}: is right now; take the mark away ({step.marked})")
        return found


class Playing:
    """One case in play: its members, its records by their id in the case, and how far its time has moved."""

    def __init__(self, node: Node, case: Case, folder: Path, held: ExitStack) -> None:
        self.node, self.folder, self.held = node, folder, held
        self.records: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.entries: dict[str, str] = {}
        self.seats: dict[str, Actor] = {}
        self.answers: dict[tuple[Any, ...], Dues] = {}
        self.agencies, self.owing = case.agencies, set[str]()
        self.unfollowed = ""
        self.dated = case.dated
        if case.steps[0].at is not None:
            held.enter_context(clock.at(self.instant(case.steps[0].at, case.seats[case.steps[0].seat][0])))
        for name, (agency, *roles) in case.seats.items():
            issued = tokens.admit(node, agency, f"{name} of {case.name}", roles)
            self.seats[name] = tokens.sign_in(node, issued.token)

    def do(self, step: Step) -> None:
        """Raises Wrong for another answer than the right one, Problem for a refusal that none expected."""
        if step.at is not None:
            self.move(self.instant(step.at, self.seats[step.seat].agency))
        elif self.dated:
            self.move(clock.now())
        if step.verb == "wait":
            self.held.enter_context(clock.at(clock.now() + _span(step.what)))
            self.follow()
            return
        if self.unfollowed != self.seats[step.seat].agency:
            self.rest()
        verb: Callable[[Step], Any] = getattr(self, f"do_{step.verb}")
        wanted = step.right.get("refused")
        try:
            answered = verb(step)
        except Problem as problem:
            codes = {problem.code, *(fault.code for fault in problem.faults)}
            if wanted is None or not codes & set(_listed(wanted)):
                raise Wrong(f"refused with {', '.join(sorted(codes))}: {problem}") from problem
            return
        if wanted is not None:
            raise Wrong(f"taken, and not refused with {' or '.join(_listed(wanted))}")
        for name, value in step.right.items():
            getattr(self, f"right_{name}")(answered, self.value(value))

    def instant(self, at: date | datetime, agency: str) -> datetime:
        """The hour in the agency's zone; a day is taken up at nine."""
        hour = at if isinstance(at, datetime) else datetime.combine(at, OPENS)
        return hour.replace(tzinfo=ZoneInfo(self.node.catalogue(agency).definition.zone)).astimezone(UTC)

    def move(self, instant: datetime) -> None:
        """Time goes on to the instant, or by a minute where it has come already: an act takes its time."""
        self.held.enter_context(clock.at(max(instant, clock.now() + MINUTE)))

    def follow(self) -> None:
        """All that follows by itself, until nothing moves."""
        self.unfollowed = ""
        self.answers.clear()
        for _ in range(ROUNDS):
            if not worker.follow_all(self.node):
                return
        raise Wrong("what follows by itself never comes to rest")

    def rest(self) -> None:
        """What followed from the last acts is done: before another agency acts and before anybody reads."""
        if self.unfollowed:
            self.unfollowed = ""
            self.answers.clear()
            for _ in range(ROUNDS):
                if not worker.follow_placed(self.node, self.agencies, self.owing):
                    return
            raise Wrong("what follows by itself never comes to rest")

    # What may be done.

    def do_enter(self, step: Step) -> Any:
        return self.wrote(step, enter(self.node, self.seats[step.seat], step.what, **self.given(step)))

    def do_amend(self, step: Step) -> Any:
        record, actor, given = self.value(step.what), self.seats[step.seat], self.given(step)
        if "corrects" in given:
            given["corrects"] = self.entries[str(step.given["corrects"]).lstrip("$")]
        version = read(self.node, actor, record).version
        return self.wrote(step, amend(self.node, actor, record, version=version, **given))

    def do_act(self, step: Step) -> Any:
        given = self.given(step)
        return self.wrote(step, act(self.node, self.seats[step.seat], given.pop("record"), step.what, **given))

    def do_answer(self, step: Step) -> Any:
        given = self.given(step)
        return self.wrote(step, answer(self.node, self.seats[step.seat], given.pop("record"), step.what, **given))

    def do_attach(self, step: Step) -> Any:
        given = self.given(step)
        stream = io.BytesIO(str(given.get("bytes", "bytes of a file")).encode())
        made = attach(
            self.node, self.seats[step.seat], given["record"], name=step.what, media_type="application/octet-stream",
            stream=stream,
        )  # fmt: skip
        return self.wrote(step, made)

    def do_find(self, step: Step) -> Any:
        self.rest()
        return [dict(one) for one in find(self.node, self.seats[step.seat], type=step.what, **self.given(step)).items]

    def do_show(self, step: Step) -> Any:
        self.rest()
        actor, named = self.seats[step.seat], self.value(step.what)
        record = named if _IDENTITY.match(named) else find_by_number(self.node, actor, named)
        return read(self.node, actor, record).as_json()

    def do_inbox(self, step: Step) -> Any:
        self.rest()
        return [one.as_json() for one in inbox(self.node, self.seats[step.seat])]

    def do_due(self, step: Step) -> Any:
        """What the clocks of a record say, as at the end of the day on which it is asked, or at the hour."""
        self.rest()
        actor, given = self.seats[step.seat], self.given(step)
        at = clock.now() if isinstance(step.at, datetime) else step.at
        asked = step.seat, self.value(step.what), at
        if asked not in self.answers:
            self.answers[asked] = due(self.node, actor, asked[1], at=at)
        answer = self.answers[asked]
        zone = ZoneInfo(self.node.catalogue(actor.agency).definition.zone)
        return said_of(answer, given["clock"], _listed(given.get("of", ())), zone)

    def do_import(self, step: Step) -> Any:
        rows, mapping = self.folder / "rows.csv", self.folder / f"{step.what}.yml"
        rows.write_text(step.given["rows"], "utf-8")
        mapping.write_text(json.dumps(step.given["mapping"]), "utf-8")
        self.unfollowed = self.seats[step.seat].agency
        return importing.run(self.node, self.seats[step.seat], rows, mapping).as_json()

    # What is rightly answered.

    def right_finds(self, answered: Any, records: list[str]) -> None:
        if missing := set(records) - {one["id"] for one in answered}:
            raise Wrong(f"{len(missing)} not found among {[one.get('title') for one in answered]}")

    def right_hides(self, answered: Any, records: list[str]) -> None:
        if shown := set(records) & {one["id"] for one in answered}:
            raise Wrong(f"{len(shown)} found that should not be")

    def right_first(self, answered: Any, record: str) -> None:
        if not answered or answered[0]["id"] != record:
            raise Wrong("another comes first" if answered else "nothing is found")

    def right_shows(self, answered: Any, wanted: Mapping[str, Any]) -> None:
        for name, value in wanted.items():
            shown = _as_far_as(value, answered.get(name))
            if shown != value:
                raise Wrong(f"{name} is {shown!r} and not {value!r}")

    def right_reads(self, answered: Any, wanted: Mapping[str, Any]) -> None:
        answered.check(wanted)

    def right_tells(self, answered: Any, wanted: Mapping[str, Any]) -> None:
        """One thing that is said names the record `of`, or one of these, and has all the `words`, whatever its kind."""
        said = answered if isinstance(answered, list) else [answered]
        words = [str(word).casefold() for word in wanted.get("words", ())]
        for one in said:
            text = json.dumps(one, default=str, ensure_ascii=False).casefold()
            if any(record in text for record in _listed(wanted.get("of", ""))) and all(word in text for word in words):
                return
        raise Wrong(f"nothing says {wanted}")

    # What a case writes for a record, a seat, an instant, a day.

    def given(self, step: Step) -> dict[str, Any]:
        out = {name: self.value(value) for name, value in step.given.items() if name != "corrects"}
        if "corrects" in step.given:
            out["corrects"] = ""
        for name in ("links", "unlink"):
            if name in out:
                out[name] = {link: _listed(to) for link, to in out[name].items()}
        return out

    def value(self, said: Any) -> Any:
        """`$id` a record, `$id.number` its number, `$id.number.lower` so spelled, `@seat` a member, `T-90m` an
        instant, `today+2` a day."""
        if isinstance(said, Mapping):
            return {name: self.value(one) for name, one in said.items()}
        if isinstance(said, list):
            return [self.value(one) for one in said]
        if isinstance(said, date):
            return said.isoformat()
        if not isinstance(said, str):
            return said
        if at := _RECORD.match(said):
            return SPELLINGS[at["how"]](self.numbers[at["id"]]) if at["number"] else self.records[at["id"]]
        if at := _SEAT.match(said):
            return self.seats[at["seat"]].member
        if at := _INSTANT.match(said):
            return clock.show_instant(clock.now() + (_span(at["by"] + at["unit"]) if at["by"] else timedelta()))
        if at := _DAY.match(said):
            return (clock.now() + timedelta(days=int(at["by"] or 0))).date().isoformat()
        return said

    def wrote(self, step: Step, receipt: Any) -> Any:
        if step.id:
            self.records[step.id], self.entries[step.id] = str(receipt.record), str(receipt.entry)
            self.numbers[step.id] = str(receipt.number or "")
        self.unfollowed = ANSWERED if step.verb == "answer" else self.seats[step.seat].agency
        return receipt.as_json()


def _as_far_as(wanted: Any, shown: Any) -> Any:
    """Of what is shown, the members that are wanted, at every depth."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        return {name: _as_far_as(value, shown.get(name)) for name, value in wanted.items()}
    return shown


def _listed(said: Any) -> list[Any]:
    return list(said) if isinstance(said, list | tuple) else [said]


def _span(text: str) -> timedelta:
    found = re.match(r"([+-]?\d+)([mhd])\Z", str(text))
    if found is None:
        raise Wrong(f"{text!r} is no span: 90m, 2h, 3d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _why(wrong: Exception) -> str:
    return f"no record {wrong} in this case" if isinstance(wrong, KeyError) else str(wrong)
