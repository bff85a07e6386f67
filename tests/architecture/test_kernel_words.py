"""No word of the domain in the kernel: roles, purposes, states, acts and links of core types are data of the pillars.

The kernel has words of its own that happen to be words of some type too. They stand in `kernel_words.yml`, each with a
reason and the files that may say it, in Python or in SQL; a literal that is a core word and is not listed for its file
fails, and so does a word listed for a file that no longer says it. Where a state, an act or a name is compared with it,
the file must be listed under `reads`: there it is of a row of the kernel's own. Where a record's own state, act, link
or field is read, the list excuses nothing: only `READ` may stand there.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from comity.config import loader
from comity.kernel.types.roles import steps
from tests.architecture.sources import ROOT, modules, texts, uncommented

KERNEL = "comity/kernel/"
LIST = Path(__file__).with_name("kernel_words.yml")
READ = frozenset(("enter", "amend"))
"""What the kernel may look for by name in any record: the two acts that every type has."""
_QUOTED = re.compile(r"'([a-z][a-z0-9_]*)'")
_LITERALS = r"\s*(?:=|<>|!=|\?|not\s+in|in)?\s*(?:any|all)?\s*\(?\s*(?:array\s*\[)?((?:\s*'[a-z][a-z0-9_]*'\s*,?)+)"
# where SQL asks for states, acts, links or fields of a record by literals; by those of whatever row
_SQL_READ = re.compile(
    r"(?:\br\.state|\bcore_state|\bstate_from|\bstate_to|\bl\.name|\blink\.name|\be\.act"
    r"|\b(?:fields|links)\s*(?:->>?|\?))" + _LITERALS,
    re.IGNORECASE,
)
_SQL_COMPARED = re.compile(r"(?<![\w'])(?:\w+\s*\.\s*)?(?:state|act|name)" + _LITERALS, re.IGNORECASE)
_HELD = frozenset(("links", "fields", "acts", "states"))
_OF_RECORD = frozenset(("core_state", "state_to", "state_from"))
_OF_ROW = frozenset(("state", "act", "name"))


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


@lru_cache(maxsize=1)
def files() -> dict[str, ast.Module | str]:
    """The kernel's modules, and its files of SQL without their comments, by the path below the kernel."""
    python = {name.removeprefix(KERNEL): tree for name, tree in modules().items() if name.startswith(KERNEL)}
    sql = sorted((ROOT / KERNEL).rglob("*.sql"))
    return {**python, **{str(one.relative_to(ROOT / KERNEL)): uncommented(one.read_text("utf-8")) for one in sql}}


def sqls(file: ast.Module | str) -> Iterator[str]:
    """What may be SQL in a file: each text constant, or the whole."""
    yield from [file] if isinstance(file, str) else map(uncommented, texts(file))


def said(file: ast.Module | str) -> Iterator[str]:
    """The words that a text constant is, or that stand in it, or in a file of SQL, as literals of SQL."""
    yield from () if isinstance(file, str) else texts(file)
    for text in sqls(file):
        yield from _QUOTED.findall(text)


Pairs = set[tuple[str, str]]


def found(by: Callable[[Any], Iterator[str]], among: Mapping[str, ast.Module | str] | None = None) -> Pairs:
    """(word, file) of every core word that is met so in the kernel, or among other files."""
    words = vocabulary().keys() - READ
    return {(one, name) for name, file in (among or files()).items() for one in by(file) if one in words}


def listed(use: str) -> Pairs:
    """(word, file) of what `kernel_words.yml` lists under `says` or `reads`."""
    rows = yaml.safe_load(LIST.read_text("utf-8"))
    pairs = [(word, file) for row in rows for word, names in row.get(use, {}).items() for file in names]
    assert len(set(pairs)) == len(pairs), "a word is listed once for a file"
    return set(pairs)


def test_no_word_of_the_domain_stands_in_the_kernel() -> None:
    strange = found(said) - listed("says") - listed("reads")
    assert sorted((*one, *sorted(vocabulary()[one[0]])[:2]) for one in strange) == [], (
        "declare it in the type, or list it for this file with the reason why it is a word of the kernel"
    )


def test_no_state_act_or_name_is_compared_with_a_word_but_of_the_kernels_own_rows() -> None:
    assert sorted(found(compared) - listed("reads")) == []


def test_every_listed_word_is_still_needed_and_has_a_reason() -> None:
    assert sorted(listed("says") - (found(said) - found(compared))) == [], "no longer said there, or to be under reads"
    assert sorted(listed("reads") - found(compared)) == []
    for row in yaml.safe_load(LIST.read_text("utf-8")):
        assert row.keys() <= {"why", "says", "reads"} and len(row["why"].split()) >= 3, row


def compared(file: ast.Module | str) -> Iterator[str]:
    """The literals with which a state, an act or a name of anything is compared, in Python or in SQL."""
    for node in () if isinstance(file, str) else ast.walk(file):
        if isinstance(node, ast.Compare):
            yield from _beside(node, _OF_ROW)
        elif isinstance(node, ast.Match) and _asked(node.subject, _OF_ROW | _OF_RECORD):
            yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and type(one.value) is str)
    for text in sqls(file):
        for some in _SQL_COMPARED.findall(text):
            yield from _QUOTED.findall(some)


