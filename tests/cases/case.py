"""A case: what happened as acts of named seats, and what each is rightly answered. The form is in README.md here.

Read strictly: a key that the form has not is an error, so that an expectation which is misspelt does not pass unseen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.cases.sequence import Misspelt as Misspelt
from tests.cases.sequence import expanded

FOLDER = Path(__file__).parent
VERBS = ("enter", "amend", "act", "answer", "attach", "find", "show", "inbox", "import", "due", "wait")
GIVEN = {
    "enter": {"fields", "links", "marks", "reason", "late_cause", "key"},
    "amend": {"fields", "links", "unlink", "reason", "late_cause", "corrects"},
    "act": {"record", "fields", "links", "reason", "late_cause"},
    "answer": {"record", "fields", "reason", "late_cause"},
    "attach": {"record", "bytes"},
    "find": {"text", "where"},
    "show": set(),
    "inbox": set(),
    "import": {"rows", "mapping"},
    "due": {"clock", "of"},
    "wait": set(),
}
RIGHT = {"refused", "finds", "hides", "first", "shows", "tells", "reads"}
ABOUT = {"as", "at", "id", "marked", "today"}
ALONE = {"title", "law", "seats", "steps", "sources"}
TOPIC = {"title", "law", "seats", "setups", "cases"}
PAIRED = {"id", "title", "pair", "why", "citation", "unseated", "seats", "begins", "setup", "steps"}
PAIR = {"with", "differs"}


@dataclass(frozen=True)
class Step:
    """One act. `what` is the verb's object: a type, a record, an act. `right` is what is rightly answered; empty: that
    it is taken. `marked` says why this fails today, and `today` how: words of the failure. A marked step that does not
    fail, or fails otherwise, is an error. `at`: the day or hour, local to the seat's agency, at which it is done;
    without one, a minute after the step before it."""

    verb: str
    what: Any
    seat: str
    given: Mapping[str, Any]
    right: Mapping[str, Any]
    id: str = ""
    marked: str = ""
    today: str = ""
    at: date | datetime | None = None

    def __str__(self) -> str:
        when = f" on {self.at}" if self.at else ""
        return f"{self.seat or 'time'}{when}: {self.verb} {self.what} {dict(self.given)}"


@dataclass(frozen=True)
class Pair:
    """The other case of a pair, and the one fact in which the two differ."""

    other: str
    differs: str


@dataclass(frozen=True)
class Case:
    """`seats`: name -> agency and roles. Cases of one `law` share a scratch node, so names and values are their own.

    A case of a topic also says why it is right and where that stands; `unseated`: who is to be told and has no seat in
    any agency here.
    """

    name: str
    title: str
    law: str
    seats: Mapping[str, Sequence[str]]
    steps: Sequence[Step]
    sources: Sequence[str] = field(default=())
    pair: Pair | None = None
    why: str = ""
    citation: str = ""
    unseated: Sequence[str] = field(default=())

    @property
    def dated(self) -> bool:
        """Whether it is played on days of its own, and not from now on."""
        return self.steps[0].at is not None

    @property
    def agencies(self) -> set[str]:
        return {seat[0] for seat in self.seats.values()}


def read_case(name: str, text: str) -> Case:
    """A file that is one case. Raises Misspelt, naming the case and the step."""
    said = yaml.safe_load(text)
    _only(name, said, ALONE)
    steps = _steps(name, said["steps"], said["seats"])
    return Case(name, said["title"], said["law"], said["seats"], steps, said.get("sources", ()))


def read_topic(name: str, text: str, sequences: Mapping[str, Any] | None = None) -> list[Case]:
    """A file of several cases, each of which stands alone: with the seats that it uses and the setups that it names.

    `sequences`: by law, the steps that a step `do` stands for (see sequence.py). Raises Misspelt, naming the case and
    the step; also for a setup that no case names.
    """
    said = yaml.safe_load(text)
    known = (sequences or {}).get(said["law"], {})
    _only(name, said, TOPIC)
    setups = said.get("setups", {})
    cases = [_case_of(said, one, known) for one in said["cases"]]
    if unused := set(setups) - {setup for one in said["cases"] for setup in one.get("setup", ())}:
        raise Misspelt(f"{name} has setups that no case names: {', '.join(sorted(unused))}")
    return cases


def _case_of(topic: Mapping[str, Any], said: Mapping[str, Any], sequences: Mapping[str, Any]) -> Case:
    name = said["id"]
    _only(name, said, PAIRED)
    seats = {**topic["seats"], **said.get("seats", {})}
    begun = [step for setup in said.get("setup", ()) for step in topic["setups"][setup]]
    written = expanded(name, [*begun, *said["steps"]], sequences)
    if "begins" in said:
        written = [{**written[0], "at": said["begins"]}, *written[1:]]
    steps = _steps(name, written, seats)
    named = json.dumps(written, default=str)
    used = {step.seat for step in steps} | {seat for seat in seats if f'"@{seat}"' in named}
    pair = said.get("pair")
    if pair is not None:
        _only(f"{name}, pair", pair, PAIR)
    return Case(
        name, said["title"], topic["law"], {seat: seats[seat] for seat in seats if seat in used}, steps,
        pair=Pair(pair["with"], pair["differs"]) if pair else None, why=said["why"], citation=said["citation"],
        unseated=said.get("unseated", ()),
    )  # fmt: skip


def read_folder(folder: Path) -> list[Case]:
    """All cases of the files of a folder, in their order. Raises Misspelt, also for a pair of one and a name of two."""
    cases: list[Case] = []
    sequences = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in (folder / "sequences").glob("*.yml")}
    for file in sorted(folder.glob("*.yml")):
        text = file.read_text("utf-8")
        cases += read_topic(file.stem, text, sequences) if "\ncases:\n" in text else [read_case(file.stem, text)]
    names = Counter(case.name for case in cases)
    if twice := [name for name, count in names.items() if count > 1]:
        raise Misspelt(f"two cases have one name: {', '.join(twice)}")
    if alone := [case.name for case in cases if case.pair and case.pair.other not in names]:
        raise Misspelt(f"the other case of a pair is not there: {', '.join(alone)}")
    return cases


def _steps(name: str, said: Sequence[Mapping[str, Any]], seats: Mapping[str, Any]) -> list[Step]:
    """The steps of a case; one of several seats is a step of each."""
    found = []
    for at, one in enumerate(said, 1):
        several = one.get("as", "") if isinstance(one.get("as"), list) else [one.get("as", "")]
        found += [_step(f"{name}, step {at}", {**one, "as": seat}, seats) for seat in several]
    days = [one.at for one in found if one.at is not None]
    if days and (found[0].at is None or any(_day(two) < _day(one) for one, two in pairwise(days))):
        raise Misspelt(f"{name}: time begins with the first step and never goes back")
    return found


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def _at(where: str, said: Any) -> date | datetime | None:
    """A day, or an hour as in 2026-04-17T20:10; YAML reads the first as a date."""
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) and said else said or None
    except ValueError:
        raise Misspelt(f"{where}: {said!r} is no day and no hour") from None


def _step(where: str, said: Mapping[str, Any], seats: Mapping[str, Any]) -> Step:
    verbs = [verb for verb in VERBS if verb in said]
    if len(verbs) != 1:
        raise Misspelt(f"{where} does {verbs or 'nothing'}; a step does one of {', '.join(VERBS)}")
    verb = verbs[0]
    _only(where, said, {verb, *GIVEN[verb], *RIGHT, *ABOUT})
    seat = said["as"]
    if (seat not in seats) != (verb == "wait"):
        raise Misspelt(f"{where} is of no seat: {seat!r}; known: {', '.join(seats)}")
    given = {name: value for name, value in said.items() if name in GIVEN[verb]}
    right = {name: value for name, value in said.items() if name in RIGHT}
    if "refused" in right and not right["refused"]:
        raise Misspelt(f"{where} names no code of its refusal")
    if bool(said.get("marked")) != bool(said.get("today")):
        raise Misspelt(f"{where}: a mark says why and how the step fails today, with marked and today")
    about = {name: said.get(name, "") for name in ("id", "marked", "today")}
    return Step(verb, said[verb], seat, given, right, **about, at=_at(where, said.get("at")))


def _only(where: str, said: Mapping[str, Any], known: set[str]) -> None:
    if unknown := set(said) - known:
        raise Misspelt(f"{where} has {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
