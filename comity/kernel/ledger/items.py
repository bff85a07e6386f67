"""The grammar of an entry's items (ADR 0001, section 3): one constructor and one parser a kind.

What is spelled here is hashed for ever. Nobody else spells a path or takes one apart (tests/architecture holds that);
the vectors of ADR 0001 hold the spelling. A content is a mapping of paths to values; a path occurs once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

Content = Mapping[str, Any]
Links = Mapping[str, Sequence[str]]

SET, UNSET, TAKEN = "set", "unset", "taken"
LINK, UNLINK = "link", "unlink"
MARK, UNMARK, FIELD_MARK = "mark", "unmark", "field_mark"
FILE, ANSWER, SHARE, LATE, OVERRIDE = "file", "answer", "share", "late", "override"
COUNTS = "counts"
NUMBER, OFFER, CREATES, BEHALF = "number", "offer", "creates", "behalf"
REASON, CAUSE, AUTHORITY, CORRECTS = "reason", "cause", "authority", "corrects"

OF_A_FIELD = frozenset((SET, UNSET, TAKEN, FIELD_MARK, ANSWER))
"""The kinds whose name is a field."""
OF_A_LINK = frozenset((LINK, UNLINK))
"""The kinds whose name is a link, and whose target is a record or member."""
OF_THE_STATE = frozenset((SET, UNSET, LINK, UNLINK, MARK, UNMARK, FIELD_MARK, FILE, NUMBER, BEHALF))
"""The kinds that change what a record is; the others say what comes of an entry besides."""
HANDLING = frozenset((MARK, UNMARK, FIELD_MARK))
"""The kinds that say how a thing is handled: an order of erasure says them again."""
LATE_BYTES = b'"late/'
"""How a late item begins in stored content: what SQL looks for."""
OVERRIDE_BYTES = b'"override/'
"""The same of an item that says what was overridden."""


class Item(NamedTuple):
    """A path taken apart: its kind; the field, link, mark, file, record or rule it is of; the target of a link."""

    kind: str
    name: str = ""
    target: str = ""


@lru_cache(maxsize=4096)
def parse(path: str) -> Item:
    """Take a path apart."""
    kind, _, rest = path.partition("/")
    if kind in OF_A_LINK:
        name, _, target = rest.rpartition("/")
        return Item(kind, name, target)
    return Item(kind, rest)


def spell(item: Item) -> str:
    """The path of an item: what `parse` takes apart."""
    return "/".join(part for part in item if part)


def set_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{SET}/{name}": value for name, value in values.items()}


def unset_fields(names: Iterable[str]) -> dict[str, Any]:
    return {f"{UNSET}/{name}": True for name in names}


def take_over(sources: Mapping[str, str]) -> dict[str, Any]:
    """field -> id of the record from which its value was taken over."""
    return {f"{TAKEN}/{name}": record for name, record in sources.items()}


def add_links(links: Links) -> dict[str, Any]:
    return {f"{LINK}/{name}/{target}": True for name, ids in links.items() for target in ids}


def remove_links(links: Links) -> dict[str, Any]:
    return {f"{UNLINK}/{name}/{target}": True for name, ids in links.items() for target in ids}


def put_marks(marks: Iterable[str]) -> dict[str, Any]:
    return {f"{MARK}/{mark}": True for mark in marks}


def lift_marks(marks: Iterable[str]) -> dict[str, Any]:
    return {f"{UNMARK}/{mark}": True for mark in marks}


def mark_fields(marks: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """field -> its marks, which replace those that it had."""
    return {f"{FIELD_MARK}/{name}": sorted(held) for name, held in marks.items()}


def add_file(file: str, name: str, media_type: str, size: int, digest: str) -> dict[str, Any]:
    """`digest` is in hex, of the plain bytes."""
    return {f"{FILE}/{file}": {"name": name, "media_type": media_type, "size": size, "digest": digest}}


def answer_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an answerer says, in its own entry about another's record."""
    return {f"{ANSWER}/{name}": value for name, value in values.items()}


def offer(to: str | Sequence[str], expires_at: str | None) -> dict[str, Any]:
    """`to`: the agency that is asked, or a list of several."""
    return {OFFER: {"to": to, "expires_at": expires_at}}


def share(record: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    """`terms` has version, groups, decision and ground; whatever else it has is left out."""
    return {f"{SHARE}/{record}": {name: terms[name] for name in ("version", "groups", "decision", "ground")}}


def count(answers: Iterable[str]) -> dict[str, Any]:
    """The answers to an offer to several by which it is reached, by their entries."""
    return {f"{COUNTS}/{entry}": True for entry in answers}


def create(record: str) -> dict[str, Any]:
    return {CREATES: record}


def number(text: str | None) -> dict[str, Any]:
    return {NUMBER: text}


def on_behalf(agency: str, document: str) -> dict[str, Any]:
    return {BEHALF: {"agency": agency, "document": document}}


def late(rules: Iterable[str]) -> dict[str, Any]:
    """The rules of order that the entry broke."""
    return {f"{LATE}/{rule}": True for rule in rules}


def override(codes: Iterable[str]) -> dict[str, Any]:
    """The conditions that the entry overrode, by their codes."""
    return {f"{OVERRIDE}/{code}": True for code in codes}


def say(
    *, reason: str | None = None, cause: str | None = None, authority: str | None = None, corrects: str | None = None
) -> dict[str, Any]:
    """What was said with an act: why, why late, on whose authority, which entry it corrects. Nothing says nothing."""
    told = {REASON: reason, CAUSE: cause, AUTHORITY: authority, CORRECTS: corrects}
    return {name: text for name, text in told.items() if text}


def parsed(content: Content) -> Iterator[tuple[Item, Any]]:
    """Every item with its value, in the order of the content."""
    return ((parse(path), value) for path, value in content.items())


def of_kind(content: Content, kind: str) -> dict[str, Any]:
    """name -> value of the items of one kind that has names and no targets."""
    start = f"{kind}/"
    return {path[len(start) :]: value for path, value in content.items() if path.startswith(start)}


def fields_set(content: Content) -> dict[str, Any]:
    return of_kind(content, SET)


def answered(content: Content) -> dict[str, Any]:
    return of_kind(content, ANSWER)


def shares(content: Content) -> dict[str, Any]:
    """record -> the terms on which an offer shares it."""
    return of_kind(content, SHARE)


def counted(content: Content) -> frozenset[str]:
    """The entries of the answers by which an offer to several is reached."""
    return frozenset(of_kind(content, COUNTS))


def late_rules(content: Content) -> tuple[str, ...]:
    return tuple(sorted(of_kind(content, LATE)))


def overridden(content: Content) -> tuple[str, ...]:
    return tuple(sorted(of_kind(content, OVERRIDE)))


def marks_after(held: Iterable[str], content: Content) -> set[str]:
    """The marks that a record holds after an entry."""
    return (set(held) | set(of_kind(content, MARK))) - set(of_kind(content, UNMARK))


def text(content: Content, kind: str) -> str:
    """The reason, cause, authority or corrected entry that an entry says; empty where it says none."""
    return str(content.get(kind) or "")


def behalf(content: Content) -> Mapping[str, str] | None:
    """{agency, document} of an act that is another institution's; None for one's own."""
    found: Mapping[str, str] | None = content.get(BEHALF)
    return found