def reads(file: ast.Module | str) -> Iterator[str]:
    """The literals with which a record's state is compared, or by which its links, fields, acts and states are got."""
    for node in () if isinstance(file, str) else ast.walk(file):
        if isinstance(node, ast.Compare):
            yield from _beside(node, _OF_RECORD)
            if isinstance(node.ops[0], ast.In | ast.NotIn) and _held(node.comparators[0]):
                yield from _constants(node.left)
        elif isinstance(node, ast.Subscript) and _held(node.value):
            yield from _constants(node.slice)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "pop") and node.args:
            yield from _constants(node.args[0]) if _held(node.func.value) else ()  # type: ignore[attr-defined]
    for text in sqls(file):
        for some in _SQL_READ.findall(text):
            yield from _QUOTED.findall(some)


def _beside(node: ast.Compare, names: frozenset[str]) -> Iterator[str]:
    sides = [node.left, *node.comparators]
    if any(_asked(one, names) for one in sides):
        yield from (one for side in sides for one in _constants(side))


def _asked(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether it is `one.state`, `state` or `row["state"]`, by one of these names."""
    key = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else None
    return getattr(node, "attr", getattr(node, "id", key)) in names


def _held(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) in _HELD


def _constants(node: ast.AST) -> Iterator[str]:
    """A text literal, or those of a written list; what is worked out from others is none."""
    for one in getattr(node, "elts", [node]):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def test_no_state_act_link_or_field_of_a_record_is_read_by_a_literal() -> None:
    """Not even by a word that is listed: there it would be a word of the type."""
    strange = {(name, one) for name, file in files().items() for one in reads(file) if one not in READ}
    assert sorted(strange - OTHERWISE) == []
    assert sorted(OTHERWISE - strange) == [], "nothing is excused that is not there"


OTHERWISE = frozenset(
    (
        ("portability/arrive.py", "name"), ("portability/arrive.py", "roles"), ("portability/rebuild.py", "name"),
        ("portability/rebuild.py", "roles"),
        ("exchange/reported.py", "open"), ("exchange/reported.py", "disputed"),
    )
)  # fmt: skip
"""What is no record of a type: a member, folded as a record is, and the row of a report on behalf."""


@pytest.mark.parametrize(
    "text",
    [
        'def f(one):\n    return one.core_state == "open"',
        'def f(row):\n    return "open" != row["core_state"]',
        'def f(one):\n    return one.folded.links.get("for")',
        'def f(one):\n    return one.links["for"]',
        'def f(one):\n    return "for" in one.links',
        "SQL = \"select from comity.link l, comity.record r where l.name = 'for' and r.core_state = 'open'\"",
        "SQL = \"select from comity.record where core_state in ('open', 'for')\"",
    ],
)
def test_a_word_that_is_read_is_found(text: str) -> None:
    assert {*reads(ast.parse(text))} <= {"for", "open"} and [*reads(ast.parse(text))]


@pytest.mark.parametrize(
    "text",
    [
        'def f(state):\n    return state == "open"',
        'def f(one):\n    return one.state in ("open", "closed")',
        'def f(row):\n    return row["state"] != "open"',
        'def f(act):\n    return act.name == "open"',
        'def f(one):\n    match one.state:\n        case "open":\n            return 1',
        "SQL = \"select from comity.record r where r.state = any(array['open', 'closed'])\"",
        "SQL = \"select from comity.link one where one.name = 'open'\"",
    ],
)
def test_a_word_that_is_compared_is_found(text: str) -> None:
    assert "open" in {*compared(ast.parse(text))} <= {"open", "closed"}


def test_a_word_in_a_file_of_sql_is_found_and_what_its_comments_say_is_not() -> None:
    text = uncommented("-- 'trial'\nselect 1 from comity.link l where l.name = 'for' and r.core_state = 'open'")
    assert {*said(text)} == {*reads(text)} == {"for", "open"}
    assert any(name.endswith("functions/reach.sql") and {*said(file)} for name, file in files().items())


def test_a_word_is_excused_in_its_own_files_alone() -> None:
    text = 'def f(one, state):\n    return state == "open" and one.links.get("for")'
    sql = "select from comity.link l where l.name = 'for' and r.core_state = 'open'"
    other = {"ledger/merkle.py": ast.parse(text), "schema/functions/lag.sql": sql}
    assert {("open", "types/obligation.py"), ("for", "types/agency.py")} <= listed("says")
    assert found(said, other) - listed("says") - listed("reads") == {
        (word, n) for word in ("open", "for") for n in other
    }
    assert found(compared, other) - listed("reads") >= {
        ("open", "ledger/merkle.py"),
        ("for", "schema/functions/lag.sql"),
    }


def test_a_role_or_purpose_in_a_literal_is_found() -> None:
    assert {"administrator", "investigation"} <= set(vocabulary())
    tree = ast.parse('"""administrator"""\nKEEPERS = frozenset({"administrator"})\nSQL = "where purpose = \'trial\'"')
    assert {one for one in said(tree) if one in vocabulary()} == {"administrator", "trial"}
