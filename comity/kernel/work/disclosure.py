"""Reads across agencies are disclosures: one row a request and owning agency, in the log before the answer goes out.

28 CFR 23.20(g) asks of a criminal intelligence system who received what, why and when; the owner sees it here.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from comity import names
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject


def told(work: Work, verb: str, seen: Sequence[tuple[Subject, Sequence[str]]]) -> None:
    """Record that this actor is about to see others' records: each with its version and the fields shown."""
    owners: dict[str, list[dict[str, object]]] = {}
    for subject, fields in seen:
        if subject.agency != work.agency:
            owners.setdefault(subject.agency, []).append(
                {"record": str(subject.id), "version": subject.folded.version, "fields": list(fields)}
            )
    for owner, listed in owners.items():
        work.conn.execute(
            """insert into comity.disclosure (id, at, agency, member, owner, purpose, verb, records)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                names.new_id(),
                work.now,
                work.agency,
                work.actor.member,
                owner,
                work.actor.purpose,
                verb,
                Jsonb(listed),
            ),
        )
