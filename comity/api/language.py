"""The language of a reader: what `?language=` demands, else what `Accept-Language` prefers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

from django.http import HttpRequest

from comity.api import service
from comity.kernel.types.language import Languages, locale_for
from comity.sentences import DEFAULT, PSEUDO, Locale, languages

_WEIGHT = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")
MOST = 20
"""Languages that are read of one header."""
LANGUAGE_QUERY = {"language": "In which its words stand, as hi; else Accept-Language says it, else English."}


def wanted(request: HttpRequest, asked: Mapping[str, str]) -> Languages:
    """What the request wants; `asked` is its query. The kernel refuses a demanded one in which nothing has a word."""
    return asked.get("language") or accepted(request.headers.get("Accept-Language", ""))


reading: ContextVar[HttpRequest | None] = ContextVar("reading", default=None)
"""The request that is being answered."""


def locale() -> Locale:
    """Who reads the answer that is being made: a member in a language of its agency's definitions, at its agency's
    clock; somebody unknown in one that the sentences have. Whoever demands a language that is not there reads English:
    this also says why a request was refused."""
    request = reading.get()
    if request is None:
        return DEFAULT
    actor = getattr(request, "actor", None)
    found: tuple[object, Locale] | None = getattr(request, "read_by", None)
    if found is None or found[0] is not actor:  # once for all texts of an answer, and again once it is known who asks
        asked = request.GET.get("language", "")
        wanted = (asked,) if asked else accepted(request.headers.get("Accept-Language", ""))
        catalogue = service.node().catalogue_held(actor.agency) if actor is not None else None
        found = actor, locale_for(catalogue, wanted) if catalogue is not None else known_locale(wanted)
        request.read_by = found  # type: ignore[attr-defined]
    return found[1]


def known_locale(wanted: Sequence[str]) -> Locale:
    """The reader of whom nothing is known but what it wants."""
    for one in wanted:
        code, _, country = one.partition("-")
        if code.lower() in (*languages(), PSEUDO):
            country = country.upper() if len(country) == 2 and country.isascii() and country.isalpha() else ""
            return Locale(code.lower(), country or DEFAULT.territory)
    return DEFAULT


def accepted(header: str) -> tuple[str, ...]:
    """The languages of a header by their weight, as written where the weight is the same; those of none left out."""
    weighed = []
    for part in header.split(",")[:MOST]:
        name, *more = (one.strip() for one in part.split(";"))
        weight = next((one[2:] for one in more if one[:2].lower() == "q="), "1")
        if name and _WEIGHT.fullmatch(weight) and float(weight) > 0:
            weighed.append((-float(weight), name))
    return tuple(name for _, name in sorted(weighed, key=lambda one: one[0]))
