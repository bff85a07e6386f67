"""Pairs of records and answers for the rule over a release, read from YAML and put to it. Its form: README.md here.

Read strictly, by the types themselves: a field, link, state or code that a type has not is an error, so that a record
which is misspelt does not pass for one that is not there.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from comity.config import loader, paths
from comity.extensions import Done, Fact, OfferFact, Outcome
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.catalogue import Catalogue, Type

FOLDER = Path(__file__).parent
RIGHT = ("allowed", "refused", "person_decides")
CASE = {
    "id", "title", "pair", "like", "but", "without", "records", "release", "right", "code", "why", "citation", "marked",
    "today",
}  # fmt: skip
RECORD = {"is", "state", "at", "by", "hidden", "acts", "answer"}
RELEASE = {"stay", "authority", "ground", "at"}


class Misspelt(Exception):
    """A pair that is not of the form; it names the pair and the word."""


@dataclass(frozen=True)
class Pair:
    """These records, this release: what is right. `records` maps a name to what is on record, in order of entry.

    `marked` says why the rule does not answer rightly today, and `today` what it answers: `allowed`, `nothing asked`
    (the act that is tried is no release), or a code.
    """

    id: str
    title: str
    law: str
    zone: str
    agency: str
    records: Mapping[str, Mapping[str, Any]]
    release: Mapping[str, Any] | None
    right: str
    code: str
    marked: str = ""
    today: str = ""
    why: str = ""
    citation: str = ""
    twin: Mapping[str, str] = field(default_factory=dict)


def read_pairs(folder: Path = FOLDER) -> list[Pair]:
    """Every pair of the folder, each whole: what it takes over from its twin and its file put in. Raises Misspelt."""
    found: dict[str, Pair] = {}
    for path in sorted(folder.glob("*.yml")):
        said = yaml.load(path.read_text("utf-8"), Loader=_Plain)
        _only(path.name, said, {"topic", "law", "zone", "agency", "records", "cases"})
        held: dict[str, Mapping[str, Any]] = {}
        for case in said["cases"]:
            whole = _whole(path.name, said, case, held)
            held[case["id"]] = whole
            if case["id"] in found:
                raise Misspelt(f"{case['id']} stands twice")
            found[case["id"]] = _pair(said, whole)
    return list(found.values())


class _Plain(yaml.SafeLoader):
    """YAML whose dates and times stay text: a time is local to the custodian, and a day is a day."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def _whole(path: str, said: Mapping[str, Any], case: Mapping[str, Any], held: Mapping[str, Any]) -> Mapping[str, Any]:
    where = f"{path}, {case.get('id')}"
    _only(where, case, CASE)
    if missing := {"id", "title", "right", "why"} - set(case):
        raise Misspelt(f"{where} has no {', '.join(sorted(missing))}")
    if case["right"] not in RIGHT or (bool(case.get("marked")) != bool(case.get("today"))):
        raise Misspelt(f"{where}: right is one of {', '.join(RIGHT)}; marked and today stand together")
    if case["right"] != "allowed" and not case.get("code"):
        raise Misspelt(f"{where} says no code")
    if "like" in case:
        if case["like"] not in held:
            raise Misspelt(f"{where} is like {case['like']}, which does not stand before it in this file")
        before = held[case["like"]]
        records, release = copy.deepcopy(dict(before["records"])), copy.deepcopy(before["release"])
    else:
        records, release = copy.deepcopy(dict(said.get("records") or {})), None
    for name in case.get("without", ()):
        if records.pop(name, None) is None:
            raise Misspelt(f"{where} is without {name}, which is not there")
    for name, more in (case.get("but") or {}).items():
        if name not in records:
            raise Misspelt(f"{where} changes {name}, which is not there")
        records[name] = {**records[name], **more}
    records |= case.get("records") or {}
    release = {**(release or {}), **case["release"]} if case.get("release") else release
    if release is not None:
        _only(where, release, RELEASE)
    return {**case, "records": records, "release": release}


def _pair(said: Mapping[str, Any], case: Mapping[str, Any]) -> Pair:
    about = {name: case.get(name, "") for name in ("code", "marked", "today", "why", "citation")}
    return Pair(
        id=case["id"], title=case["title"], law=said["law"], zone=said["zone"], agency=said.get("agency", "jail"),
        records=case["records"], release=case["release"], right=case["right"], twin=case.get("pair", {}), **about,
    )  # fmt: skip


def _only(where: str, said: Mapping[str, Any], known: set[str]) -> None:
    if unknown := set(said) - known:
        raise Misspelt(f"{where} has {', '.join(sorted(map(str, unknown)))}; known: {', '.join(sorted(known))}")


@functools.cache
def types_of(law: str) -> Catalogue:
    """The types of a jurisdiction; `core` for the core's alone."""
    return load(loader.core_files(), read_folder(paths.jurisdictions() / law) if law != "core" else {})


