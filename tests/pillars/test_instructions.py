"""The instruction pages are followed word for word: what they say to paste is what loads."""

from __future__ import annotations

import re
from pathlib import Path

from comity.kernel.definitions import examples, profile
from comity.kernel.definitions.load import load, read_core, read_folder
from comity.kernel.types import lifecycle

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```yaml (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FEDERAL = read_folder(ROOT / "jurisdictions" / "us-federal")
CORE = read_core(ROOT / "comity" / "pillars")


def pasted(page: str, below: str) -> dict[str, str]:
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text())
    return {path.removeprefix(below): text for path, text in blocks if path.startswith(below)}


def test_a_new_agency_by_yaml_alone() -> None:
    nps = load(CORE, FEDERAL, pasted("adding_an_agency.md", "agencies/nps/"))
    assert nps.agency == "nps"
    assert "nps:trail" in nps.type("investigation.incident").fields
    assert nps.type("investigation.case").fields["program"].core_code("poaching") == "violent_crime"
    assert {one.to for one in nps.agreements} == {"atf"}


def test_a_new_two_sided_type_by_yaml_alone() -> None:
    core = {**CORE, **pasted("adding_a_type.md", "comity/pillars/")}
    results = examples.run(load(core))
    assert [one for one in results if not one.ok] == []
    assert any(one.type == "evidence.loan" for one in results)
    own = pasted("adding_an_agency.md", "agencies/nps/") | pasted("adding_a_type.md", "agencies/nps/")
    nps = load(core, FEDERAL, own)
    atf = load(core, FEDERAL, read_folder(ROOT / "agencies" / "atf"))
    loan = atf.type("evidence.loan")
    assert loan.offer is not None and loan.counterparty == "borrower"
    assert lifecycle.step(loan, "accepted", "offered") == "on_loan"
    assert "evidence.loan" in nps.agreements[0].offers


def test_a_new_pillar_installs_beside_all_agencies_and_asks_nothing_of_them() -> None:
    core = {**CORE, **pasted("adding_a_pillar.md", "comity/pillars/")}
    laws = {
        one.parent.name: read_folder(one.parent, pairs=True) for one in ROOT.glob("jurisdictions/*/jurisdiction.yml")
    }
    agencies = {one.parent.name: read_folder(one.parent) for one in ROOT.glob("agencies/*/agency.yml")}
    found = profile.check_folders(core, laws, agencies)
    assert [(one.name, one.faults, one.examples) for one in found.layers if not one.ok] == []
    assert len(found.layers) == 1 + len(laws) + len(agencies) >= 1 + 3 + 16


def test_the_new_pillar_says_all_that_the_kernel_must_know_of_it() -> None:
    core = {**CORE, **pasted("adding_a_pillar.md", "comity/pillars/")}
    made = load(core, FEDERAL, pasted("adding_a_pillar.md", "agencies/board/"))
    assert {name for name, one in made.lifecycle_roles.items() if one.home == "parole"} == {
        "board_member",
        "board_clerk",
    }
    assert made.marks["deliberation"].roles == {"board_member"} and made.definition.purpose == "parole"
    requirement = made.type("parole.requirement").obligation
    assert requirement is not None and (requirement.on, requirement.open) == ("review", {"owed"})
    assert made.type("parole.report").offer is not None
    assert [one.extension for one in made.type("parole.review").acts["decide"].guards if one.extension] == [
        "parole.quorum"
    ]
    assert ("parole.review", "mistaken") in made.in_error()
