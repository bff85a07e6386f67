"""Every page, list and form of the first job, for its seats, in the pseudo-language: what is neither marked nor a
value was forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from comity.config.stories import referral
from comity.config.stories.stage import Story
from comity.errors import Problem
from comity.kernel.views.find import find
from comity.kernel.views.form_page import enter_form
from comity.kernel.views.list_page import list_page
from comity.kernel.views.page import page
from comity.sentences import PSEUDO
from tests.sentences.pseudo import unmarked
from tests.speeds.sizes import size
from tests.world import World

DATA = frozenset(
    ("id", "type", "act", "name", "kind", "number", "title", "state", "agency", "value", "zone", "language", "heading",
     "rule", "due", "standing", "citation", "record", "code", "path", "about", "owed_by", "since", "basis", "decision",
     "group", "part", "unit", "entry", "next", "place", "message", "fix", "caption", "help")
)  # fmt: skip
"""Members of a page, a list, a form that are data. `message` and `fix` of an obstacle stand in its `text` as well; a
caption is what somebody entered, and so is what a definition says to help."""


def words(shown: Any, name: str = "") -> Iterator[str]:
    """Every text of it that a person reads and that is no data."""
    if isinstance(shown, Mapping):
        for key, one in shown.items():
            if key not in DATA or (isinstance(one, Mapping | list) and key != "value"):
                yield from words(one, key)
    elif isinstance(shown, list):
        for one in shown:
            yield from words(one, name)
    elif isinstance(shown, str) and name not in DATA:
        yield f"{name}: {shown}"


def left(shown: Any) -> set[str]:
    return {one for one in words(shown) if unmarked(one.partition(": ")[2])}


def said_to(world: World, seat: str) -> Iterator[Any]:
    """All that a seat can look at: its records, lists of them, the forms of what it may enter."""
    node, actor = world.node, world.seats[seat]
    cursor: str | None = None
    while True:
        found = find(node, actor, limit=200, cursor=cursor)
        for one in found.items:
            yield page(node, actor, one["id"], language=PSEUDO).as_json()
        if not (cursor := found.next):
            break
    for name in node.catalogue(actor.agency).types:
        try:
            yield list_page(node, actor, type=name, limit=5, language=PSEUDO).as_json()
            yield enter_form(node, actor, name, language=PSEUDO).as_json()
        except Problem as refused:
            assert refused.code in ("act_unknown", "not_allowed", "act_forbidden"), refused


FIRST = ("atf_agent", "usao_attorney", "fsl_analyst")
SEATS = (*FIRST, *(one for one in referral.SEATS if one not in FIRST))


@pytest.mark.slow
def test_a_reader_of_another_language_is_spared_english_on_every_page(stage: World, told: Story) -> None:
    found: dict[str, set[str]] = {}
    for seat in SEATS[: size(small=3, deep=len(SEATS))]:
        for shown in said_to(stage, seat):
            found.setdefault(seat, set()).update(left(shown))
    every = sorted(set().union(*found.values()))
    assert every == [], "\n".join(every)
