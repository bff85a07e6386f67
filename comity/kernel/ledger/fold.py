"""Folding entries into a record's state: a pure function that needs no catalogue, policy, clock or key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from comity.kernel.ledger import items
from comity.kernel.ledger.entry import ERASE


@dataclass(frozen=True, slots=True)
class Folded:
    """A record as its entries make it. `erased` names the versions whose content was expunged (tombstones).

    `behalf` is the agency for which it was entered, empty for the owner's own; later acts do not change it.
    """

    version: int = 0
    type: str = ""
    type_version: int = 0
    state: str = ""
    number: str | None = None
    entered_by: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    field_marks: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    erased: tuple[int, ...] = ()
    behalf: str = ""


class Header(NamedTuple):
    """What of an entry's header the state of a record follows from."""

    version: int
    type: str
    type_version: int
    state_to: str
    actor: str


def step(before: Folded, header: Header, content: Mapping[str, Any] | None) -> Folded:
    """The state after one entry. `content` is None where it was erased: its effect stays as unknown, not as a guess."""
    base = replace(
        before, version=header.version, type=header.type, type_version=header.type_version, state=header.state_to,
        entered_by=before.entered_by or header.actor,
    )  # fmt: skip
    if content is None:
        return replace(base, erased=(*before.erased, header.version))
    fields = dict(before.fields)
    links = {name: list(ids) for name, ids in before.links.items()}
    marks, field_marks, files = set(before.marks), dict(before.field_marks), dict(before.files)
    number, told = before.number, items.behalf(content)
    for path in sorted(content):
        value = content[path]
        kind, name, target = items.parse(path)
        if kind == items.SET:
            fields[name] = value
        elif kind == items.UNSET:
            fields.pop(name, None)
        elif kind == items.LINK:
            held = links.setdefault(name, [])
            if target not in held:
                held.append(target)
        elif kind == items.UNLINK:
            links[name] = [one for one in links.get(name, []) if one != target]
        elif kind == items.NUMBER:
            number = value
        elif kind == items.MARK:
            marks.add(name)
        elif kind == items.UNMARK:
            marks.discard(name)
        elif kind == items.FIELD_MARK:
            field_marks[name] = value
        elif kind == items.FILE:
            files[name] = value
    return replace(
        base,
        number=number,
        fields=fields,
        links={name: tuple(sorted(ids)) for name, ids in links.items() if ids},
        marks=tuple(sorted(marks)),
        field_marks=field_marks,
        files=files,
        behalf=told["agency"] if header.version == 1 and told is not None else before.behalf,
    )


def said_again(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the orders of erasure among the entries (rows with kind, refers, content) say, by the entry they erase."""
    out: dict[str, dict[str, Any]] = {}
    for row in entries:
        if row["kind"] == ERASE and row["refers"] and row["content"]:
            out.setdefault(str(row["refers"]), {}).update(row["content"])
    return out


def standing(row: Mapping[str, Any], again: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What an entry says now: what is left of it, and in its place what its orders say. An order says nothing itself.

    None where it was erased and no order is known.
    """
    if row["kind"] == ERASE:
        return {}
    said = again.get(str(row["id"]))
    return row["content"] if said is None else {**(row["content"] or {}), **said}


def fold(
    entries: Iterable[Mapping[str, Any]],
    before: Folded = Folded(),
    again: Mapping[str, Mapping[str, Any]] | None = None,
) -> Folded:
    """Fold rows with id, kind, version, type, type_version, state_from, state_to, actor, refers and content (a mapping
    or None).

    They come in order of versions, or of effective time; an entry that did not move the state leaves it as it then was.
    `again` is what orders say of them, where not all of these are among the entries.
    """
    rows, state = list(entries), before
    again = said_again(rows) if again is None else again
    for row in rows:
        moved = state.version == 0 or row["state_from"] != row["state_to"]
        erased = state.erased
        header = Header(
            max(row["version"], state.version), row["type"], row["type_version"],
            row["state_to"] if moved else state.state, str(row["actor"]),
        )  # fmt: skip
        state = step(state, header, standing(row, again))
        if row["content"] is None:
            state = replace(state, erased=(*erased, state.version))
    return state
