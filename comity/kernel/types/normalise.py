"""How texts are compared: for search, for retyped facts, for collisions."""

from __future__ import annotations

import unicodedata


def normalise(text: str) -> str:
    """One spelling for search and comparison: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The words of a normalised text in their order: runs of letters, marks and digits, in any script."""
    return "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in text).split()
