"""The rows of what is reported of others, and of what they say of it: written with the entries that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.kernel.ledger import items
from comity.kernel.records import grants
from comity.kernel.records.grants import Grant
from comity.kernel.work.change import Change
from comity.kernel.work.node import Work
from comity.kernel.work.on_behalf import BASIS


def record(work: Work, changes: Sequence[Change]) -> None:
    """The rows of entries made on behalf of another with the grant by which it will see them, and its verdicts."""
    for one in changes:
        if one.verdict is not None:
            work.conn.execute(
                "update comity.reported set state = %s, answer_entry = %s where entry = %s",
                (one.verdict.state, one.entry.id, one.verdict.reported),
            )
    made = [(one, told) for one in changes if (told := items.behalf(one.entry.content)) is not None]
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
    papers = {told["document"]: told["agency"] for _, told in made}
    grants.grant(work.conn, [*_records(work, made), *_documents(work, papers)])


def _records(work: Work, made: Sequence[tuple[Change, Mapping[str, str]]]) -> list[Grant]:
    """Each record that was reported, whole, to the institution that it is reported of: once."""
    opened = {
        (one.entry.record, told["agency"]): sorted({"base", *one.type.groups}) for one, told in made
    }  # fmt: skip
    return [Grant(id, work.agency, to, groups, BASIS) for (id, to), groups in opened.items()]


def _documents(work: Work, papers: Mapping[str, str]) -> list[Grant]:
    """What shows it, at the version that it has now, in the groups that a document of its type opens."""
    found = []
    for id, type_name, core_type, version in work.conn.execute(
        """select id, type, core_type, version from comity.record
            where id = any(%s::uuid[]) and agency = comity.me()""",
        (list(papers),),
    ).fetchall():
        of = work.type_of(work.agency, type_name, core_type)
        found.append(Grant(id, work.agency, papers[str(id)], sorted(of.document), BASIS, version))
    return found
