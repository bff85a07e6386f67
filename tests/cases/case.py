"""A case: what happened as acts of named seats, and what each is rightly answered. The form is in README.md here.

Read strictly: a key that the form has not is an error, so that an expectation which is misspelt does not pass unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
VERBS = ("enter", "amend", "act", "answer", "attach", "find", "show", "inbox", "import", "wait")
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
    "wait": set(),
}
RIGHT = {"refused", "finds", "hides", "first", "shows", "tells"}
ABOUT = {"as", "id", "marked", "today"}


class Misspelt(Exception):
    """A case that is not of the form."""


@dataclass(frozen=True)
class Step:
    """One act. `what` is the verb's object: a type, a record, an act. `right` is what is rightly answered; empty: that
    it is taken. `marked` says why this fails today, and `today` how: words of the failure. A marked step that does not
    fail, or fails otherwise, is an error."""

    verb: str
    what: Any
    seat: str
    given: Mapping[str, Any]
    right: Mapping[str, Any]
    id: str = ""
    marked: str = ""
    today: str = ""

    def __str__(self) -> str:
        return f"{self.seat or 'time'}: {self.verb} {self.what} {dict(self.given)}"


@dataclass(frozen=True)
class Case:
    """`seats`: name -> agency and roles. Cases of one `law` share a scratch node, so names and values are their own."""

    name: str
    title: str
    law: str
    seats: Mapping[str, Sequence[str]]
    steps: Sequence[Step]
    sources: Sequence[str] = field(default=())

    @property
    def agencies(self) -> set[str]:
        return {seat[0] for seat in self.seats.values()}


def read_case(name: str, text: str) -> Case:
    """Raises Misspelt, naming the case and the step."""
    said = yaml.safe_load(text)
    _only(name, said, {"title", "law", "seats", "steps", "sources"})
    steps = [_step(f"{name}, step {at}", one, said["seats"]) for at, one in enumerate(said["steps"], 1)]
    return Case(name, said["title"], said["law"], said["seats"], steps, said.get("sources", ()))


def read_folder(folder: Path) -> list[Case]:
    return [read_case(file.stem, file.read_text("utf-8")) for file in sorted(folder.glob("*.yml"))]


def _step(where: str, said: Mapping[str, Any], seats: Mapping[str, Any]) -> Step:
    verbs = [verb for verb in VERBS if verb in said]
    if len(verbs) != 1:
        raise Misspelt(f"{where} does {verbs or 'nothing'}; a step does one of {', '.join(VERBS)}")
    verb = verbs[0]
    _only(where, said, {verb, *GIVEN[verb], *RIGHT, *ABOUT})
    seat = said.get("as", "")
    if (seat not in seats) != (verb == "wait"):
        raise Misspelt(f"{where} is of no seat: {seat!r}; known: {', '.join(seats)}")
    given = {name: value for name, value in said.items() if name in GIVEN[verb]}
    right = {name: value for name, value in said.items() if name in RIGHT}
    if "refused" in right and not right["refused"]:
        raise Misspelt(f"{where} names no code of its refusal")
    if bool(said.get("marked")) != bool(said.get("today")):
        raise Misspelt(f"{where}: a mark says why and how the step fails today, with marked and today")
    about = {name: said.get(name, "") for name in ("id", "marked", "today")}
    return Step(verb, said[verb], seat, given, right, **about)


def _only(where: str, said: Mapping[str, Any], known: set[str]) -> None:
    if unknown := set(said) - known:
        raise Misspelt(f"{where} has {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
