"""How a page puts what is recorded into words: one reader's language and zone, labels for names, values as typed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from comity.kernel.types.catalogue import Act, Answer, Catalogue, Field, Link, Type
from comity.kernel.types.language import Languages, chosen, in_language, locale_for, plain_words, spoken, worded
from comity.kernel.types.lifecycle import answers
from comity.kernel.work.node import Work
from comity.kernel.work.results import LinkedRecord
from comity.kernel.work.visibility import MARKED
from comity.names import as_reported
from comity.sentences import ENGLISH, PSEUDO, Locale, Sentence, known, pseudo

MOST_VALUES = 20
"""Values of one line that a page shows; the line says how many more there are."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_CURRENCY = re.compile(r"[A-Z]{3}\Z|currency\Z")
_OWN_ACTS = ("enter", "amend", "attach", "erase", "withdrawn", "expired", "inherit", "confirm", "dispute", "emergency")
_DOABLE = ("enter", "amend", "withdrawn")


@dataclass(frozen=True, slots=True)
class Target:
    """The record, or member, at the other end of a link, with the label of its type and state."""

    id: str
    type: str
    label: str
    number: str | None
    title: str
    state: str
    state_label: str
    agency: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "type": self.type, "label": self.label, "number": self.number, "title": self.title,
            "state": self.state, "state_label": self.state_label, "agency": self.agency,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `kind`: text, choice, date, instant, number, decimal, money, flag, agency, object, link, member, file,
    masked. `text` is how a person reads it, `value` how it is stored, `target` what a link leads to."""

    kind: str
    text: str
    value: Any = None
    target: Target | None = None

    def as_json(self) -> dict[str, Any]:
        out = {"kind": self.kind, "text": self.text, "value": self.value}
        return {**out, "target": self.target.as_json()} if self.target else out


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page: its label and its values. `masked` is the ground on which they are not shown; `more` says
    how many values there are beside these."""

    name: str
    label: str
    values: tuple[Value, ...] = ()
    masked: str = ""
    group: str = ""
    more: int = 0
    more_text: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the line says beside its label."""
        if self.masked:
            return (self.masked,)
        return (*(one.text for one in self.values), *((self.more_text,) if self.more else ()))

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "label": self.label, "values": [one.as_json() for one in self.values],
            "masked": self.masked, "group": self.group, "more": self.more, "texts": list(self.texts),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one reader: its language, country and zone, the definitions of its agency in that language, what
    agencies are called."""

    catalogue: Catalogue
    locale: Locale
    own: str
    words: Mapping[str, str] = field(default_factory=dict)
    agencies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Work, wanted: Languages, agencies: Collection[str] = ()) -> Wording:
        """The wording of the actor of a transaction, who reads of these agencies. Problem `request_invalid` for a
        language in which the definitions have no words."""
        named = sorted({*agencies, work.agency})
        rows = work.conn.execute("select id, title from comity.agency where id = any(%s)", (named,))
        held = {work.agency: work.catalogue, **work.others}  # what is at hand: others' are not read for a title
        titles = {id: held[id].definition.title if id in held else title for id, title in rows.fetchall()}
        return cls.without_agencies(work.catalogue, wanted, titles)

    @classmethod
    def without_agencies(
        cls, catalogue: Catalogue, wanted: Languages, agencies: Mapping[str, str] | None = None
    ) -> Wording:
        """The wording where no agency but those given is spoken of by its title."""
        language = chosen(catalogue, wanted)
        of = catalogue.definition
        said = dict(of.words)
        if language == PSEUDO:
            said = {name: pseudo(word) for name, word in said.items()}
        elif language != ENGLISH:  # an English word of the agency's own gives way to what the type is called
            said = {name: word for name, word in said.items() if not _has(catalogue, name, language)}
            said |= of.words_in.get(language, {})
        return cls(
            in_language(catalogue, language), locale_for(catalogue, wanted), catalogue.agency, said, agencies or {}
        )

    @property
    def language(self) -> str:
        return self.locale.language

    def say(self, key: str, **values: object) -> str:
        """One of the pages' own sentences."""
        return self.locale.say(f"page.{key}", **values)

    def word(self, key: str) -> str:
        """One of the pages' own words; empty where they have none of this name."""
        return self.say(key) if known(f"page.{key}") else ""

    def agency(self, id: str) -> str:
        """What an agency is called."""
        return self.locale.value(self.agencies.get(id) or id)

    def whose(self, agency: str, behalf: str = "") -> str:
        """Whose a record is: an agency's, or what it reports of another."""
        reported = as_reported(agency, behalf)
        return reported.to(self.locale) if reported else self.agency(agency)

    def type_label(self, name: str) -> str:
        """What the reader's agency calls a type, by its own word where it has one."""
        of = self.catalogue.types.get(name)
        return self.words.get(name) or (of.title if of else plain_words(name.rpartition(".")[2]))

    def when(self, value: datetime | str | None) -> str:
        """An instant in the reader's zone."""
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return self.locale.instant(instant) if instant is not None else ""

    def mark(self, name: str) -> str:
        known = self.catalogue.marks.get(name)
        return known.title if known else plain_words(name)

    def of_record(self, of: Type) -> Parts:
        """The words for the parts of a type, given as its record's owner defines it."""
        mine = self.catalogue.types.get(of.name) or self.catalogue.types.get(of.core_name)
        return Parts(self, of if self.language == ENGLISH else spoken(of, self.language), mine)

    def target(self, one: LinkedRecord) -> Target:
        if one.type == "member":
            return Target(one.id, "member", "", None, self.locale.given(one.title or one.id), "", "", one.agency)
        of = self.catalogue.types.get(one.type)
        known = of.states.get(one.state) if of else None
        return Target(
            one.id, one.type, self.type_label(one.type), one.number, one.title, one.state,
            worded(known) if known else plain_words(one.state), one.agency,
        )  # fmt: skip

    def linked(self, one: LinkedRecord, *, with_type: bool = True) -> Value:
        """A record at the other end of a link as one value: its number, its title, what it is and whose."""
        to = self.target(one)
        if one.type == "member":
            return Value("member", to.title, to.id, to)
        state = to.state_label
        if one.as_sent:
            state = self.say("as_sent_short", state=state, version=one.as_sent["version"])
        said = [*([to.label] if with_type else []), state]
        if one.agency != self.own or one.on_behalf:
            said.append(self.whose(one.agency, one.on_behalf))
        named = (self.locale.given(one.number or one.id), self.locale.given(one.title), f"({', '.join(said)})")
        text = "  ".join(part for part in named if part)
        return Value("link", text, to.id, to)

    def line(self, name: str, label: str, values: Sequence[Value], group: str = "") -> Line:
        """A line with its first values; how many are left out stands on it."""
        more = max(0, len(values) - MOST_VALUES)
        said = self.say("more", count=more) if more else ""
        return Line(name, label, tuple(values[:MOST_VALUES]), group=group, more=more, more_text=said)

    def value(self, one: Field | None, value: Any) -> tuple[Value, ...]:
        """What a field holds: one value, or several of a list."""
        many = value if isinstance(value, list) else [value]
        return tuple(self._value(one, part) for part in many)

    def _value(self, one: Field | None, value: Any) -> Value:
        kind = kind_of(one) if one is not None else "text"
        if isinstance(value, bool):
            return Value("flag", self.say("yes" if value else "no"), value)
        if isinstance(value, Mapping):
            said = (f"{self.locale.given(plain_words(str(name)))}: {self.plain(part)}" for name, part in value.items())
            return Value("object", ", ".join(said), value)
        if kind == "choice" and one is not None and one.values is not None:
            known = one.values.get(value)
            return Value(kind, known.title if known else self.locale.given(plain_words(str(value))), value)
        if kind == "agency":
            return Value(kind, self.agency(str(value)), value)
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            return Value("instant", self.when(value), value)
        return Value(kind, self._plainly(kind, one.unit if one is not None else "", value), value)

    def _plainly(self, kind: str, unit: str | None, value: Any) -> str:
        """A day, an amount or a quantity as the reader's country writes it; one that cannot be read stays as it is."""
        unit = "" if unit is None or unit.lower() == "currency" else unit
        try:
            if kind == "date":
                return self.locale.date(date.fromisoformat(value))
            if kind == "money":
                return self.locale.money(Decimal(value), unit)
            if kind in ("number", "decimal"):
                return f"{self.locale.number(Decimal(value))} {self.locale.given(unit)}".strip()
        except (ValueError, TypeError, ArithmeticError):
            pass
        return self.locale.given(f"{value} {unit}".strip())

    def plain(self, value: Any) -> str:
        """A value of no known field in words."""
        if isinstance(value, list):
            return ", ".join(self.plain(part) for part in value)
        return self._value(None, value).text


