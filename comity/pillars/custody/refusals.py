"""Why a record that a release names lets nobody go, each reason with its code and what to do; `{one}` is the record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason. Its code is explained in pillar.yml."""

    code: str
    message: str
    fix: str


NOT_ORDERED = Refusal(
    "release_not_ordered",
    "Nothing that is named as authority lets this person go: it is of no kind that does under this ground.",
    "Name what lets go and stands: the order that this custodian acknowledged, accepted bail, the "
    "sentence or judgment, the transfer. If a court is not here, its order is entered on its behalf "
    "with the document.",
)
ORDER_OF_ANOTHER = Refusal(
    "order_of_another",
    "{one} is about another person, stay or case.",
    "Name the order of this person. If the names differ and it is one person, enter the claim of identity first.",
)
ADDRESSED_TO_ANOTHER = Refusal(
    "addressed_to_another",
    "{one} is addressed to another.",
    "Ask the court to serve it on this custodian.",
)
ORDER_NOT_ACKNOWLEDGED = Refusal(
    "order_not_acknowledged",
    "{one} was served and is not acknowledged.",
    "Acknowledge it first.",
)
ORDER_NOT_ENTERED = Refusal(
    "order_not_entered",
    "{one} is not entered on the docket.",
    "Ask the clerk; it counts once it is entered.",
)
ORDER_NOT_IN_FORCE = Refusal(
    "order_not_in_force",
    "{one} is not in force.",
    "Name what stands.",
)
ORDER_RECALLED = Refusal(
    "order_recalled",
    "{one} was recalled.",
    "Name what stands; what was recalled lets nobody go.",
)
ORDER_STAYED = Refusal(
    "order_stayed",
    "{one} is stayed by an order of a court.",
    "Wait until the stay ends.",
)
ORDER_USED = Refusal(
    "order_used",
    "{one} has let the person go once; a later stay wants another.",
    "Name the order of this stay.",
)
BOND_NOT_ACCEPTED = Refusal(
    "bond_not_accepted",
    "The bail of {one} is furnished and not accepted.",
    "Ask the court to accept it.",
)
CHARGE_OPEN = Refusal(
    "charge_open",
    "{one} is not on all charges of its case.",
    "Wait until the others are ended as well.",
)
CONDITION_NOT_MET = Refusal(
    "condition_not_met",
    "The bail of {one} is set and not furnished.",
    "Wait until it is furnished and accepted.",
)
BAIL_ENDED = Refusal(
    "bail_ended",
    "The bail of {one} no longer stands.",
    "Ask the court.",
)
END_NOT_REACHED = Refusal(
    "end_not_reached",
    "The end of {one} was not reached when it ended.",
    "Wait for its last day.",
)
ANOTHER_TERM_RUNS = Refusal(
    "another_term_runs",
    "Beside {one} a term of imprisonment runs.",
    "Name what ends the term.",
)
PERSON_DECIDES = Refusal(
    "person_decides",
    "{one} is a paper and no act on record.",
    "A supervisor who has seen the original decides, with the reason.",
)
