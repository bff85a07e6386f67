"""The rules of order of a catalogue: joints, escalations and sequences, read and checked together when it is loaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from comity.kernel.law.escalation import ESCALATIONS, check_escalations
from comity.kernel.law.obligation_rules import OBLIGATION_RULES, check_obligation_rules
from comity.kernel.law.overrides import check_raised
from comity.kernel.law.sequence import SEQUENCES, check_sequences
from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, Node


def check(
    files: Mapping[str, Node], types: Mapping[str, Type], roles: Collection[str], homes: frozenset[str], faults: Faults
) -> None:
    """Every fault of the rule files' `joints`, `escalations` and `sequence`.

    `roles` are the lifecycle roles that are declared. `homes` are the pillars and layers that are here: what names a
    type of another one sleeps, what names an absent type of these is refused.
    """
    joints = OBLIGATION_RULES.read(files, homes, faults)
    check_obligation_rules(joints, types, homes, faults)
    check_raised(joints, types, homes, faults)
    check_escalations(ESCALATIONS.read(files, homes, faults), types, roles, homes, faults)
    check_sequences(SEQUENCES.read(files, homes, faults), types, homes, faults)
