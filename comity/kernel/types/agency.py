"""Reads what an agency says of itself: agency.yml, roles.yml, agreements.yml; and the marks that any layer declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comity.kernel.types.catalogue import AgencyDefinition, Agreement, Mark, ReadRule, Role, Type
from comity.kernel.types.definition import Faults, Form, Kind, Node, Source, is_any, is_map, is_names, is_text, nearest
from comity.names import AGENCY

KNOWN = ("agency.yml", "roles.yml", "agreements.yml")
MEMBERSHIPS = ("member", "mirrored", "outside")
_AGENCY: Mapping[str, Kind] = {
    **dict.fromkeys(("agency", "title", "jurisdiction", "zone", "language", "membership", "kind", "station"), is_text),
    "purpose": is_text,
    "contact": is_map, "pillars": is_names, "words": is_map, "marks": is_map,
}  # fmt: skip
_JURISDICTION: Mapping[str, Kind] = {
    **dict.fromkeys(("jurisdiction", "title", "zone", "language"), is_text),
    **dict.fromkeys(("marks", "roles", "purposes"), is_map), "lifecycle": is_any, "procedure": is_any,
    "description": is_text,
}  # fmt: skip
_AGREEMENT: Mapping[str, Kind] = {
    **dict.fromkeys(("id", "to", "title", "basis", "from", "until"), is_text),
    **dict.fromkeys(("purposes", "find", "marks", "emergency", "offers"), is_names), "read": is_map, "states": is_map,
}  # fmt: skip
_EMPTY = Node({}, Source("", 0))


@dataclass(frozen=True, slots=True)
class Known:
    """What an agency's files may name. `roles` are lifecycle roles."""

    types: Mapping[str, Type]
    marks: Mapping[str, Mark]
    roles: Collection[str]
    purposes: Collection[str]


@dataclass(frozen=True, slots=True)
class AgencyFiles:
    definition: AgencyDefinition
    roles: Mapping[str, Role]
    agreements: tuple[Agreement, ...]
    jurisdiction_title: str = ""


def read(
    agency: Mapping[str, Node], jurisdiction: Mapping[str, Node], known: Known, faults: Faults
) -> AgencyFiles:  # fmt: skip
    """The agency's own files, their names looked up in what is known. A missing file leaves its part empty."""
    types, marks = known.types, known.marks
    law = Form(jurisdiction.get("jurisdiction.yml", _EMPTY), faults, "the jurisdiction", _JURISDICTION)
    definition = _definition(agency.get("agency.yml"), law, known, faults)
    roles = Form(agency.get("roles.yml", _EMPTY), faults, "roles.yml", {"roles": is_map})
    agreements = agency.get("agreements.yml")
    found: list[Agreement] = []
    if agreements is not None:
        form = Form(agreements, faults, "agreements.yml", {"agreements": is_any})
        rows = form.get("agreements")
        if rows is not None and not rows.is_list:
            faults.add("wrong_kind", rows.source, "agreements is a list", "write - id: ... for each")
        for one in rows.value if rows is not None and rows.is_list else ():
            found.append(_agreement(one, types, marks, faults))
    for place, row in enumerate(found):
        if row.id in [one.id for one in found[:place]]:
            faults.add("duplicate_definition", row.source, f"agreement {row.id} is written twice", "give it its own id")
        if row.to == definition.id:
            faults.add("agreement_refused", row.source, f"agreement {row.id} is with oneself", "name another agency")
    read_roles = {name: _role(name, one, known, faults) for name, one in roles.items("roles")}
    for name, one in roles.items("roles"):
        _for(read_roles[name], definition.id, one, faults)
    return AgencyFiles(definition, read_roles, tuple(found), law.text("title"))


