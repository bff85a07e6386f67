"""The daily digest of disclosures: who read an agency's records, entered in its own log."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid5

from comity import names
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.canonical import canonical
from comity.kernel.ledger.entry import Entry
from comity.kernel.sharing import outbox
from comity.kernel.work.follower import Follower
from comity.kernel.work.node import SYSTEM, Node, system

NAME = "disclosure-digest"
DAYS = 60
"""So many past days are looked at."""
_TODAY = "date_trunc('day', %(now)s::timestamptz at time zone 'UTC')"
DUE = f"""select distinct (at at time zone 'UTC')::date as day from comity.disclosure
            where owner = comity.me() and at < {_TODAY} at time zone 'UTC'
              and at > ({_TODAY} - interval '{DAYS} days') at time zone 'UTC'
            except select target::date from comity.outbox where follower = '{NAME}' and state = 'done'"""


def write_due(node: Node, agency: str) -> int:
    """Enter the digest of each past day (UTC) on which others read this agency's records, once a day; how many."""
    with node.work(system(agency)) as work:
        days = work.conn.execute(DUE, {"now": work.now}).fetchall()
        for (day,) in days:
            key = uuid5(UUID(int=0), f"{agency} {day}")
            outbox.owe(work.conn, NAME, agency, [(key, day.isoformat())], work.now)
            rows = work.conn.execute(
                """select id::text, agency, purpose, verb, records::text from comity.disclosure
                    where owner = comity.me() and (at at time zone 'UTC')::date = %s order by id""",
                (day,),
            ).fetchall()
            readers: dict[str, int] = {}
            for row in rows:
                readers[row[1]] = readers.get(row[1], 0) + 1
            entry = Entry(
                id=names.new_id(), agency=agency, record=names.new_id(), type="kernel.disclosures", type_version=0,
                kind="digest", act="digest", actor=SYSTEM, occurred_at=work.now, entered_at=work.now, version=1,
                state_from="", state_to="entered",
                content=items.set_fields({
                    "day": day.isoformat(), "count": len(rows), "readers": readers,
                    "digest": hashlib.sha256(canonical([list(row) for row in rows])).hexdigest(),
                }),
            )  # fmt: skip
            append(work.conn, [entry])
            outbox.done(work.conn, NAME, key, day.isoformat(), work.now)
        return len(days)


FOLLOWER = Follower(NAME, "effect", write_due, pending=f"exists ({DUE})", when="clock")
