"""The followers there are, in the order in which a round runs them: what the worker and pending_work iterate."""

from __future__ import annotations

from comity.errors import Problem
from comity.kernel.exchange import obligations
from comity.kernel.sharing import activity, deliver, digest, escalate, mark_delivery, settle
from comity.kernel.work.follower import Follower, Statistic
from comity.sentences import say

FOLLOWERS: tuple[Follower, ...] = (
    mark_delivery.FOLLOWER,
    settle.FOLLOWER,
    obligations.FOLLOWER,
    digest.FOLLOWER,
    escalate.FOLLOWER,
    activity.FOLLOWER,
    deliver.DELIVERIES,
)


def statistics() -> dict[str, Statistic]:
    """What followers show, by their names."""
    return {one.name: one.statistic for one in FOLLOWERS if one.statistic is not None}


def statistic(name: str) -> Statistic:
    """One of them. Problem `statistic_unknown` naming those that there are."""
    found = statistics()
    if name not in found:
        known = ", ".join(found) or "none"
        raise Problem(
            "statistic_unknown", say("statistic_unknown.no_follower_keeps_statistic", name=name[:80], known=known)
        )
    return found[name]