def _definition(node: Node | None, law: Form, known: Known, faults: Faults) -> AgencyDefinition:
    if node is None:
        return AgencyDefinition("", jurisdiction=law.text("jurisdiction"), zone=_zone(law, "UTC", faults))
    spoken = [key for key, _ in node.items() if key.startswith("words_")]
    form = Form(node, faults, "the agency", {**_AGENCY, **dict.fromkeys(spoken, is_map)})
    name, asked = form.text("agency"), form.text("jurisdiction")
    if not AGENCY.match(name):
        fix = "2 to 32 lower case letters, digits and -"
        faults.add("bad_name", form.at("agency"), f"{name!r} is no agency's name", fix)
    if asked and law.text("jurisdiction") and asked != law.text("jurisdiction"):
        said = f"{name} is of {asked}, and {law.text('jurisdiction')} was given"
        faults.add("jurisdiction_mismatch", form.at("jurisdiction"), said, "load it with its own jurisdiction")
    membership = form.text("membership", "member")
    if membership not in MEMBERSHIPS:
        fix = nearest(membership, MEMBERSHIPS)
        faults.add("wrong_kind", form.at("membership"), f"membership {membership!r} is unknown", fix)
    words = _words(form, "words", known, faults)
    return AgencyDefinition(
        id=name, title=form.text("title", name), jurisdiction=asked or law.text("jurisdiction"),
        zone=_zone(form, _zone(law, "UTC", faults), faults), language=form.text("language", law.text("language", "en")),
        membership=membership, kind=form.text("kind"), contact=form.plain("contact", {}),
        pillars=form.names("pillars"), words=words,
        words_in={key.removeprefix("words_"): _words(form, key, known, faults) for key in spoken},
        station=form.text("station"), purpose=_purpose(form, known.purposes, faults), source=str(node.source),
    )  # fmt: skip


def _words(form: Form, key: str, known: Known, faults: Faults) -> dict[str, str]:
    """The agency's own titles for types: under `words`, and in another language under `words_hi`."""
    for name, word in form.items(key):
        _known(name, known.types, "type_unknown", word, key, faults)
    return {name: str(word.value) for name, word in form.items(key)}


def _purpose(form: Form, known: Collection[str], faults: Faults) -> str:
    """For what the agency reads and acts where nobody says otherwise: one of the declared purposes."""
    purpose = form.text("purpose")
    if not purpose:
        fix = f"add purpose: one of {', '.join(sorted(known)) or 'the purposes that a pillar declares'}"
        faults.add("purpose_missing", form.source, "the agency says no purpose of its work", fix)
    elif purpose not in known:
        said = f"the agency's purpose is {purpose}, which no layer declares"
        faults.add("purpose_unknown", form.at("purpose"), said, nearest(purpose, known))
    return purpose


