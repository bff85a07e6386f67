"""Worked examples are data: they run, and one that comes out otherwise says so."""

from __future__ import annotations

import pytest

from comity.kernel.definitions.examples import run
from tests.types.world import world

PATH = "core/investigation/examples/case.yml"

SHAPED = """
type: investigation.case
title: Case
fields: { title: { type: string } }
links: { subject: { to: registry.person, many: true, where: { sex: [female, male], state: known, code: unfit } } }
states: { open: { initial: true, final: true } }
acts: { enter: { by: [agent] } }
"""
SHAPES = """
right:
  - { name: fits, links: { subject: [{ sex: male }, { sex: female, state: known }] } }
  - { name: an id is not judged, links: { subject: 5d0f2a3e-3f0a-4c8e-9a55-0d4f3f6f0a11 } }
wrong:
  - { name: masked, links: { subject: {} }, code: unfit, path: links.subject }
  - { name: another, links: { subject: [{ sex: male }, { sex: unknown }] }, code: unfit, path: links.subject }
  - { name: none at all, links: { subject: { sex: male } }, code: unfit }
"""


def results(text: str) -> list[tuple[str, bool]]:
    catalogue = world({PATH: "type: investigation.case\n" + text}, only_core=True)
    return [(one.kind, one.ok) for one in run(catalogue)]


def test_the_examples_of_the_small_world_come_out_as_written() -> None:
    found = run(world(only_core=True))
    assert [one.kind for one in found] == ["right"] * 2 + ["wrong"] * 3 + ["lifecycle"] * 2 + ["lifecycle_wrong"] * 2
    assert all(one.ok for one in found), [one.said for one in found if not one.ok]
    assert found[0].file == "investigation.case" and found[0].name == "a firearms case"


def test_a_target_that_an_example_tells_is_judged_by_what_its_link_takes() -> None:
    case = world(only_core=True)
    files = {"core/investigation/types/case.yml": SHAPED, PATH: "type: investigation.case\n" + SHAPES}
    assert not any(link.shape for link in case.type("investigation.case").links.values())
    found = run(world(files, only_core=True))
    assert [(one.name, one.ok) for one in found] == [
        ("fits", True), ("an id is not judged", True), ("masked", True), ("another", True), ("none at all", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "right: [{ name: x, fields: {} }]",
        "wrong: [{ name: x, fields: { title: T }, code: required }]",
        "wrong: [{ name: x, fields: {}, code: type, path: title }]",
        "wrong: [{ name: x, fields: {}, code: required, path: summary }]",
        "lifecycle: [[enter, resume]]",
        "lifecycle: [{ acts: [suspend], ends: closed }]",
        "lifecycle_wrong: [{ acts: [suspend, resume], code: act_out_of_turn }]",
        "lifecycle_wrong: [{ acts: [resume], code: act_unknown }]",
        "lifecycle_wrong: [{ acts: [suspend, enter], code: act_unknown }]",
    ],
)
def test_an_example_that_comes_out_otherwise_fails_and_says_what_came(text: str) -> None:
    catalogue = world({PATH: "type: investigation.case\n" + text}, only_core=True)
    [one] = run(catalogue)
    assert not one.ok and one.said


@pytest.mark.parametrize(
    "text", ["rigth: []", "wrong: [{ fields: {} }]", "right: 5", "right: [{ fields: 5 }]", "lifecycle: [5]"]
)
def test_an_example_that_cannot_be_read_fails(text: str) -> None:
    assert ("file", False) in results(text)
