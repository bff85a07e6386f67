"""The small world of these tests: three pillars, one jurisdiction and one agency, as layers of text."""

from __future__ import annotations

from pathlib import Path

from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import Files

HERE = Path(__file__).parent / "definitions"
LAYERS = ("core", "jurisdiction", "agency")


def layers() -> dict[str, dict[str, str]]:
    return {name: dict(read_folder(HERE / name)) for name in LAYERS}


def world(changes: Files | None = None, *, only_core: bool = False) -> Catalogue:
    """The catalogue of the small world. `changes` maps `agency/types/case.yml` to other text."""
    files = layers()
    for path, text in (changes or {}).items():
        layer, inner = path.split("/", 1)
        files[layer][inner] = text
    if only_core:
        return load(files["core"])
    return load(files["core"], files["jurisdiction"], files["agency"])
