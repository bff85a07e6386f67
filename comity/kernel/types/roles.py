"""Roles and purposes as a layer declares them: what the lifecycles may name, what kernel powers a role carries.

    roles:
      administrator: { title: Administrator, may: [admit_members, leave] }      # powers are POWERS, no others
    purposes: { custody: Keeping of persons in custody }

Pillars and jurisdictions declare them; a name is declared once. An agency fills such roles by `is` in its roles.yml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from comity.errors import Fault
from comity.kernel.types.catalogue import Act, Answer, Catalogue, LifecycleRole, Role, Type
from comity.kernel.types.definition import Faults, Form, Kind, Node, is_names, is_text, nearest
from comity.kernel.types.lifecycle import answers

SYSTEM = "system"
"""The lifecycle role of an agency's own system. It is nobody's to declare, to fill or to be given power."""

POWERS: Mapping[str, str] = {
    "admit_members": "invites members, suspends them and signs them out",
    "keep_endpoints": "says to which addresses outside the agency's deliveries may go",
    "keep_subscriptions": "sees to all subscriptions and dead letters of the agency",
    "leave": "takes the agency's whole record away",
    "see_refusals": "sees what the members of the agency were refused",
    "review_emergencies": "reviews what was opened in an emergency",
    "subscribe_for_any_role": "subscribes for roles that it does not hold",
}
"""What the kernel itself lets members do, beside the acts of types: power -> what it is."""

_ROLE: Mapping[str, Kind] = {"title": is_text, "may": is_names}


def read_role(name: str, node: Node, home: str, faults: Faults) -> LifecycleRole:
    """A declared role: a title alone, or a mapping with its powers."""
    if is_text(node.value):
        return LifecycleRole(name, str(node.value), home=home, source=str(node.source))
    form = Form(node, faults, f"role {name}", _ROLE)
    if name == SYSTEM:
        faults.add("role_fills_system", node.source, "system is the kernel's own role", "choose another name")
    for power in form.names("may"):
        if power not in POWERS:
            said = f"role {name} may {power}, which is no power of the kernel"
            faults.add("power_unknown", form.at("may"), said, nearest(power, POWERS))
    return LifecycleRole(
        name, form.text("title", name), frozenset(form.names("may")), home, str(node.source)
    )  # fmt: skip


def check_roles(
    types: Mapping[str, Type], declared: Mapping[str, LifecycleRole], own: Mapping[str, Role], agency: str,
    faults: Faults,
) -> None:  # fmt: skip
    """`role_unknown` for each act or answer by a role that no layer declares.

    In a type or act of the agency's own, roles count too that its roles.yml fills: nobody else need know them.
    """
    filled = {one for role in own.values() for one in role.is_}
    for of in types.values():
        for step in steps(of):
            mine = agency and agency in (of.owner_layer, getattr(step, "owner_layer", ""))
            known = {SYSTEM, *declared, *(filled if mine else ())}
            for name in sorted(_named(step) - known):
                said = f"{step.name} of {of.name} is by {name}, a role that no pillar declares"
                fix = nearest(name, declared, f"declare {name} under roles: in the pillar.yml that brings it")
                faults.add("role_unknown", step.source, said, fix)


def steps(of: Type) -> Iterator[Act | Answer]:
    """Everything with a `by` that can be done to a record of the type."""
    yield from of.acts.values()
    yield from answers(of.offer).values()


def _named(step: Act | Answer) -> frozenset[str]:
    """The roles that do a step, and those that may override a condition of it."""
    return step.by.union(*(rule.override.by for rule in step.guards if rule.override))


def named_roles(types: Iterable[Type]) -> frozenset[str]:
    """The lifecycle roles that acts and answers name, declared or not."""
    return frozenset(name for of in types for step in steps(of) for name in _named(step))


def in_use(catalogue: Catalogue) -> frozenset[str]:
    """The lifecycle roles of the pillars that the agency says it works with, of what these need, and of its law.

    What another pillar calls its roles is nothing to an agency that does not use that pillar.
    """
    wanted, todo = {catalogue.jurisdiction}, list(catalogue.definition.pillars or catalogue.pillars)
    while todo:
        name = todo.pop()
        if name not in wanted and name in catalogue.pillars:
            todo += catalogue.pillars[name].needs
        wanted.add(name)
    return frozenset(name for name, one in catalogue.lifecycle_roles.items() if one.home in wanted)


def check_speakers(catalogue: Catalogue) -> Iterator[Fault]:
    """`role_for`: a role that speaks for another agency under the name of a lifecycle role that is in use here."""
    used = in_use(catalogue)
    for role in catalogue.roles.values():
        if role.for_ and role.name in used:
            said = f"role {role.name} is for {role.for_} and has the name of a lifecycle role"
            yield Fault("role_for", role.source, said, f"call it {role.for_}_{role.name}")
