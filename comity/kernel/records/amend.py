"""Amending a record: a change, effective when it happened, or a correction of what an earlier entry said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from comity.errors import Fault, Problem
from comity.kernel.duties import lateness
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.policy.actor import Actor
from comity.kernel.records import guards, links, mark_propagation
from comity.kernel.records.enter import mark_faults, needs, said
from comity.kernel.records.write import write
from comity.kernel.types import lifecycle, shape
from comity.kernel.types.catalogue import Type
from comity.kernel.work.change import changed
from comity.kernel.work.effective_time import occurred_at
from comity.kernel.work.idempotency import actor_key, digest_of, once, when_asked
from comity.kernel.work.locking import read_locked
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Receipt, as_uuid
from comity.kernel.work.subject import Subject, allow, own


def amend(
    node: Node,
    actor: Actor,
    record: str,
    *,
    version: int | None,
    fields: Mapping[str, Any] | None = None,
    links: Mapping[str, Sequence[str]] | None = None,
    unlink: Mapping[str, Sequence[str]] | None = None,
    marks: Sequence[str] = (),
    field_marks: Mapping[str, Sequence[str]] | None = None,
    reason: str | None = None,
    corrects: str | None = None,
    authority: str | None = None,
    key: str | None = None,
    occurred_at: datetime | None = None,
    late_cause: str | None = None,
) -> Receipt:
    """Set fields (None unsets), add and remove links, add marks. `version` is the one that was read.

    With `corrects` (an entry of this record) it is a correction and needs a reason: it takes that entry's effective
    time. Raises Problem: not_found, not_allowed, version_required, version_conflict, act_out_of_turn, invalid,
    late_cause_needed where it moves a time that a rule of order reads.
    """
    refuse_unspellable(fields=fields, reason=reason, authority=authority, late_cause=late_cause)
    wanted = _Wanted(fields or {}, links or {}, unlink or {}, marks, field_marks or {}, reason, corrects, authority)
    digest = (
        digest_of("amend", record, version, wanted.asked(), when_asked(occurred_at), *actor_key(actor)) if key else b""
    )

    def do(work: Work) -> Receipt:
        work, subject = read_locked(work, record, own, wanted.links)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        allow(work, "amend", subject.resource(), act="amend")
        check_version(subject, version)
        state = lifecycle.step(of, "amend", subject.folded.state)
        content, faults = _judged(work, of, subject, wanted, state)
        when, more = _effective(work, of, subject, wanted, occurred_at)
        if faults or more:
            raise Problem("invalid", f"The {of.title} is not valid", faults=[*faults, *more])
        if not content:
            raise Problem("invalid", "Nothing would change", fix="send a field that differs")
        content |= said(reason=reason, authority=authority, corrects=corrects, cause=late_cause)
        kind = "correction" if corrects else "amend"
        change = changed(
            work, of, subject.folded, record=subject.id, kind=kind, act="amend", content=content,
            state_to=state, occurred_at=when, key=key, digest=digest,
        )  # fmt: skip
        return write(work, [lateness.timed(work, change)])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def check_version(subject: Subject, version: int | None) -> None:
    """Refuse an act on something else than what was read."""
    if version is None:
        raise Problem(
            "version_required", "Say which version you read",
            fix=f"send the version that you read; now it is {subject.folded.version}",
        )  # fmt: skip
    if version != subject.folded.version:
        raise Problem(
            "version_conflict", f"You read version {version}; the record is now at {subject.folded.version}",
            fix="read it again and decide on what it says now", current=subject.folded.version,
        )  # fmt: skip


class _Wanted:
    """What an amendment asks for, held together."""

    def __init__(
        self, fields: Mapping[str, Any], links: Mapping[str, Sequence[str]], unlink: Mapping[str, Sequence[str]],
        marks: Sequence[str], field_marks: Mapping[str, Sequence[str]], reason: str | None, corrects: str | None,
        authority: str | None,
    ) -> None:  # fmt: skip
        self.fields, self.links, self.unlink = fields, links, unlink
        self.marks, self.field_marks = marks, field_marks
        self.reason, self.corrects, self.authority = reason, corrects, authority

    def asked(self) -> list[Any]:
        return [
            dict(self.fields), {n: list(i) for n, i in self.links.items()},
            {n: list(i) for n, i in self.unlink.items()},
            sorted(self.marks), {n: list(m) for n, m in self.field_marks.items()}, self.reason, self.corrects,
            self.authority,
        ]  # fmt: skip


def _judged(work: Work, of: Type, subject: Subject, wanted: _Wanted, state: str) -> tuple[dict[str, Any], list[Fault]]:
    """The content of the amendment and every fault of it."""
    before = subject.folded
    content, after, supplied = field_content(before.fields, wanted.fields)
    content |= link_content(before.links, wanted.links, wanted.unlink)
    own = mark_propagation.of_its_own(work, subject.id, before.marks) if {*wanted.marks} & {*before.marks} else set()
    content |= {f"mark/{mark}": True for mark in wanted.marks if mark not in own}
    content |= {f"field_mark/{name}": sorted(one) for name, one in wanted.field_marks.items()}
    faults = fixed(of, content) + shape.judge(
        of, work.catalogue, before=before.fields, after=after, state=state, supplied=supplied, act="amend"
    )
    if wanted.links:
        known = links.targets(work, [(of, wanted.links)])
        faults += links.faults(of, wanted.links, known)
        content |= links.passed_on(of, wanted.links, known, before.marks)
    faults += mark_faults(work, set(wanted.marks), wanted.field_marks, of)
    rule = of.acts["amend"]
    faults += needs(rule.needs, dict.fromkeys(supplied), wanted.links, wanted.reason)
    if wanted.corrects and not (wanted.reason and wanted.reason.strip()):
        faults.append(Fault("needs", "reason", "a correction says why", "give a reason"))
    folded = changed(
        work, of, before, record=subject.id, kind="amend", act="amend", content=content, state_to=state
    ).after
    faults += links.required(of, folded.links, state)
    if not faults:
        faults += guards.faults(
            work, of, rule.guards, record=subject.id, after=folded, state=state, given=wanted.fields,
            reason=wanted.reason or "", subject=subject,
        )  # fmt: skip
    return content, faults


def fixed(of: Type, content: Mapping[str, Any]) -> list[Fault]:
    """What would change that is set once: a field or link that the type says is `fixed`."""
    found: dict[str, Fault] = {}
    for item in content:
        kind, _, rest = item.partition("/")
        parts, where = (of.links, "links") if kind in ("link", "unlink") else (of.fields, "fields")
        name = rest.partition("/")[0] if where == "links" else rest
        if kind in ("set", "unset", "link", "unlink") and name in parts and parts[name].fixed:
            fix = "take the record back and enter it anew"
            found[name] = Fault("fixed", f"{where}.{name}", f"{name} is set on entering and never changed", fix)
    return list(found.values())


def field_content(
    before: Mapping[str, Any], wanted: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """(content items, fields afterwards, names that really change). None unsets."""
    after = dict(before)
    content: dict[str, Any] = {}
    supplied: set[str] = set()
    for name, value in wanted.items():
        if value is None:
            if name in after:
                del after[name]
                content[f"unset/{name}"] = True
                supplied.add(name)
        elif name not in after or after[name] != value or type(after[name]) is not type(value):
            after[name] = value
            content[f"set/{name}"] = value
            supplied.add(name)
    return content, after, supplied


def link_content(
    before: Mapping[str, Sequence[str]], add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The content items of links that are really added or removed."""
    content: dict[str, Any] = {}
    for name, ids in add.items():
        content |= {f"link/{name}/{one}": True for one in ids if one not in before.get(name, ())}
    for name, ids in remove.items():
        content |= {f"unlink/{name}/{one}": True for one in ids if one in before.get(name, ())}
    return content


def _effective(
    work: Work, of: Type, subject: Subject, wanted: _Wanted, given: datetime | None
) -> tuple[datetime | None, list[Fault]]:
    """A change is effective when it occurred; a correction takes the effective time of the entry it names."""
    if not wanted.corrects:
        return occurred_at(work, of, {}, given)
    row = work.conn.execute(
        "select occurred_at from comity.entry where id = %s and record = %s and agency = %s",
        (as_uuid(wanted.corrects), subject.id, subject.agency),
    ).fetchone()
    if row is None:
        return None, [
            Fault("corrects_unknown", "corrects", "this record has no such entry", "take it from its history")
        ]
    return row[0], []