def _zone(form: Form, default: str, faults: Faults) -> str:
    zone = form.text("zone", default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.add("zone_unknown", form.at("zone"), f"there is no time zone {zone}", "write it as America/New_York")
        return default
    return zone


def read_mark(name: str, node: Node, faults: Faults, home: str = "") -> Mark:
    keys: Mapping[str, Kind] = {
        "title": is_text, "basis": is_text, "receivers": is_map, "purposes": is_names, "review": is_text,
    }  # fmt: skip
    form = Form(node, faults, f"mark {name}", keys)
    if not form.text("basis"):
        faults.add("mark_without_basis", node.source, f"mark {name} names no legal basis", "add basis: the citation")
    receivers = form.get("receivers") or _EMPTY
    who = Form(receivers, faults, f"receivers of {name}", {"roles": is_names, "agencies": is_names})
    return Mark(
        name=name, title=form.text("title", name), basis=form.text("basis"), roles=frozenset(who.names("roles")),
        agencies=frozenset(who.names("agencies")), purposes=frozenset(form.names("purposes")),
        review=form.text("review"), home=home, source=str(node.source), labels=form.labels,
    )  # fmt: skip


def _known(name: str, known: Collection[str], code: str, node: Node, what: str, faults: Faults) -> None:
    if name not in known:
        faults.add(code, node.source, f"{what} names {name}, which is not defined", nearest(name, known))


def _role(name: str, node: Node, known: Known, faults: Faults) -> Role:
    types, marks = known.types, known.marks
    keys: Mapping[str, Kind] = {"title": is_text, "is": is_names, "for": is_text, "read": is_map, "marks": is_names}
    form = Form(node, faults, f"role {name}", keys)
    for one in form.names("is"):
        _known(one, known.roles, "lifecycle_role_unknown", form.get("is") or node, f"role {name}", faults)
    for one in form.names("marks"):
        _known(one, marks, "mark_unknown", form.get("marks") or node, f"role {name}", faults)
    read = {}
    for pattern, written in form.items("read"):
        stem = pattern.removesuffix("*").removesuffix(".")
        covered = [found for found in types if not stem or found == stem or found.startswith(f"{stem}.")]
        if not covered or (pattern != "*" and "*" in pattern and not pattern.endswith(".*")):
            fix = nearest(pattern, types, 'write a type, pillar.* or "*"')
            faults.add("type_unknown", written.source, f"role {name} reads {pattern}, which is no type", fix)
        rule = written.plain() if written.is_map else {"when": written.value}
        groups = rule.get("groups")
        if (
            rule.get("when") not in ("all", "assigned")
            or not rule.keys() <= {"when", "groups"}
            or (groups is not None and not is_names(groups))
        ):
            fix = "write all, assigned or { when: all, groups: [base] }"
            faults.add("wrong_kind", written.source, f"what role {name} reads of {pattern}", fix)
            continue
        named = None if groups is None else tuple([groups] if isinstance(groups, str) else groups)
        for group in named or ():
            if covered and not any(group in types[of].groups for of in covered):
                faults.add(
                    "group_unknown", written.source, f"{pattern} has no group {group}", "name groups of the type"
                )
        read[pattern] = ReadRule(rule["when"], named)
    return Role(
        name=name, title=form.text("title", name), is_=frozenset(form.names("is")), read=read,
        marks=frozenset(form.names("marks")), source=str(node.source), for_=form.text("for"),
    )  # fmt: skip


def _for(role: Role, agency: str, node: Node, faults: Faults) -> None:
    """A role that speaks for another agency names one."""
    if role.for_ and (not AGENCY.match(role.for_) or role.for_ == agency):
        said = f"role {role.name} is for {role.for_!r}, which is no other agency"
        faults.add("role_for", node.source, said, "write for: the id of the agency that it speaks for")


def _agreement(node: Node, types: Mapping[str, Type], marks: Mapping[str, Mark], faults: Faults) -> Agreement:
    form = Form(node, faults, "the agreement", _AGREEMENT)
    name = form.text("id")
    if not name or not AGENCY.match(form.text("to")):
        faults.add("agreement_refused", node.source, "an agreement has an id and names an agency", "add id: and to:")
    what = f"agreement {name}"
    for key in ("find", "emergency", "offers"):
        for one in form.names(key):
            _known(one, types, "type_unknown", form.get(key) or node, f"{key} of {what}", faults)
    for one in form.names("offers"):
        if one in types and types[one].offer is None:
            said = f"{one} in offers of {what} is not two-sided"
            faults.add("agreement_refused", form.at("offers"), said, "name types that have an offer")
    for one in form.names("marks"):
        _known(one, marks, "mark_unknown", form.get("marks") or node, what, faults)
    start, end = _day(form, "from", faults), _day(form, "until", faults)
    if start and end and end < start:
        faults.add("agreement_refused", form.at("until"), f"{what} ends before it begins", "correct from or until")
    return Agreement(
        id=name, to=form.text("to"), title=form.text("title"), basis=form.text("basis"),
        purposes=frozenset(form.names("purposes")), from_=start, until=end,
        read=_per_type(form, "read", what, types, faults), find=frozenset(form.names("find")),
        marks=frozenset(form.names("marks")), states=_per_type(form, "states", what, types, faults),
        emergency=frozenset(form.names("emergency")), offers=frozenset(form.names("offers")), source=str(node.source),
    )  # fmt: skip


def _per_type(form: Form, key: str, what: str, types: Mapping[str, Type], faults: Faults) -> dict[str, tuple[str, ...]]:
    """`read` (type -> groups) or `states` (type -> core states)."""
    out = {}
    for name, node in form.items(key):
        value: Any = node.plain()
        _known(name, types, "type_unknown", node, f"{key} of {what}", faults)
        if not is_names(value):
            faults.add("wrong_kind", node.source, f"{key} of {what} for {name}", "write a list of names")
            continue
        out[name] = (value,) if isinstance(value, str) else tuple(value)
        if name in types:
            of = types[name]
            known = of.groups if key == "read" else {one.core for one in of.states.values()}
            for one in out[name]:
                _known(
                    one, known, "group_unknown" if key == "read" else "state_unknown", node, f"{what}: {name}", faults
                )
    return out


def _day(form: Form, key: str, faults: Faults) -> date | None:
    text = form.text(key)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults.add("wrong_kind", form.at(key), f"{key}: {text} is no day", "write it as 2026-01-31")
        return None
