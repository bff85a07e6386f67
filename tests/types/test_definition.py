"""The narrow YAML: what is read, what stays text, and where it was written."""

from __future__ import annotations

import pytest

from comity.kernel.types.definition import MAX_DEPTH, DefinitionsRefused, yaml_text
from tests.patience import no_hang


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionsRefused) as caught:
        yaml_text("f.yml", text)
    assert caught.value.code == "definitions_refused"
    return [(fault.code, fault.path) for fault in caught.value.faults]


def test_only_true_false_null_and_plain_numbers_are_more_than_text() -> None:
    text = "{a: true, b: null, c: 12, d: -1.5, e: yes, f: NO, g: 012, h: 2026-01-01, i: '7', j: 0x1F, k: 1_000, l: .5}"
    assert yaml_text("f.yml", text).plain() == {
        "a": True, "b": None, "c": 12, "d": -1.5, "e": "yes", "f": "NO", "g": "012", "h": "2026-01-01", "i": "7",
        "j": "0x1F", "k": "1_000", "l": ".5",
    }  # fmt: skip


def test_every_value_and_key_knows_its_line() -> None:
    node = yaml_text("f.yml", "a:\n  b: 1\n  c:\n    - x\n    - y\n")
    inner = node.get("a")
    assert inner is not None
    assert str(inner.at("c")) == "f.yml:3"
    listed = inner.get("c")
    assert listed is not None
    assert [str(one.source) for one in listed.value] == ["f.yml:4", "f.yml:5"]


def test_all_that_is_wrong_in_a_file_is_said_at_once() -> None:
    text = "a: 1\na: 2\nb: &x 3\nc: *x\nd: !secret 4\n5: e\ntrue: f\n? [g]\n: h\n"
    assert refused(text) == [
        ("yaml_duplicate_key", "f.yml:2"), ("yaml_alias", "f.yml:3"), ("yaml_alias", "f.yml:4"),
        ("yaml_tag", "f.yml:5"), ("yaml_key", "f.yml:6"), ("yaml_key", "f.yml:7"), ("yaml_key", "f.yml:8"),
    ]  # fmt: skip


def test_a_merge_key_is_an_ordinary_unknown_key() -> None:
    assert yaml_text("f.yml", "<<: {a: 1}").plain() == {"<<": {"a": 1}}


@pytest.mark.parametrize("text", ["", "# only a comment", "a: 1\n---\nb: 2", "\x00", "a: [", "a: \t- b", "@x"])
def test_what_is_no_single_document_is_refused(text: str) -> None:
    assert [code for code, _ in refused(text)] == ["yaml_syntax"]


def test_depth_is_bounded_exactly() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert yaml_text("f.yml", deepest).is_list
    assert refused("[" + deepest + "]") == [("yaml_depth", "f.yml:1")]


def test_hostile_files_cost_no_time() -> None:
    bombs = [
        "a: &a [x,x]\n"
        + "".join(f"{k}: &{k} [*{p},*{p},*{p},*{p}]\n" for p, k in zip("abcdefghijk", "bcdefghijkl", strict=True)),
        "[" * 200_000,
        "{a: " * 50_000,
        "- " * 100_000,
    ]
    with no_hang():
        for bomb in bombs:
            assert refused(bomb)
