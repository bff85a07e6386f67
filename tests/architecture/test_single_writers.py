"""One place inserts entries, one writes record rows, one reads the time."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import functions, modules, texts, uncommented, writers

SUPERVISION = {"comity/config/supervise.py", "comity/config/embedded.py", "comity/config/embedded_cluster.py"}
"""They run before and below Comity, as a process of their own: they wait, and put the hour before a line of a log."""
DATES = {"now", "utcnow", "today"}


BY_FUNCTION = {
    ("erase.sql", "entry_content"): "an order of erasure takes the content out of an entry of one's own",
    ("erase.sql", "offer"): "what was erased goes from the answer that the offer's row repeats",
    ("erase.sql", "share"): "what was erased goes from the grounds of what was shared",
    ("pass_on.sql", "outbox"): "marks are owed to agencies whose links the caller may not see",
}
"""Where a function of the schema writes what else one module writes: for what the module's own role may not do."""
ONE_WRITER = (
    "entry", "entry_content", "pending", "sequence", "record", "link", "term", "offer", "share", "outbox", "refusal",
    "reported",
)  # fmt: skip
_SQL_WRITES = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|merge\s+into|copy)\s+(?:only\s+)?"
    rf"(?:comity\s*\.\s*)?\"?({'|'.join(ONE_WRITER)})\"?\b(?!_)",
    re.IGNORECASE,
)
"""A function has `comity` in its search path: it may leave the schema out."""


def test_no_function_of_the_schema_writes_beside_the_one_writer() -> None:
    found = {(name, table.lower()) for name, text in functions().items() for table in _SQL_WRITES.findall(text)}
    assert sorted(found - set(BY_FUNCTION)) == []
    assert sorted(set(BY_FUNCTION) - found) == [], "an exception that nothing needs any more is taken out"
    dynamic = {name for name, text in functions().items() if re.search(r"\bexecute\s+(?!on\b|function\b)", text)}
    assert dynamic == set(), "what is put together while it runs cannot be read here"


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("insert into comity.entry (id) values (gen_random_uuid());", "entry"),
        ("Update only Comity.record r set title = '';", "record"),
        ("delete\n  from link where target = asked;", "link"),
        ("/* an */ insert into outbox -- of\n values (1);", "outbox"),
        ("truncate table comity.term;", "term"),
        ("merge into comity.reported using met on true", "reported"),
    ],
)
def test_a_write_in_a_function_is_found(text: str, table: str) -> None:
    assert [one.lower() for one in _SQL_WRITES.findall(uncommented(text))] == [table]


@pytest.mark.parametrize("text", ["-- update comity.record", "select from comity.entry e", "update comity.record_note"])
def test_what_writes_none_of_them_is_none(text: str) -> None:
    assert _SQL_WRITES.findall(uncommented(text)) == []


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


@pytest.mark.parametrize("table", ["offer", "share"])
def test_only_grants_writes_what_one_agency_lets_another_see(table: str) -> None:
    assert writers("insert into|update|delete from|truncate|merge into|copy", table) == {
        "comity/kernel/records/grants.py"
    }


def test_only_the_outbox_writes_what_effects_owe() -> None:
    verbs = "insert into|update|delete from|truncate|merge into|copy"
    assert writers(verbs, "outbox") == {"comity/kernel/sharing/outbox.py"}


def test_only_refusals_writes_the_traces_of_refused_acts() -> None:
    verbs = "insert into|update|delete from|truncate|merge into|copy"
    assert writers(verbs, "refusal") == {"comity/kernel/work/refusals.py"}


def _callers(function: str, module: str) -> set[str]:
    """The modules that call a function of a module, by its own name or through the module's."""
    short = module.rpartition(".")[2]
    found = set()
    for name, tree in modules().items():
        named = {
            one.asname or one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == module
            for one in node.names
            if one.name == function
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                by_name = isinstance(node.func, ast.Name) and node.func.id in named
                of = getattr(node.func, "value", None)
                through = isinstance(of, ast.Name) and of.id == short and getattr(node.func, "attr", "") == function
                if by_name or through:
                    found.add(name)
    return found


WRITE = "comity/kernel/records/write.py"
OF_NO_RECORD = {
    "comity/kernel/records/erase.py": "an order of erasure, whose record is projected anew from what is left",
    "comity/kernel/records/install.py": "a layer of definitions",
    "comity/kernel/records/offer_moves.py": "that the receiver's log has the end of an offer",
    "comity/kernel/records/emergency.py": "an opening in an emergency and its review",
    "comity/kernel/policy/tokens.py": "members, their roles and suspensions",
    "comity/kernel/portability/elsewhere.py": "that an agency is kept on another node, in the node's own log",
    "comity/kernel/portability/arrive.py": "the arrival of an agency, in the node's own log",
    "comity/kernel/sharing/digest.py": "the daily digest of disclosures",
    "comity/kernel/sharing/endpoint.py": "a webhook's address",
}
"""Who appends an entry that is of no record of a type, and what it is; every act on a record goes through write."""


def test_every_act_on_a_record_is_written_by_write() -> None:
    assert _callers("append", "comity.kernel.ledger.append") == {WRITE, *OF_NO_RECORD}
    assert _callers("records", "comity.kernel.records.project") == {WRITE}
    assert _callers("offer", "comity.kernel.records.grants") == {WRITE}
    assert _callers("move", "comity.kernel.records.offer_moves") == {WRITE}
    assert _callers("keep", "comity.kernel.records.grants") == {"comity/kernel/records/offer_moves.py"}


def test_every_change_of_a_record_was_judged_or_follows_by_itself() -> None:
    """`changed` makes a change: validate for what a person asks, the others for what follows without a person."""
    follows = {"cascades", "mark_propagation", "offers", "attach"}
    assert _callers("changed", "comity.kernel.work.change") == {
        "comity/kernel/records/validate.py",
        "comity/kernel/sharing/settle.py",
        *(f"comity/kernel/records/{name}.py" for name in follows),
    }
    assert _callers("about_anothers", "comity.kernel.work.change") == {
        "comity/kernel/records/validate.py",
        "comity/kernel/exchange/reported.py",
    }


def test_only_items_spells_the_items_of_an_entry() -> None:
    kinds = "set|unset|taken|link|unlink|mark|unmark|field_mark|file|answer|share|late|counts"
    spelled = re.compile(rf"(\A|[\"'])({kinds})/")
    found = {
        (name, text)
        for name, tree in modules().items()
        if name.startswith("comity/kernel/") and name != "comity/kernel/ledger/items.py"
        for text in texts(tree)
        if spelled.search(text)
    }
    assert found == set()


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
