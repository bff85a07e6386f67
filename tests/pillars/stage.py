"""A node of a test's own, agencies from files, and seats by name: to play a story on the real kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comity.config import command_node
from comity.config.settings import settings
from comity.errors import Problem
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.sharing.settle import settle
from comity.kernel.views.read import read
from comity.kernel.work.node import Node


class Stage:
    """Each verb is done by a named seat; what follows by itself in the logs is done before it returns."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.seats: dict[str, Actor] = {}
        self.agencies: list[str] = []

    def install(self, agency: str, core: Mapping[str, str], law: Mapping[str, str], own: Mapping[str, str]) -> None:
        install(self.node, tokens.operator(), agency=agency, core=core, jurisdiction=law, own=own)
        self.agencies.append(agency)

    def seat(self, agency: str, name: str, *roles: str) -> None:
        issued = tokens.admit(self.node, agency, name, list(roles))
        self.seats[name] = tokens.sign_in(self.node, issued.token)

    def enter(
        self,
        seat: str,
        type: str,
        fields: Mapping[str, Any],
        marks: Sequence[str] = (),
        **links: str | Sequence[str],
    ) -> str:
        return self._done(enter(self.node, self.seats[seat], type, fields, links=_many(links), marks=marks))

    def act(
        self,
        seat: str,
        record: str,
        name: str,
        reason: str | None = None,
        links: Mapping[str, str | Sequence[str]] | None = None,
        **fields: Any,
    ) -> None:
        pointed = _many(links or {})
        self._done(act(self.node, self.seats[seat], record, name, fields=fields, links=pointed, reason=reason))

    def amend(self, seat: str, record: str, **fields: Any) -> None:
        now = read(self.node, self.seats[seat], record).version
        self._done(amend(self.node, self.seats[seat], record, version=now, fields=fields))

    def answer(self, seat: str, record: str, name: str, reason: str | None = None, **fields: Any) -> None:
        self._done(answer(self.node, self.seats[seat], record, name, fields=fields, reason=reason))

    def fields(self, seat: str, record: str) -> Mapping[str, Any]:
        return dict(read(self.node, self.seats[seat], record).fields)

    def state(self, seat: str, record: str) -> str:
        return str(read(self.node, self.seats[seat], record).state)

    def _done(self, receipt: Any) -> str:
        for agency in self.agencies:
            settle(self.node, agency)
        return str(receipt.record)


def _many(links: Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    return {name: [given] if isinstance(given, str) else list(given) for name, given in links.items()}


@contextmanager
def staged(home: Path) -> Iterator[Stage]:
    with command_node.opened(settings({"COMITY_HOME": str(home)})) as node:
        yield Stage(node)


@contextmanager
def refused(code: str, fault: str = "") -> Iterator[list[Problem]]:
    """The block is refused with this code, and with a fault of this code when one is named. Gives the refusal."""
    found: list[Problem] = []
    with pytest.raises(Problem) as caught:
        yield found
    found.append(caught.value)
    assert caught.value.code == code, str(caught.value)
    if fault:
        assert fault in {one.code for one in caught.value.faults}
