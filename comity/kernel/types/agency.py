"""Reads what an agency says of itself: agency.yml, roles.yml, agreements.yml; and the marks that any layer declares."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comity.kernel.types.catalogue import AgencyDefinition, Agreement, Mark, ReadRule, Role, Type
from comity.kernel.types.definition import Faults, Form, Kind, Node, Source, is_any, is_map, is_names, is_text, nearest
from comity.kernel.types.part import Part, What, spoken_of
from comity.names import AGENCY
from comity.sentences import NOTHING, Text, say

KNOWN = ("agency.yml", "roles.yml", "agreements.yml")
MEMBERSHIPS = ("member", "mirrored", "outside")
_AGENCY: Mapping[str, Kind] = {
    **dict.fromkeys(("agency", "title", "jurisdiction", "zone", "language", "country", "membership"), is_text),
    **dict.fromkeys(("kind", "station", "purpose"), is_text),
    "contact": is_map, "pillars": is_names, "words": is_map, "marks": is_map,
}  # fmt: skip
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_JURISDICTION: Mapping[str, Kind] = {
    **dict.fromkeys(("jurisdiction", "title", "zone", "language", "country"), is_text),
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
    jurisdiction_title: Text = NOTHING


def read(
    agency: Mapping[str, Node], jurisdiction: Mapping[str, Node], known: Known, faults: Faults
) -> AgencyFiles:  # fmt: skip
    """The agency's own files, their names looked up in what is known. A missing file leaves its part empty."""
    types, marks = known.types, known.marks
    law = Form(jurisdiction.get("jurisdiction.yml", _EMPTY), faults, Part("the_jurisdiction"), _JURISDICTION)
    definition = _definition(agency.get("agency.yml"), law, known, faults)
    roles = Form(agency.get("roles.yml", _EMPTY), faults, "roles.yml", {"roles": is_map})
    agreements = agency.get("agreements.yml")
    found: list[Agreement] = []
    if agreements is not None:
        form = Form(agreements, faults, "agreements.yml", {"agreements": is_any})
        rows = form.get("agreements")
        if rows is not None and not rows.is_list:
            faults.add("wrong_kind", rows.source, say("wrong_kind.agreements_is_list"))
        for one in rows.value if rows is not None and rows.is_list else ():
            found.append(_agreement(one, types, marks, faults))
    for place, row in enumerate(found):
        if row.id in [one.id for one in found[:place]]:
            faults.add(
                "duplicate_definition", row.source, say("duplicate_definition.agreement_is_written_twice", id=row.id)
            )
        if row.to == definition.id:
            faults.add("agreement_refused", row.source, say("agreement_refused.agreement_is_with_oneself", id=row.id))
    read_roles = {name: _role(name, one, known, faults) for name, one in roles.items("roles")}
    for name, one in roles.items("roles"):
        _for(read_roles[name], definition.id, one, faults)
    return AgencyFiles(definition, read_roles, tuple(found), law.titled())


