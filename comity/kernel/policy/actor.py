"""Who acts: a member of an agency, the agency's own system, or an operator of the node.

A name can be both a role of the agency (roles.yml) and a lifecycle role (a type's `by`): `supervisor` often is. Rights
go by the roles that the member *holds*; the wider set `roles` is what guards read as `actor.roles`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from comity.errors import Problem
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.roles import SYSTEM
from comity.sentences import say

Kind = Literal["member", "system", "operator"]
KINDS = ("member", "system", "operator")


@dataclass(frozen=True, slots=True)
class Behalf:
    """For whom a member enters what that institution did, and the record of the member's own agency that shows it."""

    agency: str
    document: str


@dataclass(frozen=True, slots=True)
class Actor:
    """`member` is the member's id as text. `roles` are the roles held and the lifecycle roles that they fill.

    `held` are the roles of roles.yml alone; None when only `roles` is known, see `held_roles`. Whoever reads the roles
    anew replaces both; a role that is no longer in `roles` does not count, whatever `held` still says.
    `behalf`: the act is another institution's, reported by this member; `roles` stay those of the own agency.
    `purpose` is what the member states for this request; agreements and marks name the purposes that they serve. Empty:
    the agency's own, which is put in its place where its definitions are read.
    """

    agency: str
    member: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    purpose: str = ""
    kind: Kind = "member"
    held: frozenset[str] | None = None
    behalf: Behalf | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"an actor is one of {', '.join(KINDS)}, not {self.kind!r}")

    @classmethod
    def of(
        cls, catalogue: Catalogue, *, member: str, name: str, held: Iterable[str], purpose: str = "",
        behalf: Behalf | None = None,
    ) -> Actor:  # fmt: skip
        """A member of the catalogue's agency. Roles that roles.yml no longer has give nothing. Without a purpose the
        agency's own is taken."""
        kept = frozenset(role for role in held if role in catalogue.roles)
        own = (catalogue.roles[role] for role in kept if not catalogue.roles[role].for_)
        filled = frozenset[str]().union(*(role.is_ for role in own))
        roles, stated = kept | filled - {SYSTEM}, purpose or catalogue.definition.purpose
        return cls(catalogue.agency, member, name, roles, stated, "member", kept, behalf)

    @property
    def institution(self) -> str:
        """Whose act it is: the agency acted for, else the own one."""
        return self.behalf.agency if self.behalf else self.agency

    @classmethod
    def system(cls, agency: str, *, purpose: str = "") -> Actor:
        """The agency's own system: fills the lifecycle role `system`, which no member fills."""
        return cls(agency, SYSTEM, "Comity", frozenset({SYSTEM}), purpose, "system", frozenset())

    @classmethod
    def operator(cls, agency: str, *, member: str, name: str) -> Actor:
        """Whoever runs the node: installs and runs, and reads nothing."""
        return cls(agency, member, name, frozenset(), "", "operator", frozenset())


def held_roles(actor: Actor, catalogue: Catalogue) -> frozenset[str]:
    """The roles of roles.yml that the actor holds; without `held`, those that nothing else explains.

    A name in `roles` that another of them fills as a lifecycle role may not be held at all, so it does not count.
    """
    if actor.kind != "member":
        return frozenset()
    if actor.held is not None:
        return frozenset(role for role in actor.held & actor.roles if role in catalogue.roles)
    named = [catalogue.roles[role] for role in actor.roles if role in catalogue.roles]
    return frozenset(
        role.name for role in named if not any(role.name in other.is_ for other in named if other is not role)
    )


def acting_roles(actor: Actor, catalogue: Catalogue) -> frozenset[str]:
    """The roles held that count for an act: those for the agency acted for, or those for the own agency alone."""
    whom = actor.behalf.agency if actor.behalf else ""
    return frozenset(role for role in held_roles(actor, catalogue) if catalogue.roles[role].for_ == whom)


def refuse_outside(catalogue: Catalogue) -> None:
    """An agency that is outside, or mirrored, has no members here until it joins: nobody speaks in its name."""
    known = catalogue.definition
    if known.membership != "member":
        raise Problem(
            "agency_outside", say("agency_outside.is_not_member", agency=catalogue.agency, membership=known.membership),
        )  # fmt: skip
