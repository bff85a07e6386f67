"""Definitions in a reader's language: where a word was given in it, it stands in the place of the English one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from comity.errors import Problem
from comity.kernel.types.catalogue import Act, Answer, Catalogue, Code, Field, Link, State, Type

Labelled = TypeVar("Labelled", Field, Link, State, Act, Answer)


def languages(catalogue: Catalogue) -> frozenset[str]:
    """The languages, as ISO 639 codes, in which some word of the definitions was given beside English."""
    return frozenset(code for of in catalogue.types.values() for code in of.labels)


def in_language(catalogue: Catalogue, language: str | None) -> Catalogue:
    """The definitions in this language. What has no word in it stands in English; Problem `request_invalid` where
    nothing has."""
    if not language or language == "en":
        return catalogue
    if language not in (known := languages(catalogue)):
        fix = f"its words are in {', '.join(['en', *sorted(known)])}"
        raise Problem("request_invalid", f"The definitions have no words in {language}", fix=fix)
    return replace(catalogue, types={name: spoken(of, language) for name, of in catalogue.types.items()})


def spoken(of: Type, language: str) -> Type:
    """The type with its title, fields, links, states, acts, answers and codes in this language, as far as given."""
    offer = of.offer
    return replace(
        of, title=of.labels.get(language, of.title),
        fields={name: _field(one, language) for name, one in of.fields.items()}, links=_each(of.links, language),
        states=_each(of.states, language), acts=_each(of.acts, language),
        offer=replace(offer, answers=_each(offer.answers, language)) if offer else None, memo={},
    )  # fmt: skip


def _each(known: Mapping[str, Labelled], language: str) -> dict[str, Labelled]:
    return {name: replace(one, label=one.labels.get(language, one.label)) for name, one in known.items()}


def _field(one: Field, language: str) -> Field:
    values = {name: _code(code, language) for name, code in one.values.items()} if one.values else one.values
    return replace(one, label=one.labels.get(language, one.label), values=values)


def _code(one: Code, language: str) -> Code:
    return replace(one, title=one.labels.get(language, one.title))
