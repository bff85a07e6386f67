"""What would refuse an act on a record as it stands, as far as that is known before anything is given with the act.

A condition that reads what the act itself sets, its input or its reason is decided by what will be given: it is not
judged here, but for the times that an act sets, which are taken to be now. What is found here is what the same act
would be refused for; that nothing is found promises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from comity import clock
from comity.errors import Fault
from comity.extensions import Missing, Outcome
from comity.kernel.duties import enforced_on_act
from comity.kernel.records import guards
from comity.kernel.records.proposal import Proposal
from comity.kernel.types import lifecycle, shape
from comity.kernel.types.catalogue import Act, Answer, GuardRule, Type
from comity.kernel.types.language import called, called_in
from comity.kernel.work.facts import FactGraph
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject
from comity.sentences import NOTHING, Text, say

_GIVEN = re.compile(r"(?<![.\w])(?:input|reason)\b")
_READ = re.compile(r"\b(?:record|links|linked)(?:\.(\w+)|\[\s*['\"]([^'\"]+)['\"]\s*\])")


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that stands in the way of an act: its code, what it is, what to do, and where it is known who owes it.

    `path` is the field or link that is missing, where it is one; `about` the record that it is about, by its label.
    """

    code: str
    message: Text
    fix: Text = NOTHING
    path: str = ""
    about: str = ""
    owed_by: str = ""
    since: date | None = None


class Readiness:
    """Asks of one record, for all of its acts: what one condition has read, the next need not read again."""

    def __init__(self, work: Work, of: Type, subject: Subject, rules: Sequence[Act | Answer]) -> None:
        """`of` is the owner's type, in the language of the reader; `rules` are all that will be asked for."""
        self.work, self.of, self.subject, self.rules = work, of, subject, rules
        self._outcomes: dict[tuple[str, frozenset[str]], tuple[Outcome, frozenset[str]]] = {}

    def lacks(self, rule: Act | Answer) -> list[Lack]:
        """What would refuse the act or answer now."""
        if rule.name == "amend":
            return []  # whatever it reads may be what is amended
        conditions = list(self._conditions(rule))
        law = self._law(rule, {one.code for one in conditions})
        return [*self._same_member(rule), *self._missing(rule), *conditions, *law]

    def state_after(self, rule: Act | Answer) -> str:
        """The state to which the act or answer leads."""
        return lifecycle.target(self.of.states, rule.to, self.subject.folded.state)

    def _same_member(self, rule: Act | Answer) -> Iterator[Lack]:
        done = sorted(set(rule.not_by) & self._mine)
        if done:
            said = say(
                "same_member.it_must_be_another",
                done=called_in(lifecycle.named_steps(self.of), done[0]),
            )
            yield Lack("same_member", said, said.fix)

    def _missing(self, rule: Act | Answer) -> Iterator[Lack]:
        """What the record must have and the act does not set: fields and links of the state to which it leads."""
        if isinstance(rule, Answer):
            return
        of, held, state = self.of, self.subject.folded, self.state_after(rule)
        fields = {name: value for name, value in held.fields.items() if name in of.fields}
        links = {name: ids for name, ids in held.links.items() if name in of.links}
        found = shape.judge(of, before=fields, after=fields, state=state, supplied=(), act=rule.name)
        found += shape.judge_links(of, before=links, after=links, state=state, act=rule.name)
        if not rule.sets:
            found += [
                Fault("needs", f"fields.{name}", say("needs.this_act_needs", label=called(of.fields[name]), name=name))
                for name in rule.needs
                if name in of.fields and not shape.is_there(fields.get(name))
            ]
        for one in found:
            name = one.path.partition(".")[2]
            if name not in rule.sets:
                yield Lack(one.code, one.message, one.fix, path=name)

    def _law(self, rule: Act | Answer, known: Collection[str]) -> Iterator[Lack]:
        """What the law that is enforced on the act refuses beside what the `known` codes of its conditions say."""
        standing = enforced_on_act.enforced(self.work.catalogue, rule.name, self.subject.core_type)
        said = [law.said for one in standing for law in one.versions]
        links = {one.door.link for one in said if one.door and not one.calculation}
        if standing and not links & set(rule.sets):
            state = self.state_after(rule)
            left = replace(
                self.subject, folded=replace(self.subject.folded, state=state), core_state=self.of.core_state(state)
            )
            found = enforced_on_act.faults(self.work, rule.name, left, lambda name: self._calculated(rule, name))
            yield from (_of_fault(one) for one in found if one.code not in known)

    def _conditions(self, rule: Act | Answer) -> Iterator[Lack]:
        for one in rule.guards:
            if one.extension:
                yield from map(_of_missing, self._calculated(rule, one.extension).refused)
            elif _is_known(rule, one):
                yield from (_of_sentence(one, fault) for fault in guards.sentence(self.work, one, self._variables))

    def _calculated(self, rule: Act | Answer, name: str) -> Outcome:
        """What a calculation finds of the record if the act were done now; nothing where it reads what else is given
        with the act. Each is asked once for the same times."""
        times = self._times(rule)
        key = name, frozenset(times)
        if key not in self._outcomes:
            calculation = self.work.node.extensions.calculations.get(name)
            self._graph.suppose(times)
            outcome = calculation(self._graph) if calculation is not None else Outcome()
            self._outcomes[key] = outcome, frozenset(self._graph.read)
        outcome, read = self._outcomes[key]
        return Outcome() if read & (set(rule.sets) - times.keys()) else outcome

    def _times(self, rule: Act | Answer) -> dict[str, str]:
        """The times that the act sets, as they are if it is done now."""
        today = clock.today(self.work.catalogue.definition.zone).isoformat()
        now = {"date-time": clock.show_instant(self.work.now), "date": today}
        formats = {name: self.of.fields[name].schema.get("format") for name in rule.sets if name in self.of.fields}
        return {name: now[form] for name, form in formats.items() if form in now}

    @cached_property
    def _mine(self) -> frozenset[str]:
        """The acts that this member did on the record, where any rule asks for it."""
        if self.work.actor.behalf or not any(one.not_by for one in self.rules):
            return frozenset()
        rows = self.work.conn.execute(
            "select distinct act from comity.entry where record = %s and agency = %s and actor = %s",
            (self.subject.id, self.work.agency, UUID(self.work.actor.member)),
        )
        return frozenset(row[0] for row in rows)

    @cached_property
    def _graph(self) -> _Watched:
        return _Watched(self.work, self.subject)

    @cached_property
    def _variables(self) -> Mapping[str, Any]:
        """What the sentences of all the acts may read, in one go."""
        every = tuple(one for rule in self.rules for one in rule.guards if not one.extension and _is_known(rule, one))
        first = replace(self.rules[0], guards=every)
        asked = Proposal("act", self.of, first, self.subject)
        return guards.variables_of(self.work, asked, self.subject.folded)


