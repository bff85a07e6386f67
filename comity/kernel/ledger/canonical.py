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

LIMIT = 2**53 - 1
DEEPEST = 128


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes. Raises Problem `invalid` with the path of what has no one spelling."""
    if _simple(value):
        return orjson.dumps(value)
    faults: list[Fault] = []
    plain = _examine(value, "", faults, DEEPEST)
    if faults:
        raise Problem("invalid", "A value cannot be written canonically", faults=faults)
    if plain:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(value)


def refuse_unspellable(**given: Any) -> None:
    """Refuse what has no canonical bytes, with paths that begin with the argument's name. Raises Problem `invalid`."""
    faults: list[Fault] = []
    _examine(given, "", faults, DEEPEST)
    if faults:
        raise Problem("invalid", "A value cannot be written canonically", faults=faults)


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
            faults.append(Fault("zero_character", path, "U+0000 is no text", "leave it out"))
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                faults.append(Fault("unpaired_surrogate", path, "the text is not Unicode", "send well-formed UTF-8"))
        return True
    if isinstance(value, int):
        if not -LIMIT <= value <= LIMIT:
            faults.append(Fault("integer_too_large", path, "beyond 2^53", "send it as a decimal string"))
        return True
    if isinstance(value, dict | list | tuple) and not deeper:
        faults.append(Fault("too_deep", path, f"more than {DEEPEST} levels", "send a flatter value"))
        return True
    if isinstance(value, dict):
        plain = True
        for key, inner in value.items():
            if _simple(key) and _simple(inner):
                continue
            if not isinstance(key, str):
                faults.append(Fault("key_not_text", path, f"the key {key!r} is not text"))
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
        Fault("not_canonical", path, f"a {type(value).__name__} has no canonical spelling", "send a decimal string")
    )
    return True
