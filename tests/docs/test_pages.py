"""What the pages say is there: links, commands, variables, tables, extension points, refusals, words."""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import typer

from comity import extensions
from comity.cli.app import app
from comity.cli.output import exit_code
from comity.config import loader
from comity.errors import Problem
from comity.problems import CODES, STATUSES
from tests.docs.pages import DOCS, ROOT, anchors, commands, inline_commands, links, pages, prose

PAGES = pages()
NOUNS = ["Agency", "Type", "Record", "Act", "Entry", "Agreement", "Mark", "Follower"]
_ENTRY = re.compile(r"^- \*\*(.+?)\*\*(.*)$", re.MULTILINE)
_CAPITALS = re.compile(r"(?<![\w.{/+-])[A-Z][A-Z0-9]*[A-Z][A-Z0-9]*(?:-[0-9]+)?(?![\w=}])")
_SPOKEN_LOUD = re.compile(r"\b[A-Z]{2,}(?: [A-Z]+)+\b")  # WHAT A THING IS
_PLAIN = frozenset(("DELETE", "GET", "POST", "PATCH", "II", "III", "IV"))
_PERIOD = re.compile(r"P(T?[0-9]+[A-Z])+")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    dead = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead, f"{name_of(page)} points at what is not there: {dead}"


def test_every_decision_is_listed() -> None:
    listed = set(links(DOCS / "adr" / "README.md"))
    assert {one.name for one in (DOCS / "adr").glob("[0-9]*.md")} <= listed


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Those of blocks parse whole, as they are; those of running text name commands and options that there are."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands(page):
        if words[0] == "make":
            assert {one for one in words[1:] if "=" not in one} <= targets, words
        elif words[0] == "comity":
            command, path, rest = _command(words[1:])
            command.make_context(path, [one for one in rest if one != "&"])
    for text in inline_commands(page):
        command, _, rest = _command(re.sub(r"[\[\]|]", " ", text).split()[1:])
        known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
        unknown = [one for one in rest if one.startswith("--") and one.partition("=")[0] not in known]
        assert not unknown, f"{name_of(page)}: {text} has {unknown}"


def _command(words: list[str]) -> tuple[Any, str, list[str]]:
    """The command that the words name, and the words that are left for it."""
    command, path = typer.main.get_command(app), "comity"
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            raise AssertionError(f"there is no command {path} {rest[0]}")
        path = f"{path} {rest[0]}"
        command = command.commands[rest.pop(0)]
    return command, path, rest


def test_a_command_that_is_not_there_is_found() -> None:
    with pytest.raises(AssertionError, match="no command comity members"):
        _command(["members", "list"])


def test_variables_exist() -> None:
    """A variable that a page names is one that the program, the Makefile or the run of the tests reads."""
    read = [*(ROOT / "comity").rglob("*.py"), *(ROOT / "tests" / "speeds").glob("*.py"), ROOT / "Makefile"]
    sources = "\n".join(one.read_text(encoding="utf-8") for one in read)
    for page in PAGES:
        named = set(re.findall(r"\b(?:COMITY|DATABASE)_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
        assert {one for one in named if one not in sources} == set(), name_of(page)


def test_the_map_names_every_extension_point_and_no_other() -> None:
    text = _section(DOCS / "map.md", "Extension points")
    named = {one.lower() + "s" for one in re.findall(r"\*\*(\w+)\*\*", text)}
    assert named == {one.name for one in dataclasses.fields(extensions.Extensions)}
    assert all(hasattr(extensions, one) for one in re.findall(r"\*\*(\w+)\*\*", text))
    found = loader.extensions()
    users = {*found.calculations, *found.packages}
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", text)) == users, "the map names who uses each"


def test_the_map_names_every_table() -> None:
    schema = "\n".join(one.read_text(encoding="utf-8") for one in (ROOT / "comity/kernel/schema/tables").glob("*.sql"))
    tables = set(re.findall(r"^create table comity\.(\w+)", schema, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", _section(DOCS / "map.md", "Tables"))) == tables


def _section(page: Path, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {heading}"
    return found[1]


def test_the_table_of_refusals_is_complete() -> None:
    """Made from comity/problems: after a change there, the lines that the failure shows go into docs/api.md."""
    wanted = [
        f"| `{code}` | {status} | {CODES[code].title} | {exit_code(Problem(code))} |"
        for code, status in STATUSES.items()
    ]
    text = _section(DOCS / "api.md", "Refusals")
    assert [line for line in text.splitlines() if line.startswith("| `")] == wanted


def glossary() -> list[tuple[str, str]]:
    return _ENTRY.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))


def test_the_glossary_is_in_order_and_says_something() -> None:
    entries = glossary()
    names = [name for name, _ in entries]
    assert names[: len(NOUNS)] == NOUNS
    rest = names[len(NOUNS) :]
    assert rest == sorted(rest, key=lambda one: (one.casefold(), one))
    assert len(set(names)) == len(names)
    assert [name for name, text in entries if len(text.strip(" :")) < 12] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_glossary_knows_every_abbreviation(page: Path) -> None:
    assert _unknown(prose(page)) == set()


def test_the_glossary_knows_the_abbreviations_of_the_definitions() -> None:
    """Those of titles, labels, citations and remarks in YAML; not codes, numbers, patterns and samples."""
    found: dict[str, str] = {}
    for folder in ("comity/pillars", "jurisdictions", "agencies"):
        for file in (ROOT / folder).rglob("*.yml"):
            if {"mappings", "examples"} & set(file.parts):
                continue
            for line in file.read_text(encoding="utf-8").splitlines():
                said = re.sub(r"\"[^\"]*\{[^\"]*\"|(pattern|term|station|country): \S+", "", line)
                found |= dict.fromkeys(_unknown(said), f"{file.name}: {line.strip()}")
    assert found == {}


def _unknown(text: str) -> set[str]:
    """The abbreviations in a text that no entry of the glossary explains. A file's name is none."""
    used = set(_CAPITALS.findall(_SPOKEN_LOUD.sub("", text))) - _PLAIN - {one.name for one in ROOT.iterdir()}
    return {one for one in used - _known() if not _PERIOD.fullmatch(one)}


@lru_cache
def _known() -> set[str]:
    """Every abbreviation that heads an entry; several may share one, as in `CSV, TSV`."""
    return {part.strip() for name, _ in glossary() for part in re.split(r"[,/()]", name)}
