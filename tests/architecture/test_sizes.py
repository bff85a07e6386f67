"""No file, function or list of parameters grows past what one reads at once; exceptions stand in sizes.yml."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.sources import ROOT, modules, tracked

LIMITS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("sizes.yml").read_text("utf-8"))
KINDS = {".py", ".yml", ".sql", ".md", ".sh", ".js", ".css", ".html"}
OPTIONS = ("comity/cli/", "comity/api/")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Every function of a module by its qualified name, those within classes and functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{within}{node.name}"
            if isinstance(node, Function):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, within)


def lines(of: Function) -> int:
    """From its `def` to its last line; decorators not counted."""
    assert of.end_lineno is not None
    return of.end_lineno - of.lineno + 1


def parameters(of: Function) -> int:
    """How many it takes, *args and **kwargs one each; the instance or class that a method is of is none."""
    given = of.args
    named = [one.arg for one in (*given.posonlyargs, *given.args)]
    bound = bool(named) and named[0] in ("self", "cls")
    return len(named) - bound + len(given.kwonlyargs) + (given.vararg is not None) + (given.kwarg is not None)


def excepted(kind: str) -> dict[str, int]:
    assert all(one["why"] for one in LIMITS[kind])
    return {one["what"]: one["size"] for one in LIMITS[kind]}


def all_functions() -> Iterator[tuple[str, Function]]:
    for path, tree in modules().items():
        for name, node in functions(tree):
            yield f"{path} {name}", node


@pytest.mark.parametrize("folder", ["comity", "tests", "bench", "agencies", "jurisdictions", "docs"])
def test_no_file_is_longer_than_two_screens_of_anyones_patience(folder: str) -> None:
    here = [path for path in tracked() if path.parts[0] == folder and path.suffix in KINDS]
    assert here
    counts = {str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in here}
    long = {name: count for name, count in counts.items() if count > LIMITS["lines_of_a_file"]}
    assert long == {name: size for name, size in excepted("files").items() if name.startswith(f"{folder}/")}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {name: lines(of) for name, of in all_functions() if lines(of) > LIMITS["lines_of_a_function"]}
    assert long == excepted("functions")


def test_no_function_takes_more_than_one_keeps_in_mind() -> None:
    many = {
        name: parameters(of)
        for name, of in all_functions()
        if not name.startswith(OPTIONS) and parameters(of) > LIMITS["parameters"]
    }
    assert many == excepted("parameters_of")


def test_the_walk_measures_every_function() -> None:
    source = """
class A:
    @property
    def b(self, c, /, d, *e, f, **g):
        async def h(i=1):
            return i

        return h
if True:
    def j(cls): ...
"""
    found = {name: (lines(of), parameters(of)) for name, of in functions(ast.parse(source))}
    assert found == {"A.b": (5, 5), "A.b.h": (2, 1), "j": (1, 0)}
