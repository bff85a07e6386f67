"""What is kept for a time: deliveries that were made and answers that were followed, and traces of refused acts.

Deliveries and answers leave the outbox; what they wrote stays.

Nothing is done twice for it. What a subscription is owed is found from the follower's place onwards, which moved past
the entry in the transaction that owed it, and a stopped subscription is caught up from the place where it stopped. An
answer is owed only while its offer names no entry that follows it.
Dead letters and what is due stay, however old, and so do the effects whose row alone says that they were done:
digests, escalations, the stop of a subscription. The database refuses to delete those (policy `delivered_only`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from comity.kernel.sharing import channels, outbox
from comity.kernel.sharing.followers import FOLLOWERS
from comity.kernel.work import refusals
from comity.kernel.work.node import Node

BATCH = 1_000


def prune(node: Node, agency: str, now: datetime) -> int:
    """Delete one batch each of the oldest deliveries and traces, from before the node's periods; how many. One
    transaction. A row that another transaction holds is passed by. A suspended agency's are pruned like any other's.
    """
    with node.transaction(agency) as (conn, _):
        done_with = [*channels.effects(), *(one.name for one in FOLLOWERS if one.forgets)]
        delivered = outbox.drop(conn, agency, done_with, now - timedelta(days=node.outbox_days), BATCH)
        return delivered + refusals.drop(conn, now - timedelta(days=node.refusal_days), BATCH)
