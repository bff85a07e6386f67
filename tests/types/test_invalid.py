# ruff: noqa: E501
"""Every folder of tests/invalid is a world with one thing wrong; its name is the code with which it must be refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comity.kernel.definitions.load import load, read_folder
from comity.kernel.types.definition import MAX_BYTES, DefinitionsRefused
from tests.types.world import layers, world

INVALID = Path(__file__).parents[1] / "invalid"
CASES = sorted(path.name for path in INVALID.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_definition_is_refused_with_the_code_that_names_it(name: str) -> None:
    files = layers()
    written = read_folder(INVALID / name)
    for path, text in written.items():
        layer, inner = path.split("/", 1)
        files[layer][inner] = text
    with pytest.raises(DefinitionsRefused) as caught:
        load(files["core"], files["jurisdiction"], files["agency"])
    faults = caught.value.faults
    assert {fault.code for fault in faults} == {name.split(".")[0]}, [fault.as_json() for fault in faults]
    for fault in faults:
        file, _, line = fault.path.rpartition(":")
        assert line.isdigit() and int(line) > 0
        assert any(path.split("/", 1)[1] == file for path in written) or name in (
            "act_nobody_may",
            "offer_nobody_answers",
        )
        assert fault.message


def test_the_world_that_these_wrongs_change_is_itself_good() -> None:
    assert world().agency == "atf"
    assert world(only_core=True).agency == ""


def test_every_fault_says_what_to_do() -> None:
    """Except a syntax error of a guard or of YAML, whose message is the engine's own."""
    for name in CASES:
        files = layers()
        for path, text in read_folder(INVALID / name).items():
            layer, inner = path.split("/", 1)
            files[layer][inner] = text
        with pytest.raises(DefinitionsRefused) as caught:
            load(files["core"], files["jurisdiction"], files["agency"])
        assert all(fault.fix for fault in caught.value.faults), caught.value.faults


def test_all_faults_of_all_layers_come_at_once_in_order_of_place() -> None:
    with pytest.raises(DefinitionsRefused) as caught:
        world(
            {
                "core/investigation/codes/program.yml": "codes: investigation.program\nvalus: { a: A }\n",
                "jurisdiction/rules/clocks.yml": "rule: elsewhere.clocks\n",
                "agency/types/case.yml": "extends: investigation.case\nfields:\n  title: null\n  summary:\n    minLength: 1\n",
            }
        )
    found = [(fault.code, fault.path) for fault in caught.value.faults]
    assert ("unknown_key", "investigation/codes/program.yml:2") in found
    assert ("bad_name", "rules/clocks.yml:1") in found
    assert ("layer_removes_field", "types/case.yml:3") in found
    assert ("layer_loosens_field", "types/case.yml:5") in found
    places = [fault.path for fault in caught.value.faults]
    assert places == sorted(places, key=lambda one: (one.rpartition(":")[0], int(one.rpartition(":")[2])))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("feilds: {}", "fields"), ("exteds: a", "extends"), ("numbr: a", "number"), ("deconflicts: []", "deconflict")],
)
def test_an_unknown_key_names_the_nearest_known_one(written: str, meant: str) -> None:
    with pytest.raises(DefinitionsRefused) as caught:
        world({"agency/types/case.yml": f"extends: investigation.case\n{written}\n"})
    assert [(fault.code, fault.fix) for fault in caught.value.faults] == [("unknown_key", f"did you mean {meant}?")]


def test_a_file_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(DefinitionsRefused) as caught:
        world({"agency/types/case.yml": "# " + "x" * MAX_BYTES})
    assert [(fault.code, fault.path) for fault in caught.value.faults] == [("yaml_size", "types/case.yml:1")]


def test_a_layer_must_name_itself() -> None:
    files = layers()
    del files["agency"]["agency.yml"]
    with pytest.raises(DefinitionsRefused) as caught:
        load(files["core"], files["jurisdiction"], files["agency"])
    assert "layer_unnamed" in {fault.code for fault in caught.value.faults}


def test_every_code_of_the_folder_names_is_spelled_as_a_code() -> None:
    assert len(CASES) > 90
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", name) for name in CASES)
