"""Every code that the package or a shipped definition says is explained once, and every explanation is of one said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from comity.config import loader, paths
from comity.errors import Problem
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.definitions.problem_codes import explained
from comity.kernel.types import schema, shape
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.code_uses import CodeMeaning, CodeUse
from comity.problems import CODES, PARTS, STATUSES
from tests.architecture.codes import FROM_DATA, NOT_CODES, carriers, code_calls

BY_CALL = {
    "Problem": {"problem"}, "StartupRefused": {"startup", "problem"}, "explain": {"startup"},
    "Decision": {"decision"}, "Undecided": {"decision"}, "decide": {"decision"},
}  # fmt: skip
"""What a code must be by what says it; all else says faults, among them codes that whole problems have too."""

KEYWORDS: dict[str, tuple[dict[str, Any], Any]] = {
    "type": ({"type": "string"}, 1), "format": ({"type": "string", "format": "date"}, "soon"),
    "pattern": ({"pattern": "^a"}, "b"), "enum": ({"enum": ["a"]}, "b"), "const": ({"const": "a"}, "b"),
    "multipleOf": ({"multipleOf": 5}, 3), "uniqueItems": ({"uniqueItems": True}, [1, 1]),
    "properties": ({"properties": {"a": {"type": "string"}}}, {"a": 1}),
    "dependentRequired": ({"dependentRequired": {"a": ["b"]}}, {"a": 1}), "required": ({"required": ["a"]}, {}),
    "minLength": ({"minLength": 2}, "a"), "maxLength": ({"maxLength": 1}, "ab"),
    "minimum": ({"minimum": 2}, 1), "maximum": ({"maximum": 1}, 2),
    "exclusiveMinimum": ({"exclusiveMinimum": 2}, 2), "exclusiveMaximum": ({"exclusiveMaximum": 1}, 1),
    "minItems": ({"minItems": 1}, []), "maxItems": ({"maxItems": 1}, [1, 2]),
    "minProperties": ({"minProperties": 1}, {}), "maxProperties": ({"maxProperties": 0}, {"a": 1}),
    "minContains": ({"contains": {"type": "string"}, "minContains": 2}, ["a"]),
    "maxContains": ({"contains": {"type": "string"}, "maxContains": 1}, ["a", "b"]),
    "contains": ({"contains": {"type": "string"}}, [1]), "items": ({"items": False}, [1]),
    "prefixItems": ({"prefixItems": [{"type": "string"}]}, [1]), "not": ({"not": {"type": "string"}}, "a"),
    "additionalProperties": ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, {"b": 1}),
    "propertyNames": ({"propertyNames": {"maxLength": 1}}, {"ab": 1}), "if": ({"if": {}, "then": False}, 1),
    "then": ({"if": {}, "then": {"type": "string"}}, 1), "else": ({"if": False, "else": {"type": "string"}}, 1),
    "anyOf": ({"anyOf": [{"type": "string"}]}, 1), "oneOf": ({"oneOf": [{}, {}]}, 1),
    "allOf": ({"allOf": [{"type": "string"}]}, 1),
}  # fmt: skip
"""Each keyword that a field may be described with: a schema and a value that it refuses."""
SILENT = {"description", "examples", "title"}
"""Keywords that refuse nothing."""

WORDS_ALIKE = {"weight_missing": "two agencies ask for the weight of a thing, each in its own words"}
"""Codes said in different words by agencies that no catalogue brings together."""

VERBS = re.compile(
    r"("
    r"Accept|Acknowledge|Add|Allow|Alter|Amend|Answer|Ask|Begin|Book|Bring|Check|Choose|"
    r"Complete|Correct|Count|Create|Cut|Decide|Discharge|Dispute|Do|Drop|Dump|End|Enter|"
    r"Explain|File|Fill|Forbid|Get|Give|Grant|Have|Import|Install|Investigate|Keep|Leave|Let|"
    r"Link|List|Load|Lodge|Look|Make|Mark|Meet|Move|Name|Offer|Point|Prepare|Put|Read|"
    r"Reassign|Record|Release|Remand|Remove|Rename|Repair|Report|Reset|Restore|Retract|Round|"
    r"Run|Save|Say|Search|See|Send|Serve|Set|Shorten|Sign|Simplify|Split|Start|State|Stop|"
    r"Submit|Take|Tell|Unlink|Use|Wait|Weigh|Withdraw|Write"
    r")\b"
)
"""With what a remedy may begin: it says what to do. A verb that is new goes in here."""


def _said(*, pillars: bool) -> dict[str, set[str]]:
    """Code -> the callables that say it, in the pillars or in all the rest."""
    found: dict[str, set[str]] = {}
    for one in code_calls()[0]:
        if one.module.startswith("comity/pillars/") == pillars:
            for code in one.codes:
                found.setdefault(code, set()).add(one.by)
    return found


def _by_schema() -> dict[str, set[str]]:
    """Keyword -> the codes that a refusal by it has."""
    return {
        keyword: {shape.code_of(error) for error in schema.validator(of).iter_errors(value)}
        for keyword, (of, value) in KEYWORDS.items()
    }


def test_the_walk_reads_every_call_that_says_a_code() -> None:
    found, unread = code_calls()
    assert {(module, argument) for module, argument, _ in unread} == set(FROM_DATA), unread
    assert len({code for one in found for code in one.codes}) > 300, "the walk finds them"
    callers = {one.by for one in found}
    assert {"Problem", "Fault", "add", "StartupRefused", "ValueRefused", "BadRow", "_known", "__init__"} <= callers
    assert set(NOT_CODES) <= set(carriers()), "an exception that nothing needs any more is taken out"


def test_every_code_that_is_said_stands_in_the_table() -> None:
    assert {code: by for code, by in _said(pillars=False).items() if code not in CODES} == {}


def test_every_row_of_the_table_is_said_somewhere() -> None:
    by_schema = {code for codes in _by_schema().values() for code in codes}
    assert set(CODES) - set(_said(pillars=False)) - by_schema == set()


def test_a_code_is_of_the_kind_that_its_callers_say() -> None:
    wrong = {
        (code, CODES[code].kind, one)
        for code, by in _said(pillars=False).items()
        for one in by
        if CODES[code].kind not in BY_CALL.get(one, {"fault", "problem"})
    }
    assert wrong == set()


def test_every_status_is_of_a_problem_that_is_raised() -> None:
    by = _said(pillars=False)
    idle = [code for code in STATUSES if not by[code] & {"Problem", "__init__", "StartupRefused"}]
    assert idle == []
    assert set(STATUSES) == {code for code, one in CODES.items() if one.kind == "problem"}
    assert all(400 <= status < 600 for status in STATUSES.values())


def test_every_keyword_of_a_field_refuses_with_a_code_of_the_table() -> None:
    assert set(KEYWORDS) | SILENT == schema.NESTED
    found = _by_schema()
    assert {keyword: codes for keyword, codes in found.items() if not codes or codes - set(CODES)} == {}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__.rpartition(".")[2])
def test_each_row_says_what_is_meant_and_what_to_do(part: Any) -> None:
    for one in part.ROWS:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", one.name)
        assert one.title[0].isupper() or one.title[0] == "`", one.name
        assert not one.title.endswith(".") and len(one.title) <= 70, one.name
        assert one.meaning.endswith(".") and len(one.meaning) >= 30, one.name
        _is_a_remedy(one.name, one.remedy)


def _is_a_remedy(code: str, remedy: str) -> None:
    does = re.sub(r"\A(If|Where) [^,]+, (\w)", lambda found: found[2].upper(), remedy)
    assert VERBS.match(does) and remedy.endswith("."), f"{code}: {remedy}"


def test_a_code_has_one_row_and_one_meaning() -> None:
    names = Counter(one.name for part in PARTS for one in part.ROWS)
    assert {name: count for name, count in names.items() if count > 1} == {}
    meanings = Counter((one.meaning, one.remedy) for one in CODES.values())
    assert {meaning: count for meaning, count in meanings.items() if count > 1} == {}


def _catalogues() -> Iterator[Catalogue]:
    core = loader.core_files()
    yield load(core)
    laws = {path.name: read_folder(path) for path in sorted(paths.jurisdictions().iterdir()) if path.is_dir()}
    for law in laws.values():
        yield load(core, law)
    for folder in sorted(path for path in paths.agencies().iterdir() if path.is_dir()):
        own = read_folder(folder)
        law_of = re.search(r"^jurisdiction: (\S+)", own["agency.yml"], re.MULTILINE)
        assert law_of
        yield load(core, laws[law_of[1]], own)


@pytest.fixture(scope="module")
def catalogues() -> list[Catalogue]:
    return list(_catalogues())


def test_what_a_pillar_says_in_python_it_explains_in_its_definition(catalogues: list[Catalogue]) -> None:
    core = catalogues[0]
    explained_by = {one.name: one.source for one in core.code_uses if isinstance(one, CodeMeaning)}
    in_yaml = {one.name for one in core.code_uses if isinstance(one, CodeUse)}
    spoken = {
        (code, f"pillar {PurePosixPath(one.module).parts[2]}")
        for one in code_calls()[0]
        if one.module.startswith("comity/pillars/")
        for code in one.codes
        if code not in CODES
    }
    assert len(spoken) > 10
    assert {pair for pair in spoken if explained_by.get(pair[0]) != pair[1]} == set()
    assert set(explained_by) - {code for code, _ in spoken} - in_yaml == set(), "explained, and said nowhere"


def test_every_code_of_the_definitions_has_its_words(catalogues: list[Catalogue]) -> None:
    empty = {
        (one.name, one.at)
        for catalogue in catalogues
        for one in catalogue.code_uses
        if isinstance(one, CodeUse) and one.kind == "fault" and not one.fix.strip()
    }
    assert empty == set()
    for catalogue in catalogues:
        for code, one in explained(catalogue).items():
            assert re.fullmatch(r"[a-z][a-z0-9_]+", code)
            assert one["title"].strip() and one["meaning"].strip(), code
            _is_a_remedy(code, one["remedy"])


def test_a_code_of_the_definitions_is_said_in_one_sense(catalogues: list[Catalogue]) -> None:
    """Where places say it in different words, the table or a pillar says the one meaning that they share."""
    words: dict[str, set[str]] = {}
    general = set(CODES)
    for catalogue in catalogues:
        for one in catalogue.code_uses:
            if isinstance(one, CodeMeaning):
                general.add(one.name)
            else:
                words.setdefault(one.name, set()).add(one.message)
    several = {code: messages for code, messages in words.items() if len(messages) > 1 and code not in general}
    assert set(several) == set(WORDS_ALIKE), several


def test_duties_and_conditions_do_not_share_codes(catalogues: list[Catalogue]) -> None:
    for catalogue in catalogues:
        duties = {code: one for code, one in explained(catalogue).items() if one["kind"] == "duty"}
        assert duties, "each catalogue has the duties of its pillars"
        assert duties.keys() & ({one.name for one in catalogue.code_uses} | set(CODES)) == set()
        assert [code for code, one in duties.items() if not all(use["fix"] for use in one["uses"])] == []


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        Problem("no_such_code")
    with pytest.raises(KeyError):
        Problem("required")  # a fault is no problem
