"""The pseudo-language: every letter of ours is marked, every value in brackets; what is neither was forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from comity.errors import Fault, Problem
from comity.sentences import PSEUDO, Locale, Text

READER = Locale(PSEUDO, "US")
_VALUE = re.compile(r"⟦[^⟦⟧]*⟧")
_LETTER = re.compile(r"[A-Za-z]")


def unmarked(text: str) -> str:
    """What is left of a text without its values, where a letter of it is not marked; else nothing."""
    while (less := _VALUE.sub("", text)) != text:
        text = less
    return text.strip() if _LETTER.search(text) else ""


def forgotten(refused: Problem) -> Iterator[str]:
    """The texts of a refusal that no reader of another language could read, each with its code."""
    for code, text in _texts(refused):
        if not isinstance(text, Text) and text:
            yield f"{code}: {text!r} is of no catalogue"
        elif left := unmarked(text.to(READER) if isinstance(text, Text) else text):
            yield f"{code}: {left!r}"


def _texts(refused: Problem) -> Iterator[tuple[str, str]]:
    yield refused.code, refused.title
    yield refused.code, refused.detail
    yield refused.code, refused.fix
    for one in (*refused.faults, *_missing(refused.extra.get("missing"))):
        yield one.code, one.message
        yield one.code, one.fix


def _missing(found: Any) -> list[Fault]:
    return [one for one in found or () if hasattr(one, "message")]


REFUSED: list[str] = []
"""What was forgotten in the refusals since this was last emptied."""


def watch() -> None:
    """From now on every refusal of this process is read in the pseudo-language as it is made."""
    made = Problem.__init__

    def read(self: Problem, *given: Any, **more: Any) -> None:
        made(self, *given, **more)
        REFUSED.extend(forgotten(self))

    Problem.__init__ = read  # type: ignore[method-assign]
