"""Whether a count agrees with who is housed in the unit and not out."""

from __future__ import annotations

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.sentences import say

HOUSING = "custody.housing"
PRESENT = "in_custody"


def count_agrees(facts: Facts) -> Outcome:
    """Of clearing a count: as many were counted as are housed there and in. Names numbers, not persons.

    Values: `counted` and `expected`, numbers of persons.
    """
    count = facts.subject
    expected: set[str] = set()
    for unit in facts.linked(count, "unit"):
        for housing in facts.linking(unit, HOUSING, "unit"):
            if housing.state == "current":
                expected.update(one.id for one in facts.linked(housing, "intake") if _is_in(one))
    counted = count.fields.get("counted")
    values = {"counted": counted, "expected": len(expected)}
    if counted == len(expected):
        return Outcome(values=values)
    lack = Missing(
        code="count_differs", severity="error",
        message=say("count_differs.were_counted_are_housed_there", counted=counted, count=len(expected)),
        about=count.id, about_label=count.number, owed_by=facts.agency, since=facts.today,
    )  # fmt: skip
    return Outcome([lack], values)


def _is_in(intake: Fact) -> bool:
    return intake.state == PRESENT
