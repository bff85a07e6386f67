"""Powers of the kernel: who of an agency may admit members, review emergencies and the like.

A lifecycle role carries them (`may`, in the pillar.yml that declares it), a role of the agency has those of the
lifecycle roles that it fills, and of the one that it is called by. A role that speaks for another agency has none.
"""

from __future__ import annotations

from comity.errors import Problem
from comity.kernel.policy.actor import Actor, held_roles
from comity.kernel.types.catalogue import Catalogue, Role
from comity.kernel.types.roles import POWERS
from comity.sentences import Sentence, joined, say

ADMIT_MEMBERS = "admit_members"
KEEP_ENDPOINTS = "keep_endpoints"
KEEP_SUBSCRIPTIONS = "keep_subscriptions"
LEAVE = "leave"
REVIEW_EMERGENCIES = "review_emergencies"
SEE_REFUSALS = "see_refusals"
SUBSCRIBE_FOR_ANY_ROLE = "subscribe_for_any_role"


def carries(catalogue: Catalogue, role: Role, power: str) -> bool:
    """Whether the agency's role has the power."""
    known = catalogue.lifecycle_roles
    return not role.for_ and any(name in known and power in known[name].may for name in (*role.is_, role.name))


def empowered(catalogue: Catalogue, power: str) -> frozenset[str]:
    """The roles of the agency that have the power."""
    return frozenset(role.name for role in catalogue.roles.values() if carries(catalogue, role, power))


def may(actor: Actor, catalogue: Catalogue, power: str) -> bool:
    """Whether a member of the catalogue's agency has the power by any role that it holds."""
    return bool(held_roles(actor, catalogue) & empowered(catalogue, power))


def demand(actor: Actor, catalogue: Catalogue, power: str) -> None:
    """Problem `not_allowed`, with the roles that have the power, unless the actor has it."""
    if not may(actor, catalogue, power):
        raise Problem("not_allowed", say(POWERS[power]), fix=ask(catalogue, power))


def ask(catalogue: Catalogue, power: str) -> Sentence:
    """Whom to ask: the roles of the agency that have a power."""
    titles = sorted(catalogue.roles[name].title for name in empowered(catalogue, power))
    return say("power.ask_member_who_is", titles=joined(titles, "or")) if titles else say("power.no_role_has_it")
