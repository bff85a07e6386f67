"""What is wrong with an agency's roles, agreements and the policies they give: for `profile check`, all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

import cedarpy

from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor, Behalf
from comity.kernel.policy.cedar import ACTIONS, SCHEMA, SEEING
from comity.kernel.policy.decide import Asked, Policies, incoming_digest, kept
from comity.kernel.policy.generate import IncomingAgreement
from comity.kernel.types.catalogue import Agreement, Catalogue, Role
from comity.kernel.types.roles import SYSTEM, named_roles
from comity.names import AGENCY


def check(catalogue: Catalogue, incoming: Sequence[IncomingAgreement] = ()) -> list[Fault]:
    """Faults of roles.yml and agreements.yml by file and line, then of the policies generated from them."""
    faults = [fault for role in catalogue.roles.values() for fault in _role(catalogue, role)]
    faults += [fault for one in catalogue.agreements for fault in _agreement(catalogue, one)]
    faults += _marks(catalogue)
    return [*faults, *_policies(catalogue, incoming)]


def _role(catalogue: Catalogue, role: Role) -> Iterator[Fault]:
    path, known = role.source or f"roles.yml {role.name}", _lifecycle_roles(catalogue)
    for name in sorted(role.is_):
        if name == SYSTEM:
            yield Fault("role_fills_system", path, f"{role.name} cannot fill system: no member does", "remove it")
        else:
            yield from _known(name, known, "lifecycle_role_unknown", path, f"{role.name} fills {name}")
    for name in sorted(role.marks):
        yield from _known(name, catalogue.marks, "mark_unknown", path, f"{role.name} is cleared for {name}")
    for pattern, rule in role.read.items():
        types = [one for one in catalogue.types.values() if _matches(pattern, one.name)]
        if not types and pattern != "*":
            yield from _known(pattern, catalogue.types, "type_unknown", path, f"{role.name} reads {pattern}")
        if rule.when not in ("all", "assigned"):
            yield Fault("read_unknown", path, f"{role.name} reads {pattern}: {rule.when}", "write all or assigned")
        groups = {"base"}.union(*(one.groups for one in types))
        for group in rule.groups or ():
            yield from _known(group, groups, "group_unknown", path, f"{role.name} reads {pattern}, group {group}")


def _agreement(catalogue: Catalogue, spec: Agreement) -> Iterator[Fault]:
    path, what = spec.source or f"agreements.yml {spec.id}", f"the agreement {spec.id}"
    if not AGENCY.match(spec.to) or spec.to == catalogue.agency:
        yield Fault("agency_unknown", path, f"{what} is with {spec.to!r}", "name the id of another agency")
    if not spec.purposes:
        yield Fault("purpose_missing", path, f"{what} names no purpose and so gives nothing", "list its purposes")
    for name in sorted(spec.purposes):
        yield from _known(name, catalogue.purposes, "purpose_unknown", path, f"{what} serves {name}")
    if spec.from_ and spec.until and spec.from_ > spec.until:
        yield Fault("agreement_never_valid", path, f"{what} ends before it begins", "correct from or until")
    for name in sorted(spec.marks):
        yield from _known(name, catalogue.marks, "mark_unknown", path, f"{what} covers the mark {name}")
    for name in sorted({*spec.read, *spec.find, *spec.states, *spec.emergency, *spec.offers}):
        yield from _known(name, catalogue.types, "type_unknown", path, f"{what} speaks of {name}")
    for name in sorted({*spec.find, *spec.states} - set(spec.read)):
        yield Fault("find_beyond_read", path, f"{what} names {name}, which it does not let read", f"add {name} to read")
    for name, groups in spec.read.items():
        for group in groups if name in catalogue.types else ():
            known = {"base", *catalogue.types[name].groups}
            yield from _known(group, known, "group_unknown", path, f"{what} opens {name}, group {group}")
    for name, states in spec.states.items():
        if name in catalogue.types:
            known = {one.core for one in catalogue.types[name].states.values()}
            for state in states:
                yield from _known(state, known, "state_unknown", path, f"{what} opens {name} when {state}")
    for name in sorted(spec.offers):
        if name in catalogue.types and not catalogue.types[name].offer:
            yield Fault("type_not_offered", path, f"{what}: {name} is not two-sided", "list two-sided types in offers")


def _marks(catalogue: Catalogue) -> Iterator[Fault]:
    known = {*_lifecycle_roles(catalogue), *catalogue.roles}
    for mark in catalogue.marks.values():
        path, what = mark.source or mark.name, f"the mark {mark.name}"
        for name in sorted(mark.purposes):
            yield from _known(name, catalogue.purposes, "purpose_unknown", path, f"{what} serves {name}")
        for name in sorted(mark.roles):
            yield from _known(name, known, "lifecycle_role_unknown", path, f"{what} is received by {name}")


_judged: dict[tuple[str, str, str, int], tuple[Fault, ...]] = {}


def _policies(catalogue: Catalogue, incoming: Sequence[IncomingAgreement]) -> tuple[Fault, ...]:
    """What `_compiled` finds, asked once for the same definitions, agreements and policies: it takes a second."""
    policies = Policies(catalogue, incoming)
    key = (catalogue.agency, catalogue.digest, incoming_digest(incoming), hash(policies.cedar_text()))
    return kept(_judged, key, lambda: tuple(_compiled(policies, incoming)))


def _compiled(policies: Policies, incoming: Sequence[IncomingAgreement]) -> list[Fault]:
    """The generated policies against the schema, then to SQL as each role, the system and all roles together."""
    catalogue = policies.catalogue
    result = cedarpy.validate_policies(policies.cedar_text(), SCHEMA)
    names: Mapping[str, str] = result.id_annotations_by_policy_id
    faults = [
        Fault("policy_invalid", names.get(one.policy_id, one.policy_id), one.error, "report this as a defect")
        for one in result.errors
    ]
    if faults:
        return faults
    seen: set[bytes] = set()
    for actor in _actors(catalogue, incoming):
        usual = actor.purpose == catalogue.definition.purpose
        whole = actor.kind == "system" or actor.held == frozenset(catalogue.roles)
        for action, group, act in _requests(policies, acts=usual and whole, groups=whole):
            try:
                policies.compile_new(actor, Asked(action, group, act=act), today=20260101, seen=seen)
            except Problem as problem:
                who = ", ".join(sorted(actor.roles)) or actor.kind
                faults.append(Fault("policy_not_compilable", f"{who} {action} {group}", problem.detail, problem.fix))
    return faults


def _actors(catalogue: Catalogue, incoming: Sequence[IncomingAgreement]) -> Iterator[Actor]:
    usual = catalogue.definition.purpose  # what purposes narrow is the same for one act as for the next
    purposes = {usual}.union(*(one.spec.purposes for one in incoming))
    held = [{name} for name in sorted(catalogue.roles)] + [set(catalogue.roles)]
    for roles in held:
        yield Actor.of(catalogue, member="member", name="", held=roles)
    for purpose in sorted(purposes - {usual}):
        yield Actor.of(catalogue, member="member", name="", held=set(catalogue.roles), purpose=purpose)
    for agency in sorted({role.for_ for role in catalogue.roles.values()} - {""}):
        yield Actor.of(catalogue, member="member", name="", held=set(catalogue.roles), behalf=Behalf(agency, ""))
    yield Actor.system(catalogue.agency, purpose=usual)


def _requests(policies: Policies, *, acts: bool, groups: bool) -> Iterator[tuple[str, str, str]]:
    """(action, group, act): with `groups` every group seen, and with `acts` every act decided.

    Of a rule that opens a group to a role the same is left for that role alone as for all roles together; what holds
    against a role that is not cleared speaks of no group. So one role alone asks for the base group only.
    """
    for action in SEEING:
        for group in policies.groups_of() if groups else ("base",):
            yield action, group, ""
    for action in ACTIONS if acts else ():
        for act in sorted({rule.act or "" for rule in policies.rules if action in rule.actions}):
            yield action, "base", act


def _lifecycle_roles(catalogue: Catalogue) -> set[str]:
    """Those that pillars and the law declare, and those that acts name, of which the loader has judged who may."""
    return {*catalogue.lifecycle_roles, *named_roles(catalogue.types.values())} - {SYSTEM}


def _matches(pattern: str, type_name: str) -> bool:
    return pattern in ("*", type_name) or (pattern.endswith(".*") and type_name.startswith(pattern[:-1]))


def _known(name: str, known: Collection[str], code: str, path: str, what: str) -> Iterator[Fault]:
    """A fault with the nearest known name, unless the name is known."""
    if name not in known:
        near = get_close_matches(name, list(known), n=1)
        fix = (
            f"did you mean {near[0]}?" if near else "use one of: " + (", ".join(sorted(known)[:12]) or "none is there")
        )
        yield Fault(code, path, f"{what}, which is not known", fix)
