"""A change of law as one data pack: which sections became which, from when, and which records that touches.

    pack: LAYER.NAME
    title: .., from: 2024-07-01, old: OLD, new: NEW, citation: .., verified: ..
    names: { OLD: [OLD, The Old Code], NEW: [NEW] }
    where: [{ type: LAYER.TYPE, sections: sections, happened: occurred_from, open: [registered] }]
    sections: { "302": ["103"], "309": [] }

The pack changes no record. It says of each what follows: an offence before the day stays under the old law.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from comity.clock import read_when
from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, visible
from comity.kernel.work.visibility import readable_fields
from comity.sentences import NOTHING, Text, say

PAGE = 500
_SECTION = re.compile(r"\d+[A-Z]{0,2}(?:\([0-9A-Za-z]+\))*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where records of a type name sections, and where they say when the offence happened."""

    type: str
    sections: str
    happened: str
    open: frozenset[str]
    by: str = ""
    """The field that dates when it became known: what was known before the change had happened before it."""


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    title: str
    from_: date
    old: str
    new: str
    citation: str
    verified: str
    names: Mapping[str, tuple[str, ...]]
    where: tuple[Place, ...]
    sections: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Affected:
    """One record that names a section of the law that changed.

    `verdict`: stays (the offence was before the day: the old law governs), renumber (on or after it: the new sections),
    premature (a new section for an offence before the day), decide (the day is not known, or a section goes to several
    or to none). `sections` maps each old section to the new ones; `unknown` are sections that the pack does not hold.
    """

    record: str
    type: str
    number: str | None
    title: str
    state: str
    open: bool
    happened: date | None
    verdict: str
    why: Text
    sections: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "type": self.type, "number": self.number, "title": self.title, "state": self.state,
            "open": self.open, "happened": self.happened.isoformat() if self.happened else None,
            "verdict": self.verdict, "why": self.why,
            "sections": {old: list(new) for old, new in self.sections.items()}, "unknown": list(self.unknown),
        }  # fmt: skip


def impact(node: Node, actor: Actor, pack: Pack | str) -> list[Affected]:
    """The agency's own records that the pack touches, as far as this actor may read them, oldest first.

    `pack` may be the name of a rule file of the agency's law. Raises Problem `not_found` or `definitions_refused`.
    """
    with node.work(actor) as work:
        held = pack if isinstance(pack, Pack) else _named(work, pack)
        zone = ZoneInfo(work.catalogue.definition.zone)
        found = []
        seen = []
        for place in held.where:
            for subject in _own(work, place):
                of = work.type_of(subject.agency, subject.type_name, subject.core_type)
                fields = readable_fields(work, of, subject)[0]
                told = affected(held, place, subject, fields, zone)
                if told is not None:
                    found.append(told)
                    seen.append((subject, [place.sections, place.happened]))
        disclosure.told(work, "law", seen)
        return found


def is_pack(data: Any) -> bool:
    """Whether a rule file is a change of law as data."""
    return isinstance(data, Mapping) and "sections" in data and "where" in data


def _named(work: Work, name: str) -> Pack:
    data = work.catalogue.rules.get(name)
    if data is None or not is_pack(data):
        raise Problem("not_found", say("not_found.law_of_holds_no_pack", agency=work.agency, name=name))
    return read_pack(name, data)


def read_pack(name: str, data: Mapping[str, Any]) -> Pack:
    """A pack from plain data; Problem `definitions_refused` with every fault."""
    faults = []
    for key in ("title", "from", "old", "new", "citation", "verified", "names", "where", "sections"):
        if key not in data:
            faults.append(Fault("pack_incomplete", name, say("pack_incomplete.pack_has_no", key=key)))
    day = read_when(data.get("from"))
    if "from" in data and (day is None or isinstance(day, datetime)):
        faults.append(Fault("wrong_kind", name, say("wrong_kind.begin_is_no_day", day=data["from"])))
    for old, new in (data.get("sections") or {}).items():
        if not _SECTION.fullmatch(old) or not all(_SECTION.fullmatch(str(one)) for one in new):
            faults.append(Fault("wrong_kind", name, say("wrong_kind.change_of_code", old=old, new=new)))
    if faults:
        raise Problem("definitions_refused", say("definitions_refused.pack_cannot_be_read", name=name), faults=faults)
    assert isinstance(day, date)
    places = tuple(
        Place(one["type"], one["sections"], one.get("happened", ""), frozenset(one.get("open", ())), one.get("by", ""))
        for one in data["where"]
    )
    return Pack(
        name=name, title=data["title"], from_=day, old=data["old"], new=data["new"], citation=data["citation"],
        verified=data["verified"], names={law: tuple(words) for law, words in data["names"].items()}, where=places,
        sections={old: tuple(map(str, new)) for old, new in data["sections"].items()},
    )  # fmt: skip


