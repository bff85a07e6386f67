"""Acts on behalf of an institution that is outside: entered by a member, in its own log, with what shows it.

The record stays the reporter's. Each such entry is told "as reported by", never as the institution's own signature, and
waits until that institution has joined and says whether it is so (see reported).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from comity.errors import Problem
from comity.kernel.policy.actor import Actor, acting_roles

if TYPE_CHECKING:
    from comity.kernel.records.change import Change
    from comity.kernel.records.node import Work

BASIS = "reported"
"""The ground of the grant by which an institution sees what was reported of it."""


def item(actor: Actor) -> dict[str, Any]:
    """The content item that says for whom an entry was made; nothing for one's own act."""
    told = actor.behalf
    return {"behalf": {"agency": told.agency, "document": told.document}} if told else {}


def permit(work: Work) -> bool:
    """Whether the institution acted for is no member. Refuses who may not speak for it, or shows no document.

    Raises agency_unknown, not_outside, not_allowed, document_missing.
    """
    told = work.actor.behalf
    if told is None:
        return False
    row = work.conn.execute(
        "select membership from comity.agency where id = %s and id not in ('node', comity.me())", (told.agency,)
    ).fetchone()
    if row is None:
        raise Problem("agency_unknown", f"{told.agency} is no other agency of this node", fix="check the agency's id")
    outside = row[0] != "member"
    if not acting_roles(work.actor, work.catalogue):
        if not outside:
            raise _not_outside(told.agency)
        raise Problem(
            "not_allowed", f"You hold no role of {work.agency} that is for {told.agency}",
            fix=f"have your administrator give you a role that says for: {told.agency}",
        )  # fmt: skip
    _refuse_undocumented(work, told.agency, told.document)
    return outside


def _refuse_undocumented(work: Work, agency: str, document: str) -> None:
    from comity.kernel.records.subject import subjects

    try:
        seen = subjects(work, [str(UUID(document))])
    except ValueError:
        seen = {}
    if not any(one.agency == work.agency and one.folded.files and one.type(work).document for one in seen.values()):
        fitting = sorted(name for name, of in work.catalogue.types.items() if of.document)
        what = " or ".join(fitting) or "a type that says document: true"
        raise Problem(
            "document_missing", f"No document of {work.agency} with a file shows what {agency} did",
            fix=f"enter what it sent as {what}, attach its file, and name that record",
        )  # fmt: skip


def refuse_member(work: Work, action: str) -> None:
    """An institution that joined acts itself. What was reported of it before may still be corrected on its behalf."""
    told = work.actor.behalf
    if told is not None and not work.outsider and action != "amend":
        raise _not_outside(told.agency)


def _not_outside(agency: str) -> Problem:
    return Problem(
        "not_outside", f"{agency} is a member: it acts itself", fix=f"offer it to {agency}, or wait for its own entry"
    )


def refuse_others(work: Work, entered_for: str) -> None:
    """A record entered for an institution is moved on its behalf alone, and the own ones on nobody's behalf."""
    acting = work.actor.behalf.agency if work.actor.behalf else ""
    if work.actor.kind != "member" or entered_for == acting:
        return
    if entered_for:
        raise Problem(
            "not_allowed", f"The record was entered on behalf of {entered_for}: what happens to it is its act too",
            fix=f"act on behalf of {entered_for}, with the document that shows it; once it is a member, only amend",
        )  # fmt: skip
    raise Problem(
        "not_allowed", f"The record is {work.agency}'s own, so nothing is done to it on behalf of {acting}",
        fix="leave out on whose behalf it is done, or answer what was offered",
    )  # fmt: skip


def report(work: Work, changes: Sequence[Change]) -> None:
    """The rows of entries made on behalf of another, and the grant by which it will see them: with the entries."""
    made = [(one, one.entry.content["behalf"]) for one in changes if "behalf" in one.entry.content]
    if not made:
        return
    with work.conn.cursor() as cur:
        cur.executemany(
            """insert into comity.reported (entry, agency, by_agency, record, type, act, document, entered_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (e.id, told["agency"], e.agency, e.record, e.type, e.act, told["document"], e.entered_at)
                for one, told in made
                for e in (one.entry,)
            ],
        )
        granted = {
            (one.entry.record, told["agency"]): (sorted({"base", *one.type.groups}), None) for one, told in made
        }  # fmt: skip
        papers = {told["document"]: told["agency"] for _, told in made}
        for id, type_name, core_type, version in work.conn.execute(
            """select id, type, core_type, version from comity.record
                where id = any(%s::uuid[]) and agency = comity.me()""",
            (list(papers),),
        ).fetchall():
            of = work.type_of(work.agency, type_name, core_type)
            granted[id, papers[str(id)]] = (sorted(of.document), version)
        cur.executemany(
            """insert into comity.share (id, record, agency, to_agency, groups, version, basis)
               select gen_random_uuid(), %(record)s, comity.me(), %(to)s, %(groups)s, %(version)s::int, %(basis)s
                where not exists (select 1 from comity.share where record = %(record)s and to_agency = %(to)s
                  and basis = %(basis)s and live and version is not distinct from %(version)s::int)""",
            [
                {"record": record, "to": to, "groups": groups, "version": version, "basis": BASIS}
                for (record, to), (groups, version) in granted.items()
            ],
        )
