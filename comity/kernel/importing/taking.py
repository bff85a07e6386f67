"""What becomes of the rows of an import: they are entered, rehearsed at a node, or judged by the mapping alone.

All records of a row are accepted or refused together; of a shared record the first that is entered stands.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from comity.errors import Problem
from comity.kernel.duties.lateness import rules_for
from comity.kernel.importing.mapping import Mapping as Rules
from comity.kernel.importing.mapping import Planned, Reject
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter_untraced, rehearse_many
from comity.kernel.work.node import Node
from comity.kernel.work.refusals import Attempt, trace
from comity.kernel.work.results import Draft, Receipt
from comity.sentences import say

REMEMBERED = 50_000
"""Shared records known to be entered are not sent again; the newest so many are remembered, about 15 MiB."""
PASSES = 5
NO_ROWS_FAULT = frozenset({
    "not_allowed", "policy_error", "agency_suspended", "agency_unknown", "member_suspended", "token_invalid",
    "type_unknown", "act_unknown", "disk_full",
})  # fmt: skip
"""Refusals that every further row would meet: the import stops and says so."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A row and the records that it asks for."""

    row: int
    planned: list[Planned]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a row: `types` of the records newly entered, or the reasons against it; `notes` either way."""

    types: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    notes: tuple[Reject, ...] = ()


Take = Callable[[list[Asked]], Iterable[Taken]]


class Judge:
    """Takes rows where there is no node: the mapping alone has judged them, and nothing is entered."""

    def __init__(self) -> None:
        self.known = _Known()

    def __call__(self, asked: list[Asked]) -> Iterator[Taken]:
        for one in asked:
            types: list[str] = []
            for planned in one.planned:
                if planned.shared:
                    if self.known.has(planned.key):
                        continue
                    self.known.put(planned)
                types.append(planned.type)
            yield Taken(tuple(types), ())


class _Known:
    """The shared records entered lately: key -> what was said of them. Bounded; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def has(self, key: str) -> bool:
        if key in self._held:
            self._held.move_to_end(key)
            return True
        return False

    def same(self, planned: Planned) -> bool:
        return self._held[planned.key] == planned.content

    def put(self, planned: Planned) -> None:
        self._held[planned.key] = planned.content
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)


