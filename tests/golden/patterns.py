"""How what is said of every type is written in few lines, so that one change of rights changes few of them.

A line speaks of a pattern: one type, `pillar.*`, or `*`. The most specific line holds, as in roles.yml. A pattern says
what most of its types have; those that differ have lines of their own, and one that has nothing says `nothing`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from comity.kernel.types.catalogue import Type

NOTHING = "nothing"
EVERY = "every group"

Seen = tuple[frozenset[str], ...]
"""The groups open where the record is: nobody's, assigned to the member, entered by the member."""


def one_each(types: Mapping[str, Type]) -> dict[str, Type]:
    """One type for each pillar or layer that has any."""
    return {name.rpartition(".")[0]: of for name, of in types.items()}


def listed(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def spellings(seen: Seen, groups: frozenset[str]) -> tuple[str, ...]:
    """How it may be written, best first: where all groups of the type are open, as `every group` or by name.

    A type that has one group fits lines of both kinds; on a line of its own the group is named.
    """
    said = (_spelled(seen, lambda one: EVERY if one >= groups else listed(one)), _spelled(seen, listed))
    return tuple(dict.fromkeys(said if len(groups) > 1 else reversed(said)))


def _spelled(seen: Seen, spell: Callable[[frozenset[str]], str]) -> str:
    said = [spell(one) if one else NOTHING for one in seen]
    if len(set(said)) == 1:
        return said[0]
    free, *own = said
    if len(set(own)) == 1:
        own = [f"assigned or entered: {own[0]}"]
    else:
        own = [f"{when}: {one}" for when, one in zip(("assigned", "entered"), own, strict=True)]
    return "; ".join([*([free] if free != NOTHING else []), *own])


def patterns(said: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """What each type may be said to have, as lines by pattern; a pattern that would say `nothing` alone is left out."""
    pillars = {name: list(types) for name, types in groupby(sorted(said), key=lambda one: one.rpartition(".")[0])}
    usual = {pillar: _usual([said[name] for name in types]) for pillar, types in pillars.items()}
    everywhere = next((one for one in _shared(usual.values()) if one != NOTHING), NOTHING)
    out = {"*": everywhere} if everywhere != NOTHING else {}
    for pillar, types in pillars.items():
        here = everywhere if everywhere in usual[pillar] else usual[pillar][0]
        if here != everywhere:
            out[f"{pillar}.*"] = here
        out |= {name: said[name][0] for name in types if here not in said[name]}
    return out


def _usual(said: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The spellings that fit the most types: all that fit equally many, the best of the first type first."""
    counts = Counter(one for each in said for one in each)
    most = max(counts.values())
    return tuple(sorted((one for one, count in counts.items() if count == most), key=lambda one: one == NOTHING))


def _shared(usual: Iterable[tuple[str, ...]]) -> list[str]:
    first, *rest = list(usual)
    return [one for one in first if all(one in other for other in rest)]


def alike(lines: Iterable[tuple[str, tuple[str, ...]]]) -> list[tuple[list[str], tuple[str, ...]]]:
    """(who, what) -> (all who have it, what): in the order in which each `what` came first."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for who, what in lines:
        found[what].append(who)
    return [(who, what) for what, who in found.items()]


def columns(*cells: str, widths: Sequence[int] = (34, 30)) -> str:
    """One line. The widths are fixed: a longer name moves its own line and no other."""
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, *cells[len(widths) :]]).rstrip()
