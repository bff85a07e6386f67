"""Roles and purposes as a layer declares them: what the lifecycles may name, what kernel powers a role carries.

    roles:
      administrator: { title: Administrator, may: [admit_members, leave] }      # powers are POWERS, no others
      clerk: { title: Clerk, label_hi: .. }                                     # or the title alone
    purposes: { custody: Keeping of persons in custody, trial: { title: Trial, label_hi: .. } }

Pillars and jurisdictions declare them; a name is declared once. An agency fills such roles by `is` in its roles.yml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from comity.errors import Fault
from comity.kernel.types.catalogue import Act, Answer, Catalogue, LifecycleRole, Role, Type
from comity.kernel.types.definition import Faults, Form, Kind, Node, is_names, is_text, nearest
from comity.kernel.types.lifecycle import answers
from comity.kernel.types.part import Part
from comity.sentences import Worded, say

SYSTEM = "system"
"""The lifecycle role of an agency's own system. It is nobody's to declare, to fill or to be given power."""

POWERS: Mapping[str, str] = {
    "admit_members": "not_allowed.admit_members",
    "keep_endpoints": "not_allowed.keep_endpoints",
    "keep_subscriptions": "not_allowed.keep_subscriptions",
    "leave": "not_allowed.leave",
    "see_refusals": "not_allowed.see_refusals",
    "review_emergencies": "not_allowed.review_emergencies",
    "subscribe_for_any_role": "not_allowed.subscribe_for_any_role",
}
"""What the kernel itself lets members do, beside the acts of types: power -> what is said to who has it not."""

_ROLE: Mapping[str, Kind] = {"title": is_text, "may": is_names}


def read_role(name: str, node: Node, home: str, faults: Faults) -> LifecycleRole:
    """A declared role: a title alone, or a mapping with its powers."""
    if is_text(node.value):
        return LifecycleRole(name, Worded(str(node.value)), home=home, source=str(node.source))
    form = Form(node, faults, Part("role", name), _ROLE)
    if name == SYSTEM:
        faults.add("role_fills_system", node.source, say("role_fills_system.system_is_kernel_own_role"))
    for power in form.names("may"):
        if power not in POWERS:
            said = say("power_unknown.role_may_which_is_no", name=name, power=power)
            faults.add("power_unknown", form.at("may"), said, nearest(power, POWERS))
    return LifecycleRole(
        name, form.titled(name), frozenset(form.names("may")), home, str(node.source)
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
                said = say("role_unknown.of_is_by_role_that", name=step.name, of_name=of.name, name2=name)
                fix = nearest(name, declared, say("name.declare_under_roles_in_pillar.fix", name=name))
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
            said = say("role_for.role_is_for_and_has", name=role.name, for_=role.for_)
            yield Fault("role_for", role.source, said, say("role_for.call_it.fix", for_=role.for_, name=role.name))
