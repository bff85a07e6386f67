"""JSON that two programs could read differently is refused, each with its code and the path of the value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Problem
from comity.formats import strict_json
from tests.patience import no_hang

REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "NaN": ('{"fields": {"weight": NaN}}', "json_nan", "fields.weight"),
    "minus infinity in a list": ("[1, -Infinity]", "json_nan", "[1]"),
    "a number past every double": ('{"a": 1e400}', "json_nan", "a"),
    "a key twice": ('{"fields": {"title": "a", "title": "b"}}', "json_duplicate_key", "fields.title"),
    "a key twice, written differently": ('{"a": 1, "\\u0061": 2}', "json_duplicate_key", "a"),
    "U+0000 escaped": ('{"a": ["x\\u0000y"]}', "json_nul", "a[0]"),
    "U+0000 in a key": ('{"a\\u0000": 1}', "json_nul", "a\\u0000"),
    "U+0000 raw": ('{"a": "x\0"}', "json_nul", ""),
    "half a surrogate pair, high": ('{"a": "\\ud83d"}', "json_surrogate", "a"),
    "half a surrogate pair, low": ('{"a": "\\ude00\\ud83d"}', "json_surrogate", "a"),
    "half a surrogate pair in a key": ('{"\\ud83d": 1}', "json_surrogate", "\\ud83d"),
    "a surrogate in UTF-8 bytes": (b'{"a": "\xed\xa0\x80"}', "json_surrogate", ""),
    "nesting over 64": ("[" * 65 + "]" * 65, "json_depth", ""),
    "nesting without end": ("[" * 200_000, "json_depth", ""),
    "2^53": ('{"n": 9007199254740992}', "json_integer", "n"),
    "minus 2^53": ('{"n": -9007199254740992}', "json_integer", "n"),
    "an integer of 100,000 digits": ("9" * 100_000, "json_integer", ""),
    "bytes that are not UTF-8": (b'"\xff\xfe"', "json_syntax", ""),
    "nothing": ("", "json_syntax", "line 1 column 1"),
    "two values": ("{} {}", "json_syntax", "line 1 column 4"),
    "single quotes": ("{'a': 1}", "json_syntax", "line 1 column 2"),
    "a raw line end in a string": ('"a\nb"', "json_syntax", "line 1 column 3"),
    "cut off": ('{"a": [1, 2', "json_syntax", "line 1 column 12"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_code_and_path(name: str) -> None:
    text, code, path = REFUSED[name]
    with pytest.raises(Problem) as caught:
        strict_json.loads(text)
    assert caught.value.code == "json_refused"
    assert (caught.value.faults[0].code, caught.value.faults[0].path) == (code, path)
    assert caught.value.faults[0].fix
    json.dumps(caught.value.as_json()).encode()  # the refusal itself can be sent


def test_every_fault_is_gathered() -> None:
    with pytest.raises(Problem) as caught:
        strict_json.loads('{"a": NaN, "b": {"c": 1, "c": 2}, "d": [12345678901234567890]}')
    assert [(one.code, one.path) for one in caught.value.faults] == [
        ("json_nan", "a"), ("json_duplicate_key", "b.c"), ("json_integer", "d[0]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740991", 2**53 - 1),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("[" * 64 + "]" * 64, None),
        ('{"' + "[" * 100 + '": "]]]"}', {"[" * 100: "]]]"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('"\\\\u0000 is written so"', "\\u0000 is written so"),
        ("[1.5, -0.25e2, true, null]", [1.5, -25.0, True, None]),
    ],
)
def test_accepted(text: str | bytes, value: object) -> None:
    found = strict_json.loads(text)
    assert value is None or found == value


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(_json, st.booleans())
def test_what_was_written_is_read(value: object, escaped: bool) -> None:
    assert strict_json.loads(json.dumps(value, ensure_ascii=escaped)) == value


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_input_is_a_value_or_a_refusal(text: str | bytes) -> None:
    try:
        strict_json.loads(text)
    except Problem as problem:
        assert problem.code == "json_refused"


def test_a_hostile_string_costs_no_more_than_its_length() -> None:
    text = '{"a": [' + "[],".join([""] * 70) + '"' + '\\"' * 300_000
    with no_hang(), pytest.raises(Problem):
        strict_json.loads(text)
