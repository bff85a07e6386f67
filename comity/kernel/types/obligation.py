"""Obligations: a type whose records say that something is owed, to whom a record hangs on and until when.

    obligation:
      on: for              # the link to the record on which it hangs: nothing is open there before this is met
      open: [open]         # in these states something is owed
      owed_by: owed_by     # the field with the agency that owes it
      owed_to: owed_to     # optional: the field with the agency that asks for it
      met_by: meet         # optional: the act by which the system closes what a package no longer lacks
      about: about         # optional: the link to what is lacking there
      code: code           # optional: the field that tells two lacks at one place apart
      act: for_act         # optional: the field with the submitting act that it came from
      since: since         # optional: the field with the day from which it is owed; else the day of its entry
      says: [message]      # optional: the fields that say what is owed; else its title

What a package lacks (`owes` of an act) is entered in the fields of the type that are called as the members of a lack
are (extensions.Missing). An obligation of no package is entered and met by the acts of its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comity.kernel.types.definition import Faults, Form, Kind, Node, is_names, is_text, nearest

if TYPE_CHECKING:
    from comity.kernel.types.catalogue import Type

_KEYS: Mapping[str, Kind] = {
    **dict.fromkeys(("on", "owed_by", "owed_to", "met_by", "about", "code", "act", "since"), is_text),
    "open": is_names, "says": is_names,
}  # fmt: skip
_MUST = ("on", "open", "owed_by")


@dataclass(frozen=True, slots=True)
class Obligation:
    """What makes a type's records obligations; names of its links, states, act and fields. Empty: it has none."""

    on: str
    open: frozenset[str]
    owed_by: str
    owed_to: str = ""
    met_by: str = ""
    about: str = ""
    code: str = ""
    act: str = ""
    since: str = ""
    says: tuple[str, ...] = ()


def read_obligation(node: Node | None, faults: Faults) -> Obligation | None:
    if node is None:
        return None
    form = Form(node, faults, "obligation", _KEYS)
    missing = [key for key in _MUST if key not in form]
    if missing:
        fix = "write obligation: { on: link, open: [state], owed_by: field }"
        faults.add("wrong_kind", node.source, f"an obligation says {', '.join(missing)}", fix)
        return None
    named = {key: form.text(key) for key, kind in _KEYS.items() if kind is is_text}
    return Obligation(open=frozenset(form.names("open")), says=form.names("says"), **named)


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
