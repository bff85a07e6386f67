"""Words of definitions in a second language: shown where they were given, English elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import DefinitionsRefused
from comity.kernel.types.language import languages, spoken
from comity.kernel.types.lifecycle import answers
from tests.types.world import layers, world

INSTITUTIONS = ("in-police", "in-fsl", "in-prosecution", "in-court", "in-prison")


@pytest.fixture(scope="module")
def district() -> dict[str, Catalogue]:
    law = read_folder(paths.jurisdictions() / "india")
    return {one: load(loader.core_files(), law, read_folder(paths.agencies() / one)) for one in INSTITUTIONS}


def test_a_type_is_spoken_in_hindi(district: dict[str, Catalogue]) -> None:
    english = district["in-police"].type("india.fir")
    hindi = spoken(english, "hi")
    assert (english.title, hindi.title) == ("First information report", "प्रथम सूचना रिपोर्ट")
    assert hindi.fields["sections"].label == "विधि की धाराएँ" and hindi.links["accused"].label == "अभियुक्त"
    assert hindi.states["registered"].label == "पंजीकृत" and hindi.acts["transfer"].label == "अंतरित करना"
    assert hindi.groups["narrative"].title == "सूचना"
    assert hindi.acts["transfer"].guards[0].message == "केवल जीरो एफआईआर दूसरे थाने को अंतरित होती है।"
    assert english.acts["transfer"].guards[0].message == "Only a zero FIR is transferred to another station."
    assert spoken(english, "fr").title == english.title, "what is not given stands in English"
    assert english.fields["sections"].label == "Sections of law", "the agency's own definitions stay as they are"


WITHOUT_HINDI: frozenset[str] = frozenset()
"""What may lack its Hindi word: this list shrinks and never grows."""


def lacking(catalogue: Catalogue) -> Iterator[str]:
    """Each label of an agency's definitions that has no Hindi word, by where it stands."""
    for of in catalogue.types.values():
        parts: dict[str, Mapping[str, Any]] = {
            "field": of.fields, "link": of.links, "state": of.states, "act": of.acts, "answer": answers(of.offer),
            "group": {name: one for name, one in of.groups.items() if name != "base"}, "type": {of.name: of},
        }  # fmt: skip
        yield from (
            f"{of.name} {kind} {name}"
            for kind, held in parts.items() for name, one in held.items() if "hi" not in one.labels
        )  # fmt: skip
        for done in (*of.acts.values(), *answers(of.offer).values()):
            yield from (
                f"{of.name} condition {done.name} {one.code}"
                for one in done.guards
                if (one.message and "hi" not in one.messages) or (one.fix and "hi" not in one.fixes)
            )
    for name, listed in catalogue.codes.items():
        yield from (f"code {name}:{code}" for code, one in listed.values.items() if "hi" not in one.labels)
    yield from (f"mark {name}" for name, one in catalogue.marks.items() if "hi" not in one.labels)


@pytest.mark.parametrize("agency", INSTITUTIONS)
def test_every_label_of_the_indian_agencies_has_its_hindi_word(district: dict[str, Catalogue], agency: str) -> None:
    catalogue = district[agency]
    assert "hi" in languages(catalogue) and catalogue.definition.language == "hi"
    assert len(catalogue.types) >= 70 and len(catalogue.codes) >= 60
    assert set(lacking(catalogue)) == WITHOUT_HINDI


def test_what_lacks_its_word_is_found(district: dict[str, Catalogue]) -> None:
    catalogue = district["in-police"]
    fir = catalogue.type("india.fir")
    transfer, registered = fir.acts["transfer"], fir.states["registered"]
    mute = replace(transfer, guards=tuple(replace(one, messages={}) for one in transfer.guards))
    states = {**fir.states, "registered": replace(registered, labels={})}
    bare = replace(fir, labels={}, states=states, acts={**fir.acts, "transfer": mute})
    assert set(lacking(replace(catalogue, types={fir.name: bare}, codes={}, marks={}))) == {
        "india.fir type india.fir", "india.fir state registered", "india.fir condition transfer not_a_zero_fir",
    }  # fmt: skip


def test_a_layer_says_the_conditions_of_a_lower_one_by_their_code() -> None:
    files = layers()
    files["jurisdiction"]["types/case.yml"] = """extends: investigation.case
acts: { close: { conditions: { %s: { message_hi: पहले निपटाएँ, fix_hi: प्रतीक्षा करें } } } }
"""
    said = files["jurisdiction"]["types/case.yml"]
    code = next(one.code for one in world().type("investigation.case").acts["close"].guards if one.message)
    files["jurisdiction"]["types/case.yml"] = said % code
    made = load(files["core"], files["jurisdiction"], files["agency"]).type("investigation.case")
    rule = next(one for one in made.acts["close"].guards if one.code == code)
    assert (rule.messages["hi"], rule.fixes["hi"]) == ("पहले निपटाएँ", "प्रतीक्षा करें") and "hi" not in rule.message
    files["jurisdiction"]["types/case.yml"] = said % "no_such"
    with pytest.raises(DefinitionsRefused) as caught:
        load(files["core"], files["jurisdiction"], files["agency"])
    assert [fault.code for fault in caught.value.faults] == ["unknown_key"]
