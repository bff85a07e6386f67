"""What claims of identity say together: certain ones chain, and a chain must not join two who are certainly strangers.

Pure over Facts. Only what the acting agency may see can be judged here; what stands in claims that it may not see is
found by the database, which then leaves a pointer with both institutions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from comity.extensions import Fact, Facts, Missing, Outcome
from comity.sentences import joined, say

CLAIM = "registry.identity_claim"
CERTAIN = 100


@dataclass(frozen=True, slots=True)
class Tie:
    """A live claim about two records: that they are of one person, or (`apart`) of two."""

    claim: str
    one: str
    other: str
    apart: bool
    certain: bool


def against(new: Tie, ties: Iterable[Tie]) -> list[str] | None:
    """The claims with which a new one cannot be true, the shortest such set; None when there are none.

    That two are one cannot be true if certain claims lead from the one and from the other to two who certainly differ.
    That two differ cannot be true if certain claims lead from the one to the other.
    """
    held = sorted((tie for tie in ties if tie.certain and tie.claim != new.claim), key=lambda tie: tie.claim)
    near: dict[str, list[tuple[str, str]]] = {}
    for tie in held:
        if not tie.apart:
            near.setdefault(tie.one, []).append((tie.other, tie.claim))
            near.setdefault(tie.other, []).append((tie.one, tie.claim))
    from_one, from_other = _chained(new.one, near), _chained(new.other, near)
    if new.apart:
        return from_one.get(new.other)
    found = [
        [*from_one[a], *from_other[b], tie.claim]
        for tie in held
        if tie.apart
        for a, b in ((tie.one, tie.other), (tie.other, tie.one))
        if a in from_one and b in from_other
    ]
    return min(found, key=len, default=None)


def _chained(start: str, near: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, list[str]]:
    """Each record that certain claims chain to `start`, with the claims on the way."""
    ways: dict[str, list[str]] = {start: []}
    todo = [start]
    for here in todo:
        for far, claim in near.get(here, ()):
            if far not in ways:
                ways[far] = [*ways[here], claim]
                todo.append(far)
    return ways


def chains_strangers(facts: Facts) -> Outcome:
    """Of a claim: it does not join two who are certainly strangers, nor part two who are certainly one."""
    claim = facts.subject
    new = _tie(claim)
    if new is None:
        return Outcome()
    claims = _around(facts, claim)
    clash = against(new, [tie for tie in map(_tie, claims.values()) if tie is not None and tie.claim != claim.id])
    if clash is None:
        return Outcome()
    called = sorted({claims[one].agency for one in clash})
    named = joined(
        (say("chains_strangers.claim", claim=claims[one].number or one, agency=claims[one].agency) for one in clash),
        "comma",
    )
    key = "chains_strangers.are_one" if new.apart else "chains_strangers.are_strangers"
    lack = Missing(
        code="chains_strangers",
        severity="error",
        message=say(key, named=named, called=", ".join(called)),
        about=clash[-1],
        about_label=claims[clash[-1]].number or claims[clash[-1]].id,
        owed_by=claims[clash[-1]].agency,
        since=facts.today,
    )
    return Outcome([lack], rests_on=clash)


def _tie(claim: Fact) -> Tie | None:
    ends = [claim.links.get(name, ()) for name in ("person", "same_as")]
    if not all(ends):
        return None
    return Tie(
        claim.id, ends[0][0], ends[1][0], claim.fields.get("relation") == "different",
        claim.fields.get("weight") == CERTAIN,
    )  # fmt: skip


def _around(facts: Facts, claim: Fact) -> dict[str, Fact]:
    """The live claims that certain ones lead to, from the persons of this claim on, as far as they can be seen."""
    found: dict[str, Fact] = {}
    todo = [*facts.linked(claim, "person"), *facts.linked(claim, "same_as")]
    seen = {one.id for one in todo}
    for person in todo:
        for link, other in (("person", "same_as"), ("same_as", "person")):
            for one in facts.linking(person, CLAIM, link):
                tie = _tie(one)
                if one.state != "claimed" or one.id == claim.id or tie is None or not tie.certain:
                    continue
                found[one.id] = one
                for far in facts.linked(one, other):
                    if not tie.apart and far.id not in seen:
                        seen.add(far.id)
                        todo.append(far)
    return found
