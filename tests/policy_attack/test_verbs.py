"""Every seat against every canary through the verbs: what the matrix allows is shown, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from comity import clock
from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records.attach import fetch
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find, find_by_number
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.work.node import Node
from tests.policy_attack.matrix import ALL, Allowed, Reader, allowed, roles_of
from tests.policy_attack.planting import CANARY, UUID_TEXT, Garden
from tests.world import World

SEATS = [(agency, role) for agency in ALL for role in roles_of(agency)]
PURPOSES = ("investigation", "prosecution", "examination", "deconfliction")


def today() -> date:
    return clock.today("America/New_York")


def reader_of(actor: Actor) -> Reader:
    return Reader(actor.agency, actor.member, tuple(sorted(actor.held or ())), actor.purpose)


class Opponent:
    """One seat that asks for everything; what it was shown is compared with what it may be shown."""

    def __init__(self, garden: Garden, actor: Actor, node: Node | None = None) -> None:
        self.garden, self.actor, self.node = garden, actor, node or garden.world.node
        self.may: Allowed = allowed(garden, reader_of(actor), today())
        self.every = {one.id for one in garden.all}
        self.words = {word for one in garden.all for words in (*one.fields.values(), one.said) for word in words}
        self.numbers = {one.number for one in garden.all if one.number}
        self.asked = 0

    def ask(self, call: Callable[..., Any], *given: Any, **more: Any) -> Any:
        """The answer as plain data, a refusal as its problem document; checked either way."""
        self.asked += 1
        named = {str(value) for value in [*given, *more.values()] if isinstance(value, str)}
        try:
            answer = plain(call(self.node, self.actor, *given, **more))
        except Problem as problem:
            answer = problem.as_json()
        self.check(answer, named, f"{self.actor.agency} {sorted(self.actor.held or ())} {call.__name__} {given} {more}")
        return answer

    def check(self, answer: Any, named: set[str], what: str) -> None:
        text = json.dumps(answer, default=str)
        told = " ".join(named)
        canaries = (set(CANARY.findall(text)) & self.words) - self.may.canaries - set(CANARY.findall(told))
        ids = (set(UUID_TEXT.findall(text)) & self.every) - self.may.ids - set(UUID_TEXT.findall(told))
        numbers = {one for one in self.numbers - self.may.numbers if f'"{one}"' in text and one not in told}
        if canaries or ids or numbers:
            where = [
                (one.name, name) for one in self.garden.all
                for name, words in [*one.fields.items(), ("said", one.said), ("id", {one.id})]
                if words & (canaries | ids)
            ]  # fmt: skip
            raise AssertionError(f"{what} was shown {where} {sorted(numbers)}")


def plain(answer: Any) -> Any:
    if isinstance(answer, list | tuple):
        return [plain(one) for one in answer]
    if hasattr(answer, "as_json"):
        return answer.as_json()
    if isinstance(answer, Iterator):
        return b"".join(answer).decode()
    return answer


@pytest.mark.parametrize(("agency", "role"), SEATS, ids=lambda one: one)
def test_a_seat_is_shown_what_the_matrix_allows_and_no_more(
    world: World, garden: Garden, agency: str, role: str
) -> None:
    actor = world.seats[world.seat(agency, role)]
    opponent = Opponent(garden, actor)
    for one in garden.all:
        view = opponent.ask(read, one.id)
        if one.id in opponent.may.ids:
            shown = {name: set(CANARY.findall(str(value))) for name, value in view["fields"].items()}
            shown = {name: words for name, words in shown.items() if words}
            assert shown == opponent.may.fields[one.id], one.name
        else:
            assert view["code"] == "not_found", one.name
        history_of = opponent.ask(history, one.id)
        assert (one.id in opponent.may.ids) == isinstance(history_of, list), one.name
        if one.file:
            opponent.ask(fetch, one.file)
        if one.number:
            opponent.ask(find_by_number, one.number)
    found = opponent.ask(listing)
    assert {item["id"] for item in found if item["id"] in opponent.every} == opponent.may.found
    opponent.ask(inbox)


def listing(node: Node, actor: Actor) -> list[Any]:
    out, cursor = [], None
    while True:
        page = find(node, actor, limit=200, cursor=cursor)
        out += page.items
        cursor = page.next
        if cursor is None:
            return out


@pytest.mark.parametrize("purpose", PURPOSES[1:])
def test_another_purpose_opens_what_agreements_name_for_it(world: World, garden: Garden, purpose: str) -> None:
    from dataclasses import replace

    for agency, role in (("usao", "attorney"), ("atf", "supervisor"), ("fsl", "director"), ("dea", "special_agent")):
        opponent = Opponent(garden, replace(world.seats[world.seat(agency, role)], purpose=purpose))
        found = opponent.ask(listing)
        assert {item["id"] for item in found if item["id"] in opponent.every} == opponent.may.found
        seen = {one.id for one in garden.all if "code" not in opponent.ask(read, one.id)}
        assert seen == opponent.may.ids
