"""Every code that one reader may meet, explained: Comity's own, and those of the definitions that the reader is under.

A code of the table keeps its meaning when definitions say it too: they only add places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from comity.errors import Problem
from comity.kernel.law.obligation_rules import OBLIGATION_RULES
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.code_uses import CodeMeaning, CodeUse
from comity.problems import ADDRESS, CODES
from comity.problems.code import DECISION, FAULT

DUTY = "duty"
_DECIDE = "Let the person who answers for it decide, and record what was decided."


def explained(catalogue: Catalogue | None = None) -> dict[str, dict[str, Any]]:
    """Code -> what it means, sorted by code: `code` `type` `kind` `status` `title` `meaning` `remedy` `source`, and
    `uses`, the places of the definitions that say it. Without a catalogue Comity's own codes alone."""
    found = {name: one.as_json() for name, one in CODES.items()}
    if catalogue is not None:
        declared = {one.name: one for one in catalogue.code_uses if isinstance(one, CodeMeaning)}
        by_name: dict[str, list[CodeUse]] = {}
        for use in (one for one in catalogue.code_uses if isinstance(one, CodeUse)):
            by_name.setdefault(use.name, []).append(use)
        for meaning, use in _duties(catalogue):
            declared.setdefault(use.name, meaning)
            by_name.setdefault(use.name, []).append(use)
        for name in declared.keys() | by_name.keys():
            places = by_name.get(name, [])
            row = found.get(name) or _row(name, declared.get(name), places)
            found[name] = {**row, "uses": [_place(one) for one in places]}
    return dict(sorted(found.items()))


def look_up(name: str, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One code of `explained`. Problem `problem_unknown` that names the nearest known one."""
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "the list of all codes is at /api/v1/problems and comity problems"
    raise Problem("problem_unknown", fix=fix)


def _row(name: str, declared: CodeMeaning | None, places: list[CodeUse]) -> dict[str, Any]:
    kind = places[0].kind if places else FAULT
    if declared is None:
        first = places[0]
        where = f"A person must decide, by {first.at}" if kind == DECISION else f"It does not hold at {first.at}"
        meaning = f"{where}: {_sentence(first.message)}"
        declared = CodeMeaning(name, first.source, first.message.rstrip("."), meaning, _sentence(first.fix) or _DECIDE)
    return {
        "code": name, "type": ADDRESS + name, "kind": kind, "status": None, "title": declared.title,
        "meaning": declared.meaning, "remedy": declared.remedy, "source": declared.source, "uses": [],
    }  # fmt: skip


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def _place(one: CodeUse) -> dict[str, str]:
    return {"at": one.at, "source": one.source, "message": one.message, "fix": one.fix}


def _duties(catalogue: Catalogue) -> Iterator[tuple[CodeMeaning, CodeUse]]:
    """What is owed under an order has the name of its rule as its code."""
    for full, rule in OBLIGATION_RULES.of(catalogue.rules).items():
        home, name = full.partition(".")[0], full.rpartition(".")[2]
        kind = "pillar" if home in catalogue.pillars else "jurisdiction" if home == catalogue.jurisdiction else "agency"
        source, owed = f"{kind} {home}", rule.versions[-1].said
        remedy = owed.fix or "Do it, or have the order recalled."
        yield (
            CodeMeaning(name, source, owed.title, owed.message, remedy),
            CodeUse(name, DUTY, full, source, owed.message, owed.fix),
        )
