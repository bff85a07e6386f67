"""What a link takes: read, laid over, told on the type's page, and shown by worked examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from comity.api.type_pages import described
from comity.config import paths
from comity.kernel.definitions.load import load, read_core, read_folder
from comity.kernel.definitions.upgrade import compare
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.link_shape_types import fits
from tests.types.world import layers, world

TRANSFER = "evidence.transfer"
CORE = layers()["core"]["evidence/types/transfer.yml"].replace(
    "fixed: true }", "fixed: true, where: { sex: [female, male], state: known, code: sex_unknown, fix: Look. } }"
)
NARROWER = f"extends: {TRANSFER}\nlinks: {{ person: {{ where: {{ sex: male, name: Ruiz, message: Only he. }} }} }}\n"


def shaped(more: Mapping[str, str] | None = None) -> Catalogue:
    return world({"core/evidence/types/transfer.yml": CORE, **(more or {})})


def test_a_layer_asks_more_of_a_target_and_never_less() -> None:
    one = shaped({"agency/types/transfer.yml": NARROWER}).type(TRANSFER).links["person"].shape
    assert one is not None
    assert one.as_json() == {"sex": ["male"], "name": ["Ruiz"], "state": ["known"]}
    assert (one.code, one.message, one.fix) == ("sex_unknown", "Only he.", "Look.")


@pytest.mark.parametrize(
    ("shown", "state", "fit"),
    [
        ({"sex": "male"}, "known", True),
        ({"sex": "unknown"}, "known", False),
        ({"sex": "male"}, "retired", False),
        ({}, "known", False),
        ({"sex": ["male"]}, "known", False),
    ],
)
def test_a_target_fits_by_what_is_shown_of_it(shown: dict[str, Any], state: str, fit: bool) -> None:
    known = shaped()
    one = known.type(TRANSFER).links["person"].shape
    assert one is not None
    assert fits(one, known.type("registry.person"), shown, state) is fit


def test_a_code_of_a_layer_counts_as_what_it_is_a_kind_of() -> None:
    law = "extends: registry.person\nfields: { sex: { codes: { add: { boy: { is: male, title: Boy } } } } }\n"
    known = shaped({"jurisdiction/types/person.yml": law})
    one = known.type(TRANSFER).links["person"].shape
    assert one is not None
    assert fits(one, known.type("registry.person"), {"sex": "boy"}, "known")


def test_the_page_and_the_schema_of_a_type_say_what_a_link_takes() -> None:
    known = shaped()
    page = described(known, known.type(TRANSFER))
    asked = {"sex": ["female", "male"], "state": ["known"]}
    assert page["links"]["person"]["where"] == asked
    assert page["schema"]["x-links"] == {"person": {"to": ["registry.person"], "where": asked}}
    assert described(known, known.type("investigation.case"))["links"]["subject"]["where"] == {}


def test_an_upgrade_says_that_a_link_takes_less() -> None:
    changes = compare(world(), shaped()).changes
    assert [one.path for one in changes if one.code == "where_changed"] == ["evidence.transfer.links.person"]
    assert "where_changed" not in {one.code for one in compare(shaped(), shaped()).changes}


def test_every_shape_that_is_shipped_has_an_example_that_fits_and_one_that_does_not() -> None:
    core = read_core(paths.pillars())
    for law in (None, "india"):
        made = load(core, read_folder(paths.jurisdictions() / law, pairs=False)) if law else load(core)
        shapes = {(of.name, name) for of in made.types.values() for name, link in of.links.items() if link.shape}
        shown = {kind: set() for kind in ("right", "wrong")}  # type: dict[str, set[tuple[str, str]]]
        for data in made.examples.values():
            for one in data if isinstance(data, list) else [data]:
                for kind, found in shown.items():
                    for item in one.get(kind, ()):
                        told = item.get("links", {})
                        found |= {(one["type"], name) for name in told if kind == "right" or _at(item, name)}
        assert len(shapes) > 14
        assert {kind: shapes - found for kind, found in shown.items()} == {"right": set(), "wrong": set()}


def _at(item: Mapping[str, Any], name: str) -> bool:
    return item.get("path") == f"links.{name}"
