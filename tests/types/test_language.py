"""Words of definitions in a second language: shown where they were given, English elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.definitions.problem_codes import explained
from comity.kernel.law.clock_book import book_for
from comity.kernel.law.escalation import ESCALATIONS
from comity.kernel.law.obligation_rules import OBLIGATION_RULES
from comity.kernel.law.sequence import SEQUENCES
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.code_uses import CodeMeaning
from comity.kernel.types.definition import DefinitionsRefused
from comity.kernel.types.language import languages, spoken
from comity.kernel.types.lifecycle import answers
from comity.sentences import Locale, Worded, in_words
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
    assert hindi.acts["transfer"].guards[0].message.to(Locale("hi")) == "केवल जीरो एफआईआर दूसरे थाने को अंतरित होती है।"
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
                if (one.message and "hi" not in one.message.words) or (one.fix and "hi" not in one.fix.words)
            )
    for name, listed in catalogue.codes.items():
        yield from (f"code {name}:{code}" for code, one in listed.values.items() if "hi" not in one.labels)
    yield from (f"mark {name}" for name, one in catalogue.marks.items() if "hi" not in one.labels)
    yield from (where for where, one in said(catalogue) if one and "hi" not in one.words)


def said(catalogue: Catalogue) -> Iterator[tuple[str, Worded]]:
    """What rules, roles and codes say to the members of an agency, by where it stands."""
    for name, joint in OBLIGATION_RULES.of(catalogue.rules).items():
        for one in (law.said for law in joint.versions):
            yield from ((f"joint {name} {part}", getattr(one, part)) for part in ("title", "message", "fix"))
            if one.door is not None:
                yield from ((f"joint {name} door {part}", getattr(one.door, part)) for part in ("message", "fix"))
    for kind, reader in (("sequence", SEQUENCES), ("escalation", ESCALATIONS)):
        for name, rule in reader.of(catalogue.rules).items():
            yield from ((f"{kind} {name}", law.said.title) for law in rule.versions)
    yield from _clocks(catalogue)
    for code in catalogue.code_uses:
        if isinstance(code, CodeMeaning):
            parts = (code.title, code.meaning, code.remedy)
            yield from ((f"problem {code.name}", one) for one in parts if isinstance(one, Worded))
    yield from ((f"role {name}", one.title) for name, one in catalogue.roles.items())
    yield from ((f"lifecycle role {name}", one.title) for name, one in catalogue.lifecycle_roles.items())
    yield from ((f"purpose {name}", one) for name, one in catalogue.purposes.items())
    yield from ((f"pillar {name}", one.title) for name, one in catalogue.pillars.items())
    yield "agency", catalogue.definition.title


def _clocks(catalogue: Catalogue) -> Iterator[tuple[str, Worded]]:
    book = book_for(catalogue)[0]
    for name, rule in book.rules.items():
        yield from ((f"clock {name}", one) for one in (rule.title, rule.owed_by))
        for law in rule.versions:
            decided = [*law.decide, *(move.decide for move in law.moves if move.decide is not None)]
            held = (
                law.consequence, law.limit, *(one.message for one in decided),
                *(one.note for one in law.parameters.values()),
                *(text for case in (*law.cases, *law.warn) for text in (case.title, case.answer)),
            )  # fmt: skip
            yield from ((f"clock {name}", one) for one in held)
            for anchor in (law.start, *law.restart):
                yield from ((f"event {one}", book.word(one)) for one in sorted(anchor.names()))
            stages = {name for move in law.moves for name in (*move.on, *move.from_, move.stage)}
            yield from ((f"event {one}", book.word(one)) for one in sorted({*law.stop, *stages}))
    for name, listed in book.exclusions.items():
        yield from ((f"exclusion {name} {one.code}", text) for one in listed for text in (one.title, one.note))
    for name, calendar in book.calendars.items():
        yield f"calendar {name}", calendar.title
        yield from ((f"calendar {name}", one.name) for one in calendar.holidays)


@pytest.mark.parametrize("agency", INSTITUTIONS)
def test_the_hindi_words_have_the_places_of_the_english_ones(district: dict[str, Catalogue], agency: str) -> None:
    places = re.compile(r"{[a-z_]+}")
    for where, one in said(district[agency]):
        assert all(set(places.findall(text)) == set(places.findall(one)) for text in one.words.values()), where


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
    mute = replace(transfer, guards=tuple(replace(one, message=Worded(str(one.message))) for one in transfer.guards))
    states = {**fir.states, "registered": replace(registered, labels={})}
    bare = replace(fir, labels={}, states=states, acts={**fir.acts, "transfer": mute})
    clocks = catalogue.rules["india.clocks_investigation"]["clocks"]
    bail = {name: one for name, one in clocks["default_bail"].items() if name not in ("exclude", "consequence_hi")}
    law = {"title": "Kept", "verified": "local"}
    joint = {**law, "given": {"type": "custody.hold"}, "done": {"self": ["ended"]}, "message": "M"}
    order = {**law, "label_hi": "रखा", "act": "custody.hold.end", "late_after": "P1D"}
    rules = {
        "india.clock_events": catalogue.rules["india.clock_events"],
        "india.clocks_investigation": {"clocks": {"default_bail": bail}},
        "custody.orders": {"joints": {"kept": joint}}, "custody.order": {"sequence": {"kept": order}},
    }  # fmt: skip
    made = replace(catalogue, types={fir.name: bare}, codes={}, marks={}, rules=rules, purposes={"trial": Worded("T")})
    assert set(lacking(made)) == {
        "india.fir type india.fir", "india.fir state registered", "india.fir condition transfer not_a_zero_fir",
        "clock india.clocks_investigation.default_bail", "joint custody.orders.kept title",
        "joint custody.orders.kept message", "purpose trial",
    }  # fmt: skip


def test_a_code_is_explained_in_the_words_that_a_layer_gave_its_places(district: dict[str, Catalogue]) -> None:
    known, hindi = explained(district["in-prison"]), Locale("hi", "IN")
    assert in_words(known["detainer_of_another"], hindi)["title"].startswith("रोक अनुरोध किसी अन्य")
    assert in_words(known["hold_active"], hindi)["meaning"].startswith("किसी अन्य प्राधिकारी का सक्रिय निरोध")
    place = in_words(known["detainer_stands"], hindi)["uses"][0]
    assert place["message"].startswith("रोक अनुरोध अब भी") and place["fix"].startswith("प्राधिकारी से")
    english = [text for one in known.values() for text in (one["title"], one["meaning"], one["remedy"])]
    assert [text for text in english if isinstance(text, Worded) and not text.words] == []


def test_a_layer_says_the_joint_of_a_lower_one_in_its_language(district: dict[str, Catalogue]) -> None:
    joint = OBLIGATION_RULES.of(district["in-prison"].rules)["custody.orders.detainer_of_this_stay"].versions[0].said
    assert joint.door is not None and (joint.door.acts, joint.door.link) == (("enter",), "detainer")
    hindi = Locale("hi")
    assert joint.door.message.to(hindi).startswith("रोक अनुरोध") and joint.message.to(hindi).startswith("{number}")
    assert joint.door.message.startswith("The detainer asks"), "English is what the pillar says"


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
    assert (rule.message.words["hi"], rule.fix.words["hi"]) == ("पहले निपटाएँ", "प्रतीक्षा करें") and "hi" not in rule.message
    files["jurisdiction"]["types/case.yml"] = said % "no_such"
    with pytest.raises(DefinitionsRefused) as caught:
        load(files["core"], files["jurisdiction"], files["agency"])
    assert [fault.code for fault in caught.value.faults] == ["unknown_key"]
