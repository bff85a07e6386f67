"""The sources as trees: what the architecture's tests walk."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "comity"
FUNCTIONS = PACKAGE / "kernel" / "schema" / "functions"


@lru_cache(maxsize=1)
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its path below the repository."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "_data" not in path.parts
    }


def texts(tree: ast.AST) -> Iterator[str]:
    """The text constants of a module that do something: all but docstrings."""
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    silent |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def writers(verbs: str, table: str) -> set[str]:
    """The modules with a statement of these kinds on a table."""
    wanted = re.compile(rf"\b({verbs})\s+(only\s+)?comity\.{table}\b(?!_)", re.IGNORECASE)
    return {name for name, tree in modules().items() if any(wanted.search(text) for text in texts(tree))}


def functions() -> dict[str, str]:
    """What each SQL function of the schema does, by its file: without comments."""
    return {path.name: uncommented(path.read_text("utf-8")) for path in sorted(FUNCTIONS.glob("*.sql"))}


def uncommented(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)


def tracked() -> list[Path]:
    """Every file that belongs to the project, by its path below the repository."""
    hidden = {"__pycache__", "_data", "node_modules"}
    folders = ("comity", "tests", "bench", "docs", "agencies", "jurisdictions")
    return [
        path.relative_to(ROOT)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and not hidden & set(path.parts) and not any(part.startswith(".") for part in path.parts[-3:])
    ]
