"""Amending a record: a change, effective when it happened, or a correction of what an earlier entry said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from comity.errors import Problem
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.policy.actor import Actor
from comity.kernel.records.proposal import Proposal, Words, rule_of
from comity.kernel.records.validate import validate
from comity.kernel.records.write import write
from comity.kernel.work.idempotency import actor_key, digest_of, once, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import Receipt
from comity.kernel.work.subject import Subject, allow, own
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an amendment asks for: fields to set (None unsets), links to add and remove, marks to put on.

    With `corrects` (an entry of this record) it is a correction: it needs a reason and takes that entry's effective
    time. `authority`: on whose word.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unlink: Mapping[str, Sequence[str]] = field(default_factory=dict)
    marks: Sequence[str] = ()
    field_marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reason: str | None = None
    corrects: str | None = None
    authority: str | None = None
    occurred_at: datetime | None = None
    late_cause: str | None = None
    override: Sequence[str] = ()

    def asked(self) -> list[Any]:
        """What an idempotency key stands for."""
        return [
            dict(self.fields), {name: list(ids) for name, ids in self.links.items()},
            {name: list(ids) for name, ids in self.unlink.items()}, sorted(self.marks),
            {name: list(marks) for name, marks in self.field_marks.items()}, self.reason, self.corrects,
            self.authority, *([sorted(self.override)] if self.override else []),
        ]  # fmt: skip


@traced(lambda record, **_: Attempt("amend", record=record))
def amend(
    node: Node, actor: Actor, record: str, *, version: int | None, key: str | None = None, **asked: Any
) -> Receipt:
    """Amend a record; `asked` are the members of Amendment, `version` is the one that was read.

    Raises Problem: not_found, not_allowed, version_required, version_conflict, act_out_of_turn, invalid,
    late_cause_needed where it moves a time that a rule of order reads.
    """
    wanted = Amendment(**{name: value for name, value in asked.items() if value is not None})
    refuse_unspellable(
        fields=wanted.fields, reason=wanted.reason, authority=wanted.authority, late_cause=wanted.late_cause
    )
    digest = b""
    if key:
        digest = digest_of("amend", record, version, wanted.asked(), when_asked(wanted.occurred_at), *actor_key(actor))

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, own, wanted.links)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        allow(work, "amend", subject.resource(), act="amend")
        check_version(subject, version)
        change = validate(work, Proposal(
            "correction" if wanted.corrects else "amend", of, rule_of(of, "amend", subject), subject,
            fields=wanted.fields, links=wanted.links, unlink=wanted.unlink, marks=wanted.marks,
            field_marks=wanted.field_marks,
            words=Words(wanted.reason, wanted.authority, wanted.corrects, wanted.late_cause, wanted.override),
            occurred_at=wanted.occurred_at,
        ))  # fmt: skip
        return write(work, [replace(change, key=key, digest=digest)])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def check_version(subject: Subject, version: int | None) -> None:
    """Refuse an act on something else than what was read."""
    if version is None:
        raise Problem(
            "version_required", say("version_required.say_which_version_you_read", version=subject.folded.version),
        )  # fmt: skip
    if version != subject.folded.version:
        raise Problem(
            "version_conflict",
            say("version_conflict.you_read_version_record_is", version=version, folded_version=subject.folded.version),
            current=subject.folded.version,
        )
