"""What the page of a record says, in the language of its reader and under its rights: one model for every way out.

The command line, the API and the web render it and add nothing. Its words come from the definitions; what no definition
says stands in page_words. How often a page asks the database grows with the acts of the record's type, with the
agencies of its matter and with how far its clocks are read along links, and never with its lines
(tests/views/test_pages.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity.clock import show_instant
from comity.kernel.duties.clocks import Dues, dues_of
from comity.kernel.law.due import Due, shown
from comity.kernel.policy.actor import Actor
from comity.kernel.types.language import Languages
from comity.kernel.views import history, timeline
from comity.kernel.views.captions import captions
from comity.kernel.views.page_acts import NextAct, Obstacle, judged, next_acts, obstacle
from comity.kernel.views.page_parts import (
    MarkShown,
    OfferShown,
    Owed,
    agencies_of,
    field_lines,
    links_in,
    links_out,
    notices_of,
    offer_shown,
    open_obligations,
    other_lines,
    sentences,
)
from comity.kernel.views.read import Look, look
from comity.kernel.views.timeline import Moment
from comity.kernel.views.wording import Line, Parts, Value, Wording
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import HistoryLine, View
from comity.kernel.work.subject import subjects

MOMENTS = 20
"""Entries of the timeline that a page has; `earlier` says that there are more, which `history` tells."""
DUES = 10
"""Clocks that a page has, the soonest; `comity due` and `/records/id/{id}/due` tell all, with their working."""
HEADED = ("offered", "open_to_you", "answers_open", "due", "owed", "history")
WAITING = ("overdue", "lapsed", "running", "undecided")


@dataclass(frozen=True, slots=True)
class DueShown:
    """A clock that waits for somebody. `when` is the day or instant in words, `standing` where it stands."""

    rule: str
    label: str
    when: str
    due: str | None
    standing: str
    standing_label: str
    note: str = ""
    citation: str = ""
    record: str = ""

    @property
    def text(self) -> str:
        return "  ".join(part for part in (self.when, self.standing_label, self.note) if part)

    def as_json(self) -> dict[str, Any]:
        return {
            "heading": "due", "rule": self.rule, "label": self.label, "texts": [self.text], "when": self.when,
            "due": self.due,
            "standing": self.standing, "standing_label": self.standing_label, "note": self.note,
            "citation": self.citation, "record": self.record,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordPage:
    """The page of one record. `view` is the same as data. `whose`: ours, or whose it is. `notices` are said first.
    `earlier`: what is said where the timeline has more entries than the page. `headings` stand above the parts that are
    more than a line."""

    view: View
    language: str
    zone: str
    label: str
    caption: str
    state_label: str
    whose: str
    version: str
    notices: tuple[str, ...]
    marks: tuple[MarkShown, ...]
    featured: tuple[Line, ...]
    lines: tuple[Line, ...]
    links: tuple[Line, ...]
    linked_from: tuple[Line, ...]
    files: tuple[Line, ...]
    offer: OfferShown | None
    about: tuple[Line, ...]
    acts: tuple[NextAct, ...]
    due: tuple[DueShown, ...]
    owed: tuple[Owed, ...]
    timeline: tuple[Moment, ...]
    earlier: str
    entered: Line
    headings: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The page alone, without the view."""
        v = self.view
        return {
            "id": v.id, "type": v.type, "label": self.label, "number": v.number, "caption": self.caption,
            "state": v.state, "state_label": self.state_label, "agency": v.agency, "whose": self.whose,
            "version": self.version, "language": self.language, "zone": self.zone, "notices": list(self.notices),
            "marks": [one.as_json() for one in self.marks], "featured": [one.as_json() for one in self.featured],
            "lines": [one.as_json() for one in self.lines], "links": [one.as_json() for one in self.links],
            "linked_from": [one.as_json() for one in self.linked_from],
            "files": [one.as_json() for one in self.files],
            "offer": self.offer.as_json() if self.offer else None, "about": [one.as_json() for one in self.about],
            "acts": [one.as_json() for one in self.acts], "due": [one.as_json() for one in self.due],
            "owed": [one.as_json() for one in self.owed], "timeline": [one.as_json() for one in self.timeline],
            "earlier": self.earlier, "entered": [self.entered.as_json()], "headings": dict(self.headings),
        }  # fmt: skip


def page(
    node: Node, actor: Actor, record: str, *, language: Languages = None, as_entered: datetime | None = None,
    as_of: datetime | None = None,
) -> RecordPage:  # fmt: skip
    """The page of a record for this actor; Problem `not_found` as `read`, `request_invalid` for an unknown language.

    Of a past instant it says what the record was: no acts, no dues, no timeline. What it shows of others' records is
    disclosed to their owners as reading, its history and what is due are.
    """
    with node.work(actor) as work:
        seen = look(work, record, as_entered, as_of)
        lines = [] if seen.past else history.lines(work, seen.of, seen.subject, seen.seen, last=MOMENTS + 1)
        dues = None if seen.past else dues_of(work, seen.subject, work.now)
        named = agencies_of(seen) | timeline.agencies_in(seen.of, lines)
        wording = Wording.of(work, language, named)
        made = _page(work, _captioned(work, wording, seen), wording.of_record(seen.of), lines, dues)
        return replace(made, view=seen.view)


