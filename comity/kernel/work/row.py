"""A record's row and search terms, as its entries and its type make them; nothing else decides them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from comity.kernel.ledger.fold import Folded
from comity.kernel.types.catalogue import Type
from comity.kernel.types.normalise import normalise, words

TERM_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A record to write, as its entries make it; `entered_at` is its first entry's instant, `at` its last one's."""

    record: UUID
    agency: str
    type: Type
    after: Folded
    entered_at: datetime
    at: datetime


def row_of(of: Type, after: Folded) -> dict[str, Any]:
    """The columns that policies and lists read, from the folded record and its type; nothing else decides them."""
    return {
        "type": of.name,
        "core_type": of.core_name,
        "number": after.number,
        "title": title_of(of, after),
        "state": after.state,
        "core_state": of.core_state(after.state),
        "version": after.version,
        "type_version": after.type_version,
        "fields": Jsonb(dict(after.fields)),
        "links": Jsonb({name: list(ids) for name, ids in after.links.items()}),
        "files": Jsonb(dict(after.files)),
        "field_marks": Jsonb(dict(after.field_marks)),
        "marks": list(after.marks),
        "assigned": [
            target for name, link in of.links.items() if link.to == ("member",) for target in after.links.get(name, ())
        ],
        "parties": parties_of(of, after),
        "entered_by": after.entered_by,
        "on_behalf": after.behalf,
    }


def parties_of(of: Type, after: Folded) -> list[str]:
    """The agencies that a record names as parties, in fields of one or of many."""
    held = [after.fields[name] for name in of.party_fields if after.fields.get(name)]
    return sorted({one for value in held for one in (value if isinstance(value, list) else [value])})


def title_of(of: Type, after: Folded) -> str:
    """What lists show beside the number: the title field, if everyone who sees the record may read it."""
    one = of.fields.get(of.title_field or "")
    if one is None or one.group != "base" or one.name in after.field_marks:
        return ""
    return str(after.fields.get(one.name, ""))[:TERM_LENGTH]


def terms_of(of: Type, after: Folded) -> Iterable[tuple[str, str, str, bool]]:
    """(field, group, token, whole) of what may be searched: each findable field whole, and its words."""
    for name in of.find_fields:
        if name in after.field_marks or name not in after.fields:
            continue
        group = of.fields[name].group
        value = after.fields[name]
        for text in value if isinstance(value, list) else [value]:
            whole = normalise(str(text))[:TERM_LENGTH]
            yield name, group, whole, True
            for word in set(words(whole)):
                yield name, group, word, False
    if after.number:
        yield "number", "base", normalise(after.number), True
        yield "number", "base", normalise(after.number), False
