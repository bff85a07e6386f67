"""What is due in an office: every clock on every record that the reader may find and read, the soonest first.

A clock stands on the record whose event started it, so that it stands there once. Dues are not stored: they follow from
the events, the law and the instant asked about, so each is reckoned when it is asked for, a page of records at a time,
and only the wanted lines are kept. The time taken grows with the records of the types that can start a clock.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from psycopg.rows import dict_row

from comity.clock import parse_instant, show_instant
from comity.errors import Problem
from comity.kernel.duties.case_graph import Matter, matters
from comity.kernel.duties.clock_events import disclosed, events_of
from comity.kernel.duties.clocks import asked_about
from comity.kernel.law.clock_book import book_for
from comity.kernel.law.clock_calculation import calculate
from comity.kernel.law.clock_starts import Starts, started_by, starts
from comity.kernel.law.due import Due, Event, shown
from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.language import Languages, chosen, in_language
from comity.kernel.work.node import Node, Work
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, visible
from comity.sentences import Locale, say

MOST = 200
PAGE = 200
ABOUT = 2
OPEN = ("overdue", "lapsed", "running", "undecided")
"""The standings of what still waits for somebody; the others are `done`, `permitted` and `answered`."""

Key = tuple[int, datetime, str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One clock on one record. `day` is the day on which it is due in the agency's zone, `left` how many calendar days
    from the day asked about (negative: past). `about` are records of the owner's that it points at, `whose` the one
    that the clock is kept for, where it is another; `others` the records of others that went into it."""

    subject: Subject
    due: Due
    day: date | None
    left: int | None
    label: str = ""
    clock: str = ""
    about: tuple[Subject, ...] = ()
    whose: Subject | None = None
    others: tuple[Subject, ...] = ()

    @property
    def key(self) -> Key:
        turn = 2 if self.due.standing not in OPEN else 0 if self.due.by else 1
        return turn, self.due.by or datetime.max.replace(tzinfo=UTC), self.due.rule, self.due.record, self.due.each

    def as_json(self) -> dict[str, Any]:
        one = self.due
        return {
            "record": one.record, "type": self.subject.type_name, "label": self.label, "agency": self.subject.agency,
            "on_behalf": self.subject.folded.behalf, "number": self.subject.folded.number,
            "title": self.subject.title, "about": [_named(held) for held in self.about],
            "whose": _named(self.whose) if self.whose else None, "rule": one.rule, "clock": self.clock,
            "kind": one.kind, "standing": one.standing, "due": shown(one.due), "by": shown(one.by),
            "day": shown(self.day), "days_left": self.left, "started": shown(one.started),
            "stopped": shown(one.stopped), "kept": one.kept, "stage": one.stage, "answer": one.answer,
            "paused": one.paused, "each": one.each, "owed_by": one.owed_by,
            "decisions": [held.as_json() for held in one.decisions], "consequence": one.consequence,
            "limit": one.limit, "citation": one.citation, "verified": one.verified, "law_from": shown(one.law_from),
        }  # fmt: skip


def _named(one: Subject) -> dict[str, Any]:
    return {"id": str(one.id), "type": one.type_name, "number": one.folded.number, "title": one.title}


@dataclass(frozen=True, slots=True)
class Agenda:
    """A page of lines at an instant. `counts` are of all clocks asked about, by standing, whatever the page leaves out;
    `types` those whose records can start one."""

    at: datetime
    agency: str
    zone: str
    lines: tuple[Line, ...]
    counts: dict[str, int]
    types: tuple[str, ...]
    next: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "at": show_instant(self.at), "agency": self.agency, "zone": self.zone, "counts": self.counts,
            "types": list(self.types), "items": [one.as_json() for one in self.lines], "next": self.next,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clocks are asked for. `until`: due on that day or before. `person`: where a person must decide.
    `every`: those too that are done, and what is no deadline."""

    until: date | None = None
    overdue: bool = False
    person: bool = False
    every: bool = False

    def takes(self, one: Line) -> bool:
        return (
            (self.every or one.due.standing in OPEN)
            and (self.until is None or (one.day is not None and one.day <= self.until))
            and (not self.overdue or one.due.standing in ("overdue", "lapsed"))
            and (not self.person or bool(one.due.decisions))
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the agenda: of the own agency's records, of those of `owner`, or of `everyone`'s.

    `type` is that of the record that started the clock. `at`: as it would have been answered then, by what was known
    then under the law then in force; a day means its end in the agency's zone. `within` is a number of days from there,
    instead of `until`. A cursor goes on at the instant of its first page. The rest as in Wanted.
    """

    type: str | None = None
    at: date | datetime | None = None
    until: date | None = None
    within: int | None = None
    overdue: bool = False
    person: bool = False
    every: bool = False
    owner: str | None = None
    everyone: bool = False
    limit: int = 50
    cursor: str | None = None
    language: Languages = None