class Records:
    """Implements extensions.Facts over the records of a pair: in memory, read by the types, judged at the release."""

    def __init__(self, pair: Pair) -> None:
        assert pair.release is not None
        self.agency = self.owner = pair.agency
        self.zone, self._catalogue = ZoneInfo(pair.zone), types_of(pair.law)
        self.now = self.instant(pair.release["at"])
        self.today = self.day(self.now)
        self.given: dict[str, Fact] = {}
        self._hidden = {name for name, one in pair.records.items() if one.get("hidden")}
        self._all: dict[str, Fact] = {}
        for order, (name, one) in enumerate(pair.records.items()):
            self._all[name] = self._fact(pair, name, one, order)
        self.subject = self._release(pair)
        self._all[self.subject.id] = self.subject

    def instant(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)

    def _release(self, pair: Pair) -> Fact:
        assert pair.release is not None
        at = self.now.isoformat()
        links = {"intake": [pair.release["stay"]], "authority": _listed(pair.release.get("authority", ()))}
        for name in {one for many in links.values() for one in many} - set(self._all):
            raise Misspelt(f"{pair.id}: the release names {name}, which is not there")
        fields = {"ground": pair.release["ground"], "released_at": at}
        self._check(pair.id, self._catalogue.type("custody.release"), fields)
        return Fact(
            id="release", type="custody.release", agency=self.agency, number="RELEASE", title="", state="prepared",
            version=1, fields=fields, links=links, marks=frozenset(), entered_at=self.now, entered_by="officer",
            acts={}, owner=self.agency,
        )  # fmt: skip

    def _fact(self, pair: Pair, name: str, said: Mapping[str, Any], order: int) -> Fact:
        where = f"{pair.id}, {name}"
        of = self._catalogue.type(said["is"])
        state = said.get("state", of.core_state(of.initial))
        if state not in {of.core_state(one) for one in of.states}:
            raise Misspelt(f"{where}: {of.name} has no state {state}; known: {', '.join(of.states)}")
        rest = {key: value for key, value in said.items() if key not in RECORD}
        links = {key: _listed(value) for key, value in rest.items() if key in of.links}
        for target in {one for many in links.values() for one in many} - set(pair.records):
            raise Misspelt(f"{where} points at {target}, which is not there")
        fields = {key: self._value(of, key, value) for key, value in rest.items() if key not in links}
        self._check(where, of, fields)
        entered = self.instant(said["at"]) if "at" in said else datetime(2020, 1, 1, 0, order, tzinfo=UTC)
        owner = said.get("by", pair.agency)
        acts = {act: Done("somebody", self.instant(at), owner) for act, at in (said.get("acts") or {}).items()}
        for act in set(acts) - set(of.acts):
            raise Misspelt(f"{where}: {of.name} has no act {act}")
        return Fact(
            id=name, type=of.core_name, agency=owner, number=name, title="", state=state, version=1, fields=fields,
            links=links, marks=frozenset(), entered_at=entered, entered_by="somebody", acts=acts, owner=owner,
            offer=self._offer(of, owner, fields, said.get("answer", state), entered),
        )  # fmt: skip

    def _offer(self, of: Type, owner: str, fields: Mapping[str, Any], state: str, at: datetime) -> OfferFact | None:
        to = fields.get(of.counterparty or "")
        return OfferFact(state, owner, str(to), at, None if state == "offered" else at, {}) if to else None

    def _value(self, of: Type, name: str, value: Any) -> Any:
        one = of.fields.get(name)
        timed = one is not None and one.schema.get("format") == "date-time"
        return self.instant(value).isoformat() if timed else value

    def _check(self, where: str, of: Type, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            one = of.fields.get(name)
            if one is None:
                raise Misspelt(f"{where}: {of.name} has no field or link {name}")
            if one.values is not None and value not in one.values:
                raise Misspelt(f"{where}: {name} is {value}; known: {', '.join(sorted(one.values))}")

    # What the rule may ask.

    def one(self, record: str) -> Fact | None:
        return None if record in self._hidden else self._all.get(record)

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def knows(self, type_name: str) -> bool:
        return type_name in self._catalogue.types

    def linked(self, fact: Fact, name: str) -> Sequence[Fact]:
        return [self._all[one] for one in fact.links.get(name, ()) if one not in self._hidden]

    def linking(self, fact: Fact | str, type_name: str, name: str) -> Sequence[Fact]:
        target = fact if isinstance(fact, str) else fact.id
        return [
            one for one in self._all.values()
            if one.type == type_name and target in one.links.get(name, ()) and one.id not in self._hidden
        ]  # fmt: skip

    def unseen(self, record: str, type_name: str, name: str, states: Collection[str], tie: str = "") -> bool:
        near = {record, *self._ties(record, tie)}
        hidden = (self._all[one] for one in self._hidden)
        return any(
            one.type == type_name and one.state in states and near & set(one.links.get(name, ())) for one in hidden
        )

    def _ties(self, record: str, tie: str) -> Iterator[str]:
        for one in self._all.values():
            ends = {end for ids in one.links.values() for end in ids}
            if one.type == tie and one.state == "claimed" and record in ends:
                yield from ends

    def rules(self, name: str) -> Any:
        return self._catalogue.rules.get(name)


def _listed(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def answered(outcome: Outcome) -> tuple[str, set[str]]:
    """What an outcome comes to, and the codes that it says."""
    codes = {one.code for one in outcome.refused}
    errors = any(one.severity == "error" for one in outcome.refused)
    return ("refused" if errors else "person_decides" if codes else "allowed"), codes


def wrong(pair: Pair, rule: Any) -> str:
    """What `rule` answers otherwise than the pair says; empty when it is right, or fails as its mark says."""
    if pair.release is None:
        return "" if pair.marked and pair.today == "nothing asked" else "it asks for no release, and is not marked so"
    right, codes = answered(rule(Records(pair)))
    said = f"{right} ({', '.join(sorted(codes))})" if codes else right
    held = right == pair.right and (right == "allowed" or pair.code in codes)
    if not pair.marked:
        return "" if held else f"{said}, and not {pair.right} ({pair.code})"
    if held:
        return f"is right now; take the mark away ({pair.marked})"
    return "" if pair.today == right or pair.today in codes else f"{said}, and its mark says {pair.today}"
