"""Acts on behalf of an institution that is outside: entered by a member, in its own log, with what shows it.

The record stays the reporter's. Each such entry is told "as reported by", never as the institution's own signature, and
waits until that institution has joined and says whether it is so (see reported).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from comity.errors import Problem
from comity.kernel.ledger import items
from comity.kernel.policy.actor import Actor, Behalf, acting_roles
from comity.kernel.policy.decide import Policies
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.language import with_name
from comity.sentences import joined, say

BASIS = "reported"
"""The ground of the grant by which an institution sees what was reported of it."""


def item(told: Behalf) -> dict[str, Any]:
    """The content item that says for whom an entry was made."""
    return items.on_behalf(told.agency, told.document)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks for another, as the transaction knows it: the definitions in force and the rights of the actor."""

    conn: Connection[Any]
    actor: Actor
    catalogue: Catalogue
    policies: Policies
    today: int


def permit(one: Speaker) -> bool:
    """Whether the institution acted for is no member. Refuses who may not speak for it, or shows no document.

    Raises agency_unknown, not_outside, not_allowed, document_missing.
    """
    told = one.actor.behalf
    if told is None:
        return False
    row = one.conn.execute(
        "select membership from comity.agency where id = %s and id not in ('node', comity.me())", (told.agency,)
    ).fetchone()
    if row is None:
        raise Problem("agency_unknown", say("agency_unknown.is_no_other_agency_of", agency=told.agency))
    outside: bool = row[0] != "member"
    if not acting_roles(one.actor, one.catalogue):
        if not outside:
            raise _not_outside(told.agency)
        raise Problem(
            "not_allowed", say("not_allowed.you_hold_no_role_of", agency=one.actor.agency, told_agency=told.agency),
        )  # fmt: skip
    _refuse_undocumented(one, told)
    return outside


def _refuse_undocumented(one: Speaker, told: Behalf) -> None:
    if not _is_document(one, told.document):
        types = one.catalogue.types
        fitting = with_name(types, (name for name in sorted(types) if types[name].document))
        what = joined(fitting, "or") if fitting else say("document_missing.type_that_may_be_one")
        raise Problem(
            "document_missing",
            say(
                "document_missing.no_document_of_with_file", agency=one.actor.agency, told_agency=told.agency, what=what
            ),
        )


def _is_document(one: Speaker, record: str) -> bool:
    """Whether it is an own record that the actor may read, of a type that holds documents, with a file."""
    try:
        wanted = UUID(record)
    except ValueError:
        return False
    may = one.policies.scope(one.actor, today=one.today)
    row = one.conn.execute(
        f"""select r.type, r.core_type from comity.record r
             where r.id = %(id)s and r.agency = comity.me() and r.files <> '{{}}' and ({may.sql})""",
        {**may.params, "id": wanted},
    ).fetchone()
    of = row and (one.catalogue.types.get(row[0]) or one.catalogue.types.get(row[1]))
    return bool(of and of.document)


def refuse_member(told: Behalf, action: str, *, outsider: bool) -> None:
    """An institution that joined acts itself. What was reported of it before may still be corrected on its behalf."""
    if not outsider and action != "amend":
        raise _not_outside(told.agency)


def _not_outside(agency: str) -> Problem:
    return Problem("not_outside", say("not_outside.is_member_it_acts_itself", agency=agency))


def refuse_others(actor: Actor, entered_for: str) -> None:
    """A record entered for an institution is moved on its behalf alone, and the own ones on nobody's behalf."""
    acting = actor.behalf.agency if actor.behalf else ""
    if actor.kind != "member" or entered_for == acting:
        return
    if entered_for:
        raise Problem(
            "not_allowed", say("not_allowed.record_was_entered_on_behalf", entered_for=entered_for),
        )  # fmt: skip
    raise Problem(
        "not_allowed", say("not_allowed.record_is_own_so_nothing", agency=actor.agency, acting=acting),
    )  # fmt: skip
