"""Finds every code that the package says: what stands, or can come to stand, where something is called with a `code`.

A callable with a parameter or field named `code` carries codes, whatever its name: `Problem`, `Fault`, `faults.add`,
`StartupRefused`, helpers such as `_known`. Each call of one is read: a text says itself; a name is followed to its
constant, its assignments in the function or its loop; a table or function of the package to all that it can give.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tests.architecture.sources import modules

NOT_CODES = {
    "redeem": "the one-time code of an invitation", "Invitation": "the one-time code of an invitation",
    "Shown": "an exit code", "_spoken": "an exit code", "refused": "what a story expects to be refused with",
    "calculate": "the name of a clock", "_begins": "the name of a clock", "_Reading": "the name of a clock",
    "ClockRule": "the name of a clock", "Exclusion": "the name of an exclusion", "_exclusion": "the name of one",
    "_among": "a value of a code list", "Line": "a difference between two versions of definitions",
}  # fmt: skip
"""Callables whose `code` is something else."""

FROM_DATA = {
    ("comity/kernel/types/shape.py", "code"): "the keyword of JSON Schema that refused: test_every_keyword",
    ("comity/pillars/investigation/referral.py", "check['code']"): "the checks of a profile, which are YAML",
}
"""Where a code is read from data; a test of its own holds each."""


@dataclass(frozen=True)
class CodeCall:
    """A call that says a code: `by` the callable, `codes` all that it can say."""

    module: str
    line: int
    by: str
    codes: frozenset[str]


@lru_cache(maxsize=1)
def code_calls() -> tuple[list[CodeCall], list[tuple[str, str, int]]]:
    """Every call that says codes, and each of which the walk cannot tell what it says: its module, argument, line."""
    found, unread = [], []
    known = carriers()
    for module, tree in modules().items():
        if module.startswith("comity/problems/"):
            continue
        walk = _Walk(module, tree)
        for call, inside in walk.calls():
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name in NOT_CODES or name not in known:
                continue
            argument = _argument(call, known[name])
            if argument is None or (name == "add" and not _gathers(call)):
                continue
            codes = walk.values(argument, inside)
            if codes is None:
                if name not in SHARED:
                    unread.append((module, ast.unparse(argument), call.lineno))
            elif codes:
                found.append(CodeCall(module, call.lineno, name, codes))
    return found, unread


SHARED = ("decide", "Decision", "refuse", "__init__")
"""Names that callables without a code have too: `decide` is the policy's, `refuse` the page's. Only texts count."""


def _gathers(call: ast.Call) -> bool:
    """`faults.add`, not the `add` of a set."""
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith("faults")


def carriers() -> dict[str, set[int]]:
    """Callable -> the places at which its parameter `code` can stand; `replace` and the `__init__` above pass it on."""
    found: dict[str, set[int]] = {"replace": set(), "__init__": {0}}
    for tree in modules().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and _named(one.target)]
                methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
                names = [_parameters(one)[1:] for one in methods] or [fields]
                if "code" in names[0]:
                    found.setdefault(node.name, set()).add(names[0].index("code"))
            elif isinstance(node, ast.FunctionDef) and node.name != "__init__" and "code" in _parameters(node):
                names_ = _parameters(node)
                found.setdefault(node.name, set()).add(names_.index("code") - (names_[0] in ("self", "cls")))
    return found


def _named(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def _parameters(node: ast.FunctionDef) -> list[str]:
    return [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _argument(call: ast.Call, places: set[int]) -> ast.expr | None:
    named = next((one.value for one in call.keywords if one.arg == "code"), None)
    return named or next((call.args[place] for place in sorted(places) if place < len(call.args)), None)


class _Walk:
    """One module: its calls with the functions around them, and what an expression in it can come to."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.tree = module, tree

    def calls(self) -> Iterator[tuple[ast.Call, list[ast.FunctionDef]]]:
        yield from self._calls(self.tree, [])

    def _calls(self, node: ast.AST, inside: list[ast.FunctionDef]) -> Iterator[tuple[ast.Call, list[ast.FunctionDef]]]:
        within = [*inside, node] if isinstance(node, ast.FunctionDef) else inside
        if isinstance(node, ast.Call):
            yield node, within
        for one in ast.iter_child_nodes(node):
            yield from self._calls(one, within)

    def values(self, node: ast.expr, inside: list[ast.FunctionDef]) -> frozenset[str] | None:
        """The texts that an expression can come to; empty: a code that was said elsewhere; None: not known."""
        if isinstance(node, ast.Constant):
            return frozenset((node.value,)) if isinstance(node.value, str) and node.value else frozenset()
        if isinstance(node, ast.IfExp | ast.BoolOp):
            return self._all([node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values, inside)
        if isinstance(node, ast.Attribute) and node.attr == "code":
            return frozenset()
        if isinstance(node, ast.Name):
            return self._name(node.id, inside)
        if isinstance(node, ast.Subscript):
            return self._table(node.value)
        if isinstance(node, ast.Call):
            return self._called(node, inside)
        return None

    def _all(self, nodes: list[ast.expr], inside: list[ast.FunctionDef]) -> frozenset[str] | None:
        found = [self.values(one, inside) for one in nodes]
        return None if None in found else frozenset().union(*(one for one in found if one is not None))

    def _name(self, name: str, inside: list[ast.FunctionDef]) -> frozenset[str] | None:
        for function in reversed(inside):
            if name == "code" and name in _parameters(function):
                return frozenset()
            given = self._assigned(name, function)
            if given:
                return self._all(given, inside)
            looped = self._looped(name, function)
            if looped is not None:
                return looped
        given = self._assigned(name, self.tree)
        return self._all(given, []) if given else None

    def _looped(self, name: str, within: ast.AST) -> frozenset[str] | None:
        """The values of a table of the module through which a loop goes: `for key, name in TABLE.items()`."""
        for one in ast.walk(within):
            if isinstance(one, ast.For) and isinstance(one.target, ast.Tuple) and isinstance(one.iter, ast.Call):
                last = one.target.elts[-1]
                through = one.iter.func
                if isinstance(last, ast.Name) and last.id == name and getattr(through, "attr", "") == "items":
                    return self._table(through.value) if isinstance(through, ast.Attribute) else None
        return None

    @staticmethod
    def _assigned(name: str, within: ast.AST) -> list[ast.expr]:
        return [
            one.value
            for one in (ast.walk(within) if isinstance(within, ast.FunctionDef) else ast.iter_child_nodes(within))
            if isinstance(one, ast.Assign | ast.AnnAssign) and one.value is not None
            for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
            if isinstance(target, ast.Name) and target.id == name
        ]

    def _table(self, node: ast.expr) -> frozenset[str] | None:
        """All values of a table of the module."""
        given = self._assigned(node.id, self.tree) if isinstance(node, ast.Name) else []
        tables = [one for one in given if isinstance(one, ast.Dict)]
        return self._all([value for one in tables for value in one.values], []) if tables else None

    def _called(self, node: ast.Call, inside: list[ast.FunctionDef]) -> frozenset[str] | None:
        """What a reader of YAML falls back on, what a table's `get` gives, or what a function returns."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "text" and node.args and getattr(node.args[0], "value", "") == "code":
            return self._all(node.args[1:], inside)
        if name == "get" and isinstance(node.func, ast.Attribute):
            table = self._table(node.func.value)
            rest = self._all(node.args[1:], inside)
            return None if table is None or rest is None else table | rest
        for module, tree in modules().items():
            for one in ast.iter_child_nodes(tree):
                if isinstance(one, ast.FunctionDef) and one.name == name:
                    given = [each.value for each in ast.walk(one) if isinstance(each, ast.Return) and each.value]
                    return _Walk(module, tree)._all(given, [one])
        return None
