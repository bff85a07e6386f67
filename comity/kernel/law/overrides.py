"""What overriding a condition raises: a joint of the type, which reads what was overridden and lists what is owed."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.law.obligation_rules import ObligationRules
from comity.kernel.types.catalogue import GuardRule, Type
from comity.kernel.types.definition import Faults, nearest
from comity.kernel.types.roles import steps
from comity.sentences import say

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
            said = say("rule_unknown.raises_which_is_no_joint", code=rule.code, name=name)
            faults.add(
                "rule_unknown", rule.source, said, nearest(name, joints, say("name.write_full_name_of_joint.fix"))
            )
        return
    for law in joint.versions:
        given = law.said.given
        if of.core_name not in given.types:
            said = say("override_not_owed.is_not_given_of_so", name=name, core_name=of.core_name, code=rule.code)
            faults.add(
                "override_not_owed",
                rule.source,
                said,
                say("override_not_owed.add_to_given_of_joint.fix", core_name=of.core_name),
            )
        if OVERRIDES not in given.when or not any(mark + rule.code + mark in given.when for mark in "'\""):
            said = say("override_not_owed.does_not_ask_whether_was", name=name, code=rule.code)
            fix = say("override_not_owed.write_when_in_under_given.fix", code=rule.code, overrides=OVERRIDES)
            faults.add("override_not_owed", rule.source, said, fix)
        if law.said.door is not None:
            said = say("override_not_owed.is_enforced_on_acts_and", name=name)
            faults.add("override_not_owed", rule.source, said, say("override_not_owed.raise_joint_without_door.fix"))
