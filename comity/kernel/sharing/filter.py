"""What a subscriber wants to be told: types, acts, what is linked to a record, and one sentence about the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from comity.errors import Fault, Problem
from comity.kernel.types.expression import Guard, compile_guard
from comity.kernel.work.node import Work
from comity.kernel.work.subject import subjects
from comity.names import FIELD
from comity.sentences import say

KNOWN = frozenset(("record", "state", "links", "actor", "today", "act", "agency", "type"))
"""What the sentence may speak of: the record as the subscriber may read it at delivery, and the act that happened."""
MOST = 50
_MEMBERS = ("types", "acts", "linked", "link", "where")


@dataclass(frozen=True, slots=True)
class Filter:
    """`linked` is a record's id: wanted are the entries about it and about the records that link to it (by `link`,
    if one is named). `where` is CEL. What is empty does not narrow."""

    types: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    linked: str = ""
    link: str = ""
    where: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "types": list(self.types), "acts": list(self.acts), "linked": self.linked or None,
            "link": self.link or None, "where": self.where or None,
        }  # fmt: skip

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Filter:
        return cls(
            tuple(held.get("types") or ()), tuple(held.get("acts") or ()), held.get("linked") or "",
            held.get("link") or "", held.get("where") or "",
        )  # fmt: skip

    def as_text(self) -> str:
        """The same as the database keeps it."""
        return orjson.dumps(self.as_json()).decode()

    @property
    def narrows(self) -> bool:
        return bool(self.types or self.linked or self.where)


def read_filter(work: Work, given: Mapping[str, Any]) -> Filter:
    """A filter as its subscriber wrote it. Problem `invalid` with all faults: type_unknown, not_found, guard_*."""
    faults: list[Fault] = []
    for name in given:
        if name not in _MEMBERS:
            faults.append(
                Fault("unknown_key", name, say("unknown_key.filter_has_no_such_member", members=", ".join(_MEMBERS)))
            )
    types = _texts(given.get("types"), "types", faults)
    acts = _texts(given.get("acts"), "acts", faults)
    linked, link, where = (_text(given.get(name), name, faults) for name in ("linked", "link", "where"))
    for one in types:
        if one not in work.catalogue.types:
            faults.append(Fault("type_unknown", "types", say("type_unknown.catalogue_has_no_type", one=one)))
    for path, named in (("acts", acts), ("link", (link,) if link else ())):
        faults += [
            Fault("wrong_kind", path, say("wrong_kind.is_no_name", one=one)) for one in named if not FIELD.match(one)
        ]
    if link and not linked:
        faults.append(Fault("needs", "linked", say("needs.link_leads_to_record")))
    seen = _seen(work, linked)
    if linked and not seen:
        faults.append(Fault("not_found", "linked", say("not_found.no_such_record_or_it_is")))
    if where:
        try:
            sentence(where)
        except Problem as problem:
            faults += [Fault(one.code, "where", one.message, one.fix) for one in problem.faults]
    if faults:
        raise Problem("invalid", say("invalid.filter_is_not_valid"), faults=faults)
    return Filter(types, acts, seen, link, where)


@lru_cache(maxsize=2048)
def sentence(text: str) -> Guard:
    """The compiled sentence, bounded as a guard is. Raises DefinitionsRefused."""
    return compile_guard(text, "where", KNOWN)


def _seen(work: Work, record: str) -> str:
    """The id as records spell it, however it was written; empty for one that the subscriber may not read."""
    try:
        return next(iter(subjects(work, [record])), "") if record else ""
    except Problem:
        return ""


def _text(value: Any, path: str, faults: list[Fault]) -> str:
    if value is None or (isinstance(value, str) and "\0" not in value):
        return value or ""
    faults.append(Fault("wrong_kind", path, say("wrong_kind.must_be_text")))
    return ""


def _texts(value: Any, path: str, faults: list[Fault]) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        faults.append(Fault("wrong_kind", path, say("wrong_kind.must_be_list_of_names")))
        return ()
    if len(value) > MOST:
        faults.append(Fault("wrong_size", path, say("wrong_size.at_most_names", most=MOST)))
        return ()
    return tuple(dict.fromkeys(value))