class _Watched(FactGraph):
    """Facts that note which fields and links of their subject were read: what the act itself sets decides nothing
    yet."""

    def __init__(self, work: Work, subject: Subject) -> None:
        super().__init__(work, subject)
        self.read: set[str] = set()
        self._plain = self.subject

    def suppose(self, times: Mapping[str, str]) -> None:
        """Begin anew, with the subject as it is and these fields beside: met again on the way it is the same."""
        self.read.clear()
        plain = self._plain
        fields = _Noting({**plain.fields, **times}, self.read)
        self.subject = self._held[plain.id] = replace(plain, fields=fields, links=_Noting(plain.links, self.read))


class _Noting(Mapping[str, Any]):
    """A mapping that notes which of its names were asked for."""

    def __init__(self, held: Mapping[str, Any], noted: set[str]) -> None:
        self._held, self._noted = held, noted

    def __getitem__(self, name: str) -> Any:
        self._noted.add(name)
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        self._noted.update(self._held)
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _is_known(rule: Act | Answer, one: GuardRule) -> bool:
    """Whether a sentence reads nothing that is given with the act."""
    read = {plain or quoted for plain, quoted in _READ.findall(one.text)}
    return not _GIVEN.search(one.text) and not read & set(rule.sets)


def _of_sentence(rule: GuardRule, fault: Fault) -> Lack:
    """What the definition says of its condition, also where it cannot be judged since what it reads is not there."""
    return Lack(rule.code, rule.message or fault.message, rule.fix or fault.fix)


def _of_fault(one: Fault) -> Lack:
    return Lack(one.code, one.message, one.fix)


def _of_missing(one: Missing) -> Lack:
    return Lack(one.code, one.message, one.fix, about=one.about_label, owed_by=one.owed_by, since=one.since)