def _own(work: Work, place: Place) -> Iterator[Subject]:
    """The agency's own records of a type that this actor may read, a page at a time."""
    condition, params = visible(work)
    after: tuple[Any, Any] | None = None
    while True:
        later = "and (r.entered_at, r.id) > (%(at)s, %(id)s)" if after else ""
        more = {"at": after[0], "id": after[1]} if after else {}
        rows = (
            work.conn.cursor(row_factory=dict_row)
            .execute(
                f"""select {COLUMNS} from comity.record r where r.agency = comity.me() and r.core_type = %(type)s
                       and {condition} {later} order by r.entered_at, r.id limit {PAGE}""",
                {**params, **more, "type": place.type, "member": work.actor.member},
            )
            .fetchall()
        )
        yield from (subject_of(row) for row in rows)
        if len(rows) < PAGE:
            return
        after = (rows[-1]["entered_at"], rows[-1]["id"])


def affected(pack: Pack, place: Place, subject: Subject, fields: Mapping[str, Any], zone: ZoneInfo) -> Affected | None:
    """What the pack means for one record; None when it names neither law. Pure but for the record given."""
    text = fields.get(place.sections)
    cited = sections_in(text if isinstance(text, str) else " ".join(map(str, text or ())), pack.names)
    old, new = cited.get(pack.old, ()), cited.get(pack.new, ())
    if not old and not new:
        return None
    when = read_when(fields.get(place.happened)) if place.happened else None
    day = when.astimezone(zone).date() if isinstance(when, datetime) else when
    known = read_when(fields.get(place.by)) if place.by else None
    known = known.astimezone(zone).date() if isinstance(known, datetime) else known
    if day is None and known is not None and known < pack.from_:
        day = known
    mapped = {one: pack.sections.get(one, pack.sections.get(_bare(one), ())) for one in old}
    unknown = tuple(one for one in old if one not in pack.sections and _bare(one) not in pack.sections)
    verdict, why = _verdict(pack, day, bool(old), mapped, unknown)
    if verdict == "":
        return None
    return Affected(
        record=str(subject.id), type=subject.type_name, number=subject.folded.number, title=subject.title,
        state=subject.folded.state, open=subject.core_state in place.open, happened=day, verdict=verdict, why=why,
        sections=mapped, unknown=unknown,
    )  # fmt: skip


def _verdict(
    pack: Pack, day: date | None, old: bool, mapped: Mapping[str, Sequence[str]], unknown: Sequence[str]
) -> tuple[str, Text]:
    laws = {"old": pack.old, "new": pack.new}
    if day is None:
        return "decide", say("law_change.day_not_known", day=pack.from_, **laws)
    if day < pack.from_:
        if old:
            return "stays", say("law_change.stays", happened=day, old=pack.old)
        return "premature", say("law_change.premature", happened=day, day=pack.from_, new=pack.new)
    if not old:
        return "", NOTHING
    if unknown:
        return "decide", say("law_change.not_held", old=pack.old, sections=unknown)
    gone = [one for one, to in mapped.items() if not to]
    several = [one for one, to in mapped.items() if len(to) > 1]
    if gone:
        return "decide", say("law_change.no_counterpart", sections=gone, **laws)
    if several:
        return "decide", say("law_change.several", sections=several, **laws)
    to = [many[0] for many in mapped.values()]
    return "renumber", say("law_change.renumber", happened=day, new=pack.new, sections=to)


def _bare(section: str) -> str:
    return section.partition("(")[0]


def sections_in(text: str, names: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The sections that a text cites, by law: `IPC 420, 406`, `302/34 IPC`, `BNS 303(2)` alike.

    A number belongs to the law named before it, else to the one named after it, within a clause (`;` or a line).
    """
    words = {word.casefold(): law for law, many in names.items() for word in many}
    spelled = "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))
    token = re.compile(
        rf"(?P<law>(?<![A-Za-z])(?:{spelled})(?![A-Za-z]))|(?P<section>{_SECTION.pattern})", re.IGNORECASE
    )
    out: dict[str, dict[str, None]] = {}
    for clause in re.split(r"[;\n]", text):
        found = [(m.lastgroup, m[0]) for m in token.finditer(clause)]
        laws = [(place, words[said.casefold()]) for place, (kind, said) in enumerate(found) if kind == "law"]
        leads = bool(found) and found[0][0] == "law"
        for place, (kind, said) in enumerate(found):
            if kind != "section" or not laws or re.fullmatch(r"(18|19|20)\d\d", said):
                continue  # a year belongs to the law's name
            before = [law for at, law in laws if at < place]
            after = [law for at, law in laws if at > place]
            law = before[-1] if leads and before else after[0] if after else before[-1]
            out.setdefault(law, {})[said.upper() if said[-1].isalpha() else said] = None
    return {law: tuple(many) for law, many in out.items()}
