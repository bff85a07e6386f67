"""The last entries of a record as a page tells them: who did what and when, in words, with what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity.kernel.ledger import items
from comity.kernel.types.catalogue import Type
from comity.kernel.views.wording import Parts, Wording, kind_of
from comity.kernel.work.results import HistoryLine

LONGEST = 300
"""Characters of one value in a line of the timeline; the record's own lines have the whole."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry: when it happened, who did which act, the state it led to where it moved the record, and a line for
    each thing that it said. `late` is why it was entered late; `place` its place in its agency's log, None: not yet."""

    entry: str
    version: int
    act: str
    label: str
    happened: str
    entered: str
    who: str
    state: str = ""
    state_label: str = ""
    said: tuple[str, ...] = ()
    late: str = ""
    place: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is told of it, a line each."""
        words = (self.happened, self.entered, self.label, self.state_label, self.who, *self.said, self.late)
        return tuple(one for one in words if one)

    def as_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry, "version": self.version, "act": self.act, "label": self.label,
            "happened": self.happened, "entered": self.entered, "who": self.who, "state": self.state,
            "state_label": self.state_label, "said": list(self.said), "late": self.late, "place": self.place,
            "texts": list(self.texts),
        }  # fmt: skip


def agencies_in(of: Type, lines: Sequence[HistoryLine]) -> set[str]:
    """The agencies of which these entries of a record of the type speak."""
    named = {name for one in lines for name in (one.agency, one.on_behalf) if name}
    known = {name for name, one in of.fields.items() if kind_of(one) == "agency"}
    for one in lines:
        for path, value in one.changes.items():
            item = items.parse(path)
            if item.kind in items.OF_A_FIELD and item.name in known:
                named.update(value if isinstance(value, list) else [str(value)])
    return named


def moments(parts: Parts, lines: Sequence[HistoryLine]) -> tuple[Moment, ...]:
    """The entries, newest first."""
    return tuple(_moment(parts, one) for one in reversed(lines))


def _moment(parts: Parts, one: HistoryLine) -> Moment:
    said = parts.wording
    happened, entered = said.when(one.occurred_at), said.when(one.at)
    moved = one.state_from != one.state_to and one.state_to
    late = (parts.say("late_cause", cause=one.cause) if one.cause else parts.say("late")) if one.late else ""
    return Moment(
        one.entry, one.version, one.act, parts.act(one.act, done=True), happened,
        "" if happened == entered else parts.say("entered_later", at=entered), _who(said, one),
        one.state_to if moved else "", parts.state(one.state_to) if moved else "", tuple(_said(parts, one)), late,
        one.place,
    )  # fmt: skip


def _who(said: Wording, one: HistoryLine) -> str:
    member = said.word(one.member) if one.member in ("system", "operator") else said.locale.given(one.member)
    if one.on_behalf:
        whose = said.locale.value(one.reported) if one.reported else said.whose(one.agency, one.on_behalf)
        return said.say("entered_by", agency=whose, member=member) if member else whose
    return member or said.agency(one.agency)


def _said(parts: Parts, one: HistoryLine) -> Iterator[str]:
    if one.corrects:
        yield parts.say("corrects", entry=one.corrects[:8])
    if one.refers and one.kind == "erase":
        yield parts.say("erases", entry=one.refers[:8])
    if one.erased:
        yield parts.say("erased")
    else:
        yield from _changes(parts, one.changes)
    if one.erased_part:
        yield parts.say("erased_part")
    for name in ("reason", "authority"):
        if text := getattr(one, name):
            yield parts.say("changed_to", label=parts.say(name), value=_cut(text))
    if one.document:
        yield parts.say("document", number=one.document)


def _changes(parts: Parts, changes: Mapping[str, Any]) -> list[str]:
    """What an entry set, unset, tied and untied, a line each, and how many records it opened to others."""
    lines: list[str] = []
    shared = 0
    for path, value in changes.items():
        item = items.parse(path)
        if item.kind in (items.SET, items.ANSWER):
            text = ", ".join(one.text for one in parts.wording.value(parts.field(item.name), value))
            lines.append(parts.say("changed_to", label=parts.label(item.name), value=_cut(text)))
        elif item.kind == items.UNSET:
            lines.append(parts.say("taken_away", label=parts.label(item.name)))
        elif item.kind in items.OF_A_LINK:
            key = "link_removed" if item.kind == items.UNLINK else "link_added"
            lines.append(parts.say(key, label=parts.label(item.name)))
        elif item.kind in (items.MARK, items.UNMARK):
            key = "mark_added" if item.kind == items.MARK else "mark_lifted"
            lines.append(parts.say(key, mark=parts.wording.mark(item.name)))
        elif item.kind == items.FILE:
            name = value.get("name", "") if isinstance(value, Mapping) else value
            lines.append(parts.say("file_added", name=name))
        shared += item.kind == items.SHARE
    return [*dict.fromkeys(lines), *([parts.say("opens_records", count=shared)] if shared else [])]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