def _definition(node: Node | None, law: Form, known: Known, faults: Faults) -> AgencyDefinition:
    if node is None:
        return AgencyDefinition("", jurisdiction=law.text("jurisdiction"), zone=_zone(law, "UTC", faults))
    spoken = [key for key, _ in node.items() if key.startswith("words_")]
    form = Form(node, faults, Part("the_agency"), {**_AGENCY, **dict.fromkeys(spoken, is_map)})
    name, asked = form.text("agency"), form.text("jurisdiction")
    if not AGENCY.match(name):
        fix = say("bad_name.2_to_32_lower_case.fix")
        faults.add("bad_name", form.at("agency"), say("bad_name.is_no_agency_name", name=name), fix)
    if asked and law.text("jurisdiction") and asked != law.text("jurisdiction"):
        said = say("jurisdiction_mismatch.is_of_and_was_given", name=name, asked=asked, text=law.text("jurisdiction"))
        faults.add(
            "jurisdiction_mismatch",
            form.at("jurisdiction"),
            said,
            say("jurisdiction_mismatch.load_it_with_its_own.fix"),
        )
    membership = form.text("membership", "member")
    if membership not in MEMBERSHIPS:
        said = say("wrong_kind.membership_is_unknown", membership=membership)
        faults.add("wrong_kind", form.at("membership"), said, nearest(membership, MEMBERSHIPS))
    words = _words(form, "words", known, faults)
    return AgencyDefinition(
        id=name, title=form.titled(name), jurisdiction=asked or law.text("jurisdiction"),
        zone=_zone(form, _zone(law, "UTC", faults), faults), language=form.text("language", law.text("language", "en")),
        country=_country(form, _country(law, "", faults), faults),
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
        fix = say(
            "purpose_missing.add_purpose_one_of.fix",
            known=", ".join(sorted(known)) or say("purpose_missing.purposes_of_pillar"),
        )
        faults.add("purpose_missing", form.source, say("purpose_missing.agency_says_no_purpose_of"), fix)
    elif purpose not in known:
        said = say("purpose_unknown.agency_purpose_is_which_no", purpose=purpose)
        faults.add("purpose_unknown", form.at("purpose"), said, nearest(purpose, known))
    return purpose


def _zone(form: Form, default: str, faults: Faults) -> str:
    zone = form.text("zone", default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.add("zone_unknown", form.at("zone"), say("zone_unknown.there_is_no_time_zone", zone=zone))
        return default
    return zone


def _country(form: Form, default: str, faults: Faults) -> str:
    country = form.text("country", default)
    if country and not _COUNTRY.match(country):
        faults.add("wrong_kind", form.at("country"), say("wrong_kind.country_is_none", country=country))
        return default
    return country


def read_mark(name: str, node: Node, faults: Faults, home: str = "") -> Mark:
    keys: Mapping[str, Kind] = {
        "title": is_text, "basis": is_text, "receivers": is_map, "purposes": is_names, "review": is_text,
    }  # fmt: skip
    form = Form(node, faults, Part("mark", name), keys)
    if not form.text("basis"):
        faults.add("mark_without_basis", node.source, say("mark_without_basis.mark_names_no_legal_basis", name=name))
    receivers = form.get("receivers") or _EMPTY
    who = Form(receivers, faults, Part("of", "receivers", name), {"roles": is_names, "agencies": is_names})
    return Mark(
        name=name, title=form.text("title", name), basis=form.text("basis"), roles=frozenset(who.names("roles")),
        agencies=frozenset(who.names("agencies")), purposes=frozenset(form.names("purposes")),
        review=form.text("review"), home=home, source=str(node.source), labels=form.labels,
    )  # fmt: skip


def _known(name: str, known: Collection[str], code: str, node: Node, what: What, faults: Faults) -> None:
    if name not in known:
        faults.add(
            code,
            node.source,
            say("agency.names_which_is_not_defined", what=spoken_of(what), name=name),
            nearest(name, known),
        )


def _role(name: str, node: Node, known: Known, faults: Faults) -> Role:
    types, marks = known.types, known.marks
    keys: Mapping[str, Kind] = {"title": is_text, "is": is_names, "for": is_text, "read": is_map, "marks": is_names}
    form = Form(node, faults, Part("role", name), keys)
    for one in form.names("is"):
        _known(one, known.roles, "lifecycle_role_unknown", form.get("is") or node, Part("role", name), faults)
    for one in form.names("marks"):
        _known(one, marks, "mark_unknown", form.get("marks") or node, Part("role", name), faults)
    read = {}
    for pattern, written in form.items("read"):
        stem = pattern.removesuffix("*").removesuffix(".")
        covered = [found for found in types if not stem or found == stem or found.startswith(f"{stem}.")]
        if not covered or (pattern != "*" and "*" in pattern and not pattern.endswith(".*")):
            fix = nearest(pattern, types, say("name.write_type_pillar_or.fix"))
            faults.add(
                "type_unknown",
                written.source,
                say("type_unknown.role_reads_which_is_no", name=name, pattern=pattern),
                fix,
            )
        rule = written.plain() if written.is_map else {"when": written.value}
        groups = rule.get("groups")
        if (
            rule.get("when") not in ("all", "assigned")
            or not rule.keys() <= {"when", "groups"}
            or (groups is not None and not is_names(groups))
        ):
            fix = say("wrong_kind.write_all_or_assigned.fix")
            faults.add(
                "wrong_kind", written.source, say("wrong_kind.what_role_reads_of", name=name, pattern=pattern), fix
            )
            continue
        named = None if groups is None else tuple([groups] if isinstance(groups, str) else groups)
        for group in named or ():
            if covered and not any(group in types[of].groups for of in covered):
                faults.add(
                    "group_unknown", written.source, say("group_unknown.has_no_group", pattern=pattern, group=group)
                )
        read[pattern] = ReadRule(rule["when"], named)
    return Role(
        name=name, title=form.titled(name), is_=frozenset(form.names("is")), read=read,
        marks=frozenset(form.names("marks")), source=str(node.source), for_=form.text("for"),
    )  # fmt: skip


def _for(role: Role, agency: str, node: Node, faults: Faults) -> None:
    """A role that speaks for another agency names one."""
    if role.for_ and (not AGENCY.match(role.for_) or role.for_ == agency):
        said = say("role_for.role_is_for_which_is", name=role.name, for_=role.for_)
        faults.add("role_for", node.source, said, say("role_for.write_for_id_of_agency.fix"))


def _agreement(node: Node, types: Mapping[str, Type], marks: Mapping[str, Mark], faults: Faults) -> Agreement:
    form = Form(node, faults, Part("the_agreement"), _AGREEMENT)
    name = form.text("id")
    if not name or not AGENCY.match(form.text("to")):
        faults.add("agreement_refused", node.source, say("agreement_refused.agreement_has_id_and_names"))
    what = Part("agreement", name)
    for key in ("find", "emergency", "offers"):
        for one in form.names(key):
            _known(one, types, "type_unknown", form.get(key) or node, Part("of", key, what), faults)
    for one in form.names("offers"):
        if one in types and types[one].offer is None:
            said = say("agreement_refused.in_offers_of_is_not", one=one, what=spoken_of(what))
            faults.add(
                "agreement_refused", form.at("offers"), said, say("agreement_refused.name_types_that_have_offer.fix")
            )
    for one in form.names("marks"):
        _known(one, marks, "mark_unknown", form.get("marks") or node, what, faults)
    start, end = _day(form, "from", faults), _day(form, "until", faults)
    if start and end and end < start:
        faults.add(
            "agreement_refused", form.at("until"), say("agreement_refused.ends_before_it_begins", what=what.said())
        )
    return Agreement(
        id=name, to=form.text("to"), title=form.text("title"), basis=form.text("basis"),
        purposes=frozenset(form.names("purposes")), from_=start, until=end,
        read=_per_type(form, "read", what, types, faults), find=frozenset(form.names("find")),
        marks=frozenset(form.names("marks")), states=_per_type(form, "states", what, types, faults),
        emergency=frozenset(form.names("emergency")), offers=frozenset(form.names("offers")), source=str(node.source),
    )  # fmt: skip


def _per_type(
    form: Form, key: str, what: What, types: Mapping[str, Type], faults: Faults
) -> dict[str, tuple[str, ...]]:
    """`read` (type -> groups) or `states` (type -> core states)."""
    out = {}
    for name, node in form.items(key):
        value: Any = node.plain()
        _known(name, types, "type_unknown", node, Part("of", key, what), faults)
        if not is_names(value):
            faults.add("wrong_kind", node.source, say("wrong_kind.of_for", key=key, what=spoken_of(what), name=name))
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
        faults.add("wrong_kind", form.at(key), say("wrong_kind.key_is_no_day", key=key, day=text))
        return None
