"""What overriding a condition raises: a joint of the type, which reads what was overridden and lists what is owed."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.law.obligation_rules import ObligationRules
from comity.kernel.types.catalogue import GuardRule, Type
from comity.kernel.types.definition import Faults, nearest
from comity.kernel.types.roles import steps

OVERRIDES = "given.overrides"
"""How the condition of a joint's given reads the codes that were overridden on the record."""


def check_raised(joints: ObligationRules, types: Mapping[str, Type], homes: frozenset[str], faults: Faults) -> None:
    """Overrides that raise nothing: rule_unknown, and override_not_owed for a joint that is given of another type, does
    not read of this code, or is enforced on the act itself. A joint of a pillar that is not here is passed over."""
    for of in types.values():
        for step in steps(of):
            for rule in step.guards:
                if rule.override is not None and rule.override.raises:
                    _check(of, rule, rule.override.raises, joints, homes, faults)


def _check(
    of: Type, rule: GuardRule, name: str, joints: ObligationRules, homes: frozenset[str], faults: Faults
) -> None:
    joint = joints.get(name)
    if joint is None:
        if name.partition(".")[0] in homes:
            said = f"{rule.code} raises {name}, which is no joint"
            faults.add("rule_unknown", rule.source, said, nearest(name, joints, "write the full name of a joint"))
        return
    for law in joint.versions:
        given = law.said.given
        if of.core_name not in given.types:
            said = f"{name} is not given of {of.core_name}, so it owes nothing for {rule.code}"
            faults.add("override_not_owed", rule.source, said, f"add {of.core_name} to given: of the joint")
        if OVERRIDES not in given.when or not any(mark + rule.code + mark in given.when for mark in "'\""):
            said = f"{name} does not ask whether {rule.code} was overridden"
            fix = f"write when: \"'{rule.code}' in {OVERRIDES}\" under given: of the joint"
            faults.add("override_not_owed", rule.source, said, fix)
        if law.said.door is not None:
            said = f"{name} is enforced on acts, and what is overridden is done first and owed then"
            faults.add("override_not_owed", rule.source, said, "raise a joint without door:")
