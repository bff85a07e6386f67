"""A condition that somebody may override: declared beside it, said with the act, and owed for afterwards.

    guard:
      - when: "linked.permit.all(p, p.state != 'recalled')"
        code: permit_recalled
        override: { by: [supervisor], needs: reason, raises: keeping.orders.permit_renewed }

`by` are lifecycle roles, `raises` the joint (by its full name) that lists what is owed until it is done: it is given of
this type and reads `given.overrides`, the codes that were overridden on the record.
"""

from __future__ import annotations

from dataclasses import dataclass

from comity.kernel.types.definition import Faults, Form, Kind, is_names, is_text
from comity.sentences import say

_KEYS: dict[str, Kind] = {"by": is_names, "needs": lambda value: value == REASON, "raises": is_text}
REASON = "reason"


@dataclass(frozen=True, slots=True)
class Override:
    """Who may override a condition, in one of the lifecycle roles `by` and with a reason; `raises` is a joint."""

    by: frozenset[str]
    raises: str


def read_override(guard: Form, faults: Faults) -> Override | None:
    """What stands under `override` of a guard. Each of its keys is needed, and the guard has a code of its own."""
    node = guard.get("override")
    if node is None:
        return None
    form = Form(node, faults, "override", _KEYS)
    for key in _KEYS:
        if key not in form:
            faults.add("wrong_kind", node.source, say("wrong_kind.override_has_no", key=key))
    if "code" not in guard:
        said = say("wrong_kind.condition_that_may_be_overridden")
        faults.add("wrong_kind", node.source, said, say("wrong_kind.add_code_to_guard.fix"))
    return Override(frozenset(form.names("by")), form.text("raises"))
