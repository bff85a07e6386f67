"""How things are named and numbered: ids, agency and type names, number patterns."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence

from comity.sentences import NOTHING, Text, say

AGENCY = re.compile(r"[a-z][a-z0-9-]{1,31}\Z")
TYPE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_]*)+\Z")
FIELD = re.compile(r"([a-z][a-z0-9-]*:)?[a-z][a-z0-9_]*\Z")
_PLACEHOLDER = re.compile(r"\{(agency|type|year|station|seq)(?::0(\d{1,2}))?\}")


def new_id() -> uuid.UUID:
    """A random UUIDv4: an id says nothing about when, where or how many."""
    return uuid.uuid4()


def counted(number: int, what: str) -> str:
    """So many of something, in words: 1 day, 2 days."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def briefly(items: Sequence[str], most: int = 3) -> str:
    """The first of a list, and how many more there are: a, b, c and 34 more."""
    more = len(items) - most
    return ", ".join(items) if more <= 1 else f"{', '.join(items[:most])} and {more} more"


def as_reported(owner: str, on_behalf: str) -> Text:
    """What is said of a record or entry that its owner made for another institution; empty for the owner's own."""
    return say("reported.by", owner=owner, on_behalf=on_behalf) if on_behalf else NOTHING


def number_faults(pattern: str) -> list[Text]:
    """What is wrong with a number pattern such as `{agency}-{year}-{seq:06}`; empty when it is good."""
    faults: list[Text] = []
    rest = _PLACEHOLDER.sub("", pattern)
    if "{" in rest or "}" in rest:
        faults.append(say("number_pattern.only_these_stand_in_it"))
    if "{seq" not in pattern:
        faults.append(say("number_pattern.needs_seq"))
    return faults


def number_key(pattern: str, *, agency: str, type_name: str, year: int, station: str = "") -> str:
    """The counter a number is drawn from: the pattern with all but the running count filled in."""
    parts: Mapping[str, str] = {"agency": agency.upper(), "type": type_name, "year": str(year), "station": station}
    return _PLACEHOLDER.sub(lambda m: parts.get(m[1], "{seq}") if m[1] != "seq" else "{seq}", pattern)


def number_text(pattern: str, key: str, seq: int) -> str:
    """The number itself: `key` with its running count written as wide as the pattern asks."""
    width = next((int(m[2]) for m in _PLACEHOLDER.finditer(pattern) if m[1] == "seq" and m[2]), 1)
    return key.replace("{seq}", f"{seq:0{width}d}")
