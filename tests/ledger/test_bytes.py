"""ADR 0001 holds: its vectors, computed a second time from its text alone, and what a verifier finds."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from comity import clock
from comity.errors import Problem
from comity.kernel.ledger import canonical as spelling
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.entry import (
    SALT,
    Entry,
    check_item,
    commitment,
    leaf_data,
    leaf_hash,
    seal_bytes,
    split,
)
from comity.kernel.ledger.fold import Folded, fold
from comity.kernel.ledger.verify import check_entry, items_erased
from tests.ledger import by_the_text, vectors
from tests.speeds.sizes import size

ADR = Path(__file__).parents[2] / "docs" / "adr" / "0001-the-bytes-of-an-entry.md"
VECTORS = json.loads(vectors.FILE.read_text())

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
whole = st.integers(-spelling.LIMIT, spelling.LIMIT)
values = st.recursive(
    st.none() | st.booleans() | whole | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
field_names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
ONE, OTHER = bytes(15) + b"\x01", bytes(15) + b"\x02"
contents = st.dictionaries(field_names.map("set/{}".format), values, max_size=5)


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_a_second_implementation_computes_every_vector_from_the_text_of_the_adr(vector: dict[str, Any]) -> None:
    assert by_the_text.spell(vector["header"]) == vector["header_bytes"]
    found = [
        by_the_text.commitment(vector["header"]["entry"], item["path"], bytes.fromhex(item["salt"]), item["value"])
        for item in vector["items"]
    ]
    assert sorted(one.hex() for one in found) == vector["commitments"]
    assert by_the_text.leaf(vector["header"], found).hex() == vector["leaf"]
    assert by_the_text.spell({item["path"]: item["value"] for item in vector["items"]}) == vector["content_bytes"]


def test_the_product_still_gives_the_vectors_as_they_were_written() -> None:
    assert vectors.made() == VECTORS


def test_the_vectors_hold_what_the_adr_says_they_hold() -> None:
    everything = "".join(one["content_bytes"] for one in VECTORS)
    for wanted in ("अर्जुन", "\\u0001", "\\u001f", "\x7f", '"\U0001f600":', '{"a":{},"z":[]}', "9007199254740991"):
        assert wanted in everything, wanted
    assert any(not one["items"] for one in VECTORS)
    assert {one["header"]["v"] for one in VECTORS} == {1}


def test_the_adr_names_every_member_of_the_header_and_every_refusal() -> None:
    said = ADR.read_text()
    missing = [name for name in VECTORS[0]["header"] if f"`{name}`" not in said]
    assert not missing
    for code in (
        "not_canonical",
        "integer_too_large",
        "unpaired_surrogate",
        "key_not_text",
        "too_deep",
        "zero_character",
    ):
        assert f"`{code}`" in said and code in Path(spelling.__file__).read_text()


@given(values)
@settings(max_examples=size(small=200, deep=20_000), deadline=None)
def test_canonical_is_rfc_8785_for_every_value_without_floats(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert canonical(value).decode() == by_the_text.spell(value)
    assert json.loads(canonical(value)) == value


@given(st.lists(text, unique=True, max_size=8))
def test_items_stand_in_the_order_in_which_content_is_spelled(keys: list[str]) -> None:
    assert ordered(keys) == list(json.loads(canonical(dict.fromkeys(keys, True))))


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (1.0, "not_canonical"),
        (math.nan, "not_canonical"),
        (2**53, "integer_too_large"),
        (-(2**53), "integer_too_large"),
        ("\ud800", "unpaired_surrogate"),
        ("a\x00", "zero_character"),
        ({"\x00": 1}, "zero_character"),
        (b"bytes", "not_canonical"),
        (datetime.now(UTC), "not_canonical"),
        ({1: "key"}, "key_not_text"),
        ({"\udfff": 1}, "unpaired_surrogate"),
    ],
)
@pytest.mark.parametrize("beside", ["a", "ä"], ids=["ascii", "not ascii"])
def test_what_has_no_one_spelling_is_refused_with_its_path(bad: Any, code: str, beside: str) -> None:
    with pytest.raises(Problem) as caught:
        canonical({"outer": [{beside: 0}, {"inner": bad}]})
    assert caught.value.code == "invalid"
    assert [fault.code for fault in caught.value.faults] == [code]
    assert caught.value.faults[0].path.startswith("outer.1.inner")


def test_a_value_may_be_128_levels_deep_and_no_deeper() -> None:
    value: Any = "x"
    for _ in range(128):
        value = [value]
    assert canonical(value) == rfc8785.dumps(value)
    with pytest.raises(Problem) as caught:
        canonical([value])
    assert {fault.code for fault in caught.value.faults} == {"too_deep"}


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_has_one_spelling_of_27_characters(instant: datetime) -> None:
    spelled = clock.show_instant(instant)
    assert len(spelled) == 27
    assert clock.parse_instant(spelled) == instant


def test_an_instant_that_utc_cannot_say_is_refused_as_a_wrong_value() -> None:
    with pytest.raises(ValueError, match="years"):
        clock.parse_instant("0001-01-01T00:00:00+05:00")


def _row(content: dict[str, Any], salts: bytes | None = None) -> dict[str, Any]:
    """A stored entry as a verifier is given it."""
    sealed = seal_bytes(vectors.entry(1, content), salts)
    header = json.loads(sealed.entry.header())
    header.pop("v")
    return {**header, "commitments": sealed.commitments, "leaf": sealed.leaf, "content": sealed.content,
            "salts": sealed.salts}  # fmt: skip


@given(contents)
@settings(deadline=None)
def test_an_entry_as_it_was_sealed_is_without_fault(content: dict[str, Any]) -> None:
    row = _row(content)
    assert check_entry(row) == []
    assert items_erased(row) == 0


@given(contents, st.data())
@settings(max_examples=size(small=200, deep=10_000), deadline=None)
def test_any_changed_bit_is_found(content: dict[str, Any], data: st.DataObject) -> None:
    row = _row({"set/always": "there", **content})
    part = data.draw(st.sampled_from(["commitments", "leaf", "content", "salts"]))
    at = data.draw(st.integers(0, len(row[part]) * 8 - 1))
    changed = bytearray(row[part])
    changed[at // 8] ^= 1 << at % 8
    assert check_entry({**row, part: bytes(changed)}) != []


@given(contents, st.data())
@settings(max_examples=size(small=200, deep=10_000), deadline=None)
def test_any_changed_part_of_the_header_is_found(content: dict[str, Any], data: st.DataObject) -> None:
    row = _row(content)
    name = data.draw(st.sampled_from(sorted(set(row) - {"commitments", "leaf", "content", "salts"})))
    if isinstance(row[name], int):
        row[name] += data.draw(st.sampled_from([-1, 1, 2**40]))
    else:
        at = data.draw(st.integers(0, len(row[name])))
        row[name] = row[name][:at] + data.draw(st.sampled_from("0aZ-é")) + row[name][at:]
    assert check_entry(row) != []


@pytest.mark.parametrize(
    "content",
    [b"[]", b"not json", b'{"set/a":1.5}', b'{"set/a": "a"}', b'{"set/a":"\\u0061"}', b"{}", b"null",
     b'{"set/a":"a","set/a":"a"}', "{}".encode("utf-16"), b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_replaced_content_is_a_fault_and_never_an_error(content: bytes) -> None:
    row = _row({"set/a": "a"})
    assert check_entry({**row, "content": content}) != []
    assert check_entry({**row, "content": content, "salts": b""}) != [] or content == b"{}"


def test_another_entry_cannot_borrow_a_commitment() -> None:
    salt = bytes(SALT)
    assert commitment(ONE, "set/a", salt, b"1") != commitment(OTHER, "set/a", salt, b"1")
    lender, borrower = seal_bytes(vectors.entry(1, {"set/a": "a"})), vectors.entry(2, {"set/a": "a"})
    known = split(lender.commitments)
    assert check_item(lender.entry.id.bytes, "set/a", lender.salts, canonical("a"), known)
    assert not check_item(borrower.id.bytes, "set/a", lender.salts, canonical("a"), known)


def test_items_cannot_be_joined_cut_or_exchanged() -> None:
    salt = bytes(SALT)
    assert commitment(ONE, "set/a", salt, b"1") != commitment(ONE, "set/", salt, b"a1")
    assert commitment(ONE, "a", salt, salt) != commitment(ONE, "a" + salt.decode(), salt, b"")
    row = _row({"set/a": 1, "set/b": 2})
    assert check_entry({**row, "salts": row["salts"][SALT:] + row["salts"][:SALT]}) != []
    with pytest.raises(ValueError, match="16"):
        commitment(ONE, "set/a", b"short", b"1")
    with pytest.raises(ValueError, match="32"):
        leaf_data(b"{}", [b"short"])
    assert leaf_data(b"ab", []) != leaf_data(b"a", []) + b"b"
    assert leaf_hash(b"") != commitment(ONE, "", salt, b"")


def test_salts_are_random_so_equal_values_do_not_look_equal() -> None:
    one, two = (seal_bytes(vectors.entry(0, {"set/birth_date": "1987-03-14"})) for _ in range(2))
    assert one.commitments != two.commitments
    assert len(one.salts) == SALT
    assert b"1987" not in one.commitments + one.entry.header()


def test_the_header_holds_nothing_of_what_was_set() -> None:
    told = vectors.entry(1, {"set/name": "Dale Pruitt", "reason": "An informant", "number": "ATF-7",
                             "file/x": {"name": "photo.jpg"}, "corrects": str(UUID(int=9))})  # fmt: skip
    header = told.header().decode()
    assert not [word for word in ("Dale", "informant", "ATF-7", "photo", str(UUID(int=9))) if word in header]
    assert set(json.loads(header)) == {
        "v", "entry", "agency", "record", "type", "type_version", "kind", "act", "actor", "occurred_at", "entered_at",
        "version", "state_from", "state_to", "refers",
    }  # fmt: skip


@given(contents.filter(lambda content: len(content) > 1), st.data())
@settings(deadline=None)
def test_one_item_is_erased_alone_and_the_rest_still_proves(content: dict[str, Any], data: st.DataObject) -> None:
    row = _row(content)
    gone = data.draw(st.sampled_from(ordered(content)))
    kept = [at for at, path in enumerate(ordered(content)) if path != gone]
    left = {path: value for path, value in content.items() if path != gone}
    salts = b"".join(row["salts"][SALT * at : SALT * (at + 1)] for at in kept)
    after = {**row, "content": canonical(left), "salts": salts}
    assert check_entry(after) == []
    assert items_erased(after) == 1
    whole_gone = {**row, "content": None, "salts": None}
    assert check_entry(whole_gone) == []
    assert items_erased(whole_gone) == len(content)


def test_any_subset_can_be_shown_and_a_lie_cannot() -> None:
    row = _row({"set/name": "Meera", "set/role": "witness"})
    salt = row["salts"][:SALT]
    known, entry = split(row["commitments"]), UUID(row["entry"]).bytes
    assert check_item(entry, "set/name", salt, canonical("Meera"), known)
    assert not check_item(entry, "set/name", salt, canonical("Someone else"), known)
    assert not check_item(entry, "set/role", salt, canonical("Meera"), known)
    assert not check_item(entry, "set/name", bytes(SALT), canonical("Meera"), known)


def _folded(*rows: tuple[int, str, str, dict[str, Any] | None]) -> Folded:
    return fold(
        {"id": version, "kind": "act", "refers": None, "version": version, "type": "investigation.case",
         "type_version": 1, "state_from": before, "state_to": after, "actor": UUID(int=7), "content": content}
        for version, before, after, content in rows
    )  # fmt: skip


def test_erased_content_folds_to_a_tombstone_and_not_to_a_guess() -> None:
    state = _folded(
        (1, "", "open", {"set/title": "A", "set/summary": "S", "number": "ATF-1"}),
        (2, "open", "closed", None),
        (3, "closed", "closed", {"unset/summary": True, "link/subject/x": True, "mark/juvenile": True}),
    )
    assert (state.version, state.state, state.erased) == (3, "closed", (2,))
    assert state.fields == {"title": "A"}
    assert state.links == {"subject": ("x",)} and state.marks == ("juvenile",) and state.number == "ATF-1"


def test_folding_is_by_path_links_come_and_go() -> None:
    state = _folded(
        (1, "", "open", {"link/subject/a": True, "link/subject/b": True, "link/place/p": True}),
        (2, "open", "open", {"unlink/subject/a": True, "unlink/place/p": True, "field_mark/name": ["victim"],
                             "file/f": {"name": "x"}, "answer/said": "not mine", "offer": {"to": "cpd"}}),
    )  # fmt: skip
    assert state.links == {"subject": ("b",)}
    assert state.fields == {} and state.field_marks == {"name": ["victim"]} and state.files == {"f": {"name": "x"}}


def test_in_order_of_effective_time_a_correction_does_not_move_the_state() -> None:
    """A case closed on the 9th; on the 20th its title of the 1st is corrected: as of the 1st it was open."""
    opened = (1, "", "open", {"set/title": "Wrong"})
    corrected = (3, "closed", "closed", {"set/title": "Right"})
    closed = (2, "open", "closed", {})
    assert (_folded(opened, corrected).state, _folded(opened, corrected).fields) == ("open", {"title": "Right"})
    state = _folded(opened, corrected, closed)
    assert (state.state, state.version) == ("closed", 3)


def test_an_entry_is_immutable_and_its_salts_can_be_given_to_check_it_again() -> None:
    sealed = seal_bytes(vectors.entry(0, {"set/a": "b"}))
    assert seal_bytes(sealed.entry, sealed.salts) == sealed
    changed = replace(sealed.entry, content={"set/a": "c"})
    assert isinstance(changed, Entry) and seal_bytes(changed, sealed.salts).leaf != sealed.leaf
