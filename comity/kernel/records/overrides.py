"""What an act overrides: conditions that may be, by whom, with a reason. What was overridden is said by the entry.

A condition that holds is not overridden: whoever says so is refused, so that an entry names only what did not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.errors import Fault
from comity.kernel.policy.actor import acting_roles
from comity.kernel.records.proposal import Proposal
from comity.kernel.types.catalogue import GuardRule
from comity.kernel.types.language import called, called_in
from comity.kernel.types.override import REASON
from comity.kernel.work.node import Work
from comity.sentences import Text, joined, say

NEEDS = (REASON,)
PATH = "override"
MOST = 20
"""How many codes one act may name: more than any act has conditions that may be overridden."""


def faults(work: Work, asked: Proposal) -> list[Fault]:
    """Of what is overridden, what no condition of the act lets anybody override, and what it does not let this member.
    That a reason is given is asked with what the act needs."""
    known = {rule.code: rule for rule in asked.rule.guards if rule.override}
    if len(asked.words.override) > MOST:
        said = say("override_unknown.codes_are_named_and_are", count=len(asked.words.override), most=MOST)
        return [
            Fault(
                "override_unknown",
                PATH,
                said,
                say("override_unknown.name_what_is_overridden_can.fix", those=_those(known)),
            )
        ]
    held = _lifecycle_roles(work)
    found = []
    for code in dict.fromkeys(asked.words.override):
        rule = known.get(code)
        if rule is None:
            said = say("override_unknown.no_condition_of_with_this", name=called(asked.rule))
            found.append(
                Fault(
                    "override_unknown", PATH, said, say("override_unknown.leave_it_out_can_be.fix", those=_those(known))
                )
            )
        elif rule.override is not None and not rule.override.by & held:
            said = say("override_not_allowed.is_overridden_by_alone", code=code, titles=_titles(work, rule))
            found.append(
                Fault(
                    "override_not_allowed",
                    PATH,
                    said,
                    say("override_not_allowed.have_it_done_by.fix", titles=_titles(work, rule)),
                )
            )
    return found


def refused(work: Work, rule: GuardRule, fix: Text) -> Text:
    """What to do about a condition that does not hold, and who may override it where somebody may."""
    if rule.override is None:
        return fix
    said = say("override.is_overridden_by", titles=_titles(work, rule), code=rule.code)
    return joined((fix, said), "space") if fix else said


def needless(asked: Proposal, overridden: Sequence[str]) -> list[Fault]:
    """What was to be overridden and holds."""
    return [
        Fault("override_not_needed", PATH, say("override_not_needed.condition_holds", code=code))
        for code in dict.fromkeys(asked.words.override)
        if code not in overridden
    ]


def _lifecycle_roles(work: Work) -> frozenset[str]:
    held = acting_roles(work.actor, work.catalogue)
    return held.union(*(work.catalogue.roles[role].is_ for role in held))


def _titles(work: Work, rule: GuardRule) -> Text:
    known = work.catalogue.lifecycle_roles
    by = sorted(rule.override.by) if rule.override else []
    return joined((called_in(known, name) for name in by), "or")


def _those(known: Mapping[str, GuardRule]) -> Text:
    return joined(known, "and") if known else say("override.none_of_its_conditions")
