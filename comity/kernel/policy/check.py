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
from comity.kernel.types.part import Part
from comity.kernel.types.roles import SYSTEM, named_roles
from comity.names import AGENCY
from comity.sentences import Given, say


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
            yield Fault(
                "role_fills_system", path, say("role_fills_system.cannot_fill_system_no_member", name=role.name)
            )
        else:
            yield from _known(name, known, "lifecycle_role_unknown", path, Part("fills", name, role.name))
    for name in sorted(role.marks):
        yield from _known(name, catalogue.marks, "mark_unknown", path, Part("is_cleared_for", name, role.name))
    for pattern, rule in role.read.items():
        types = [one for one in catalogue.types.values() if _matches(pattern, one.name)]
        if not types and pattern != "*":
            yield from _known(pattern, catalogue.types, "type_unknown", path, Part("reads", pattern, role.name))
        if rule.when not in ("all", "assigned"):
            yield Fault(
                "read_unknown", path, say("read_unknown.reads", name=role.name, pattern=pattern, when=rule.when)
            )
        groups = {"base"}.union(*(one.groups for one in types))
        for group in rule.groups or ():
            what = Part("and_group", group, Part("reads", pattern, role.name))
            yield from _known(group, groups, "group_unknown", path, what)


def _agreement(catalogue: Catalogue, spec: Agreement) -> Iterator[Fault]:
    path, what = spec.source or f"agreements.yml {spec.id}", Part("the_agreement_of", spec.id)
    if not AGENCY.match(spec.to) or spec.to == catalogue.agency:
        yield Fault("agency_unknown", path, say("agency_unknown.is_with", what=what.said(), to=spec.to))
    if not spec.purposes:
        yield Fault("purpose_missing", path, say("purpose_missing.names_no_purpose_and_so", what=what.said()))
    for name in sorted(spec.purposes):
        yield from _known(name, catalogue.purposes, "purpose_unknown", path, Part("serves", name, what))
    if spec.from_ and spec.until and spec.from_ > spec.until:
        yield Fault("agreement_never_valid", path, say("agreement_never_valid.ends_before_it_begins", what=what.said()))
    for name in sorted(spec.marks):
        yield from _known(name, catalogue.marks, "mark_unknown", path, Part("covers_mark", name, what))
    for name in sorted({*spec.read, *spec.find, *spec.states, *spec.emergency, *spec.offers}):
        yield from _known(name, catalogue.types, "type_unknown", path, Part("speaks_of", name, what))
    for name in sorted({*spec.find, *spec.states} - set(spec.read)):
        yield Fault(
            "find_beyond_read", path, say("find_beyond_read.names_which_it_does_not", what=what.said(), name=name)
        )
    for name, groups in spec.read.items():
        for group in groups if name in catalogue.types else ():
            known = {"base", *catalogue.types[name].groups}
            opens = Part("and_group", group, Part("opens", name, what))
            yield from _known(group, known, "group_unknown", path, opens)
    for name, states in spec.states.items():
        if name in catalogue.types:
            known = {one.core for one in catalogue.types[name].states.values()}
            for state in states:
                opens = Part("when", state, Part("opens", name, what))
                yield from _known(state, known, "state_unknown", path, opens)
    for name in sorted(spec.offers):
        if name in catalogue.types and not catalogue.types[name].offer:
            yield Fault("type_not_offered", path, say("type_not_offered.is_not_two_sided", what=what.said(), name=name))


def _marks(catalogue: Catalogue) -> Iterator[Fault]:
    known = {*_lifecycle_roles(catalogue), *catalogue.roles}
    for mark in catalogue.marks.values():
        path, what = mark.source or mark.name, Part("the_mark", mark.name)
        for name in sorted(mark.purposes):
            yield from _known(name, catalogue.purposes, "purpose_unknown", path, Part("serves", name, what))
        for name in sorted(mark.roles):
            yield from _known(name, known, "lifecycle_role_unknown", path, Part("is_received_by", name, what))


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
        Fault(
            "policy_invalid",
            names.get(one.policy_id, one.policy_id),
            Given(one.error),
            say("policy_invalid.report_this_as_defect.fix"),
        )
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


def _known(name: str, known: Collection[str], code: str, path: str, what: Part) -> Iterator[Fault]:
    """A fault with the nearest known name, unless the name is known."""
    if name not in known:
        near = get_close_matches(name, list(known), n=1)
        fix = (
            say("check.did_you_mean.fix", near=near[0])
            if near
            else say("check.use_one_of.fix", known=sorted(known)[:12] or say("name.none_defined"))
        )
        yield Fault(code, path, say("check.which_is_not_known", what=what.said()), fix)