@dataclass(frozen=True, slots=True)
class Parts:
    """The words for the parts of one type: those of the reader's agency, else those of the record's owner."""

    wording: Wording
    theirs: Type
    mine: Type | None

    def say(self, key: str, **values: object) -> str:
        """One of the pages' own sentences."""
        return self.wording.say(key, **values)

    def field(self, name: str) -> Field | None:
        return (self.mine.fields.get(name) if self.mine else None) or self.theirs.fields.get(name)

    def link(self, name: str) -> Link | None:
        return (self.mine.links.get(name) if self.mine else None) or self.theirs.links.get(name)

    def label(self, name: str) -> str:
        """The label of a field or a link."""
        one = self.field(name) or self.link(name)
        if one is None:
            return plain_words(name)
        cls = one.cls if isinstance(one, Field) else "ordinary"
        return worded(one) if cls == "ordinary" else f"{worded(one)} [{cls}]"

    def group(self, name: str) -> str:
        """The title of a field group; of the one that is always there, the pages' own."""
        if name == "base":
            return self.say("group_base")
        found = (self.mine.groups.get(name) if self.mine else None) or self.theirs.groups.get(name)
        return found.title if found else plain_words(name)

    def state(self, name: str) -> str:
        found = (self.mine.states.get(name) if self.mine else None) or self.theirs.states.get(name)
        return worded(found) if found else plain_words(name)

    def rule(self, name: str) -> Act | Answer | None:
        """An act or answer of the owner's type, with the words of the reader's language."""
        return self.theirs.acts.get(name) or answers(self.theirs.offer).get(name)

    def act(self, name: str, *, done: bool = False) -> str:
        """The label of an act or answer; of the kernel's own, what is to be done, or `done` what was."""
        found = next((one for one in self._rules(name) if one.label), None)
        if found is not None:
            return found.label
        if name in (_OWN_ACTS if done else _DOABLE):
            return self.say(f"{'act' if done else 'do'}_{name}")
        return plain_words(name)

    def _rules(self, name: str) -> Iterator[Act | Answer]:
        for of in (self.mine, self.theirs):
            found = (of.acts.get(name) or answers(of.offer).get(name)) if of else None
            if found is not None:
                yield found

    def ground(self, masked: Mapping[str, str]) -> str:
        """Why a field is not shown, in the reader's words."""
        if group := masked.get("group"):
            ground = self.say("group_closed", group=self.group(group))
        elif isinstance(said := masked.get("ground"), Sentence) and said.key == MARKED:
            marks = [self.wording.mark(one) for one in said.values["marks"].split(", ")]
            ground = self.say("marked_ground", marks=", ".join(marks))
        else:
            ground = self.say("field_unknown")
        return self.say("masked", ground=ground)

    def line(self, name: str, value: Any) -> Line:
        """A field with its values."""
        one = self.field(name)
        return self.wording.line(name, self.label(name), self.wording.value(one, value), one.group if one else "")


def kind_of(one: Field) -> str:
    """What kind of value a field, or each item of its list, holds."""
    schema: Mapping[str, Any] = one.schema
    while "allOf" in schema and "type" not in schema:
        schema = schema["allOf"][0]
    if schema.get("type") == "array":
        schema = schema.get("items", {})
    if one.values is not None or "enum" in schema:
        return "choice"
    if schema.get("type") == "boolean":
        return "flag"
    if schema.get("type") == "integer":
        return "number"
    if schema.get("type") == "object":
        return "object"
    form = schema.get("format", "")
    if form == "decimal":
        return "money" if one.unit and _CURRENCY.match(one.unit) else "decimal"
    return {"date": "date", "date-time": "instant", "agency": "agency"}.get(form, "text")


def _has(catalogue: Catalogue, name: str, language: str) -> bool:
    of = catalogue.types.get(name)
    return of is not None and language in of.labels
