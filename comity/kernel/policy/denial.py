"""What is said where no rule lets an actor do what it asked."""

from __future__ import annotations

from collections.abc import Collection

from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.language import called, called_in
from comity.kernel.types.lifecycle import named_steps
from comity.sentences import Given, Text, joined, say

_SENTENCES = {
    "act": "not_allowed.no_rule_lets_do", "amend": "not_allowed.no_rule_lets_amend",
    "answer": "not_allowed.no_rule_lets_answer", "attach": "not_allowed.no_rule_lets_attach",
    "emergency": "not_allowed.no_rule_lets_open", "enter": "not_allowed.no_rule_lets_enter",
    "find": "not_allowed.no_rule_lets_find", "read": "not_allowed.no_rule_lets_read",
}  # fmt: skip


def unasked(catalogue: Catalogue, held: Collection[str], action: str, act: str, type_name: str) -> Text:
    """No rule lets who holds these roles do this with a record of the type; `act` names the act or answer."""
    of = catalogue.types.get(type_name)
    who = joined((called_in(catalogue.roles, name) for name in sorted(held)), "and")
    return say(
        _SENTENCES[action], who=who if held else say("not_allowed.this_actor"), agency=catalogue.agency,
        act=called_in(named_steps(of), act) if of else Given(act), type=called(of) if of else Given(type_name),
    )  # fmt: skip
