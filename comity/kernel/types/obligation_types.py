"""The types that are obligations: what is wrong with how they are declared, and as plain data for SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, nearest
from comity.kernel.types.obligation import Obligation
from comity.sentences import say


def check_obligations(types: Mapping[str, Type], faults: Faults) -> None:
    """Links, states, act and fields that a type's obligation names and the type has not."""
    for of in types.values():
        if of.obligation is not None:
            _check(of, of.obligation, faults)


def _check(of: Type, one: Obligation, faults: Faults) -> None:
    for name in _unknown((one.on, one.about), of.links):
        faults.add(
            "link_unknown",
            of.source,
            say("link_unknown.obligation_names_no", of=of.name, name=name),
            nearest(name, of.links),
        )
    for name in _unknown((one.met_by,), of.acts):
        faults.add(
            "act_unknown",
            of.source,
            say("act_unknown.obligation_names_no", of=of.name, name=name),
            nearest(name, of.acts),
        )
    for name in _unknown((one.owed_by, one.owed_to, one.code, one.act, one.since, *one.says), of.fields):
        faults.add(
            "field_unknown",
            of.source,
            say("field_unknown.obligation_names_no", of=of.name, name=name),
            nearest(name, of.fields),
        )
    for name in _unknown(sorted(one.open), of.states):
        faults.add(
            "state_unknown",
            of.source,
            say("state_unknown.obligation_names_no", of=of.name, name=name),
            nearest(name, of.states),
        )


def _unknown(names: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    return [name for name in names if name and name not in known]


def check_owed(types: Mapping[str, Type], faults: Faults) -> None:
    """`obligation_unknown` where an act's package owes what is no obligation, or one that nothing closes."""
    for of in types.values():
        for act in of.acts.values():
            owed = types.get(act.owes or "")
            if owed is not None and (owed.obligation is None or not owed.obligation.met_by):
                said = say(
                    "obligation_unknown.of_owes_which_does_not", name=act.name, of_name=of.name, owed_name=owed.name
                )
                fix = say("obligation_unknown.declare_obligation_with_met_by.fix", name=owed.name)
                faults.add("obligation_unknown", act.source, said, fix)


def owing(types: Iterable[Type]) -> list[dict[str, Any]]:
    """The types that are obligations, as plain data for SQL: type, the link to what they hang on, open states, the
    link to what they are about and the field with who owes them. A type derived from another is found as that one."""
    return [
        {"type": of.name, "link": one.on, "open": sorted(one.open), "about": one.about, "owed_by": one.owed_by}
        for of in sorted(types, key=lambda of: of.name)
        if (one := of.obligation) is not None and of.name == of.core_name
    ]  # fmt: skip
