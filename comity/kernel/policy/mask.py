"""Which field groups of one record a reader may see, and a record's fields with the rest masked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Type
from comity.kernel.types.language import called
from comity.sentences import say

if TYPE_CHECKING:
    from comity.kernel.policy.decide import Policies, Resource


def groups(
    policies: Policies, actor: Actor, resource: Resource, *, today: int, of: Collection[str] | None = None
) -> frozenset[str]:
    """The groups of the record that the actor may read, decided one by one; none where a decision errs.

    `of` are the groups to ask for: without it those of the type as the actor's agency knows it.
    """
    asked = tuple(of) if of is not None else policies.groups_of(resource.type)
    decisions = policies.decide_groups(actor, "read", resource, groups=asked, today=today)
    return frozenset(group for group, decision in decisions.items() if decision.allowed)


def apply(
    of: Type, fields: Mapping[str, Any], readable: Collection[str]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The fields in readable groups, and for each other field that has a value its name, group and ground.

    Give the owner's type where it is known: a field that the type does not know is masked, whatever its group.
    """
    visible: dict[str, Any] = {}
    masked: list[dict[str, str]] = []
    for name, value in fields.items():
        known = of.fields.get(name)
        if known is None:
            masked.append({"field": name, "group": "", "ground": say("page.field_unknown")})
        elif known.group in readable:
            visible[name] = value
        else:
            group = of.groups.get(known.group)
            title = called(group) if group else known.group
            ground = say("masked.group_closed", group=known.group, title=title)
            masked.append({"field": name, "group": known.group, "ground": ground})
    return visible, masked
