"""Definitions in a reader's language: where a word was given in it, it stands in the place of the English one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from comity.errors import Problem
from comity.kernel.types.catalogue import Act, Answer, Catalogue, Code, Field, Group, GuardRule, Link, Mark, State, Type

Labelled = TypeVar("Labelled", Field, Link, State)
Done = TypeVar("Done", Act, Answer)
Titled = TypeVar("Titled", Code, Group, Mark)
ENGLISH = "en"
Languages = str | tuple[str, ...] | None
"""The language that a reader demands, or several that it understands, the dearest first."""


def languages(catalogue: Catalogue) -> frozenset[str]:
    """The languages, as ISO 639 codes, in which some word of the definitions was given beside English."""
    return frozenset(code for of in catalogue.types.values() for code in of.labels)


def chosen(catalogue: Catalogue, wanted: Languages) -> str:
    """The language in which a reader is answered. One that is demanded is taken as it is: `in_language` refuses it
    where nothing has a word in it. Of several the first that the definitions have, `hi` for `hi-IN` too; else
    English."""
    if isinstance(wanted, str):
        return wanted or ENGLISH
    known = {ENGLISH, *languages(catalogue)}
    return next((code for one in wanted or () if (code := one.partition("-")[0].lower()) in known), ENGLISH)


@lru_cache(maxsize=64)
def in_language(catalogue: Catalogue, language: str | None) -> Catalogue:
    """The definitions in this language. What has no word in it stands in English; Problem `request_invalid` where
    nothing has."""
    if not language or language == ENGLISH:
        return catalogue
    if language not in (known := languages(catalogue)):
        fix = f"its words are in {', '.join([ENGLISH, *sorted(known)])}"
        raise Problem("request_invalid", f"The definitions have no words in {language}", fix=fix)
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
        of, title=of.labels.get(language, of.title), groups=_titled(of.groups, language),
        fields={name: _field(one, language) for name, one in of.fields.items()},
        links={name: _link(one, language) for name, one in of.links.items()},
        states=_each(of.states, language), acts=_done(of.acts, language), offer=offer, memo={},
    )  # fmt: skip


def worded(one: Field | Link | State | Act | Answer) -> str:
    """The label of a part of a type: the one that it was given, else its name in words."""
    return one.label or plain_words(one.name)


def plain_words(name: str) -> str:
    """A name of the definitions in words, for what has no label: `atf:on_loan` is On loan."""
    text = name.rpartition(":")[2].replace("_", " ")
    return text[:1].upper() + text[1:]


def _each(known: Mapping[str, Labelled], language: str) -> dict[str, Labelled]:
    return {name: replace(one, label=one.labels.get(language, one.label)) for name, one in known.items()}


def _done(known: Mapping[str, Done], language: str) -> dict[str, Done]:
    return {
        name: replace(
            one, label=one.labels.get(language, one.label), guards=tuple(_guard(rule, language) for rule in one.guards)
        )
        for name, one in known.items()
    }


def _titled(known: Mapping[str, Titled], language: str) -> dict[str, Titled]:
    return {name: replace(one, title=one.labels.get(language, one.title)) for name, one in known.items()}


def _guard(one: GuardRule, language: str) -> GuardRule:
    return replace(one, message=one.messages.get(language, one.message), fix=one.fixes.get(language, one.fix))


def _link(one: Link, language: str) -> Link:
    shape = one.shape.in_language(language) if one.shape else None
    return replace(one, label=one.labels.get(language, one.label), shape=shape)


def _field(one: Field, language: str) -> Field:
    values = _titled(one.values, language) if one.values else one.values
    return replace(one, label=one.labels.get(language, one.label), values=values)
