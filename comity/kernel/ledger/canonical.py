"""One spelling for one value: RFC 8785 (JCS) bytes, for values that hold no floating-point number.

Numbers are integers within 2^53; money and measures are decimal strings. The fast path gives the same bytes as the
reference library for every value it takes (a property test holds it); anything it might spell otherwise goes to the
reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import rfc8785

from comity.errors import Fault, Problem
from comity.sentences import say

LIMIT = 2**53 - 1
DEEPEST = 128


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes. Raises Problem `invalid` with the path of what has no one spelling."""
    if _simple(value):
        return orjson.dumps(value)
    faults: list[Fault] = []
    plain = _examine(value, "", faults, DEEPEST)
    if faults:
        raise Problem("invalid", say("invalid.value_cannot_be_written_canonically"), faults=faults)
    if plain:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(value)


def refuse_unspellable(**given: Any) -> None:
    """Refuse what has no canonical bytes, with paths that begin with the argument's name. Raises Problem `invalid`."""
    faults: list[Fault] = []
    _examine(given, "", faults, DEEPEST)
    if faults:
        raise Problem("invalid", say("invalid.value_cannot_be_written_canonically"), faults=faults)


def ordered(keys: Iterable[str]) -> list[str]:
    """Keys in the order of RFC 8785, section 3.2.3: by UTF-16 code units. The items of an entry stand so."""
    given = list(keys)
    if all(key.isascii() for key in given):
        return sorted(given)
    return sorted(given, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _simple(value: Any) -> bool:
    """Whether it is ASCII text in which nothing can be wrong: most of what is examined is."""
    return type(value) is str and value.isascii() and "\x00" not in value


def _examine(value: Any, path: str, faults: list[Fault], deeper: int) -> bool:
    """Gather what cannot be written; answer whether every key is ASCII, where both orders of keys agree."""
    if value is None or value is True or value is False:
        return True
    if isinstance(value, str):
        if "\x00" in value:
            faults.append(Fault("zero_character", path, say("zero_character.u_0000_is_no_text")))
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                faults.append(Fault("unpaired_surrogate", path, say("unpaired_surrogate.text_is_not_unicode")))
        return True
    if isinstance(value, int):
        if not -LIMIT <= value <= LIMIT:
            faults.append(Fault("integer_too_large", path, say("integer_too_large.beyond_2_53")))
        return True
    if isinstance(value, dict | list | tuple) and not deeper:
        faults.append(Fault("too_deep", path, say("too_deep.more_than_levels", deepest=DEEPEST)))
        return True
    if isinstance(value, dict):
        plain = True
        for key, inner in value.items():
            if _simple(key) and _simple(inner):
                continue
            if not isinstance(key, str):
                faults.append(Fault("key_not_text", path, say("key_not_text.key_is_not_text", key=key)))
                continue
            name = key.encode("utf-8", "replace").decode()
            inside = f"{path}.{name}" if path else name
            plain = _examine(key, inside, faults, deeper) and key.isascii() and plain
            plain = _examine(inner, inside, faults, deeper - 1) and plain
        return plain
    if isinstance(value, list | tuple):
        plain = True
        for index, inner in enumerate(value):
            plain = _examine(inner, f"{path}.{index}" if path else str(index), faults, deeper - 1) and plain
        return plain
    faults.append(
        Fault("not_canonical", path, say("not_canonical.has_no_canonical_spelling", name=type(value).__name__))
    )
    return True
