"""Entering records: one, or many in one transaction. Both go the same way, which reads as the list of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any
from uuid import UUID

import psycopg

from comity import clock, names
from comity.errors import Fault, Problem
from comity.kernel.duties import lateness
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.ledger.fold import Folded
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.decide import Resource
from comity.kernel.records import guards, links, mark_propagation, offers, project
from comity.kernel.records.write import id_taken, write
from comity.kernel.types import shape
from comity.kernel.types.catalogue import Type
from comity.kernel.work import locking
from comity.kernel.work.change import Change, changed
from comity.kernel.work.effective_time import occurred_at
from comity.kernel.work.idempotency import actor_key, digest_of, earlier_uses, reused
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Draft, Receipt, as_uuid
from comity.kernel.work.retry import Retry, attempts, contended
from comity.kernel.work.row import parties_of
from comity.kernel.work.subject import Subject, allow

LIMIT = 5_000


def enter(node: Node, actor: Actor, type: str, fields: Mapping[str, Any], **rest: Any) -> Receipt:
    """Enter one record; `rest` are the other members of Draft. Raises Problem with all faults gathered."""
    answer = enter_many(node, actor, [Draft(type, fields, **rest)])[0]
    if isinstance(answer, Problem):
        raise answer
    return answer


def enter_many(node: Node, actor: Actor, drafts: Sequence[Draft]) -> list[Receipt | Problem]:
    """Enter drafts in one transaction: a receipt or a refusal for each, in their order.

    A refused draft does not stop the others, except those of its `group`. Drafts with a key that was used before are
    answered with the first receipt. An id that is taken is its own draft's refusal, as far as this transaction sees;
    one that an agency beyond its reach has, or that is taken at this moment, refuses them all (`invalid`, id_taken).
    Raises Problem when nothing could be tried at all.
    """
    if len(drafts) > LIMIT:
        raise Problem("body_too_large", f"at most {LIMIT} records are entered in one transaction")
    for overtaken in attempts():
        try:
            with node.work(actor) as work:
                return enter_within(work, drafts, still=overtaken > 1)
        except Retry:
            continue
    raise contended()


def rehearse_many(node: Node, actor: Actor, drafts: Sequence[Draft]) -> list[Receipt | Problem]:
    """What `enter_many` would answer, with nothing written: a receipt of what is new names no entry and no number."""
    with node.work(actor) as work:
        batch = _Batch(work, drafts)
        batch.decide()
        return batch.rehearsed()


def enter_within(work: Work, drafts: Sequence[Draft], *, still: bool = False) -> list[Receipt | Problem]:
    """The steps of entering, in the caller's transaction. `still`: no mark moves meanwhile (inheriting.still)."""
    batch = _Batch(work, drafts, still=still)
    batch.decide()
    return batch.write()


