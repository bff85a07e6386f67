"""Identity: how somebody shows which member it is, declared as one value. Both ways in iterate those of the node.

A provider finds its proof among what was shown, which asks no database, and then says whose proof it is. Whether that
member, and its agency, may act now is judged here, alike for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, LiteralString, Protocol
from uuid import UUID

from psycopg import Connection

from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor, refuse_outside
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import nearest
from comity.sentences import joined, say


class Directory(Protocol):
    """What is needed of the node here and in tokens."""

    def transaction(
        self, agency: str, member: UUID | None = None
    ) -> AbstractContextManager[tuple[Connection[Any], Any]]: ...

    def ask(self, statement: LiteralString, params: Sequence[Any]) -> Any: ...

    def catalogue(self, agency: str) -> Catalogue: ...

    def catalogue_at(self, agency: str, version: int) -> Catalogue: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows. `headers` are a request's, by lower-case names: anybody may have written them. `here` is
    what was said at this machine, to a command of whoever may read the node's home; no request fills it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    here: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """A member as it stands now, whether or not it may act."""

    agency: str
    member: UUID
    name: str
    roles: Sequence[str]
    state: str | None
    agency_state: str | None
    agency_version: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A provider. `proof` is what of the credentials is for it; None: nothing is. It asks no database. `who` says whose
    proof it is. Both raise Problem for what is for it and no good: `token_invalid`, or a code of their own. `asks` is
    what to show, as the end of the sentence "send ..."."""

    name: str
    asks: str
    proof: Callable[[Credentials], str | None]
    who: Callable[[Directory, str], Known]


@dataclass(frozen=True, slots=True)
class Shown:
    """A proof, and the provider that it is for."""

    by: Identity
    proof: str


def shown(identities: Sequence[Identity], credentials: Credentials) -> Shown:
    """The first of the providers, in their order, for which something was shown. Problem `token_invalid`."""
    for one in identities:
        proof = one.proof(credentials)
        if proof is not None:
            return Shown(one, proof)
    asked = [one.asks for one in identities if one.asks]
    fix = say("token_invalid.send.fix", identities=joined(asked, "or")) if asked else say("token_invalid.none_asks.fix")
    raise Problem("token_invalid", fix=fix)


def sign_in(node: Directory, found: Shown, purpose: str = "") -> Actor:
    """The member whose proof it is. Problem: token_invalid, member_suspended, agency_suspended, request_invalid."""
    return actor_of(node, found.by.who(node, found.proof), purpose)


def actor_of(node: Directory, known: Known, purpose: str = "") -> Actor:
    """A member that may act now. Problem: member_suspended, agency_suspended, request_invalid.

    Without a purpose the agency's own is taken; one that no layer declares is refused, because nothing serves it. The
    roles are read anew in every transaction, so the actor given here names the member and no more.
    """
    if known.agency_state != "active":
        raise Problem("agency_suspended", say("agency_suspended.is_suspended", agency=known.agency))
    if known.state != "active":
        raise Problem("member_suspended", say("member_suspended.member_is_suspended"))
    catalogue = node.catalogue_at(known.agency, known.agency_version)
    refuse_outside(catalogue)
    if purpose and purpose not in catalogue.purposes:
        fix = nearest(purpose, catalogue.purposes)
        fault = Fault("purpose_unknown", "purpose", say("purpose_unknown.is_no_purpose_here", purpose=purpose), fix)
        raise Problem(
            "request_invalid", say("request_invalid.nothing_is_read_or_done", purpose=purpose), faults=[fault]
        )
    return Actor.of(catalogue, member=str(known.member), name=known.name, held=known.roles, purpose=purpose)


def member_of(node: Directory, agency: str, member: UUID) -> Known:
    """A member as it stands now, for a provider that knows its id. Problem `token_invalid` where there is none."""
    with node.transaction(agency, member) as (_, begun):
        if begun.agency_state is None or begun.member_state is None:
            raise Problem("token_invalid", say("token_invalid.this_member_is_not_known"))
        return Known(
            agency, member, begun.member_name, tuple(begun.roles), begun.member_state, begun.agency_state,
            begun.agency_version,
        )  # fmt: skip
