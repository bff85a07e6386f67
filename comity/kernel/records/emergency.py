"""Emergency access: a member opens what they may not read, with a reason, for a time, under the owner's eyes.

It is possible within the own agency for types that the member's role reads at all, and across agencies only where an
agreement lists the type under `emergency`. The opening is an entry in the opener's log, a notice in the owner's inbox,
and waits there until somebody of the owner's has reviewed it; the review is an entry in the owner's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity import names
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import Entry
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import REVIEW_EMERGENCIES
from comity.kernel.records import grants
from comity.kernel.records.grants import Grant
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import as_uuid
from comity.kernel.work.subject import COLUMNS, Subject, subject_of, visible
from comity.sentences import say

LONGEST = timedelta(hours=24)
TYPE = "kernel.emergency"


@dataclass(frozen=True, slots=True)
class Opened:
    """An emergency opening: it ends at `until` whatever happens."""

    id: str
    record: str
    owner: str
    agency: str
    reason: str
    opened_at: datetime
    until: datetime
    finding: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "record": self.record, "owner": self.owner, "agency": self.agency, "reason": self.reason,
            "opened_at": show_instant(self.opened_at), "until": show_instant(self.until), "finding": self.finding,
        }  # fmt: skip


@traced(lambda record, **_: Attempt("open_in_emergency", record=record))
def open_in_emergency(
    node: Node, actor: Actor, record: str, *, reason: str, lasting: timedelta = timedelta(hours=4)
) -> Opened:
    """Open a record to this one member for a time. Problem: not_found, invalid (no reason, too long).

    A record that no agreement opens in an emergency looks like one that is absent.
    """
    faults = [] if reason.strip() else [Fault("needs", "reason", say("needs.emergency_says_what_it_is"))]
    if not timedelta(0) < lasting <= LONGEST:
        faults.append(
            Fault(
                "too_long",
                "lasting",
                say("too_long.emergency_lasts_more_than_nothing"),
            )
        )
    if faults:
        raise Problem("invalid", say("invalid.emergency_access_is_not_valid"), faults=faults)
    with node.work(actor) as work:
        subject = _openable(work, record)
        opened = Opened(
            str(names.new_id()), str(subject.id), subject.agency, work.agency, reason.strip(), work.now,
            work.now + lasting,
        )  # fmt: skip
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        told = {"record": opened.record, "owner": opened.owner, "until": show_instant(opened.until)}
        content = items.set_fields(told) | items.say(reason=opened.reason)
        _append(work, opened.id, "open", ("", "open"), content, None)
        work.conn.execute(
            """insert into comity.emergency (id, agency, owner, record, member, reason, opened_at, until)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                UUID(opened.id),
                work.agency,
                subject.agency,
                subject.id,
                UUID(work.actor.member),
                opened.reason,
                opened.opened_at,
                opened.until,
            ),
        )
        groups = sorted({"base", *of.groups})
        grants.grant(work.conn, [
            Grant(
                subject.id, subject.agency, work.agency, groups, "emergency", member=UUID(work.actor.member),
                until=opened.until, ground=opened.reason,
            )
        ])  # fmt: skip
        return opened


def _openable(work: Work, record: str) -> Subject:
    condition, params = visible(work, action="emergency")
    row = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            f"select {COLUMNS} from comity.record r where r.id = %(id)s and {condition}",
            {**params, "id": as_uuid(record), "member": work.actor.member},
        )
        .fetchone()
    )
    if row is None:
        raise Problem("not_found", say("not_found.no_such_record_or_it"))
    return subject_of(row)


@traced(lambda emergency, **_: Attempt("review_emergency"))
def review(node: Node, actor: Actor, emergency: str, *, finding: str) -> Opened:
    """Say, for the owner, whether an opening was justified. By who has that power at the owner, once."""
    if not finding.strip():
        raise Problem(
            "invalid",
            say("invalid.review_says_what_was_found"),
            faults=[Fault("needs", "finding", say("needs.give_finding"))],
        )
    with node.work(actor) as work:
        work.demand(REVIEW_EMERGENCIES)
        row = (
            work.conn.cursor(row_factory=dict_row)
            .execute(
                "select * from comity.emergency where id = %s and owner = comity.me() for update", (as_uuid(emergency),)
            )
            .fetchone()
        )
        if row is None:
            raise Problem("not_found", say("not_found.no_such_emergency_opening_of"))
        if row["reviewed_at"] is not None:
            raise Problem("act_out_of_turn", say("act_out_of_turn.opening_was_reviewed_already"))
        opening = work.conn.execute(
            "select id from comity.entry where record = %s and kind = 'emergency' and act = 'open'", (row["id"],)
        ).fetchone()
        content = items.set_fields({"finding": finding.strip(), "record": str(row["record"])})
        _append(work, emergency, "review", ("open", "reviewed"), content, opening[0] if opening else None)
        work.conn.execute(
            "update comity.emergency set reviewed_at = %s, reviewed_by = %s, finding = %s where id = %s",
            (work.now, UUID(work.actor.member), finding.strip(), row["id"]),
        )
        return Opened(
            str(row["id"]), str(row["record"]), row["owner"], row["agency"], row["reason"], row["opened_at"],
            row["until"], finding.strip(),
        )  # fmt: skip


def openings(node: Node, actor: Actor) -> list[Opened]:
    """The openings that concern the actor's agency, as opener or as owner, newest first."""
    with node.work(actor) as work:
        rows = work.conn.cursor(row_factory=dict_row).execute(
            "select * from comity.emergency where comity.me() in (agency, owner) order by opened_at desc limit 200"
        )
        mine = work.may(REVIEW_EMERGENCIES)
        return [
            Opened(
                str(row["id"]),
                str(row["record"]),
                row["owner"],
                row["agency"],
                row["reason"],
                row["opened_at"],
                row["until"],
                row["finding"],
            )
            for row in rows
            if mine or (row["agency"] == work.agency and str(row["member"]) == work.actor.member)
        ]


def _append(
    work: Work, record: str, act: str, states: tuple[str, str], content: dict[str, Any], refers: UUID | None
) -> None:
    """One entry in the own log about an emergency: the opener's first, or the owner's review of it."""
    append(work.conn, [
        Entry(
            id=names.new_id(), agency=work.agency, record=UUID(record), type=TYPE, type_version=work.version,
            kind="emergency", act=act, actor=UUID(work.actor.member), occurred_at=work.now, entered_at=work.now,
            version=2 if act == "review" and work.agency == _opener(work, record) else 1,
            state_from=states[0], state_to=states[1], content=content, refers=refers,
        )
    ])  # fmt: skip


def _opener(work: Work, record: str) -> str:
    row = work.conn.execute("select agency from comity.emergency where id = %s", (record,)).fetchone()
    return str(row[0]) if row else ""
