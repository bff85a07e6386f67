"""The house rules that a program can hold: names, refusals, the kernel's ignorance of pillars."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from comity.config import loader, paths
from comity.extensions import Extensions
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.catalogue import Catalogue
from tests.architecture.sources import ROOT, modules, texts, tracked

NO_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "lib", "misc"}
PILLARS = sorted(path.parent.name for path in (ROOT / "comity" / "pillars").glob("*/pillar.yml"))
ROOMS = sorted(path.parent.name for path in (ROOT / "comity" / "kernel").glob("*/__init__.py"))
PLANNED = ["court", "custody", "licensing", "response", "cyber", "community"]


def test_nothing_in_the_kernel_names_a_pillar() -> None:
    named = re.compile(rf"\b({'|'.join(PILLARS + PLANNED)})\.[a-z_]+")
    found = {
        (name, text[:60])
        for name, tree in modules().items()
        if name.startswith("comity/kernel/")
        for text in texts(tree)
        if named.search(text)
    }
    assert found == set()
    for path in (ROOT / "comity" / "kernel").rglob("*.sql"):
        assert not named.search(path.read_text("utf-8")), path


ALIKE = {"detention": "an agency that is shipped, and a kind of order of a court"}


def test_nothing_but_data_names_an_agency() -> None:
    agencies = "|".join(path.name for path in paths.agencies().iterdir() if path.is_dir())
    named = re.compile(rf"\A({agencies})\Z")
    found = {
        (name, text)
        for name, tree in modules().items()
        if not name.startswith("comity/config/")
        for text in texts(tree)
        if named.match(text) and text not in ALIKE
    }
    assert found == set()


def test_files_are_named_for_what_they_hold() -> None:
    bad = {str(path) for path in tracked() for part in (*path.parts[:-1], path.stem) if part.lower() in NO_NAMES}
    assert bad == set()


def test_one_page_lists_every_extension_point_and_each_has_a_user() -> None:
    page = (ROOT / "docs" / "map.md").read_text("utf-8")
    section = page[page.index("## Extension points") :].split("\n## ", 1)[0] + page.split("\n## ")[-1]
    for one in dataclasses.fields(Extensions):
        assert f"**{one.name[:-1].capitalize()}**" in section, one.name
    used = loader.extensions()
    for kind in ("calculations", "packages"):
        held = getattr(used, kind)
        assert held, f"no extension point without a user: {kind}"
        assert all(name in section for name in held if "." in name) or kind == "calculations"


def test_the_page_names_every_pillar_and_every_room() -> None:
    page = (ROOT / "docs" / "map.md").read_text("utf-8").casefold()
    rooms = sorted(path.name for path in (ROOT / "comity" / "kernel").iterdir() if (path / "__init__.py").exists())
    missing = [name for name in [*PILLARS, *rooms] if name not in page and name != "migrations"]
    assert missing == []


def _catalogues() -> Iterator[Catalogue]:
    core = loader.core_files()
    yield load(core)
    for folder in sorted(path for path in paths.agencies().iterdir() if path.is_dir()):
        own = read_folder(folder)
        law = re.search(r"^jurisdiction: (\S+)", own["agency.yml"], re.MULTILINE)
        assert law
        yield load(core, read_folder(paths.jurisdictions() / law[1]), own)


def _kinds(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        found = schema.get("type")
        yield from [found] if isinstance(found, str) else found or []
        for inner in schema.values():
            yield from _kinds(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _kinds(inner)


def test_no_field_of_any_type_is_a_floating_point_number() -> None:
    """What is hashed has one spelling: measures are decimal texts with their unit, counts are integers."""
    found = {
        (catalogue.agency, of.name, name)
        for catalogue in _catalogues()
        for of in catalogue.types.values()
        for name, one in of.fields.items()
        if "number" in set(_kinds(one.schema))
    }
    assert found == set()


def test_no_code_of_the_kernel_makes_a_floating_point_value_to_store() -> None:
    """float() and literals such as 0.5 stand only where seconds are measured."""
    rooms = tuple(f"comity/kernel/{room}/" for room in ROOMS if room not in ("types", "law", "definitions"))
    measuring = {
        f"comity/kernel/{name}.py"
        for name in ("work/node", "importing/importing", "importing/report", "portability/leave", "sharing/send")
    }
    for name, tree in modules().items():
        if not name.startswith(rooms) or name in measuring:
            continue
        for node in ast.walk(tree):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            made = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float"
            assert not literal and not made, f"{name}:{node.lineno}"
