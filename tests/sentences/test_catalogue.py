"""The catalogue and the source say the same: every sentence that is named is there with its values, and in every
language."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Problem
from comity.problems import CODES
from comity.sentences import Given, Text, languages
from comity.sentences import compile as catalogues
from tests.sentences import source
from tests.sentences.pseudo import REFUSED, forgotten, unmarked

WITHOUT_HINDI = 0
"""Sentences that may lack their Hindi: this number shrinks and never grows."""


def of(language: str) -> dict[str, str]:
    path = catalogues.FOLDER / language / catalogues.SOURCE
    found = catalogues.catalogue(language, path.read_bytes())
    return {_one(one.id): _one(one.string, " / ") for one in found if one.id and not one.fuzzy}


def _one(text: Any, between: str = "") -> str:
    """The id of a sentence, or all that it says: one that counts has a form for one and a form for several."""
    if isinstance(text, str) or not text:
        return text or ""
    return between.join(text) if between and all(text) else "" if between else str(text[0])


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    return of("en")


def test_every_sentence_that_the_source_names_is_there_with_its_values(english: dict[str, str]) -> None:
    found = list(source.said())
    assert len(found) > 700
    assert [one for one in found if one.key not in english] == []
    for one in found:
        wanted = source.names(english[one.key]) | source.names(english.get(f"{one.key}.fix", ""))
        assert one.given is None or one.given == wanted, one


def test_every_sentence_is_said_somewhere(english: dict[str, str]) -> None:
    texts = source.texts()

    def said(key: str) -> bool:
        above, _, last = key.rpartition(".")
        if key in texts or (
            key.partition(".")[0] in ("page", "cli", "list", "part", "kind") and key.partition(".")[2] in texts
        ):
            return True
        return last in source.PARTS and (above in CODES or said(above))

    unsaid = [key for key in english if not said(key) and key not in MADE]
    assert unsaid == [], unsaid


MADE = frozenset(
    key
    for key in of("en")
    if (key.endswith(".refused") and key.partition(".")[0] in CODES)  # types/shape, by the keyword of JSON Schema
    or key.startswith(("cli.term.", "cli.due_count_", "cli.left_"))
    or (key.startswith("cli.receipt_") and key.endswith("_already"))
    or key.startswith(("format.", "type."))
    or key.startswith(tuple(f"page.{one}_" for one in ("pointer", "sent", "state", "standing", "act", "do")))
)  # fmt: skip
"""Keys that are put together where they are said."""


def test_every_code_is_explained(english: dict[str, str]) -> None:
    assert [f"{code}.{part}" for code in CODES for part in source.PARTS[:3] if not english.get(f"{code}.{part}")] == []


@pytest.mark.parametrize("language", sorted(languages() - {"en"}))
def test_a_translation_has_the_same_values(english: dict[str, str], language: str) -> None:
    own = of(language)
    lacking = [key for key in english if not own.get(key)]
    assert len(lacking) <= WITHOUT_HINDI, lacking
    for key, text in own.items():
        assert not text or source.names(text) == source.names(english[key]), (key, text)


def test_what_is_shipped_is_what_is_written() -> None:
    """`make sentences` would change nothing."""
    for path, content in catalogues.files().items():
        assert path.read_bytes() == content, f"{path.name}: run make sentences"


def test_a_sentence_whose_english_has_changed_is_said_in_english_again(tmp_path: Path) -> None:
    for language, text in (("en", 'msgid "needs.reason"\nmsgstr "give {what}"\n'),
                           ("hi", '#. say {what}\nmsgid "needs.reason"\nmsgstr "{what} दें"\n')):  # fmt: skip
        path = tmp_path / language / catalogues.SOURCE
        path.parent.mkdir(parents=True)
        path.write_text(text)
    made = catalogues.files(tmp_path)
    hindi = made[tmp_path / "hi" / catalogues.SOURCE].decode()
    assert "#. give {what}\n#, fuzzy\n" in hindi and "{what} दें" in hindi
    assert "दें".encode() not in made[tmp_path / "hi" / catalogues.FILE]


def test_nothing_but_the_standard_library_is_read_to_refuse_in_english() -> None:
    """Who starts the command for its help, or checks a folder, does not load tables of locales."""
    told = "import sys; from comity.sentences import say; say('needs.give_reason'); print('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True).stdout == "False\n"


NAMES = re.compile(r"(comity\.[a-z]+|comity( [a-z-]+)*|--[a-z]+|chmod [0-7]+|sha256|python|[A-Z][A-Z_-]+| PATH)+")
"""What is no word: commands, options, settings, names of programs and tables, forms."""
UNSPOKEN = frozenset(("inherit", "final"))
"""Keys of the definition language, given as such."""


def test_no_word_of_ours_is_given_to_a_sentence_as_a_value() -> None:
    """A value is data, or a sentence of its own: what a program's text holds in a value no translation reaches."""
    found = list(source.values())
    assert len(found) > 1_000
    left = {f"{one.where} {one.key}: {text}" for one in found for text in one.texts if not _is_name(text)}
    assert left == set()


def _is_name(text: str) -> bool:
    return text in UNSPOKEN or not re.search("[A-Za-z]{2}", NAMES.sub("", text))


@pytest.mark.parametrize("text", ["English of ours", "{a}: none"])
def test_a_refusal_that_is_of_no_catalogue_is_found(text: str) -> None:
    """What the tests' own hook would say of it."""
    assert list(forgotten(Problem("invalid", Text(text)))) and list(forgotten(Problem("invalid", text)))  # type: ignore[arg-type]
    REFUSED.clear()
    assert list(forgotten(Problem("invalid", Given(text)))) == []
    assert unmarked("⟦a ⟦b⟧⟧ b") == "b" and unmarked("⟦a⟧ 3 · ½") == ""
