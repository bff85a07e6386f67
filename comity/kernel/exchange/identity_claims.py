"""What a record is said to be the same as, or not: each claim with its words, its author and if it still stands."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.kernel.work import disclosure
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, subjects, visible
from comity.kernel.work.visibility import readable_fields


def claims_about(work: Work, subject: Subject) -> list[dict[str, Any]]:
    """The claims that tie this record to another and that the reader may see, newest first; revoked ones as such.

    `other` is None where the reader may not see the record at the other end. A claim of another agency is disclosed.
    """
    kinds = {
        one.name: one.ties
        for one in work.catalogue.types.values()
        if one.ties and any(one.links[end].accepts(subject.type_name, subject.core_type) for end in one.ties.ends)
    }
    if not kinds:
        return []
    condition, params = visible(work)
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS} from comity.record r where {condition} and r.core_type = any(%(kinds)s) and r.id in
                (select record from comity.link where target = %(id)s and name = any(%(ends)s))
             order by r.entered_at desc, r.id limit 200""",
        {
            **params, "id": subject.id, "kinds": sorted(kinds), "member": work.actor.member,
            "ends": sorted({end for rule in kinds.values() for end in rule.ends}),
        },
    )  # fmt: skip
    held = [subject_of(row) for row in rows]
    others = {one.id: [i for i in _ends(work, one) if i != str(subject.id)] for one in held}
    seen = subjects(work, sorted({i for ids in others.values() for i in ids}))
    out = []
    for one in held:
        rule = kinds[one.core_type]
        fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
        disclosure.told(work, "read", [(one, sorted(fields))])
        other = next((seen[i] for i in others[one.id] if i in seen), None)
        out.append(
            {
                "claim": str(one.id), "number": one.folded.number, "agency": one.agency, "state": one.core_state,
                "live": one.core_state in rule.live, "apart": rule.is_apart(fields), "certain": rule.is_certain(fields),
                "fields": dict(fields), "author": _author(work, one), "entered_at": show_instant(one.entered_at),
                "other": str(other.id) if other else None, "other_number": other.folded.number if other else None,
                "other_agency": other.agency if other else None,
            }
        )  # fmt: skip
    return out


def _ends(work: Work, claim: Subject) -> list[str]:
    rule = claim.type(work).ties
    return [target for end in (rule.ends if rule else ()) for target in claim.folded.links.get(end, ())]


def _author(work: Work, claim: Subject) -> str:
    """The member who entered it, by name in the own agency; of another agency its name is enough."""
    if claim.agency != work.agency:
        return claim.agency
    row = work.conn.execute(
        "select name from comity.member where agency = comity.me() and id = %s::uuid", (claim.folded.entered_by,)
    ).fetchone()
    return str(row[0]) if row else claim.agency
