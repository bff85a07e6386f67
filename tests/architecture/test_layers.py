"""Imports go downward only, and what must stand alone stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, modules

LINT = Path(sys.executable).with_name("lint-imports")
PILLARS = sorted(path.parent.name for path in (ROOT / "comity" / "pillars").glob("*/pillar.yml"))


def imported(name: str) -> set[str]:
    """The modules that a module imports, also within functions."""
    found: set[str] = set()
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([str(LINT), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("pillar", PILLARS)
def test_pillars_do_not_import_each_other(pillar: str) -> None:
    for name in modules():
        if name.startswith(f"comity/pillars/{pillar}/"):
            others = {one for one in imported(name) if one.startswith("comity.pillars.")}
            assert all(one.startswith(f"comity.pillars.{pillar}") for one in others), name


def test_pillars_and_formats_import_the_plain_modules_only() -> None:
    plain = tuple(f"comity.{one}" for one in ("extensions", "errors", "clock", "names", "sentences", "formats"))
    for name in modules():
        if name.startswith(("comity/pillars/", "comity/formats/")):
            ours = {one for one in imported(name) if one.startswith("comity.")}
            own = ".".join(Path(name).parts[:3]) if "pillars" in name else "comity.formats"
            assert all(one.startswith((*plain, own)) for one in ours), (name, ours)


def test_config_is_the_one_importer_of_pillars() -> None:
    naming = {name for name in modules() if any(one.startswith("comity.pillars") for one in imported(name))}
    assert all(name.startswith(("comity/pillars/", "comity/config/")) for name in naming), naming


@pytest.mark.parametrize("module", ["verify", "canonical", "entry", "fold", "merkle", "departure", "departure_check"])
def test_a_log_can_be_verified_without_django_and_without_a_database_driver(module: str) -> None:
    program = f"""
import sys
import comity.kernel.ledger.{module}
heavy = sorted(n for n in sys.modules if n.split('.')[0] in ('django', 'psycopg', 'psycopg_pool', 'cedarpy', 'ninja'))
print(heavy)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_an_agency_or_jurisdiction_holds_no_code() -> None:
    for folder in ("agencies", "jurisdictions"):
        suffixes = {path.suffix for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert suffixes <= {".yml", ".csv", ".md", ""}, folder


def _imported_files(name: str) -> set[str]:
    """The modules of the package that a module imports, anywhere in it, by their paths."""
    known = modules()
    paths = {one.replace(".", "/") + ".py" for one in imported(name)}
    return {one for one in paths if one in known}


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of files that reach each other: those left when what nothing leads back to is taken away."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen, front = set[str](), [start]
        while front:
            new = graph[front.pop()] - seen
            seen |= new
            front += new
        reach[start] = seen
    groups = {tuple(sorted({one, *(two for two in reach[one] if one in reach[two])})) for one in graph}
    return [list(group) for group in groups if len(group) > 1]


def test_no_files_of_the_package_import_each_other_in_a_circle() -> None:
    """Nor within functions, nor for types alone."""
    assert _circles({name: _imported_files(name) for name in modules()}) == []


def test_a_circle_would_be_seen() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_room_of_the_kernel_holds_more_than_its_share() -> None:
    lines: dict[str, int] = {}
    for name in modules():
        if name.startswith("comity/kernel/") and name.count("/") > 2:
            room = name.split("/")[2]
            lines[room] = lines.get(room, 0) + len((ROOT / name).read_text("utf-8").splitlines())
    assert {room for room, count in lines.items() if count * 100 >= 22 * sum(lines.values())} == set()
