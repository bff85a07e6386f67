"""Obligations: what is missing for a package, who owes it and since when. Each closes by itself once it is met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity import names
from comity.errors import Problem
from comity.extensions import Missing
from comity.kernel.records import links
from comity.kernel.records.act import plan as plan_act
from comity.kernel.records.change import write
from comity.kernel.records.enter import plan
from comity.kernel.records.node import Node, Work, system
from comity.kernel.records.results import Draft, Receipt
from comity.kernel.records.subject import Subject, find_subject


def record(work: Work, type_name: str, subject: Subject, missing: Sequence[Missing], to: str) -> list[str]:
    """Enter an obligation for each blocking lack that has none open yet; answers the ids of all that are open.

    They are entered by the agency's system actor: nobody typed them, so they count neither as typed nor as retyped.
    """
    open_now = {(row["code"], row["about"]): row["id"] for row in _open(work, subject.id)}
    of = work.catalogue.type(type_name)
    changes, ids = [], []
    doer = work.as_system()
    for one in missing:
        if one.severity != "error":
            continue
        held = open_now.get((one.code, one.about))
        if held:
            ids.append(held)
            continue
        fields = {
            "code": one.code, "severity": one.severity, "message": one.message, "fix": one.fix,
            "citation": one.citation, "owed_by": one.owed_by, "since": one.since.isoformat(),
            "about_label": one.about_label, "owed_to": to,
        }  # fmt: skip
        pointed = {"for": [str(subject.id)], "about": [one.about]}
        draft = Draft(of.name, {k: v for k, v in fields.items() if v and k in of.fields}, pointed)
        known = links.targets(doer, [(of, pointed)])
        if one.about not in known.records:
            seen = find_subject(work, one.about)
            known = links.Targets({**known.records, one.about: seen}, known.members)
        new = names.new_id()
        changes.append(plan(doer, draft, new, pointed, known, {}))
        ids.append(str(new))
    if changes:
        write(doer, changes)
    return ids


OWING = """from comity.link l join comity.record r on r.id = l.record
    where l.agency = comity.me() and l.name = 'for' and r.core_state = 'open'"""
"""The open obligations of the transaction's agency; `l.target` is what each hangs on."""


def _open(work: Work, subject: UUID) -> list[dict[str, Any]]:
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select r.id::text, r.fields->>'code' as code, a.target::text as about, r.fields->>'owed_to' as owed_to
             from comity.link l join comity.record r on r.id = l.record
             left join comity.link a on a.record = r.id and a.name = 'about'
            where l.target = %s and l.name = 'for' and r.agency = %s and r.core_state = 'open'""",
        (subject, work.agency),
    )
    return rows.fetchall()


def subjects_owing(work: Work) -> list[UUID]:
    """The records of this agency on which obligations are open."""
    return [row[0] for row in work.conn.execute(f"select distinct l.target {OWING}")]


def close_met(node: Node, agency: str) -> list[Receipt]:
    """Close every open obligation of an agency whose lack is gone. Called by the follower after entries of any agency.

    It judges with the rights of the agency itself, as the submitting act did: what the agency may see, counts.
    """
    done: list[Receipt] = []
    with node.work(system(agency)) as work:
        for target in subjects_owing(work):
            done += _close(work, target)
    return done


def _close(work: Work, target: UUID) -> list[Receipt]:
    from comity.kernel.records.submit import packed

    subject = find_subject(work, target)
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    rule = next((one for one in of.acts.values() if one.package), None)
    if rule is None:
        return []
    out: list[Receipt] = []
    for to in sorted({row["owed_to"] for row in _open(work, target) if row["owed_to"]}):
        try:
            parcel = packed(work, rule, subject, to)
        except Problem:
            continue
        lacks = {(one.code, one.about) for one in parcel.missing}
        for row in _open(work, target):
            if row["owed_to"] == to and (row["code"], row["about"]) not in lacks:
                held = find_subject(work, row["id"])
                kind = work.type_of(held.agency, held.type_name, held.core_type)
                change = plan_act(work, kind, held, "meet", {}, {}, None)
                out += write(work, [change])
    return out
