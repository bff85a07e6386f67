"""No word of the domain in the kernel: roles, purposes, states, acts and links of core types are data of the pillars.

The kernel has words of its own that happen to be words of some type too. They stand in `kernel_words.yml`, each with a
reason; a literal that is a core word and is not listed fails, and so does a listed word that the kernel no longer says
or no pillar uses. Where a record's own state, act, link or field is read, the list excuses nothing: only `READ` may
stand there.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from comity.config import loader
from comity.kernel.types.roles import steps
from tests.architecture.sources import ROOT, modules, texts

KERNEL = "comity/kernel/"
LIST = Path(__file__).with_name("kernel_words.yml")
READ = frozenset(("enter", "amend"))
"""What the kernel may look for by name in any record: the two acts that every type has."""
_QUOTED = re.compile(r"'([a-z][a-z0-9_]*)'")
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
# where SQL asks for one state, act, link or field of a record by a literal
_SQL_READ = re.compile(
    r"(?:\br\.(?:core_)?state|\bstate_(?:from|to)|\bl\.name|\blink\.name|\bfields\s*->>?|\blinks\s*->>?|\be\.act)"
    r"\s*(?:=|<>|!=|in|\?)?\s*(?:any\s*)?\(?\s*'([a-z][a-z0-9_]*)'"
)
_HELD = frozenset(("links", "fields", "acts", "states"))
_OF_RECORD = frozenset(("core_state", "state_to", "state_from"))


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, set[str]]:
    """Every word that a pillar gives a role, purpose, state, act or link: what it is and of which type."""
    made = loader.core_catalogue()
    out: dict[str, set[str]] = defaultdict(set)
    for name in made.lifecycle_roles:
        out[name].add("role")
    for name in made.purposes:
        out[name].add("purpose")
    for of in made.types.values():
        for one in steps(of):
            out[one.name].add(f"act of {of.name}")
        for name in of.states:
            out[name].add(f"state of {of.name}")
        for name in of.links:
            out[name].add(f"link of {of.name}")
    return dict(out)


def said(text: str) -> Iterator[str]:
    """The words that a text constant is, or that stand in it as literals of SQL."""
    yield text
    yield from _QUOTED.findall(_COMMENT.sub("", text))


def found() -> Iterator[tuple[str, str]]:
    """(word, file) of every core word in the kernel."""
    words = vocabulary()
    for name, tree in modules().items():
        if name.startswith(KERNEL):
            yield from ((one, name) for text in texts(tree) for one in said(text) if one in words)
    for path in sorted((ROOT / KERNEL).rglob("*.sql")):
        text = _COMMENT.sub("", path.read_text("utf-8"))
        yield from ((one, path.name) for one in _QUOTED.findall(text) if one in words)


def listed() -> dict[str, str]:
    """The kernel's own words: word -> why."""
    rows = yaml.safe_load(LIST.read_text("utf-8"))
    words = [(word, row["why"]) for row in rows for word in row["words"]]
    assert len({word for word, _ in words}) == len(words), "a word is listed once"
    return dict(words)


def test_no_word_of_the_domain_stands_in_the_kernel() -> None:
    own = listed()
    strange = sorted({(word, file, *sorted(vocabulary()[word])[:2]) for word, file in found() if word not in own})
    assert strange == [], "declare it in the type, or list it with the reason why it is a word of the kernel"


def test_every_listed_word_is_still_needed_and_has_a_reason() -> None:
    used = {word for word, _ in found()}
    assert [word for word in listed() if word not in used] == []
    assert [word for word, why in listed().items() if len(str(why).split()) < 3] == []


def reads(tree: ast.AST) -> Iterator[str]:
    """The literals with which a record's state is compared, or by which its links, fields, acts and states are got."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(one, ast.Attribute) and one.attr in _OF_RECORD for one in sides):
                yield from (one for side in sides for one in _constants(side))
        elif isinstance(node, ast.Subscript) and _held(node.value):
            yield from _constants(node.slice)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "pop") and node.args:
            yield from _constants(node.args[0]) if _held(node.func.value) else ()  # type: ignore[attr-defined]
    for text in texts(tree):
        yield from _SQL_READ.findall(_COMMENT.sub("", text))


def _held(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) in _HELD


def _constants(node: ast.AST) -> Iterator[str]:
    """A text literal, or those of a written list; what is worked out from others is none."""
    for one in getattr(node, "elts", [node]):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def test_no_state_act_link_or_field_of_a_record_is_read_by_a_literal() -> None:
    """Not even by a word that is listed: there it would be a word of the type."""
    strange = {
        (name.rpartition("/")[2], one)
        for name, tree in modules().items() if name.startswith(KERNEL)
        for one in reads(tree) if one not in READ
    }  # fmt: skip
    assert sorted(strange - OTHERWISE) == []
    assert sorted(OTHERWISE - strange) == [], "nothing is excused that is not there"


OTHERWISE = frozenset(
    (
        ("arrive.py", "name"), ("arrive.py", "roles"), ("rebuild.py", "name"), ("rebuild.py", "roles"),
        ("reported.py", "open"), ("reported.py", "disputed"),
    )
)  # fmt: skip
"""What is no record of a type: a member, folded as a record is, and the row of a report on behalf."""


@pytest.mark.parametrize(
    "text",
    [
        'def f(one):\n    return one.core_state == "open"',
        'def f(one):\n    return one.folded.links.get("for")',
        'def f(one):\n    return one.links["for"]',
        "SQL = \"select from comity.link l, comity.record r where l.name = 'for' and r.core_state = 'open'\"",
    ],
)
def test_a_word_that_is_read_is_found(text: str) -> None:
    assert {*reads(ast.parse(text))} <= {"for", "open"} and [*reads(ast.parse(text))]


def test_a_role_or_purpose_in_a_literal_is_found() -> None:
    assert {"administrator", "investigation"} <= set(vocabulary())
    tree = ast.parse('"""administrator"""\nKEEPERS = frozenset({"administrator"})\nSQL = "where purpose = \'trial\'"')
    assert {one for text in texts(tree) for one in said(text) if one in vocabulary()} == {"administrator", "trial"}
