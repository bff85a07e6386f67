"""What an agency's followers have to do now: asked in one statement and without its definitions, which are large.

Each follower looks again under its own locks. Here it is only found which of them need not begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from comity import clock
from comity.kernel.ledger.offer_side import WITHDRAWING
from comity.kernel.records.open_obligations import OWING
from comity.kernel.sharing import activity, digest, escalate, settle
from comity.kernel.sharing.outbox import NOTICE
from comity.kernel.sharing.subscribe import FOLLOWER
from comity.kernel.work.node import Node

_ASK = f"""select
    exists (select from comity.agency a where a.id = comity.me()
             and (a.owing is null or exists (select {OWING.format(kinds="a.owing")}))),
    exists (select from comity.offer where from_agency = comity.me() and answer_entry is not null
             and settled_entry is null)
        or exists (select from comity.offer where from_agency = comity.me() and state = 'offered'
             and expires_at <= %(now)s)
        or exists (select from comity.offer o join comity.agency a on a.id = o.to_agency
             where o.agency = comity.me() and o.state = '{WITHDRAWING}'
               and (a.state = 'suspended' or a.membership <> 'member'))
        or exists (select from comity.outbox where agency = comity.me() and follower = '{settle.NAME}'
             and state = 'due'),
    exists ({digest.DUE}),
    not exists (select from comity.escalation_round where agency = comity.me() and at > %(paced)s and at <= %(now)s)
        and (exists (select from comity.offer where comity.me() in (from_agency, to_agency))
             or exists (select from comity.outbox where agency = comity.me() and follower = '{escalate.FOLLOWER}'
                         and state = 'due')),
    coalesce((select max(agency_place) from comity.sequence where agency = comity.me()), 0)
        > coalesce((select place from comity.follower where name = '{activity.NAME}' and agency = comity.me()), 0),
    exists (select from comity.subscription where state = 'active') and comity.stream_end()
        > coalesce((select place from comity.follower where name = '{FOLLOWER}' and agency = comity.me()), 0)
        or exists (select from comity.outbox where agency = comity.me() and follower = '{NOTICE}' and state = 'due')"""


@dataclass(frozen=True, slots=True)
class PendingWork:
    """`owes`: an obligation is open, which any entry may meet, or it is not known yet what is one. The others: that
    follower has something to do."""

    suspended: bool
    owes: bool = False
    settles: bool = False
    digests: bool = False
    escalates: bool = False
    counts: bool = False
    tells: bool = False


def pending_work(node: Node, agency: str) -> PendingWork:
    """What is to be done for an agency of this node; nothing for a suspended one."""
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {"now": now, "paced": now - escalate.PACE, "today": today, "since": today - timedelta(days=digest.DAYS)}
    with node.transaction(agency) as (conn, begun):
        if begun.agency_state != "active":
            return PendingWork(suspended=True)
        row = conn.execute(_ASK, asked).fetchone()
        assert row is not None
        return PendingWork(False, *row)
