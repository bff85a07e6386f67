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
        raise Problem("agency_unknown", f"{told.agency} is no other agency of this node", fix="check the agency's id")
    outside: bool = row[0] != "member"
    if not acting_roles(one.actor, one.catalogue):
        if not outside:
            raise _not_outside(told.agency)
        raise Problem(
            "not_allowed", f"You hold no role of {one.actor.agency} that is for {told.agency}",
            fix=f"have your administrator give you a role that says for: {told.agency}",
        )  # fmt: skip
    _refuse_undocumented(one, told)
    return outside


def _refuse_undocumented(one: Speaker, told: Behalf) -> None:
    if not _is_document(one, told.document):
        fitting = sorted(name for name, of in one.catalogue.types.items() if of.document)
        what = " or ".join(fitting) or "a type that says document: true"
        raise Problem(
            "document_missing", f"No document of {one.actor.agency} with a file shows what {told.agency} did",
            fix=f"enter what it sent as {what}, attach its file, and name that record",
        )  # fmt: skip


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
    return Problem(
        "not_outside", f"{agency} is a member: it acts itself", fix=f"offer it to {agency}, or wait for its own entry"
    )


def refuse_others(actor: Actor, entered_for: str) -> None:
    """A record entered for an institution is moved on its behalf alone, and the own ones on nobody's behalf."""
    acting = actor.behalf.agency if actor.behalf else ""
    if actor.kind != "member" or entered_for == acting:
        return
    if entered_for:
        raise Problem(
            "not_allowed", f"The record was entered on behalf of {entered_for}: what happens to it is its act too",
            fix=f"act on behalf of {entered_for}, with the document that shows it; once it is a member, only amend",
        )  # fmt: skip
    raise Problem(
        "not_allowed", f"The record is {actor.agency}'s own, so nothing is done to it on behalf of {acting}",
        fix="leave out on whose behalf it is done, or answer what was offered",
    )  # fmt: skip
