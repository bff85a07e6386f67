"""Why a record that a release names lets nobody go: one code each, explained in pillar.yml, said by the catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, by its code."""

    code: str


NOT_ORDERED = Refusal("release_not_ordered")
ORDER_OF_ANOTHER = Refusal("order_of_another")
ADDRESSED_TO_ANOTHER = Refusal("addressed_to_another")
ORDER_NOT_ACKNOWLEDGED = Refusal("order_not_acknowledged")
ORDER_NOT_ENTERED = Refusal("order_not_entered")
ORDER_NOT_IN_FORCE = Refusal("order_not_in_force")
ORDER_RECALLED = Refusal("order_recalled")
ORDER_STAYED = Refusal("order_stayed")
ORDER_USED = Refusal("order_used")
BOND_NOT_ACCEPTED = Refusal("bond_not_accepted")
CHARGE_OPEN = Refusal("charge_open")
CONDITION_NOT_MET = Refusal("condition_not_met")
BAIL_ENDED = Refusal("bail_ended")
END_NOT_REACHED = Refusal("end_not_reached")
ANOTHER_TERM_RUNS = Refusal("another_term_runs")
PERSON_DECIDES = Refusal("person_decides")
