"""The schema's files are what they say: one function a file, what holds no data replaceable, a revision that moves."""

from __future__ import annotations

import re

import pytest

from comity.config.schema_files import FOLDER, shipped

FUNCTIONS = shipped().functions


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_file_of_functions_holds_the_one_it_is_named_for(name: str) -> None:
    text, function = FUNCTIONS[name], name.removeprefix("functions/")
    assert re.findall(r"^create .*?function comity\.(\w+)", text, re.MULTILINE) == [function]
    assert f"\ncreate or replace function comity.{function}(" in text
    assert text.startswith("-- "), "it says what it is for"
    assert f"\nrevoke execute on function comity.{function} from public;\n" in text
    assert not re.search(r"^(drop|alter) ", text, re.MULTILINE)


def test_what_is_replaced_is_made_nowhere_else() -> None:
    for kind, words in {
        "tables": r"function|policy|trigger|grant|revoke|row level security",
        "rights": r"function (?!comity\.\w+\(\)[;\s])|table comity|index",
        "steps": r"function|policy|trigger|grant|revoke",
    }.items():
        for name, text in getattr(shipped(), kind).items():
            made = re.findall(
                rf"^\s*(?:create|alter|drop) (?:or replace )?(?:{words})\b.*|^(?:grant|revoke)\b.*", text, re.MULTILINE
            )
            assert (kind == "rights" and all(one.startswith("grant") for one in made)) or made == [], name


def test_steps_are_numbered_and_each_number_is_there_once() -> None:
    numbers = [int(name.removeprefix("steps/")[:4]) for name in shipped().steps]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_revision_moves_with_the_files() -> None:
    written = (FOLDER / "revision").read_text("ascii").strip()
    number, digest = shipped().line.split()
    assert written == shipped().line, (
        f"comity/kernel/schema has changed: its file `revision` says {int(number) + 1} {digest} from now on, "
        f"or {number} {digest} where {number} was neither merged nor released before"
    )