class Enter:
    """Takes rows by entering their records, one transaction a call; a second one for rows that the first decided."""

    def __init__(self, node: Node, actor: Actor, rules: Rules) -> None:
        self.node, self.actor, self.rules = node, actor, rules
        self.known = _Known()
        self.first = {one.name for one in rules.records if one.shared and one.differs == "first"}
        self.said = f"Imported from {rules.system or rules.name}"
        law = node.catalogue(actor.agency)
        self.ordered = {one.type for one in rules.records if rules_for(law, f"{one.type}.enter")}

    def __call__(self, asked: list[Asked]) -> Iterator[Taken]:
        left = {one.row: one for one in asked}
        done: dict[int, Taken] = {}
        dropped: dict[int, set[str]] = {}
        for _ in range(PASSES):
            if not left:
                break
            again = self._pass(left, done, dropped)
            left = {row: one for row, one in left.items() if row in again}
        for row in left:
            said = say("row_unsettled.rows_of_one_batch_differ")
            done[row] = Taken(rejects=(Reject(row, "row_unsettled", said, fix=said.fix),))
        return iter([done[one.row] for one in asked])

    def _pass(self, left: dict[int, Asked], done: dict[int, Taken], dropped: dict[int, set[str]]) -> set[int]:
        """Try the rows that are left; the numbers of those to be tried again without what the first row stands for."""
        notes: dict[int, list[Reject]] = {}
        sent: list[tuple[int, Planned]] = []
        for row, one in left.items():
            notes[row] = []
            refused: list[Reject] = []
            chosen: list[Planned] = []
            for planned in one.planned:
                if planned.shared and self.known.has(planned.key):
                    if not self.known.same(planned):
                        (notes[row] if planned.record in self.first else refused).append(self._differs(row, planned))
                elif planned.key in dropped.get(row, ()):
                    notes[row].append(self._differs(row, planned))
                else:
                    chosen.append(planned)
            if refused:
                done[row] = Taken(rejects=tuple(refused))
            elif chosen:
                sent += [(row, planned) for planned in chosen]
            else:
                done[row] = Taken(notes=tuple(notes[row]))
        try:
            answers = self._ask([self._draft(row, planned) for row, planned in sent])
        except Problem as problem:
            self._trace([("", problem)])
            raise
        by_row: dict[int, list[tuple[Planned, Receipt | Problem]]] = {}
        for (row, planned), answer in zip(sent, answers, strict=True):
            by_row.setdefault(row, []).append((planned, answer))
        self._remember(sent, answers)
        again = self._again(by_row, dropped)
        final = {row: found for row, found in by_row.items() if row not in again}
        for row, found in final.items():
            done[row] = self._taken(row, found, notes[row])
        self._trace([(one.type, told) for found in final.values() for one, told in found if isinstance(told, Problem)])
        return again

    def _ask(self, drafts: list[Draft]) -> list[Receipt | Problem]:
        return enter_untraced(self.node, self.actor, drafts)

    def _trace(self, refused: list[tuple[str, Problem]]) -> None:
        """The trace of what was refused for good, each with its type."""
        trace(self.node, self.actor, [(Attempt("import", type), problem) for type, problem in refused])

    def _draft(self, row: int, planned: Planned) -> Draft:
        return Draft(
            type=planned.type, fields=planned.fields, links=planned.links, key=planned.key,
            occurred_at=planned.occurred_at, reason=self.said, marks=planned.marks, group=row,
            late_cause=self.said if planned.occurred_at or planned.type in self.ordered else None,
        )  # fmt: skip

    def _remember(self, sent: list[tuple[int, Planned]], answers: list[Receipt | Problem]) -> None:
        for (_, planned), answer in zip(sent, answers, strict=True):
            if isinstance(answer, Receipt):
                if planned.shared:
                    self.known.put(planned)
            elif answer.code in NO_ROWS_FAULT:
                self._trace([(planned.type, answer)])
                raise answer

    def _again(
        self, by_row: dict[int, list[tuple[Planned, Receipt | Problem]]], dropped: dict[int, set[str]]
    ) -> set[int]:
        """Rows refused only because a shared record stands already with other content, where the first is to stand."""
        failed = {
            planned.key
            for found in by_row.values()
            for planned, answer in found
            if isinstance(answer, Problem) and answer.code != "idempotency_key_reused"
        }
        again: set[int] = set()
        for row, found in by_row.items():
            problems = [(planned, one) for planned, one in found if isinstance(one, Problem)]
            real = [(planned, one) for planned, one in problems if one.code != "group_refused"]
            if real and all(
                one.code == "idempotency_key_reused" and planned.record in self.first for planned, one in real
            ):
                again.add(row)
                # where the one that stood first in this batch was itself refused, this row's own is tried next
                dropped.setdefault(row, set()).update(planned.key for planned, _ in real if planned.key not in failed)
        return again

    def _taken(self, row: int, found: list[tuple[Planned, Receipt | Problem]], notes: list[Reject]) -> Taken:
        rejects: list[Reject] = []
        types: list[str] = []
        for planned, answer in found:
            if isinstance(answer, Receipt):
                types += [] if answer.replayed else [planned.type]
            elif answer.code != "group_refused":
                rejects += self._rejects(row, planned, answer)
        if not rejects and any(isinstance(one, Problem) for _, one in found):
            rejects.append(Reject(row, "group_refused", say("group_refused.shared_record_was_refused")))
        return Taken(tuple(types), tuple(rejects), tuple(notes))

    def _rejects(self, row: int, planned: Planned, problem: Problem) -> Iterator[Reject]:
        if problem.code == "idempotency_key_reused" and "record" in problem.extra:
            record = str(problem.extra["record"])
            said = say("row_changed.source_says_something_else", record=record)
            yield Reject(row, "row_changed", said, planned.record, value=record, fix=said.fix)
            return
        if not problem.faults:
            yield Reject(row, problem.code, problem.detail, planned.record, fix=problem.fix)
        for fault in problem.faults:
            name, column = self.rules.column_of(planned.record, fault.path)
            value = str(planned.fields.get(name, ""))[:120]
            yield Reject(row, fault.code, fault.message, planned.record, name, column, value, fault.fix)

    def _differs(self, row: int, planned: Planned) -> Reject:
        kept = planned.record in self.first
        said = say("first_kept.another_row" if kept else "rows_differ.another_row", record=planned.record)
        return Reject(row, "first_kept" if kept else "rows_differ", said, planned.record, fix=said.fix)


class Rehearse(Enter):
    """Takes rows in a dry run at a node: policy, conditions and what is there already decide, and nothing is written.

    Shared records that an earlier batch would have entered are sent along again where this one points at them.
    """

    def __init__(self, node: Node, actor: Actor, rules: Rules) -> None:
        super().__init__(node, actor, rules)
        self.shared: OrderedDict[str, Draft] = OrderedDict()

    def _ask(self, drafts: list[Draft]) -> list[Receipt | Problem]:
        asked = {one.key for one in drafts}
        along: dict[str, Draft] = {}
        todo = sorted({key for one in drafts for key in _cited(one)} - {one.key for one in drafts})
        while todo:
            key = todo.pop()
            if key in self.shared and key not in along and key not in asked:
                along[key] = self.shared[key]
                todo += _cited(along[key])
        return rehearse_many(self.node, self.actor, [*drafts, *along.values()])[: len(drafts)]

    def _trace(self, refused: list[tuple[str, Problem]]) -> None:
        """What is only tried is refused to nobody."""

    def _remember(self, sent: list[tuple[int, Planned]], answers: list[Receipt | Problem]) -> None:
        super()._remember(sent, answers)
        for (row, planned), answer in zip(sent, answers, strict=True):
            if planned.shared and isinstance(answer, Receipt):
                self.shared[planned.key] = replace(self._draft(row, planned), group=None)
                if len(self.shared) > REMEMBERED:
                    self.shared.popitem(last=False)


def _cited(draft: Draft) -> list[str]:
    """The keys that a draft's links name."""
    return [to[4:] for given in draft.links.values() for to in given if to.startswith("key:")]
