"""The rows of entries made on behalf of another, and the grant by which it will see them: written with the entries."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.work.change import Change
from comity.kernel.work.node import Work
from comity.kernel.work.on_behalf import BASIS


def write(work: Work, changes: Sequence[Change]) -> None:
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
