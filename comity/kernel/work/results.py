"""What the verbs take and give: drafts, receipts, views, lines of history, pages. All are plain and frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comity.clock import show_instant
from comity.extensions import ManifestItem, Missing
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that is asked to be entered. `links` maps names to ids or to `key:<idempotency key>`.

    Drafts with one `group` are accepted or refused together. `key` makes a repetition harmless. `override`: the codes
    of conditions that are overridden.
    """

    type: str
    fields: Mapping[str, Any]
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    id: str | None = None
    key: str | None = None
    occurred_at: datetime | None = None
    reason: str | None = None
    marks: Sequence[str] = ()
    late_cause: str | None = None
    group: int | None = None
    field_marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    override: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an act was appended and committed. `address` later shows its place; `pointers` tells collisions."""

    entry: str
    record: str
    agency: str
    type: str
    number: str | None
    version: int
    state: str
    leaf: str
    at: datetime
    replayed: bool = False
    pointers: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"/api/v1/entries/{self.entry}"

    def as_json(self) -> dict[str, Any]:
        out = {
            "entry": self.entry, "record": self.record, "agency": self.agency, "type": self.type,
            "number": self.number, "version": self.version, "state": self.state, "leaf": self.leaf,
            "at": show_instant(self.at), "replayed": self.replayed, "address": self.address,
        }  # fmt: skip
        return {**out, "pointers": list(self.pointers)} if self.pointers else out


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """A record at the other end of a link, as the reader may see it: hidden ones are not there at all."""

    name: str
    id: str
    type: str
    agency: str
    number: str | None
    title: str
    state: str
    on_behalf: str = ""
    as_sent: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "id": self.id, "type": self.type, "agency": self.agency, "number": self.number,
            "title": self.title, "state": self.state, "on_behalf": self.on_behalf,
            "as_sent": dict(self.as_sent) if self.as_sent else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """A record as the reader may see it. `masked` names what is there and not shown, each with its ground.

    `on_behalf` is the institution for which its owner entered it, and `reported` what is to be said of that.
    `in_error`: it was entered in error and counts for nothing; `replaced_by` is what takes its place.
    `as_sent` is set where this is the version that was sent and the record has changed since: nothing here is current.
    """

    id: str
    type: str
    agency: str
    number: str | None
    title: str
    state: str
    core_state: str
    version: int
    type_version: int
    fields: Mapping[str, Any]
    links: Mapping[str, Sequence[str]]
    files: Mapping[str, Any]
    linked: Sequence[LinkedRecord]
    linked_from: Sequence[LinkedRecord]
    marks: Sequence[str]
    masked: Sequence[Mapping[str, str]]
    acts: Sequence[str]
    entered_at: datetime
    changed_at: datetime
    offer: Mapping[str, Any] | None = None
    seen_by: Sequence[str] = ()
    pointers: Sequence[Mapping[str, Any]] = ()
    claims: Sequence[Mapping[str, Any]] = ()
    erased: Sequence[int] = ()
    on_behalf: str = ""
    reported: str = ""
    late: Sequence[Mapping[str, Any]] = ()
    overrides: Sequence[Mapping[str, Any]] = ()
    as_sent: Mapping[str, Any] | None = None
    in_error: bool = False
    replaced_by: Sequence[LinkedRecord] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "type": self.type, "agency": self.agency, "number": self.number, "title": self.title,
            "state": self.state, "core_state": self.core_state, "in_error": self.in_error,
            "replaced_by": [one.as_json() for one in self.replaced_by], "version": self.version,
            "type_version": self.type_version, "fields": dict(self.fields),
            "links": {name: list(ids) for name, ids in self.links.items()}, "files": dict(self.files),
            "linked": [one.as_json() for one in self.linked],
            "linked_from": [one.as_json() for one in self.linked_from], "marks": list(self.marks),
            "masked": [dict(one) for one in self.masked], "acts": list(self.acts),
            "entered_at": show_instant(self.entered_at), "changed_at": show_instant(self.changed_at),
            "offer": dict(self.offer) if self.offer else None, "seen_by": list(self.seen_by),
            "pointers": [dict(one) for one in self.pointers], "claims": [dict(one) for one in self.claims],
            "erased": list(self.erased), "on_behalf": self.on_behalf, "reported": self.reported,
            "late": [dict(one) for one in self.late], "overrides": [dict(one) for one in self.overrides],
            "as_sent": dict(self.as_sent) if self.as_sent else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of a record's history; `changes` is empty where its content is masked or erased.

    `erased`: all that it said was erased; `erased_part`: a part was, and `changes` is the rest. `refers` is an entry of
    the same history: the one that an order erased, or that an answer answers.
    `on_behalf` is the institution whose act it is, `document` what shows it, `reported` what is to be said of it.
    `late`: it was entered a day or more after it happened, or broke the rules of order that `late_rules` names.
    `overrides` are the codes of the conditions that it overrode.
    """

    entry: str
    kind: str
    act: str
    agency: str
    member: str
    at: datetime
    occurred_at: datetime
    late: bool
    cause: str
    reason: str
    version: int
    state_from: str
    state_to: str
    changes: Mapping[str, Any]
    leaf: str
    place: int | None
    stream: int | None
    corrects: str = ""
    erased: bool = False
    erased_part: bool = False
    refers: str = ""
    authority: str = ""
    on_behalf: str = ""
    document: str = ""
    reported: str = ""
    late_rules: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry, "kind": self.kind, "act": self.act, "agency": self.agency, "member": self.member,
            "at": show_instant(self.at), "occurred_at": show_instant(self.occurred_at), "late": self.late,
            "late_rules": list(self.late_rules), "cause": self.cause, "reason": self.reason, "version": self.version,
            "state_from": self.state_from, "state_to": self.state_to, "changes": dict(self.changes),
            "leaf": self.leaf, "place": self.place, "stream_place": self.stream, "corrects": self.corrects,
            "refers": self.refers, "authority": self.authority, "erased": self.erased,
            "erased_part": self.erased_part, "on_behalf": self.on_behalf, "document": self.document,
            "reported": self.reported, "overrides": list(self.overrides),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, newest first; `next` is the opaque cursor of the next one, or None."""

    items: Sequence[Mapping[str, Any]]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        return {"items": [dict(one) for one in self.items], "next": self.next}


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer to `submit`: a receipt when it was offered, else what is missing, who owes it and since when."""

    receipt: Receipt | None
    missing: Sequence[Missing]
    manifest: Sequence[ManifestItem]
    obligations: Sequence[str] = ()
    dry_run: bool = False

    @property
    def ready(self) -> bool:
        return not any(one.severity == "error" for one in self.missing)

    def as_json(self) -> dict[str, Any]:
        return {
            "ready": self.ready, "dry_run": self.dry_run,
            "receipt": self.receipt.as_json() if self.receipt else None,
            "missing": [one.as_json() for one in self.missing],
            "manifest": [one.as_json() for one in self.manifest], "obligations": list(self.obligations),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of a record; `sha256` is of the plain bytes, in hex."""

    id: str
    record: str
    name: str
    media_type: str
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "record": self.record, "name": self.name, "media_type": self.media_type,
            "size": self.size, "sha256": self.sha256,
        }  # fmt: skip


def is_id(value: str) -> bool:
    """Whether a text is a record's id."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def as_uuid(value: str | UUID) -> UUID:
    """An id as given by a caller; Problem `not_found` when it is none, so that a wrong id tells nothing."""
    from comity.errors import Problem

    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise Problem("not_found", say("not_found.no_such_record_or_it")) from None
