"""Deliveries that were made, and answers that were followed, long ago leave the outbox; what they wrote stays.

Nothing is done twice for it. What a subscription is owed is found from the follower's place onwards, which moved past
the entry in the transaction that owed it, and a stopped subscription is caught up from the place where it stopped. An
answer is owed only while its offer names no entry that follows it.
Dead letters and what is due stay, however old, and so do the effects whose row alone says that they were done:
digests, escalations, the stop of a subscription. The database refuses to delete those (policy `delivered_only`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from comity.kernel.sharing import settle
from comity.kernel.sharing.outbox import NOTICE, WEBHOOK
from comity.kernel.work.node import Node

BATCH = 1_000
DONE_WITH = (NOTICE, WEBHOOK, settle.NAME)


def prune(node: Node, agency: str, now: datetime) -> int:
    """Delete one batch of the oldest deliveries, made before the node's period; how many. One transaction.

    A row that another transaction holds is passed by. A suspended agency's are pruned like any other's.
    """
    with node.transaction(agency) as (conn, _):
        return conn.execute(
            """with old as materialized (
                   select follower, entry, target from comity.outbox
                    where agency = %s and state = 'done' and follower = any(%s) and changed_at < %s
                    order by changed_at limit %s for update skip locked)
               delete from comity.outbox o using old
                where (o.follower, o.entry, o.target) = (old.follower, old.entry, old.target)""",
            (agency, list(DONE_WITH), now - timedelta(days=node.outbox_days), BATCH),
        ).rowcount
