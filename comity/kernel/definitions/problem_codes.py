"""Every code that one reader may meet, explained: Comity's own, and those of the definitions that the reader is under.

A code of the table keeps its meaning when definitions say it too: they only add places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from comity.errors import Problem
from comity.kernel.law.obligation_rules import OBLIGATION_RULES
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.code_uses import CodeMeaning, CodeUse
from comity.kernel.types.roles import steps
from comity.problems import ADDRESS, CODES
from comity.problems.code import DECISION, FAULT
from comity.sentences import Filled, Text, Worded, say

DUTY = "duty"
NAMED = {
    "owed_by": say("problem_codes.owed_by"), "number": say("problem_codes.number"), "each": say("problem_codes.each"),
}  # fmt: skip
"""With what the messages of joints are filled in."""


def explained(catalogue: Catalogue | None = None) -> dict[str, dict[str, Any]]:
    """Code -> what it means, sorted by code: `code` `type` `kind` `status` `title` `meaning` `remedy` `source`, and
    `uses`, the places of the definitions that say it. Without a catalogue Comity's own codes alone."""
    found = {name: one.as_json() for name, one in CODES.items()}
    if catalogue is not None:
        declared = {one.name: one for one in catalogue.code_uses if isinstance(one, CodeMeaning)}
        by_name: dict[str, list[CodeUse]] = {}
        said = _said(catalogue)
        for use in (one for one in catalogue.code_uses if isinstance(one, CodeUse)):
            message, fix = said.get(use.message, use.message), said.get(use.fix, use.fix)
            by_name.setdefault(use.name, []).append(replace(use, message=message, fix=fix))
        for meaning, use in _duties(catalogue):
            declared.setdefault(use.name, meaning)
            by_name.setdefault(use.name, []).append(use)
        for name in declared.keys() | by_name.keys():
            places = by_name.get(name, [])
            row = found.get(name) or _row(name, declared.get(name), places)
            row = {**row, **{part: _unnamed(row[part]) for part in ("title", "meaning", "remedy")}}
            found[name] = {**row, "uses": [_place(one) for one in places]}
    return dict(sorted(found.items()))


def look_up(name: str, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One code of `explained`. Problem `problem_unknown` that names the nearest known one."""
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    fix = (
        say("problem_unknown.did_you_mean.fix", near=near[0])
        if near
        else say("problem_unknown.list_of_all_codes_is.fix")
    )
    raise Problem("problem_unknown", fix=fix)


def _row(name: str, declared: CodeMeaning | None, places: list[CodeUse]) -> dict[str, Any]:
    kind = places[0].kind if places else FAULT
    if declared is None:
        first = places[0]
        told = {"at": first.at, "message": _sentence(first.message)}
        meaning = say("problem_codes.decided_by", **told) if kind == DECISION else say("problem_codes.not_at", **told)
        remedy = _sentence(first.fix) if first.fix else say("problem_codes.let_decide")
        declared = CodeMeaning(name, first.source, _headed(first.message), meaning, remedy)
    return {
        "code": name, "type": ADDRESS + name, "kind": kind, "status": None, "title": declared.title,
        "meaning": declared.meaning, "remedy": declared.remedy, "source": declared.source, "uses": [],
    }  # fmt: skip


def _sentence(text: Worded) -> Text:
    """The words with their full stop, which they have in every language or in none."""
    return text if text.endswith((".", "?", "!")) else say("problem_codes.sentence", text=text)


def _headed(text: Worded) -> Worded:
    """The words without their full stop."""
    return Worded(text.rstrip("."), {language: one.rstrip(".\u0964") for language, one in text.words.items()})


def _place(one: CodeUse) -> dict[str, str]:
    return {"at": one.at, "source": one.source, "message": _unnamed(one.message), "fix": _unnamed(one.fix)}


def _unnamed(text: Text) -> Text:
    """The text without the names of what it is filled with where it is said: (who owes it) has not answered."""
    return Filled(text, NAMED) if "{" in text else text


def _said(catalogue: Catalogue) -> dict[str, Worded]:
    """By its English what a place says, where a lower layer gave it in other languages."""
    guards = [rule for of in catalogue.types.values() for step in steps(of) for rule in step.guards]
    shapes = [link.shape for of in catalogue.types.values() for link in of.links.values() if link.shape is not None]
    joints = OBLIGATION_RULES.of(catalogue.rules).values()
    doors = [law.said.door for rule in joints for law in rule.versions if law.said.door is not None]
    pairs = [(one.message, one.fix) for one in guards]
    pairs += [(one.message, one.fix) for one in shapes] + [(one.message, one.fix) for one in doors]
    spoken = (text for pair in pairs for text in pair)
    return {str(text): text for text in spoken if text.words}


def _duties(catalogue: Catalogue) -> Iterator[tuple[CodeMeaning, CodeUse]]:
    """What is owed under an order has the name of its rule as its code."""
    for full, rule in OBLIGATION_RULES.of(catalogue.rules).items():
        home, name = full.partition(".")[0], full.rpartition(".")[2]
        kind = "pillar" if home in catalogue.pillars else "jurisdiction" if home == catalogue.jurisdiction else "agency"
        source, owed = f"{kind} {home}", rule.versions[-1].said
        remedy = owed.fix or say("problem_codes.do_it")
        yield (
            CodeMeaning(name, source, owed.title, owed.message, remedy),
            CodeUse(name, DUTY, full, source, owed.message, owed.fix),
        )
