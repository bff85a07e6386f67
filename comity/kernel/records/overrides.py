"""What an act overrides: conditions that may be, by whom, with a reason. What was overridden is said by the entry.

A condition that holds is not overridden: whoever says so is refused, so that an entry names only what did not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.errors import Fault
from comity.kernel.policy.actor import acting_roles
from comity.kernel.records.proposal import Proposal
from comity.kernel.types.catalogue import GuardRule
from comity.kernel.types.override import REASON
from comity.kernel.work.node import Work

NEEDS = (REASON,)
PATH = "override"
MOST = 20
"""How many codes one act may name: more than any act has conditions that may be overridden."""


def faults(work: Work, asked: Proposal) -> list[Fault]:
    """Of what is overridden, what no condition of the act lets anybody override, and what it does not let this member.
    That a reason is given is asked with what the act needs."""
    known = {rule.code: rule for rule in asked.rule.guards if rule.override}
    if len(asked.words.override) > MOST:
        said = f"{len(asked.words.override)} codes are named, and {MOST} are read"
        return [Fault("override_unknown", PATH, said, f"name what is overridden; {_those(known)} can be")]
    held = _lifecycle_roles(work)
    found = []
    for code in dict.fromkeys(asked.words.override):
        rule = known.get(code)
        if rule is None:
            said = f"no condition of {asked.rule.name} with this code can be overridden"
            found.append(Fault("override_unknown", PATH, said, f"leave it out; {_those(known)} can be"))
        elif rule.override is not None and not rule.override.by & held:
            said = f"{code} is overridden by {_titles(work, rule)} alone"
            found.append(Fault("override_not_allowed", PATH, said, f"have it done by {_titles(work, rule)}"))
    return found


def refused(work: Work, rule: GuardRule, fix: str) -> str:
    """What to do about a condition that does not hold, and who may override it where somebody may."""
    if rule.override is None:
        return fix
    said = f"It is overridden by {_titles(work, rule)}, with a reason and override {rule.code}."
    return f"{fix} {said}".strip()


def needless(asked: Proposal, overridden: Sequence[str]) -> list[Fault]:
    """What was to be overridden and holds."""
    return [
        Fault("override_not_needed", PATH, f"the condition {code} holds", "send it again without override")
        for code in dict.fromkeys(asked.words.override)
        if code not in overridden
    ]


def _lifecycle_roles(work: Work) -> frozenset[str]:
    held = acting_roles(work.actor, work.catalogue)
    return held.union(*(work.catalogue.roles[role].is_ for role in held))


def _titles(work: Work, rule: GuardRule) -> str:
    known = work.catalogue.lifecycle_roles
    by = sorted(rule.override.by) if rule.override else []
    return " or ".join(known[name].title if name in known else name for name in by)


def _those(known: Mapping[str, GuardRule]) -> str:
    return " and ".join(known) or "none of its conditions"
