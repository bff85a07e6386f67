"""What the source says of the catalogue: every key that is named, with the values that are given to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).parents[2] / "comity"
PARTS = ("title", "meaning", "remedy", "fix")
"""What stands behind a key, and is asked for by it."""
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_-]+)*\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """One `say("key", name=...)`. `given` None: the values are not written out there."""

    where: str
    key: str
    given: frozenset[str] | None


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def said() -> Iterator[Said]:
    for path, tree in trees():
        for node in ast.walk(tree):
            start = _start(node.func) if isinstance(node, ast.Call) and node.args else None
            if start is None or path.name == "demo.py":
                continue
            assert isinstance(node, ast.Call)
            key = node.args[0]
            if _name(node.func) == "headed" and isinstance(key, ast.Tuple):
                headings = (one.value for one in key.elts if isinstance(one, ast.Constant) and one.value)
                yield from (Said(f"{path.relative_to(ROOT)}:{node.lineno}", f"{start}{one}", None) for one in headings)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                names = [one.arg for one in node.keywords]
                given = None if None in names else frozenset(one for one in names if one)
                yield Said(f"{path.relative_to(ROOT)}:{node.lineno}", start + key.value, given)


def texts() -> frozenset[str]:
    """Every text of the source that could be a key."""
    return frozenset(
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.match(node.value)
    )


def names(sentence: str) -> frozenset[str]:
    """The named values of a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


def _start(called: ast.expr) -> str | None:
    """What stands before the key that is given to this function; None for every other function."""
    if isinstance(called, ast.Name):
        return {"say": "", "Sentence": "", "word": "cli.", "headed": "cli."}.get(called.id)
    if not isinstance(called, ast.Attribute):
        return None
    of = _name(called.value)
    if of in ("locale", "_locale", "DEFAULT"):
        return None
    if of == "output" and called.attr in ("word", "headed"):
        return "cli."
    return {"say": "page.", "word": "page."}.get(called.attr)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@dataclass(frozen=True, slots=True)
class Glued:
    """What the source writes itself into the values of one sentence."""

    where: str
    key: str
    texts: tuple[str, ...]


_READS = frozenset(
    ("say", "word", "term", "get", "partition", "rpartition", "strip", "removesuffix", "replace", "at", "text", "split",
     "joined", "join")
)  # fmt: skip
"""Calls whose arguments are no part of the value: what they say is a sentence, or they look something up."""


def values() -> Iterator[Glued]:
    """The texts that stand in the values given to sentences, in every `say` and `word` of the source."""
    for path, tree in trees():
        if path.name == "demo.py" or "stories" in path.parts:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in ("say", "word") and node.args:
                found = tuple(text for one in node.keywords for text in _written(one.value))
                yield Glued(f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.args[0]), found)


def _written(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and _name(node.func) in _READS:
        return
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Subscript):
        yield from _written(node.value)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _written(child)
