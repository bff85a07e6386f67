"""The page on adding a jurisdiction is followed word for word: it loads, its examples hold, and it is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.config import loader
from comity.kernel.definitions import examples
from comity.kernel.definitions.load import load
from tests.pillars.stage import Stage, refused, staged
from tests.pillars.test_instructions import pasted
from tests.world import day, instant

PAGE = "adding_a_jurisdiction.md"
LAW = pasted(PAGE, "jurisdictions/norland/")
POLICE = pasted(PAGE, "agencies/nor-police/")
COURT = pasted(PAGE, "agencies/nor-court/")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("norland")) as on:
        on.install("nor-police", loader.core_files(), LAW, POLICE)
        on.install("nor-court", loader.core_files(), LAW, COURT)
        on.seat("nor-police", "constable", "constable")
        on.seat("nor-court", "judge", "judge")
        on.seat("nor-court", "registrar", "registrar")
        yield on


def test_a_country_is_yaml_alone() -> None:
    assert all(name.endswith(".yml") for name in (*LAW, *POLICE, *COURT))
    found = load(loader.core_files(), LAW)
    results = [one for one in examples.run(found) if one.file.startswith("norland.")]
    assert results and [one for one in results if not one.ok] == []
    assert found.type("norland.accusation").labels["no"] == "Siktelse"
    assert "norland:weeks" in found.type("court.order").fields


def test_its_procedure_is_played(stage: Stage) -> None:
    accused = stage.enter("constable", "registry.person", {"role": "subject", "name": "Kari Eksempel"})
    told = {"court": "nor-court", "section": "theft", "facts": "A boat was taken."}
    first = stage.enter("constable", "norland.accusation", told, accused=accused)
    stage.answer("registrar", first, "objected", objections="Which boat?")
    again = stage.enter("constable", "norland.accusation", told, accused=accused, replaces=first)
    with refused("invalid", "objected_twice"):
        stage.answer("registrar", again, "objected", objections="And whose?")
    stage.answer("registrar", again, "registered", court_number="7/2026")
    party = stage.enter("registrar", "registry.person", {"role": "defendant"}, taken_from=accused)
    case = stage.enter(
        "registrar",
        "court.case",
        {"kind": "criminal", "caption": "Norland v. Eksempel", "opened_on": day()},
        defendant=party,
        instrument=again,
    )
    order = {
        "kind": "detention",
        "title": "Detention",
        "terms": "Detained.",
        "reasons": "Flight.",
        "addressees": ["nor-police"],
    }
    bare = stage.enter("registrar", "court.order", order, case=case)
    with refused("invalid", "weeks_missing"):
        stage.act("judge", bare, "sign")
    made = stage.enter("registrar", "court.order", {**order, "norland:weeks": 2}, case=case)
    stage.act("judge", made, "sign")
    line = stage.enter("registrar", "court.docket_entry", {"entered_on": day(), "text": "Detained"}, case=case)
    stage.act("registrar", made, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    service = stage.enter("registrar", "court.order_service", {"addressee": "nor-police", "duty": "detain"}, order=made)
    stage.answer("constable", service, "acknowledged", acknowledged_at=instant())
    assert stage.fields("constable", made)["norland:weeks"] == 2
