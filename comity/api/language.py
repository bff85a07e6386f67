"""The language of a reader: what `?language=` demands, else what `Accept-Language` prefers."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from comity.kernel.types.language import Languages

MOST = 20
"""Languages that are read of one header."""
LANGUAGE_QUERY = {"language": "In which its words stand, as hi; else Accept-Language says it, else English."}


def wanted(request: HttpRequest, asked: Mapping[str, str]) -> Languages:
    """What the request wants; `asked` is its query. The kernel refuses a demanded one in which nothing has a word."""
    return asked.get("language") or _accepted(request.headers.get("Accept-Language", ""))


def _accepted(header: str) -> tuple[str, ...]:
    """The languages of a header by their weight, as written where the weight is the same; those of none left out."""
    weighed = []
    for part in header.split(",")[:MOST]:
        name, _, weight = part.partition(";")
        try:
            weight_of = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name.strip() and weight_of > 0:
            weighed.append((-weight_of, name.strip()))
    return tuple(name for _, name in sorted(weighed, key=lambda one: one[0]))