def agenda(node: Node, actor: Actor, **asked: Any) -> Agenda:
    """What is due on records that this actor may find; `asked` are the members of Asked.

    Others' records behind the lines of the page are disclosed to their owners before the answer goes out. Problems:
    `type_unknown`, `agency_unknown`, `request_invalid`, `cursor_invalid`.
    """
    of = Asked(**asked)
    if of.until is not None and of.within is not None:
        raise Problem("request_invalid", say("request_invalid.last_day_and_number_of"))
    with node.work(actor) as work:
        zone = ZoneInfo(work.catalogue.definition.zone)
        language = chosen(work.catalogue, of.language)
        words = in_language(work.catalogue, language)
        if of.type is not None:
            work.catalogue.type(of.type)
        at, after = _read_cursor(of.cursor) if of.cursor else (asked_about(work, of.at), None)
        until = of.until if of.within is None else _later(at.astimezone(zone).date(), of.within)
        wanted = Wanted(until, of.overdue, of.person, of.every)
        counts: Counter[str] = Counter()
        walk = _Walk(work, at, zone, of.type)

        def lines() -> Iterator[Line]:
            for whose in _owners(work, of.owner, of.everyone):
                for one in walk.lines(whose):
                    counts[one.due.standing] += 1
                    if wanted.takes(one) and (after is None or one.key > after):
                        yield one

        limit = max(1, min(of.limit, MOST))
        found = heapq.nsmallest(limit + 1, lines(), key=lambda one: one.key)
        page = found[:limit]
        seen = {held.id: held for one in page for held in (one.subject, *one.about, *one.others)}
        disclosed(work, list(seen.values()))
        return Agenda(
            at, work.agency, zone.key, tuple(_worded(work, words, one, language) for one in page), dict(counts),
            tuple(sorted(walk.types)), _cursor(at, page[-1].key) if len(found) > limit else None,
        )  # fmt: skip