@dataclass(slots=True)
class _Batch:
    """The drafts of one transaction on their way: answers by place, changes for those that will be written."""

    work: Work
    drafts: Sequence[Draft]
    answers: list[Receipt | Problem | None]
    digests: list[bytes]
    ids: list[UUID]
    twins: dict[int, int]
    resolved: list[Mapping[str, Sequence[str]]]
    changes: dict[int, Change]
    known: links.Targets
    own: Mapping[str, Type]
    passed: dict[str, set[str]]
    still: bool

    def __init__(self, work: Work, drafts: Sequence[Draft], *, still: bool = False) -> None:
        self.work, self.drafts, self.still = work, drafts, still
        self.answers = [None] * len(drafts)
        self.digests = [asked(one, work.actor) if one.key else b"" for one in drafts]
        self.ids = [as_uuid(one.id) if one.id else names.new_id() for one in drafts]
        self.twins, self.changes = {}, {}
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
        before = earlier_uses(self.work, sorted({d.key for d in self.drafts if d.key} | cited))
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
            if of is not None and self.answers[at] is None:
                pairs.append((of, self.resolved[at]))
        self.known = links.targets(self.work, pairs)
        types = self.work.catalogue.types
        self.own = {
            str(self.ids[at]): types[one.type]
            for at, one in enumerate(self.drafts)
            if one.type in types and self.answers[at] is None
        }
        self._pass_on()

    def _pass_on(self) -> None:
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
        self.passed = {heir: held[heir] for heir, _ in chained}

    def judge(self, at: int) -> None:
        """Decide, judge shape and conditions, and plan the change of one draft; its refusal becomes its answer."""
        if self.answers[at] is not None or at in self.twins:
            return
        try:
            self.changes[at] = plan(
                self.work, self.drafts[at], self.ids[at], self.resolved[at], self.known, self.own, self.digests[at],
                self.passed.get(str(self.ids[at]), ()),
            )  # fmt: skip
        except Problem as problem:
            self.answers[at] = problem

    def judge_together(self) -> None:
        """Judge once more those that stand on the same record, each as if the ones before it had been written."""
        on = {at: locking.lock_targets(one.type, self.ids[at], one.after.links) for at, one in self.changes.items()}
        times = Counter(one for ids in on.values() for one in ids)
        common = {at: [one for one in ids if times[one] > 1] for at, ids in on.items()}
        if not any(common.values()):
            return
        conn, before = self.work.conn, len(self.changes)
        with suppress(psycopg.errors.UniqueViolation), conn.transaction(force_rollback=True):
            for at in self._targets_first({at: ids for at, ids in common.items() if ids}):
                change = self.changes[at]
                faults = _conditions(self.work, change)
                if faults:
                    del self.changes[at]
                    self.answers[at] = Problem("invalid", f"The {change.type.title} is not valid", faults=faults)
                else:
                    project.records(conn, [change])
                    project.offers(conn, [change])
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
            faults = [Fault("link_not_found", "links", "a linked record of the same batch was refused")]
            self.answers[at] = Problem("invalid", "A linked record was refused", faults=faults)
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
                "group_refused", "another record of the same row was refused", because=because[group]
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


def asked(draft: Draft, actor: Actor) -> bytes:
    """What a draft's key stands for: what was asked, not by whom nor under which id."""
    try:
        return digest_of(
            "enter", draft.type, dict(draft.fields), {name: list(ids) for name, ids in draft.links.items()},
            clock.show_instant(draft.occurred_at) if draft.occurred_at else None, sorted(draft.marks),
            *([{name: sorted(one) for name, one in draft.field_marks.items()}] if draft.field_marks else []),
            *actor_key(actor),
        )  # fmt: skip
    except Problem:
        return b""


def plan(
    work: Work,
    draft: Draft,
    record: UUID,
    given_links: Mapping[str, Sequence[str]],
    known: links.Targets,
    own: Mapping[str, Type],
    digest: bytes = b"",
    passed: Iterable[str] = (),
) -> Change:
    """The change that enters one draft, or Problem with every fault of it. `passed` are marks from its own batch."""
    refuse_unspellable(fields=draft.fields, reason=draft.reason, late_cause=draft.late_cause)
    of = work.catalogue.type(draft.type)
    given = {name: value for name, value in draft.fields.items() if value is not None}
    taken = links.taken_over(work, of, given, given_links, known)
    fields = given | {name: value for name, (value, _) in taken.items()}
    marks = of.handling | set(draft.marks) | links.inherited(of, given_links, known) | set(passed)
    _decide(work, of, fields, given_links, marks)
    faults = shape.judge(of, work.catalogue, before=None, after=fields, state=of.initial, supplied=given, act="enter")
    faults += links.faults(of, given_links, known, own=own) + links.required(of, given_links, of.initial)
    faults += mark_faults(work, marks, draft.field_marks, of)
    occurred, more = occurred_at(work, of, fields, draft.occurred_at)
    faults += more
    content: dict[str, Any] = {f"set/{name}": value for name, value in fields.items()}
    content |= {f"taken/{name}": source for name, (_, source) in taken.items()}
    content |= {f"link/{name}/{target}": True for name, ids in given_links.items() for target in ids}
    content |= {f"mark/{mark}": True for mark in marks}
    content |= {f"field_mark/{name}": sorted(one) for name, one in draft.field_marks.items()}
    content |= said(reason=draft.reason, cause=draft.late_cause)
    change = changed(
        work, of, Folded(), record=record, kind="enter", act="enter", content=content, state_to=of.initial,
        occurred_at=occurred, key=draft.key, digest=digest,
    )  # fmt: skip
    faults += needs(of.acts["enter"].needs, fields, given_links, draft.reason)
    if not faults and not any(str(one) in own for one in locking.lock_targets(of, "", given_links)):
        faults += _conditions(work, change)  # else they are judged together, when what it stands on is there
    if faults:
        raise Problem("invalid", f"The {of.title} is not valid", faults=faults)
    change = lateness.timed(work, change, known.records)
    if of.offer:
        change = offers.offered(work, change, known)
    return change


