"""Definitions in a reader's language: where a word was given in it, it stands in the place of the English one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from comity.errors import Problem
from comity.kernel.types.catalogue import (
    Act,
    Answer,
    Catalogue,
    Code,
    Field,
    Group,
    LifecycleRole,
    Link,
    Mark,
    Role,
    State,
    Type,
)
from comity.sentences import ENGLISH, PSEUDO, Given, Locale, Sentence, Text, Worded, pseudo, say

Labelled = TypeVar("Labelled", Field, Link, State)
Done = TypeVar("Done", Act, Answer)
Titled = TypeVar("Titled", Code, Group, Mark)
Named = Field | Link | State | Act | Answer | Type | Code | Group | Mark | Role | LifecycleRole
Languages = str | tuple[str, ...] | None
"""The language that a reader demands, or several that it understands, the dearest first."""


def languages(catalogue: Catalogue) -> frozenset[str]:
    """The languages, as ISO 639 codes, in which some word of the definitions was given beside English."""
    return frozenset(code for of in catalogue.types.values() for code in of.labels)


def chosen(catalogue: Catalogue, wanted: Languages) -> str:
    """The language in which a reader is answered. One that is demanded is taken as it is: `in_language` refuses it
    where nothing has a word in it. `hi-IN` is `hi`; the country says how dates are written. Of several the first that
    the definitions have; else English."""
    if isinstance(wanted, str):
        return wanted.partition("-")[0].lower() or ENGLISH
    known = {ENGLISH, PSEUDO, *languages(catalogue)}
    return next((code for one in wanted or () if (code := one.partition("-")[0].lower()) in known), ENGLISH)


@lru_cache(maxsize=64)
def in_language(catalogue: Catalogue, language: str | None) -> Catalogue:
    """The definitions in this language. What has no word in it stands in English; Problem `request_invalid` where
    nothing has."""
    if not language or language == ENGLISH:
        return catalogue
    if language != PSEUDO and language not in (known := languages(catalogue)):
        fix = say("request_invalid.its_words_are_in.fix", value=", ".join([ENGLISH, *sorted(known)]))
        raise Problem(
            "request_invalid", say("request_invalid.definitions_have_no_words_in", language=language), fix=fix
        )
    types = {name: spoken(of, language) for name, of in catalogue.types.items()}
    return replace(catalogue, types=types, marks=_titled(catalogue.marks, language))


@lru_cache(maxsize=1024)
def spoken(of: Type, language: str) -> Type:
    """The type with its title, groups, fields, links, states, acts, answers, conditions and codes in this language, as
    far as given."""
    offer = of.offer
    if offer:
        ends = {"withdrawn": offer.withdrawn, "expired": offer.expired}
        ended = _done({name: one for name, one in ends.items() if one is not None}, language)
        offer = replace(
            offer, answers=_done(offer.answers, language), withdrawn=ended.get("withdrawn"),
            expired=ended.get("expired"),
        )  # fmt: skip
    return replace(
        of, title=_in(language, of.labels, of.title), groups=_titled(of.groups, language),
        fields={name: _field(one, language) for name, one in of.fields.items()},
        links={name: _link(one, language) for name, one in of.links.items()},
        states=_each(of.states, language), acts=_done(of.acts, language), offer=offer, memo={},
    )  # fmt: skip


def locale_for(catalogue: Catalogue, wanted: Languages) -> Locale:
    """The reader that a member of the catalogue's agency is, in the language in which it is answered, which is English
    where it demands one that is not there. A country that it names with it counts before its agency's."""
    language = chosen(catalogue, (wanted,) if isinstance(wanted, str) else wanted)
    found = locale_of(catalogue, language)
    for one in (wanted,) if isinstance(wanted, str) else wanted or ():
        code, _, country = one.partition("-")
        if code.lower() == language and len(country) == 2 and country.isascii() and country.isalpha():
            return replace(found, territory=country.upper())
    return found


def locale_of(catalogue: Catalogue, language: str) -> Locale:
    """Who reads in a language as a member of the catalogue's agency: its country's habits, its zone."""
    of = catalogue.definition
    return Locale(language, of.country, ZoneInfo(of.zone))


def worded(one: Field | Link | State | Act | Answer) -> str:
    """The label of a part of a type: the one that it was given, else its name in words."""
    return one.label or plain_words(one.name)


def called(one: Named) -> Worded:
    """What a part of the definitions is called, for a sentence: its label or title in every language given."""
    own = one.label if isinstance(one, Field | Link | State | Act | Answer) else one.title
    if isinstance(own, Worded):
        return own
    return Worded(own or plain_words(one.name), {} if isinstance(one, Role | LifecycleRole) else one.labels)


def called_in(known: Mapping[str, Named], name: str) -> Text:
    """What the part of this name is called; one that is not known stays as it was named."""
    return called(known[name]) if name in known else Given(name)


def with_name(known: Mapping[str, Named], names: Iterable[str]) -> list[Sentence]:
    """What each is called, with the name by which it is asked for: Return to the filer (return)."""
    return [say("list.with_name", label=called_in(known, name), name=name) for name in names]


def plain_words(name: str) -> str:
    """A name of the definitions in words, for what has no label: `atf:on_loan` is On loan."""
    text = name.rpartition(":")[2].replace("_", " ")
    return text[:1].upper() + text[1:]


def _in(language: str, labels: Mapping[str, str], english: str, name: str = "") -> str:
    if language == PSEUDO:
        return pseudo(english or plain_words(name))
    return labels.get(language, english)


def _each(known: Mapping[str, Labelled], language: str) -> dict[str, Labelled]:
    return {name: replace(one, label=_in(language, one.labels, one.label, name)) for name, one in known.items()}


def _done(known: Mapping[str, Done], language: str) -> dict[str, Done]:
    return {name: replace(one, label=_in(language, one.labels, one.label, name)) for name, one in known.items()}


def _titled(known: Mapping[str, Titled], language: str) -> dict[str, Titled]:
    return {name: replace(one, title=_in(language, one.labels, one.title, name)) for name, one in known.items()}


def _link(one: Link, language: str) -> Link:
    return replace(one, label=_in(language, one.labels, one.label, one.name))


def _field(one: Field, language: str) -> Field:
    values = _titled(one.values, language) if one.values else one.values
    return replace(one, label=_in(language, one.labels, one.label, one.name), values=values)
