"""The rule over a release with one of its conditions turned: what a pair must notice.

A condition is each comparison, each `not`, each part of an `and` or `or`, and each test of an `if` that is none of
these. The files of the rule are read from their source, one condition is turned, and they are run as modules of their
own; the program itself is not touched.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

PACKAGE = "comity.pillars.custody"
FILES = ("same_person", "holds", "kept_under", "lets_go", "release_authority")
"""In the order in which they import one another."""
RULES = {
    "holds": ("keeps", "hidden_against", "on_the_way", "detainers", "persons", "standing", "_of_another", "before"),
}
"""Of a file that also holds other rules, the functions that this one uses."""


@dataclass(frozen=True)
class Condition:
    """One condition: its file, its line and its words; `at` is its place among those of the file."""

    file: str
    line: int
    words: str
    at: int

    def __str__(self) -> str:
        return f"{self.file}.py:{self.line}: {self.words}"


@functools.cache
def source(file: str) -> ast.Module:
    return ast.parse((Path(*importlib.import_module(PACKAGE).__path__) / f"{file}.py").read_text("utf-8"))


@functools.cache
def compiled(file: str) -> CodeType:
    return compile(source(file), f"{file}.py", "exec")


def conditions(file: str) -> list[Condition]:
    found = [node for node, _, _ in _places(source(file), file)]
    return [Condition(file, node.lineno, ast.unparse(node), at) for at, node in enumerate(found)]


def _places(tree: ast.Module, file: str) -> Iterator[tuple[ast.expr, ast.AST, tuple[str, int | None]]]:
    """Each condition with the node that holds it and where there: the field's name, and the place in a list."""
    rules = RULES.get(file)
    for top in tree.body:
        if not isinstance(top, ast.FunctionDef) or (rules is not None and top.name not in rules):
            continue
        for parent in ast.walk(top):
            for name, value in ast.iter_fields(parent):
                for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                    if isinstance(child, ast.expr) and _is_condition(parent, name, child):
                        yield child, parent, (name, place)


def _is_condition(parent: ast.AST, name: str, child: ast.expr) -> bool:
    if isinstance(child, ast.Compare):
        return True
    if isinstance(child, ast.BoolOp) or (isinstance(child, ast.UnaryOp) and isinstance(child.op, ast.Not)):
        return False
    asked = isinstance(parent, ast.If | ast.IfExp) and name == "test"
    negated = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    return asked or negated or (isinstance(parent, ast.BoolOp) and not _is_value(child)) or name == "ifs"


def _is_value(child: ast.expr) -> bool:
    """A part of an `or` that gives what stands in for nothing, such as a word of a sentence, and decides nothing."""
    return isinstance(child, ast.Constant | ast.Attribute | ast.Subscript)


def turned(condition: Condition) -> Any:
    """The rule with this condition turned."""
    tree = copy.deepcopy(source(condition.file))
    node, parent, (name, place) = list(_places(tree, condition.file))[condition.at]
    other = ast.copy_location(ast.UnaryOp(ast.Not(), node), node)
    if place is None:
        setattr(parent, name, other)
    else:
        getattr(parent, name)[place] = other
    return run({condition.file: ast.fix_missing_locations(tree)})


def run(changed: dict[str, ast.Module]) -> Any:
    """`release_authority` of modules of their own, made of these sources and the others as they are."""
    package = importlib.import_module(PACKAGE)
    names = [f"{PACKAGE}.{file}" for file in FILES]
    before = [(sys.modules[name], name, file) for name, file in zip(names, FILES, strict=True)]
    try:
        for name, file in zip(names, FILES, strict=True):
            made = ModuleType(name)
            sys.modules[name] = made
            setattr(package, file, made)
            code = compile(changed[file], f"{file}.py", "exec") if file in changed else compiled(file)
            exec(code, made.__dict__)
        return sys.modules[names[-1]].release_authority
    finally:
        for module, name, file in before:
            sys.modules[name] = module
            setattr(package, file, module)


def every(files: Sequence[str] = FILES) -> list[Condition]:
    return [one for file in files for one in conditions(file)]
