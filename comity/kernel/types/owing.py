"""Which types of a catalogue are obligations: whether what they declare is there, and what SQL asks by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, nearest


def check_obligation(of: Type, faults: Faults) -> None:
    """Links, states, act and fields that the type has not."""
    one = of.obligation
    if one is None:
        return
    asked = [
        (one.on, of.links, "link_unknown", "link"), (one.about, of.links, "link_unknown", "link"),
        (one.met_by, of.acts, "act_unknown", "act"), *((name, of.fields, "field_unknown", "field")
        for name in (one.owed_by, one.owed_to, one.code, one.act, one.since, *one.says)),
        *((name, of.states, "state_unknown", "state") for name in sorted(one.open)),
    ]  # fmt: skip
    for name, known, code, what in asked:
        if name and name not in known:
            faults.add(code, of.source, f"the obligation of {of.name} names no {what}: {name}", nearest(name, known))


def check_owed(types: Mapping[str, Type], faults: Faults) -> None:
    """`obligation_unknown` where an act's package owes what is no obligation, or one that nothing closes."""
    for of in types.values():
        for act in of.acts.values():
            owed = types.get(act.owes or "")
            if owed is not None and (owed.obligation is None or not owed.obligation.met_by):
                said = f"{act.name} of {of.name} owes {owed.name}, which does not say how an obligation of it is met"
                fix = f"declare obligation: with met_by: in the type {owed.name}"
                faults.add("obligation_unknown", act.source, said, fix)


def owing(types: Iterable[Type]) -> list[dict[str, Any]]:
    """The types that are obligations, as plain data for SQL: type, the link to what they hang on, open states, the
    link to what they are about and the field with who owes them. A type derived from another is found as that one."""
    return [
        {"type": of.name, "link": one.on, "open": sorted(one.open), "about": one.about, "owed_by": one.owed_by}
        for of in sorted(types, key=lambda of: of.name)
        if (one := of.obligation) is not None and of.name == of.core_name
    ]  # fmt: skip
