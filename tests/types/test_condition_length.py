"""Every condition of the definitions that are shipped is a sentence, wherever it stands and however it is folded."""

from __future__ import annotations

from pathlib import Path

from comity.kernel.types.definition import yaml_text
from comity.kernel.types.expression import MAX_CONDITION, conditions

ROOT = Path(__file__).parents[2]
SHIPPED = ("comity/pillars", "jurisdictions", "agencies")
SPEAKING = ("types", "rules")


def written() -> list[tuple[str, str]]:
    """(place, text) of each condition of each shipped file of types or rules."""
    files = [path for home in SHIPPED for path in (ROOT / home).rglob("*.yml") if path.parent.name in SPEAKING]
    return [
        (str(one.source), str(one.value))
        for path in sorted(files)
        for one in conditions(yaml_text(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
    ]


def test_every_shipped_condition_has_at_most_120_characters() -> None:
    found = written()
    assert MAX_CONDITION == 120
    assert len(found) > 250, "the walk finds the conditions"
    assert [f"{place}: {len(text)}" for place, text in found if len(text) > MAX_CONDITION] == []


def test_the_walk_finds_a_condition_in_every_place_where_one_may_stand() -> None:
    text = """
acts: { close: { guard: ["a", { if: "b", when: "c" }], guards: "d" } }
offer: { answers: { yes: { guard: { when: "e" } } } }
joints: { one: { given: { when: "f" }, done: [{ when: ["g", "h"] }] } }
clocks: { one: { applies: "i", cases: [{ when: "j" }], extend: [{ requires: "k" }] } }
"""
    assert [str(one.value) for one in conditions(yaml_text("x.yml", text))] == list("abcdefghijk")
