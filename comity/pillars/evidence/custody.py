"""Who holds an item: the rule behind every hand-over."""

from __future__ import annotations

from collections.abc import Sequence

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.sentences import say

TRANSFER = "evidence.custody_transfer"
TAKEN_OVER = ("accepted", "accepted_with_discrepancy")


def holder(item: Fact, transfers: Sequence[Fact]) -> str:
    """The agency that holds `item` after its transfers: the receiver of the last one accepted, else the owner."""
    done = [one for one in transfers if one.offer is not None and one.offer.state in TAKEN_OVER]
    done.sort(key=lambda one: one.offer.answered_at if one.offer and one.offer.answered_at else one.entered_at)
    return done[-1].offer.to_agency if done and done[-1].offer else item.agency


def holder_hands_over(facts: Facts) -> Outcome:
    """Of entering a transfer: only the present holder hands an item over, and not twice at once.

    The subject is the transfer being entered. Transfers that the acting agency may not see cannot be judged; the
    owner of the item sees them all, and so does the referral that checks the whole chain.
    """
    transfer = facts.subject
    missing = []
    for item in facts.linked(transfer, "item"):
        others = [one for one in facts.linking(item, TRANSFER, "item") if one.id != transfer.id]
        waiting = [one for one in others if one.offer is not None and one.offer.state == "offered"]
        held_by = holder(item, others)
        label = item.number or item.title
        if held_by != facts.agency:
            missing.append(
                Missing(
                    code="not_the_holder",
                    severity="error",
                    message=say(
                        "not_the_holder.is_held_by_so_cannot", label=label, held_by=held_by, agency=facts.agency
                    ),
                    about=item.id,
                    about_label=label,
                    owed_by=held_by,
                    since=facts.today,
                )
            )
        for one in waiting:
            missing.append(
                Missing(
                    code="transfer_waiting",
                    severity="error",
                    message=say("transfer_waiting.is_already_on_its_way", label=label, number=one.number),
                    about=one.id,
                    about_label=one.number,
                    owed_by=one.offer.to_agency if one.offer else "",
                    since=facts.today,
                )
            )
    return Outcome(missing)
