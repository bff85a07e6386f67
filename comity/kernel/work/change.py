"""A change about to be written: one entry, with what it does to its record, to an offer and to what was reported; when
it happened; and the row and search terms of a record, as its entries and its type make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from comity import names
from comity.clock import read_when
from comity.errors import Fault
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import Entry
from comity.kernel.ledger.fold import Folded, Header, step
from comity.kernel.ledger.offer_side import OfferSide
from comity.kernel.types.catalogue import Type
from comity.kernel.types.comparison import normalise, words
from comity.kernel.types.language import called_in
from comity.kernel.work import on_behalf
from comity.kernel.work.node import Work
from comity.sentences import say

TERM_LENGTH = 200
AHEAD = timedelta(minutes=5)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an institution says of an entry that was reported of it: the entry, and `confirmed` or `disputed`."""

    reported: UUID
    state: str


@dataclass(frozen=True)
class Change:
    """One entry with what it does to its record. `before` is the state that was read; version 0 means a new record.

    `after` follows from both and is folded when it is first asked for. `digest` is what the idempotency key was
    used for. `offer` are the own rows of an offer that it makes, `move` those that it moves, as they were read under
    their lock (comity.hold_offer); `grant_ends`: it is an answer whose rule ends what the offer opened. A change of
    another's record (an answer, a verdict) has no row of its own: `projected` is False and only the ledger, the offer
    and the report move.
    """

    entry: Entry
    type: Type
    before: Folded
    key: str | None = None
    digest: bytes = b""
    offer: Sequence[OfferSide] = ()
    shares: Sequence[Mapping[str, Any]] = ()
    move: Sequence[OfferSide] = ()
    grant_ends: bool = False
    verdict: Verdict | None = None
    projected: bool = True

    @cached_property
    def after(self) -> Folded:
        e = self.entry
        if not self.projected:
            return replace(self.before, state=e.state_to)
        return step(self.before, Header(e.version, e.type, e.type_version, e.state_to, str(e.actor)), e.content)

    @property
    def moves_marks(self) -> bool:
        """Whether it changes the marks of a record that was there before, from which others may derive."""
        return self.projected and self.before.version > 0 and self.before.marks != self.after.marks

    @property
    def new_sources(self) -> frozenset[UUID]:
        """What its record newly derives from: targets of links that inherit, which it did not have."""
        if not self.projected:
            return frozenset()
        return frozenset(
            UUID(target)
            for name, ids in self.after.links.items()
            if name in self.type.links and self.type.links[name].inherit
            for target in ids
            if target not in self.before.links.get(name, ())
        )

    @property
    def opens(self) -> bool:
        """Whether it asks or shows another agency something, or ends that: an offer, shares, an answer, a report."""
        told = (self.offer, self.shares, self.move, self.verdict, items.behalf(self.entry.content))
        return any(one for one in told)

    def saying(self, said: Mapping[str, Any], *, refers: UUID | None = None) -> Change:
        """The same change whose entry says these items as well, and names another entry where one is given."""
        entry = replace(self.entry, content={**self.entry.content, **said}, refers=refers or self.entry.refers)
        new, after = replace(self, entry=entry), self.__dict__.get("after")
        if after is not None:  # folded already: not again for what changes nothing of it, or its number alone
            told = {items.parse(path).kind for path in said} & items.OF_THE_STATE
            if not told:
                new.__dict__["after"] = after
            elif told == {items.NUMBER}:
                new.__dict__["after"] = replace(after, number=said[items.NUMBER])
        return new


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to a record, as its entry's header says it: the kind of entry, the act, where the record comes to.

    `occurred_at` None: now. `refers`: the entry that this one answers, settles or follows. `state_from`: where it comes
    from, if not from the record's own state: an answer moves an offer.
    """

    kind: str
    act: str
    state_to: str
    occurred_at: datetime | None = None
    refers: UUID | None = None
    state_from: str | None = None


def changed(
    work: Work, of: Type, before: Folded, record: UUID, done: Step, content: Mapping[str, Any]
) -> Change:  # fmt: skip
    """The change that an act of this work makes to a record of the own agency; one on behalf says so."""
    if work.actor.behalf is not None:
        content = {**content, **on_behalf.item(work.actor.behalf)}
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.name, type_version=work.version, kind=done.kind,
        act=done.act, actor=UUID(work.actor.member), occurred_at=done.occurred_at or work.now, entered_at=work.now,
        version=before.version + 1, state_from=done.state_from or before.state, state_to=done.state_to,
        content=content, refers=done.refers,
    )  # fmt: skip
    return Change(entry, of, before)


def about_anothers(
    work: Work, of: Type, before: Folded, record: UUID, done: Step, content: Mapping[str, Any]
) -> Change:  # fmt: skip
    """The own entry about another agency's record, such as an answer: it moves no record of one's own.

    Its versions count what this agency has entered about the record. `before` is the record as its owner's row says.
    """
    row = work.conn.execute(
        "select coalesce(max(version), 0) from comity.entry where record = %s and agency = %s", (record, work.agency)
    ).fetchone()
    entry = Entry(
        id=names.new_id(), agency=work.agency, record=record, type=of.core_name, type_version=work.version,
        kind=done.kind, act=done.act, actor=UUID(work.actor.member), occurred_at=done.occurred_at or work.now,
        entered_at=work.now, version=(row[0] if row else 0) + 1,
        state_from=done.state_from or before.state, state_to=done.state_to, content=dict(content), refers=done.refers,
    )  # fmt: skip
    return Change(entry, of, before, projected=False)


def occurred_at(
    work: Work, of: Type, fields: Mapping[str, Any], given: datetime | None
) -> tuple[datetime | None, list[Fault]]:
    """When the act happened: by the type's effective field where given, a day at its start in the agency's zone.

    Both may be told where they say the same: the same instant, or an instant of that day. None: now.
    """
    name = of.effective_field
    told = read_when(fields.get(name)) if name else None
    if told is None or (isinstance(told, datetime) and told.tzinfo is None):
        return given, [_too_early("occurred_at")] if given is not None and given > work.now + AHEAD else []
    path, zone = f"fields.{name}", ZoneInfo(work.catalogue.definition.zone)
    try:
        if given is not None and not _same_time(told, given, zone):
            said = say("occurred_at_differs.says_when_it_happened_and", name=called_in(of.fields, str(name)))
            return given, [
                Fault("occurred_at_differs", "occurred_at", said, say("occurred_at_differs.leave_occurred_at_out.fix"))
            ]
        if is_ahead(told, work.now, zone):
            return given, [_too_early(path)]
        if given is not None:
            return given, [_too_early("occurred_at")] if given > work.now + AHEAD else []
        begun = (told if isinstance(told, datetime) else datetime.combine(told, time(), zone)).astimezone(zone)
        return begun if begun <= work.now else None, []
    except OverflowError:
        return None, [Fault("format", path, say("format.it_lies_outside_years_1"))]


def is_ahead(told: date | datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a moment is yet to come: an instant beyond what clocks differ by, a day later than tomorrow."""
    if isinstance(told, datetime):
        return told > now + AHEAD
    return datetime.combine(told, time(), zone) - now >= _DAY


def _same_time(told: date | datetime, given: datetime, zone: ZoneInfo) -> bool:
    return given == told if isinstance(told, datetime) else given.astimezone(zone).date() == told


def _too_early(path: str) -> Fault:
    return Fault("occurred_in_future", path, say("occurred_in_future.act_is_entered_when_it"))


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
