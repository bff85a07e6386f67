"""The rules of order of a catalogue: joints, escalations and sequences, read and checked together when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import Faults, Node
from comity.kernel.types.escalation import check_escalations, read_escalations
from comity.kernel.types.joints import check_joints, read_joints
from comity.kernel.types.sequence import check_sequences, read_sequences


def check(files: Mapping[str, Node], types: Mapping[str, Type], homes: frozenset[str], faults: Faults) -> None:
    """Every fault of the rule files' `joints`, `escalations` and `sequence`.

    `homes` are the pillars and layers that are here: what names a type of another one sleeps, what names an absent
    type of these is refused.
    """
    check_joints(read_joints(files, homes, faults), types, homes, faults)
    check_escalations(read_escalations(files, homes, faults), types, homes, faults)
    check_sequences(read_sequences(files, homes, faults), types, homes, faults)
