"""Layers as they lie on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.kernel.definitions.load import read_core, read_folder
from comity.kernel.types.definition import DefinitionsRefused


def test_a_layer_is_its_yaml_files_by_their_path(tmp_path: Path) -> None:
    for name in (
        "agency.yml",
        "types/case.yml",
        "types/odd.yaml",
        "mappings/m.yml",
        ".hidden/x.yml",
        "notes.md",
        "_x.yml",
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"name: {name}\n", encoding="utf-8")
    assert dict(read_folder(tmp_path)) == {
        name: f"name: {name}\n" for name in ("agency.yml", "types/case.yml", "types/odd.yaml")
    }
    assert read_folder(tmp_path / "absent") == {}


def test_a_file_that_is_not_utf_8_is_refused_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "agency.yml").write_bytes(b"agency: \xff\n")
    with pytest.raises(DefinitionsRefused) as caught:
        read_folder(tmp_path)
    assert [(one.code, one.path) for one in caught.value.faults] == [("yaml_syntax", "agency.yml:1")]


def test_pillars_of_ones_own_are_added_to_the_cores(tmp_path: Path) -> None:
    for root, pillar in (("core", "registry"), ("own", "harbour")):
        (tmp_path / root / pillar).mkdir(parents=True)
        (tmp_path / root / pillar / "pillar.yml").write_text(f"pillar: {pillar}\n", encoding="utf-8")
    assert set(read_core(tmp_path / "core", tmp_path / "own")) == {"registry/pillar.yml", "harbour/pillar.yml"}
    assert set(read_core(tmp_path / "core", tmp_path / "own", only=["harbour"])) == {"harbour/pillar.yml"}
