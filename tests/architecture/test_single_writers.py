"""One place inserts entries, one writes record rows, one reads the time."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import modules, writers

SUPERVISION = {"comity/config/supervise.py", "comity/config/embedded.py", "comity/config/embedded_cluster.py"}
"""They run before and below Comity, as a process of their own: they wait, and put the hour before a line of a log."""
DATES = {"now", "utcnow", "today"}


@pytest.mark.parametrize("table", ["entry", "entry_content"])
def test_only_append_inserts_entries(table: str) -> None:
    assert writers("insert into|update|delete from|truncate|merge into|copy", table) == {
        "comity/kernel/ledger/append.py"
    }


def test_only_the_sequencer_takes_from_pending_and_gives_places() -> None:
    assert writers("insert into", "pending") == {"comity/kernel/ledger/append.py"}
    assert writers("delete from", "pending") == {"comity/kernel/ledger/sequence.py"}
    assert writers("insert into|update|delete from", "sequence") == {"comity/kernel/ledger/sequence.py"}


@pytest.mark.parametrize("table", ["record", "link", "term"])
def test_only_project_writes_record_rows(table: str) -> None:
    assert writers("insert into|update|delete from|truncate|merge into|copy", table) == {
        "comity/kernel/records/project.py"
    }


def test_only_erase_calls_for_an_erasure() -> None:
    calling = {name for name, tree in modules().items() if "comity.erase(" in ast.dump(tree)}
    assert calling == {"comity/kernel/ledger/erase.py"}


def _asks_the_time(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("datetime", "date") and node.attr in DATES:
                found.add(f"{node.value.id}.{node.attr}")
            if node.value.id == "time" and node.attr not in ("min", "max", "fromisoformat"):
                found.add(f"time.{node.attr}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found.add("from time")
        if isinstance(node, ast.Import) and any(one.name == "time" for one in node.names):
            found.add("import time")
    return found


def test_only_the_clock_asks_the_time() -> None:
    asking = {name: found for name, tree in modules().items() if (found := _asks_the_time(tree))}
    assert set(asking) - SUPERVISION == {"comity/clock.py"}
    for name in SUPERVISION & set(asking):
        assert asking[name] <= {
            "import time",
            *(f"time.{one}" for one in ("monotonic", "sleep", "gmtime", "strftime")),
        }, name


def test_the_walk_sees_every_way_to_ask() -> None:
    for line in (
        "datetime.now()",
        "date.today()",
        "datetime.utcnow()",
        "time.time()",
        "import time",
        "from time import x",
    ):
        assert _asks_the_time(ast.parse(line)), line
    assert not _asks_the_time(ast.parse("clock.now(); datetime.combine(a, time())"))
