"""What each seat may see, worked out from roles.yml, agreements.yml, marks and types by plain Python.

It is a second reading of the rules that shares no code with the policy room: DESIGN 4.6 and the head of each file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from comity.config import paths
from tests.policy_attack.planting import Garden, Planted

LIFECYCLE = {
    "agent", "supervisor", "custodian", "carrier_clerk", "analyst", "verifier", "attorney", "records",
    "administrator", "clerk", "officer", "judge",
}  # fmt: skip
ALL = ("cpd", "atf", "dea", "fsl", "usao")


@dataclass(frozen=True)
class Reader:
    """Who asks. `roles` are those of roles.yml; a reader without any may nothing."""

    agency: str
    member: str
    roles: tuple[str, ...]
    purpose: str = "investigation"


@lru_cache
def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def roles_of(agency: str) -> Mapping[str, Any]:
    return _yaml(paths.agencies() / agency / "roles.yml")["roles"]  # type: ignore[no-any-return]


def agreements(owner: str, to: str, today: date) -> Iterator[Mapping[str, Any]]:
    for one in _yaml(paths.agencies() / owner / "agreements.yml")["agreements"]:
        begun = not one.get("from") or date.fromisoformat(str(one["from"])) <= today
        if one["to"] == to and begun and (not one.get("until") or today <= date.fromisoformat(str(one["until"]))):
            yield one


@lru_cache
def marks() -> Mapping[str, Any]:
    found = dict(_yaml(paths.jurisdictions() / "us-federal" / "jurisdiction.yml")["marks"])
    for pillar in paths.pillars().glob("*/pillar.yml"):
        found |= _yaml(pillar).get("marks") or {}
    return found


@lru_cache
def shape(type_name: str, agency: str) -> tuple[Mapping[str, str], frozenset[str], str]:
    """(group of each field, all groups, title field) of a type as its owner has it."""
    pillar, name = type_name.split(".")
    core = _yaml(paths.pillars() / pillar / "types" / f"{name}.yml")
    groups = {field: (of or {}).get("group", "base") for field, of in core["fields"].items()}
    for layer, prefix in ((paths.jurisdictions() / "us-federal", "us-federal"), (paths.agencies() / agency, agency)):
        for file in sorted((layer / "types").glob("*.yml")):
            more = _yaml(file)
            if more.get("extends") == type_name:
                for field, of in (more.get("fields") or {}).items():
                    if field not in core["fields"]:
                        groups[f"{prefix}:{field}"] = (of or {}).get("group", "base")
    return groups, frozenset({"base", *(core.get("groups") or {})}), core.get("title_field") or ""


def sees(
    reader: Reader, one: Planted, group: str, today: date, *, action: str = "read", more: Sequence[str] = ()
) -> bool:
    """Whether the reader sees a field group of a record, with `more` marks on top of its own."""
    held = [role for role in reader.roles if role in roles_of(reader.agency)]
    if not held:
        return False
    barred = (*one.marks, *more)
    if any(not _cleared(reader, held, one, mark, today) for mark in barred):
        return False
    if one.agency != reader.agency and not any(_reads_abroad(reader, role, one, group) for role in held):
        return False
    return any((
        one.agency == reader.agency and any(_role_reads(reader, role, one, group) for role in held),
        _shared(reader, one, group),
        _agreed(reader, one, group, barred, today, action),
        _party(reader, one, group, today),
    ))  # fmt: skip


def _reads_abroad(reader: Reader, role: str, one: Planted, group: str) -> bool:
    """Whether the role reads such records at all, of whomever; assigned and answerable ones where shared."""
    rule = _rule(reader, role, one)
    when, groups = ("", None) if rule is None else rule
    covers = rule is not None and (groups is None or group in groups)
    if covers and when == "all":
        return True
    offer = _yaml(paths.pillars() / f"{one.type.replace('.', '/types/')}.yml").get("offer") or {}
    fills = set(roles_of(reader.agency)[role].get("is") or ())
    answers = any(fills & set(answer.get("by", ())) for answer in (offer.get("answers") or {}).values())
    return (covers or answers) and _shared(reader, one, group)


def _shared(reader: Reader, one: Planted, group: str) -> bool:
    return any(
        to == reader.agency and member in (None, reader.member) and group in groups for to, member, groups in one.shares
    )


def _party(reader: Reader, one: Planted, group: str, today: date) -> bool:
    if group != "base" or one.agency == reader.agency or reader.agency not in one.parties:
        return False
    return any(agreements(one.agency, reader.agency, today)) or any(agreements(reader.agency, one.agency, today))


def _agreed(reader: Reader, one: Planted, group: str, barred: Sequence[str], today: date, action: str) -> bool:
    if one.agency == reader.agency:
        return False
    for spec in agreements(one.agency, reader.agency, today):
        opened = (spec.get("read") or {}).get(one.type, ())
        states = (spec.get("states") or {}).get(one.type)
        if (
            group in opened
            and reader.purpose in spec["purposes"]
            and set(barred) <= set(spec.get("marks") or ())
            and (states is None or one.state in states)
            and (action == "read" or one.type in (spec.get("find") or ()))
        ):
            return True
    return False


def _rule(reader: Reader, role: str, one: Planted) -> tuple[str, Any] | None:
    """(when, groups) of what the role reads of such records; None when it reads none."""
    patterns = roles_of(reader.agency)[role].get("read") or {}
    pillar = one.type.split(".")[0]
    rule = patterns.get(one.type, patterns.get(f"{pillar}.*", patterns.get("*")))
    if rule is None:
        return None
    return (rule, None) if isinstance(rule, str) else (rule.get("when", "all"), rule.get("groups"))


def _role_reads(reader: Reader, role: str, one: Planted, group: str) -> bool:
    rule = _rule(reader, role, one)
    if rule is None:
        return False
    when, groups = rule
    if groups is not None and group not in groups:
        return False
    return when == "all" or reader.member in one.assigned or reader.member == one.entered_by


def _cleared(reader: Reader, held: Sequence[str], one: Planted, mark: str, today: date) -> bool:
    rule = marks()[mark]
    receivers, purposes = rule.get("receivers") or {}, rule.get("purposes")
    purpose = not purposes or reader.purpose in purposes
    if one.agency == reader.agency:
        if reader.member in one.assigned or reader.member == one.entered_by:
            return True
        for role in held:
            of = roles_of(reader.agency)[role]
            receives = (
                set(of["is"]) & set(receivers.get("roles") or ())
                or role in set(receivers.get("roles") or ()) - LIFECYCLE
            )
            if mark in (of.get("marks") or ()) or (receives and purpose):
                return True
    if reader.agency in (receivers.get("agencies") or ()) and purpose:
        return True
    return any(
        mark in (spec.get("marks") or ()) and reader.purpose in spec["purposes"]
        for spec in agreements(one.agency, reader.agency, today)
        if one.agency != reader.agency
    )


@dataclass
class Allowed:
    """All that one reader may be shown, whatever is asked: canaries, ids and numbers."""

    canaries: set[str]
    ids: set[str]
    numbers: set[str]
    fields: dict[str, dict[str, set[str]]]
    """By record id: what a read shows of its fields."""
    found: set[str]
    """Ids that a search may bring."""


def allowed(garden: Garden, reader: Reader, today: date) -> Allowed:
    out = Allowed(set(), set(), set(), {}, set())
    for one in garden.all:
        if not sees(reader, one, "base", today):
            continue
        out.ids.add(one.id)
        if sees(reader, one, "base", today, action="find"):
            out.found.add(one.id)
        if one.number:
            out.numbers.add(one.number)
        groups, every, _ = shape(one.type, one.agency)
        shown = {
            name: words
            for name, words in one.fields.items()
            if sees(reader, one, groups[name], today)
            and (name not in one.field_marks or sees(reader, one, "base", today, more=tuple(one.field_marks[name])))
        }
        out.fields[one.id] = shown
        out.canaries |= {word for words in shown.values() for word in words}
        open_groups = all(sees(reader, one, group, today) for group in every)
        open_marks = all(sees(reader, one, "base", today, more=tuple(m)) for m in one.field_marks.values())
        if open_groups and open_marks:
            out.canaries |= one.said
    return out
