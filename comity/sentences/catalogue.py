"""The compiled catalogues. A key is a code, alone or with what tells its sentences apart: `needs.reason`.

Behind a code stand `title`, `meaning` and `remedy`, its row in the table of codes; behind any key `fix` is what to do.
"""

from __future__ import annotations

import gettext
import re
from functools import lru_cache
from pathlib import Path

ENGLISH, PSEUDO = "en", "qps"
"""`qps`: English with every letter marked, made on the fly. What a reader sees unmarked in it is in no catalogue."""
FOLDER = Path(__file__).parent / "locale"
FILE = Path("LC_MESSAGES") / "comity.mo"
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTS = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]")
_MARKED = str.maketrans(_PLAIN, "àƀçđéƒĝħíĵķĺɱñóþɋŕšŧúṽŵẋýžÀƁÇĐÉƑĜĦÍĴĶĹṀÑÓÞɊŔŠŦÚṼŴẊÝŽ")


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """The languages, as ISO 639 codes, that have a compiled catalogue; English is one of them."""
    return frozenset(path.parent.parent.name for path in FOLDER.glob(f"*/{FILE.as_posix()}"))


@lru_cache(maxsize=16)
def _compiled(language: str) -> gettext.NullTranslations:
    with (FOLDER / language / FILE).open("rb") as file:
        found = gettext.GNUTranslations(file)
    if language != ENGLISH:
        found.add_fallback(_compiled(ENGLISH))
    return found


@lru_cache(maxsize=8192)
def template(language: str, key: str, count: int | None = None) -> str | None:
    """The sentence of a key with its `{names}`, in English where the language lacks it; None where there is no such
    key. `count` chooses among the forms of a sentence that has several."""
    known = _compiled(language if language in languages() else ENGLISH)
    text = key if count is None else known.ngettext(key, key, count)
    if text == key:
        text = known.gettext(key)
    if text == key:
        return None
    return pseudo(text) if language == PSEUDO else text


def pseudo(text: str) -> str:
    """The text with its letters marked; the names of values stay."""
    return "".join(one if one.startswith("{") else one.translate(_MARKED) for one in _PARTS.findall(text))