def _captioned(work: Work, wording: Wording, seen: Look) -> Look:
    """The record as it was read, with captions for the linked records that have no title that everybody may read."""
    view = seen.view
    bare = {one.id for one in (*view.linked, *view.linked_from) if not one.title and one.type != "member"}
    if not bare:
        return seen
    named = captions(work, wording, subjects(work, sorted(bare)).values())
    linked, inward = (
        [replace(one, title=named.get(one.id, one.title)) for one in many] for many in (view.linked, view.linked_from)
    )
    return replace(seen, view=replace(view, linked=linked, linked_from=inward))


def _page(
    work: Work, seen: Look, parts: Parts, lines: Sequence[HistoryLine], dues: Dues | None
) -> RecordPage:  # fmt: skip
    view, said = seen.view, parts.wording
    owed = () if seen.past else open_obligations(work, seen, parts)
    found = judged(work, seen, parts)
    caption, source = _caption(seen, parts)
    featured, rest = field_lines(seen, parts, apart=source)
    state = parts.state(view.state)
    return RecordPage(
        view=view, language=said.language, zone=str(said.locale.zone), label=said.type_label(view.type),
        caption=caption,
        state_label=parts.say("as_sent_state", state=state) if view.as_sent else state,
        whose=_whose(view, said), version=parts.say("version", version=view.version), notices=notices_of(view, said),
        marks=tuple(MarkShown.of(said, mark) for mark in view.marks), featured=featured, lines=rest,
        links=links_out(view, parts), linked_from=links_in(view, said), files=_files(view, said),
        offer=offer_shown(view, parts), about=tuple(other_lines(view, said)),
        acts=next_acts(seen, parts, found, [_as_obstacle(said, one) for one in owed]),
        due=tuple(_dues(dues, view, said)) if dues else (), owed=owed,
        timeline=timeline.moments(parts, lines[-MOMENTS:]),
        earlier=parts.say("earlier") if len(lines) > MOMENTS else "", entered=_entered(view, said),
        headings={name: said.say(name) for name in HEADED},
    )  # fmt: skip


def _caption(seen: Look, parts: Parts) -> tuple[str, str]:
    """What names the record beside its number, the first of its caption that the reader sees a value of; and the field
    that says it, which is then no line of the page."""
    linked = {one.name: one for one in seen.view.linked if one.title}
    for name in parts.theirs.caption:
        if name in linked:
            return linked[name].title, ""
        texts = parts.line(name, seen.view.fields[name]).texts if name in seen.view.fields else ()
        if texts:
            return texts[0], name if len(texts) == 1 else ""
    return seen.view.title, ""


def _whose(view: View, said: Wording) -> str:
    if view.reported:
        return said.locale.value(view.reported)
    return said.say("ours") if view.agency == said.own else said.say("of", agency=said.agency(view.agency))


def _files(view: View, said: Wording) -> tuple[Line, ...]:
    values = [
        Value("file", said.locale.given(f"{info.get('name') if isinstance(info, Mapping) else info}  {id}"), id)
        for id, info in view.files.items()
    ]
    return (said.line("files", said.say("file"), values),) if values else ()


def _entered(view: View, said: Wording) -> Line:
    text = said.say("entered_on", entered=said.when(view.entered_at), changed=said.when(view.changed_at))
    return Line("entered", said.say("entered"), (Value("instant", text, show_instant(view.entered_at)),))


def _as_obstacle(said: Wording, one: Owed) -> Obstacle:
    return obstacle(said, one.lack)


def _dues(dues: Dues, view: View, said: Wording) -> Iterator[DueShown]:
    """The clocks that wait. `view` names those of its links for which one is kept."""
    named = {**dues.named, **{one.id: one.title for one in (*view.linked, *view.linked_from) if one.title}}
    for one in [due for due in dues.dues if due.standing in WAITING][:DUES]:
        yield _due(one, named.get(one.each, "") if one.each != dues.record else "", said)


def _due(one: Due, kept_for: str, said: Wording) -> DueShown:
    when = one.answer.to(said.locale)
    if not when and one.due is not None:
        when = said.when(one.due) if isinstance(one.due, datetime) else said.locale.date(one.due)
        when = said.say("not_before", when=when) if one.kind == "not_before" else when
    notes = [f"{said.say('person_decides')}: {held.message.to(said.locale)}" for held in one.decisions]
    if kept_for:
        notes.append(said.say("kept_for", name=kept_for))
    return DueShown(
        one.rule, one.title.to(said.locale), when, shown(one.due), one.standing,
        said.say(f"standing_{one.standing}"), sentences(notes), one.citation, one.record,
    )  # fmt: skip
