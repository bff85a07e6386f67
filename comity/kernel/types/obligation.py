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

from collections.abc import Mapping
from dataclasses import dataclass

from comity.kernel.types.definition import Faults, Form, Kind, Node, is_names, is_text
from comity.sentences import say

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
        fix = say("wrong_kind.write_obligation.fix")
        faults.add("wrong_kind", node.source, say("wrong_kind.obligation_says", missing=", ".join(missing)), fix)
        return None
    named = {key: form.text(key) for key, kind in _KEYS.items() if kind is is_text}
    return Obligation(open=frozenset(form.names("open")), says=form.names("says"), **named)
