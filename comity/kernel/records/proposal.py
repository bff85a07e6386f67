"""What is asked to be done to one record, before it is judged: one shape for entering, amending, acting, answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.extensions import ManifestItem
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.ledger.fold import Folded
from comity.kernel.policy.decide import Resource
from comity.kernel.records.links import Targets
from comity.kernel.types import lifecycle
from comity.kernel.types.catalogue import Act, Answer, Type
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject

Links = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Words:
    """What is said with an act: why, on whose authority, which entry it corrects, why it is entered late, and which
    conditions of it, by their codes, are overridden."""

    reason: str | None = None
    authority: str | None = None
    corrects: str | None = None
    late_cause: str | None = None
    override: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """What a proposal of a batch knows of its neighbours.

    `own`: the records that the same transaction enters, by id, and `drafted` their fields; `marks`: what they pass on
    to this one. `together`: its conditions are judged when what it stands on is there.
    """

    own: Mapping[str, Type] = field(default_factory=dict)
    drafted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    together: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing to do to one record. `kind` is that of its entry: enter, amend, correction, act or answer.

    `rule` is the act or answer of the type. `subject` is the record as it is, or for a new one as nothing is yet.
    `targets` are what the links point at, where they were read already. `offer` is the row of the offer that is
    answered, locked; `manifest` what an offer lists, where a package says it. `cause`: the entry that this follows.
    """

    kind: str
    of: Type
    rule: Act | Answer
    subject: Subject
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: Links = field(default_factory=dict)
    unlink: Links = field(default_factory=dict)
    marks: Sequence[str] = ()
    field_marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    words: Words = Words()
    occurred_at: datetime | None = None
    cause: UUID | None = None
    targets: Targets | None = None
    batch: Batch = Batch()
    offer: Mapping[str, Any] | None = None
    manifest: Sequence[ManifestItem] | None = None

    @property
    def before(self) -> Folded:
        return self.subject.folded

    @property
    def given(self) -> dict[str, Any]:
        """The fields that it gives a value; null gives none."""
        return {name: value for name, value in self.fields.items() if value is not None}

    @property
    def new(self) -> bool:
        return self.kind == "enter"

    @property
    def answering(self) -> bool:
        return self.kind == "answer"

    @property
    def action(self) -> str:
        """What policies call it."""
        return "amend" if self.kind == "correction" else self.kind

    def refuse_unspellable(self) -> None:
        """Refuse what has no canonical spelling and so could not be hashed. Raises Problem."""
        words = self.words
        refuse_unspellable(
            fields=self.fields, reason=words.reason, authority=words.authority, late_cause=words.late_cause,
            override=list(words.override),
        )  # fmt: skip

    def resource(self, marks: frozenset[str]) -> Resource:
        """What policies read of the record; of a new one as it would be entered, with these marks."""
        if not self.new:
            return self.subject.resource()
        members = [name for name in self.links if name in self.of.links and self.of.links[name].to == ("member",)]
        subject = self.subject
        return Resource(
            owner=subject.agency, type=subject.type_name, core_type=subject.core_type, state=subject.core_state,
            marks=marks, assigned=frozenset(target for name in members for target in self.links[name]),
            parties=frozenset(), entered_by=subject.folded.entered_by, grants=frozenset(),
        )  # fmt: skip


def rule_of(of: Type, act: str, subject: Subject) -> Act:
    """The act of a type; the refusal of one that it has not says why. Raises act_forbidden, act_unknown."""
    if act not in of.acts:
        lifecycle.step(of, act, subject.folded.state)
    return of.acts[act]


def unborn(work: Work, of: Type, record: UUID) -> Subject:
    """A record about to be entered by this actor: nothing of it is there yet."""
    return Subject(
        id=record, agency=work.agency, type_name=of.name, core_type=of.core_name, title="",
        core_state=of.core_state(of.initial), folded=Folded(entered_by=work.actor.member), assigned=frozenset(),
        parties=frozenset(), entered_at=work.now, changed_at=work.now, grants={},
    )  # fmt: skip
