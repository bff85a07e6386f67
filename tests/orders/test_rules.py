"""The readers of the rules of order: `rules/right` loads, and each file of `rules/wrong` is refused for its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.config import loader
from comity.kernel.definitions.load import load
from comity.kernel.definitions.profile import check_folders
from comity.kernel.law.escalation import ESCALATIONS
from comity.kernel.law.obligation_rules import OBLIGATION_RULES
from comity.kernel.law.sequence import SEQUENCES
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from comity.kernel.types.definition import DefinitionsRefused
from tests.pillars.stage import Stage, refused

RULES = Path(__file__).parent / "rules"
RIGHT, WRONG = sorted(RULES.glob("right/*.yml")), sorted(RULES.glob("wrong/*.yml"))
LAND = {"jurisdiction.yml": "jurisdiction: land\ntitle: Land\nzone: UTC\n"}


def law(file: Path) -> dict[str, str]:
    return {**LAND, "rules/orders.yml": file.read_text(encoding="utf-8")}


@pytest.mark.parametrize("file", RIGHT, ids=lambda one: one.stem)
def test_right(file: Path) -> None:
    made = load(loader.core_files(), law(file))
    before = load(loader.core_files(), LAND)
    readers = (OBLIGATION_RULES.of, ESCALATIONS.of, SEQUENCES.of)
    assert any(reader(made.rules) != reader(before.rules) for reader in readers), "what it says is read"


@pytest.mark.parametrize("file", WRONG, ids=lambda one: one.stem)
def test_wrong(file: Path) -> None:
    with pytest.raises(DefinitionsRefused) as caught:
        load(loader.core_files(), law(file))
    found = [one for one in caught.value.faults if one.code == file.stem.partition(".")[0]]
    assert found, [(one.code, one.message) for one in caught.value.faults]
    assert all(one.path.startswith("rules/orders.yml:") and one.fix for one in found)


def test_a_gap_is_refused_at_the_check_of_folders_and_at_installation(stage: Stage) -> None:
    gap = law(RULES / "wrong" / "rule_gap.escalation.yml")
    checked = check_folders(loader.core_files(), {"land": gap}, {})
    assert "rule_gap" in {one.code for one in checked.faults}
    own = {
        "agency.yml": "agency: land-court\ntitle: Court\njurisdiction: land\nzone: UTC\npurpose: trial\n",
        "roles.yml": "roles: { clerk: { title: Clerk, is: [clerk], read: { '*': all } } }\n",
    }
    with refused("definitions_refused", "rule_gap"):
        install(stage.node, tokens.operator(), agency="land-court", core=loader.core_files(), jurisdiction=gap, own=own)


def test_a_rule_of_a_pillar_without_its_partners_sleeps() -> None:
    alone = {path: text for path, text in loader.core_files().items() if path.split("/")[0] in ("registry", "custody")}
    joints = OBLIGATION_RULES.of(load(alone, LAND).rules)
    assert "custody.orders.released" in joints
    assert "court.orders.served" not in joints