def _later(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def _owners(work: Work, owner: str | None, everyone: bool) -> list[str]:
    if not everyone:
        return [owner or work.agency]
    return [row[0] for row in work.conn.execute("select id from comity.agency order by id").fetchall()]


def _worded(work: Work, words: Catalogue, one: Line, language: str) -> Line:
    of = words.types.get(one.subject.type_name) or words.type(one.subject.core_type)
    label = of.title if language in of.labels else work.catalogue.definition.words.get(of.name, "") or of.title
    return replace(one, label=label, clock=one.due.title.to(Locale(language)))


class _Walk:
    """One reading of the clocks at an instant. `types` gathers the types on which a clock can stand."""

    def __init__(self, work: Work, at: datetime, zone: ZoneInfo, type: str | None) -> None:
        self.work, self.at, self.zone, self.type = work, at, zone, type
        self.types: set[str] = set()

    def law(self, agency: str) -> Catalogue:
        own = agency == self.work.agency
        return self.work.catalogue if own else self.work.node.catalogue_of(self.work.conn, agency)

    def lines(self, owner: str) -> Iterator[Line]:
        """The clocks on the records of one owner, by its law or that of the institution for which it entered them."""
        law = self.law(owner)
        kinds = {
            name: one for name, one in starts(law, book_for(law)[0]).items()
            if self.type in (None, name, law.types[name].core_name)
        }  # fmt: skip
        self.types |= kinds.keys()
        for page in self.pages(owner, kinds) if kinds else ():
            for whose, held in groupby(sorted(page, key=lambda one: one.institution), lambda one: one.institution):
                yield from self.reckoned(list(held), self.law(whose))

    def pages(self, owner: str, kinds: Mapping[str, Starts]) -> Iterator[list[Subject]]:
        """The owner's records that may have started a clock, in pages. In the past only their type can say so."""
        past = self.at < self.work.now
        find, params = visible(self.work, action="find")
        read, more = visible(self.work)
        asked: dict[str, Any] = {
            **params, **more, "owner": owner, "asked": self.at, "member": self.work.actor.member,
            "cores": sorted({self.law(owner).types[name].core_name for name in kinds}),
        }  # fmt: skip
        either = []
        for at, (name, one) in enumerate(kinds.items()):
            asked |= {f"type{at}": name, f"acts{at}": sorted(one.acts)}
            asked |= {f"fields{at}": sorted(one.fields), f"states{at}": sorted(one.states)}
            held = f"r.fields ?| %(fields{at})s and r.state = any(%(states{at})s)"
            done = f"exists (select from comity.entry e where e.record = r.id and e.act = any(%(acts{at})s))"
            either.append(f"r.type = %(type{at})s" + ("" if past else f" and ({held} or {done})"))
        after: tuple[Any, Any] | None = None
        while True:
            later = "and (r.entered_at, r.id) > (%(after)s, %(id)s)" if after else ""
            rows = (
                self.work.conn.cursor(row_factory=dict_row)
                .execute(
                    f"""select {COLUMNS} from comity.record r
                         where r.agency = %(owner)s and r.core_type = any(%(cores)s) and r.entered_at <= %(asked)s
                           and {find} and {read} and ({" or ".join(f"({one})" for one in either)}) {later}
                         order by r.entered_at, r.id limit {PAGE}""",
                    {**asked, **({"after": after[0], "id": after[1]} if after else {})},
                )
                .fetchall()
            )
            yield [subject_of(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["entered_at"], rows[-1]["id"]

    def reckoned(self, page: Sequence[Subject], law: Catalogue) -> Iterator[Line]:
        book, settings = book_for(law)
        begins = started_by(book)
        events = events_of(self.work, page, book, self.at)
        begun: dict[UUID, dict[str, list[Event]]] = {}
        for one in page:
            for event in events.get(one.id, ()):
                for code in begins.get(event.name, ()):
                    begun.setdefault(one.id, {}).setdefault(code, []).append(event)
        around = matters(self.work, [one for one in page if one.id in begun], book)
        near = {held.id: held for many in around.values() for matter in many for held in matter.records}
        events |= events_of(self.work, [held for held in near.values() if held.id not in events], book, self.at)
        for one in page:
            for matter in around.get(one.id, ()):
                known = [event for held in matter.records for event in events.get(held.id, ())]
                for code, mine in begun.get(one.id, {}).items():
                    each = book.rules[code].each
                    keys = {str(event.fields[each]) for event in mine if event.fields.get(each) is not None}
                    only = keys if all(event.fields.get(each) is not None for event in mine) else ()
                    for due in calculate(book, code, known, self.at, settings=settings, only=only):
                        if due.record == str(one.id):
                            yield self.line(one, matter.told(due), matter, events)

    def line(self, one: Subject, due: Due, matter: Matter, events: Mapping[UUID, Sequence[Event]]) -> Line:
        day = due.due.astimezone(self.zone).date() if isinstance(due.due, datetime) else due.due
        left = (day - self.at.astimezone(self.zone).date()).days if day is not None else None
        near = [held for held in matter.records if held.id != one.id]
        whose = next((held for held in near if str(held.id) == due.each), None)
        targets = {id for ids in one.folded.links.values() for id in ids}
        about = [held for held in near if str(held.id) in targets and held is not whose and held.agency == one.agency]
        others = [held for held in near if held.agency != self.work.agency and (events.get(held.id) or held is whose)]
        return Line(
            one, due, day, left, about=tuple(about[:ABOUT]), whose=whose, others=tuple(others)
        )  # fmt: skip


def _cursor(at: datetime, key: Key) -> str:
    turn, by, *rest = key
    held = orjson.dumps([show_instant(at), turn, show_instant(by), *rest])
    return base64.urlsafe_b64encode(held).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, Key]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, turn, by, rule, record, each = orjson.loads(text)
        return parse_instant(at), (int(turn), parse_instant(by), str(rule), str(record), str(each))
    except (ValueError, TypeError, binascii.Error):
        raise Problem("cursor_invalid", say("cursor_invalid.cursor_is_not_one_of")) from None