def _decide(
    work: Work,
    of: Type,
    fields: Mapping[str, Any],
    given: Mapping[str, Sequence[str]],
    marks: set[str] | frozenset[str],
) -> None:
    if "enter" not in of.acts:
        raise Problem(
            "act_unknown", f"{of.name} is not entered by anyone here", fix="see who enters it: comity profile"
        )
    named = [name for name in given if of.links.get(name) and of.links[name].to == ("member",)]
    assigned = frozenset(target for name in named for target in given[name])
    allow(
        work, "enter",
        Resource(
            owner=work.agency, type=of.name, core_type=of.core_name, state=of.core_state(of.initial),
            marks=frozenset(marks),
            assigned=assigned, parties=frozenset(), entered_by=work.actor.member, grants=frozenset(),
        ),
        act="enter",
    )  # fmt: skip


def _conditions(work: Work, change: Change) -> list[Fault]:
    """What the conditions of entering refuse, judged on what is there now."""
    of, after = change.type, change.after
    return guards.faults(
        work, of, of.acts["enter"].guards, record=change.entry.record, after=after, state=of.initial,
        given=after.fields, reason=str(change.entry.content.get("reason", "")),
        subject=_unborn(work, of, change.entry.record, after), act="enter",
    )  # fmt: skip


def _unborn(work: Work, of: Type, record: UUID, after: Folded) -> Subject:
    """The record about to be entered, as guards see it: they judge it as if it were there."""
    return Subject(
        id=record, agency=work.agency, type_name=of.name, core_type=of.core_name, title="",
        core_state=of.core_state(of.initial), folded=after, assigned=frozenset(),
        parties=frozenset(parties_of(of, after)), entered_at=work.now, changed_at=work.now, grants={},
    )  # fmt: skip


def said(**told: str | None) -> dict[str, Any]:
    """The content items of what was said with an act: reason, cause, authority."""
    return {name: text for name, text in told.items() if text}


def needs(
    wanted: Sequence[str], fields: Mapping[str, Any], given: Mapping[str, Sequence[str]], reason: str | None
) -> list[Fault]:
    """What an act needs and was not given: a reason, a field, a link."""
    out = []
    for name in wanted:
        there = bool(reason and reason.strip()) if name == "reason" else name in fields or bool(given.get(name))
        if not there:
            path = name if name == "reason" else f"fields.{name}"
            out.append(Fault("needs", path, f"this act needs {name}", f"give {name}"))
    return out


def mark_faults(
    work: Work, marks: set[str] | frozenset[str], field_marks: Mapping[str, Sequence[str]], of: Type
) -> list[Fault]:
    """Marks that nobody declared, and marked fields that the type has not."""
    unknown = (set(marks) | {m for given in field_marks.values() for m in given}) - set(work.catalogue.marks)
    known = ", ".join(sorted(work.catalogue.marks)) or "none"
    out = [
        Fault("mark_unknown", "marks", f"no handling mark {one}", f"marks here are {known}") for one in sorted(unknown)
    ]
    return out + [
        Fault("unknown_field", f"field_marks.{name}", f"{of.name} has no field {name}")
        for name in field_marks
        if name not in of.fields
    ]
