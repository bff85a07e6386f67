"""Words of definitions in a second language: shown where they were given, English elsewhere."""

from __future__ import annotations

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.language import languages, spoken

INSTITUTIONS = ("in-police", "in-fsl", "in-prosecution", "in-court", "in-prison")


@pytest.fixture(scope="module")
def district() -> dict[str, Catalogue]:
    law = read_folder(paths.jurisdictions() / "india")
    return {one: load(loader.core_files(), law, read_folder(paths.agencies() / one)) for one in INSTITUTIONS}


def test_a_type_is_spoken_in_hindi(district: dict[str, Catalogue]) -> None:
    english = district["in-police"].type("india.fir")
    hindi = spoken(english, "hi")
    assert (english.title, hindi.title) == ("First information report", "प्रथम सूचना रिपोर्ट")
    assert hindi.fields["sections"].label == "धाराएँ" and hindi.links["accused"].label == "अभियुक्त"
    assert hindi.states["registered"].label == "दर्ज" and hindi.acts["transfer"].label == "स्थानांतरण"
    assert spoken(english, "fr").title == english.title, "what is not given stands in English"
    assert english.fields["sections"].label == "Sections of law", "the agency's own definitions stay as they are"


@pytest.mark.parametrize("agency", INSTITUTIONS)
def test_every_type_of_the_law_of_india_and_what_it_adds_has_its_hindi_word(
    district: dict[str, Catalogue], agency: str
) -> None:
    catalogue = district[agency]
    assert "hi" in languages(catalogue) and catalogue.definition.language == "hi"
    own = [of for of in catalogue.types.values() if of.owner_layer == "jurisdiction" or of.name.startswith("india.")]
    assert len(own) >= 13
    bare = [of.name for of in own if "hi" not in of.labels]
    bare += [
        f"{of.name}.{one.name}"
        for of in catalogue.types.values()
        for one in of.fields.values()
        if (of in own or one.name.startswith("india:")) and "hi" not in one.labels
    ]
    assert bare == []
