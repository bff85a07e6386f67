"""Drafts entered together: keys, turns, targets, one judgement each, and those that fall with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any
from uuid import UUID

from comity import clock, names
from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records import guards, links, mark_propagation
from comity.kernel.records.proposal import Batch, Proposal, Words, unborn
from comity.kernel.records.validate import refused, validate
from comity.kernel.records.write import as_if_written, id_taken, write
from comity.kernel.types.catalogue import Type
from comity.kernel.types.language import called
from comity.kernel.work import locking
from comity.kernel.work.change import Change
from comity.kernel.work.idempotency import actor_key, digest_of, earlier_uses, reused
from comity.kernel.work.node import Work
from comity.kernel.work.results import Draft, Receipt, as_uuid
from comity.sentences import say


@dataclass(slots=True)
class Entering:
    """The drafts of one transaction on their way: answers by place, changes for those that will be written."""

    work: Work
    drafts: Sequence[Draft]
    answers: list[Receipt | Problem | None]
    digests: list[bytes]
    ids: list[UUID]
    twins: dict[int, int]
    resolved: list[Mapping[str, Sequence[str]]]
    changes: dict[int, Change]
    asked: dict[int, Proposal]
    known: links.Targets
    own: Mapping[str, Type]
    drafted: Mapping[str, Mapping[str, Any]]
    passed: dict[str, set[str]]
    still: bool

    def __init__(self, work: Work, drafts: Sequence[Draft], *, still: bool = False) -> None:
        self.work, self.drafts, self.still = work, drafts, still
        self.answers = [None] * len(drafts)
        self.digests = [request_digest(one, work.actor) if one.key else b"" for one in drafts]
        self.ids = [as_uuid(one.id) if one.id else names.new_id() for one in drafts]
        self.twins, self.changes, self.asked = {}, {}, {}
        self.resolved = [{}] * len(drafts)

    def decide(self) -> None:
        """Everything up to the writing: afterwards each draft has an answer, a change, or an earlier twin."""
        self.replay()
        self.take_turns()
        self.read_targets()
        for at in range(len(self.drafts)):
            self.judge(at)
        self.refuse_groups()
        self.judge_together()

    def rehearsed(self) -> list[Receipt | Problem]:
        """The answers as if the changes had been written."""
        for at, one in self.changes.items():
            e = one.entry
            self.answers[at] = Receipt(
                "", str(e.record), e.agency, e.type, None, e.version, e.state_to, "", e.entered_at
            )
        self.changes = {}
        return self.write()

    def replay(self) -> None:
        """Answer the drafts whose key was used before, here or earlier, and resolve links written as `key:`."""
        cited = {t[4:] for d in self.drafts for given in d.links.values() for t in given if t.startswith("key:")}
        keys = sorted({d.key for d in self.drafts if d.key} | cited)
        before = earlier_uses(self.work, keys) if keys else {}
        records = {key: found.receipt.record for key, found in before.items() if found.receipt}
        first: dict[str, int] = {}
        taken = self.taken()
        for at, draft in enumerate(self.drafts):
            if draft.key and draft.key in before:
                self.answers[at] = before[draft.key].answer(draft.key, self.digests[at])
            elif draft.key and draft.key in first:
                earlier = first[draft.key]
                if self.digests[earlier] == self.digests[at]:
                    self.twins[at] = earlier
                else:
                    self.answers[at] = reused(draft.key, str(self.ids[earlier]))
            elif draft.id and self.ids[at] in taken:
                self.answers[at] = id_taken()
            else:
                taken.add(self.ids[at])
                if draft.key:
                    first[draft.key] = at
                    records[draft.key] = str(self.ids[at])
        self.resolved = [
            {
                name: [records.get(t[4:], t) if t.startswith("key:") else t for t in given]
                for name, given in d.links.items()
            }
            for d in self.drafts
        ]

    def taken(self) -> set[UUID]:
        """The ids asked for that this agency sees are taken: by a record, or by an entry of its own about one."""
        wanted = [self.ids[at] for at, one in enumerate(self.drafts) if one.id]
        if not wanted:
            return set()
        rows = self.work.conn.execute(
            """select id from comity.record where id = any(%(ids)s)
                union select record from comity.entry where record = any(%(ids)s)""",
            {"ids": wanted},
        )
        return {row[0] for row in rows}

    def take_turns(self) -> None:
        """Whoever enters what stands on a common record waits for its turn there, before anything is read.

        A new record under an id that is made here is nobody else's to stand on before this has committed.
        """
        types = self.work.catalogue.types
        ids = [
            locking.lock_targets(types[one.type], one.id or "", self.resolved[at])
            for at, one in enumerate(self.drafts)
            if one.type in types and self.answers[at] is None
        ]
        self.work = locking.lock(self.work, set().union(*ids))
        if self.still:
            self.work = mark_propagation.lock_shared(self.work)

    def read_targets(self) -> None:
        pairs = []
        for at, draft in enumerate(self.drafts):
            of = self.work.catalogue.types.get(draft.type)
            if of is not None and self.answers[at] is None and self.resolved[at]:
                pairs.append((of, self.resolved[at]))
        self.known = links.targets(self.work, pairs) if pairs else links.NO_TARGETS
        types = self.work.catalogue.types
        self.own = {
            str(self.ids[at]): types[one.type]
            for at, one in enumerate(self.drafts)
            if one.type in types and self.answers[at] is None
        }
        self.drafted = {str(self.ids[at]): one.fields for at, one in enumerate(self.drafts) if pairs}
        self.passed = self._passed_on() if pairs else {}

    def _passed_on(self) -> dict[str, set[str]]:
        """The marks that new records of this batch get from each other by inheriting links, along whole chains."""
        held: dict[str, set[str]] = {}
        chained: list[tuple[str, str]] = []
        for at, draft in enumerate(self.drafts):
            of = self.own.get(str(self.ids[at]))
            if of is None:
                continue
            given = self.resolved[at]
            held[str(self.ids[at])] = set(of.handling) | set(draft.marks) | links.inherited(of, given, self.known)
            heirs = [t for name, ids in given.items() if name in of.links and of.links[name].inherit for t in ids]
            chained += [(str(self.ids[at]), target) for target in heirs if target in self.own]
        moved = True
        while moved:
            moved = False
            for heir, target in chained:
                if not held.get(target, set()) <= held[heir]:
                    held[heir] |= held[target]
                    moved = True
        return {heir: held[heir] for heir, _ in chained}

    def judge(self, at: int) -> None:
        """Judge one draft and plan its change; its refusal becomes its answer."""
        if self.answers[at] is not None or at in self.twins:
            return
        draft, record = self.drafts[at], self.ids[at]
        try:
            asked = propose(self.work, draft, record, self.resolved[at], self.known)
            together = any(str(one) in self.own for one in locking.lock_targets(asked.of, "", asked.links))
            marks = frozenset(self.passed.get(str(record), ()))
            asked = replace(asked, batch=Batch(self.own, self.drafted, marks, together))
            change = validate(self.work, asked)
        except Problem as problem:
            self.answers[at] = problem
        else:
            self.asked[at] = asked
            self.changes[at] = replace(change, key=draft.key, digest=self.digests[at])

    def judge_together(self) -> None:
        """Judge once more those that stand on the same record, each as if the ones before it had been written."""
        on = {at: locking.lock_targets(one.type, self.ids[at], one.after.links) for at, one in self.changes.items()}
        times = Counter(one for ids in on.values() for one in ids)
        common = {at: [one for one in ids if times[one] > 1] for at, ids in on.items()}
        if not any(common.values()):
            return
        before = len(self.changes)
        with as_if_written(self.work) as suppose:
            for at in self._targets_first({at: ids for at, ids in common.items() if ids}):
                change, asked = self.changes[at], self.asked[at]
                faults = guards.faults(self.work, asked, change)
                if faults:
                    del self.changes[at]
                    self.answers[at] = refused(asked, faults)
                else:
                    suppose(change)
        if len(self.changes) < before:
            self.refuse_groups()

    def _targets_first(self, common: Mapping[int, Sequence[UUID]]) -> Iterable[int]:
        """In their order, but what is stood upon before what stands on it; a circle is left as it was given."""
        place = {self.ids[at]: at for at in common}
        order = TopologicalSorter({at: [place[i] for i in ids if place.get(i, at) != at] for at, ids in common.items()})
        try:
            return list(order.static_order())
        except CycleError:
            return list(common)

    def refuse_groups(self) -> None:
        """What stands in a group with a refused draft is refused with it; so is what points at a refused draft."""
        self._refuse_grouped()
        while self._refuse_dangling():
            self._refuse_grouped()

    def _refuse_dangling(self) -> bool:
        written = {str(self.ids[at]) for at in self.changes} | {str(self.ids[first]) for first in self.twins.values()}
        lost = [
            at
            for at in self.changes
            if any(t in self.own and t not in written for given in self.resolved[at].values() for t in given)
        ]
        for at in lost:
            del self.changes[at]
            faults = [Fault("link_not_found", "links", say("link_not_found.linked_record_of_same_batch"))]
            self.answers[at] = Problem("invalid", say("invalid.linked_record_was_refused"), faults=faults)
        return bool(lost)

    def _refuse_grouped(self) -> None:
        """A twin whose first was refused stands in for it when its own group was not."""
        because = {
            d.group: answer.code
            for d, answer in zip(self.drafts, self.answers, strict=True)
            if d.group is not None and isinstance(answer, Problem)
        }
        for at, change in list(self.changes.items()):
            group = self.drafts[at].group
            if group is None or group not in because:
                continue
            heir = next(
                (t for t, first in self.twins.items() if first == at and self.drafts[t].group not in because), None
            )
            del self.changes[at]
            self.answers[at] = Problem(
                "group_refused", say("group_refused.another_record_of_same_row"), because=because[group]
            )
            if heir is not None:
                self.changes[heir] = change
                self.ids[heir] = self.ids[at]
                self.twins = {t: heir if f == at else f for t, f in self.twins.items() if t != heir}
            else:
                for twin in [t for t, first in self.twins.items() if first == at]:
                    del self.twins[twin]
                    self.answers[twin] = self.answers[at]

    def write(self) -> list[Receipt | Problem]:
        places = sorted(self.changes)
        if places:
            for at, receipt in zip(places, write(self.work, [self.changes[at] for at in places]), strict=True):
                self.answers[at] = receipt
        for at, first in self.twins.items():
            answer = self.answers[first]
            self.answers[at] = replace(answer, replayed=True) if isinstance(answer, Receipt) else answer
        return [one for one in self.answers if one is not None]


def request_digest(draft: Draft, actor: Actor) -> bytes:
    """What a draft's key stands for: what was asked, not by whom nor under which id."""
    try:
        return digest_of(
            "enter", draft.type, dict(draft.fields), {name: list(ids) for name, ids in draft.links.items()},
            clock.show_instant(draft.occurred_at) if draft.occurred_at else None, sorted(draft.marks),
            *([{name: sorted(one) for name, one in draft.field_marks.items()}] if draft.field_marks else []),
            *([sorted(draft.override)] if draft.override else []),
            *actor_key(actor),
        )  # fmt: skip
    except Problem:
        return b""


def propose(
    work: Work, draft: Draft, record: UUID, pointed: Mapping[str, Sequence[str]], known: links.Targets | None = None
) -> Proposal:
    """The proposal to enter a draft under an id; `pointed` are its links by ids. Raises type_unknown, act_unknown."""
    of = work.catalogue.type(draft.type)
    if "enter" not in of.acts:
        raise Problem("act_unknown", say("act_unknown.is_not_entered_by_anyone", name=called(of)))
    return Proposal(
        "enter", of, of.acts["enter"], unborn(work, of, record), fields=draft.fields, links=pointed, marks=draft.marks,
        field_marks=draft.field_marks, words=Words(draft.reason, late_cause=draft.late_cause, override=draft.override),
        occurred_at=draft.occurred_at, targets=known,
    )  # fmt: skip
