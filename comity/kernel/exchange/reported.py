"""What others entered on behalf of an institution before it joined: it confirms or disputes each, in its own log.

The first verdict stands. A disputed entry is not undone, as nothing in a log is: its reporter is told and corrects it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from comity import names
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.ledger.entry import VERDICTS
from comity.kernel.policy.actor import Actor
from comity.kernel.records.write import write
from comity.kernel.types.catalogue import Type
from comity.kernel.types.language import called_in
from comity.kernel.types.lifecycle import answers, named_steps
from comity.kernel.work import disclosure
from comity.kernel.work.change import Step, Verdict, about_anothers
from comity.kernel.work.idempotency import digest_of, once
from comity.kernel.work.node import Conn, Node, Work
from comity.kernel.work.on_behalf import BASIS
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import Receipt, as_uuid
from comity.kernel.work.subject import Subject, find_subject, loaded, subjects
from comity.kernel.work.visibility import visibility
from comity.sentences import NOTHING, Given, Sentence, Text, joined, listed, say

VERDICT = {"confirm": "confirmed", "dispute": "disputed"}
_SAID_OF = {
    "confirmed": ("reported.confirmed", "reported.confirmed_on"),
    "disputed": ("reported.disputed", "reported.disputed_on"),
}
"""What is said of a verdict, without its day and with it."""
JUDGED = {"confirmed": "report_judged.was_confirmed", "disputed": "report_judged.was_disputed"}


@dataclass(frozen=True, slots=True)
class Report:
    """An entry that `by_agency` made for `agency`. `state` is open, confirmed or disputed."""

    entry: str
    agency: str
    by_agency: str
    record: str
    number: str | None
    title: str
    type: str
    act: str
    document: str
    at: datetime
    state: str
    judged_at: datetime | None
    reason: str
    said: Text

    def as_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry, "agency": self.agency, "by_agency": self.by_agency, "record": self.record,
            "number": self.number, "title": self.title, "type": self.type, "act": self.act, "document": self.document,
            "at": show_instant(self.at), "state": self.state,
            "judged_at": show_instant(self.judged_at) if self.judged_at else None, "reason": self.reason,
            "said": self.said,
        }  # fmt: skip


_SELECT = """select r.*, e.entered_at as judged_at, c.content from comity.reported r
    left join comity.entry e on e.id = r.answer_entry left join comity.entry_content c on c.entry = e.id"""


def reports(node: Node, actor: Actor) -> list[Report]:
    """What was reported of the actor's agency, and by it, as far as this actor may see the records: the newest 500."""
    with node.work(actor) as work:
        return _listed(work, "comity.me() in (r.agency, r.by_agency)")


def open_reports(node: Node, actor: Actor) -> list[Report]:
    """Those that wait for the word of the actor's agency."""
    with node.work(actor) as work:
        return waiting(work)


def waiting(work: Work) -> list[Report]:
    """The open reports of the work's agency."""
    return _listed(work, "r.agency = comity.me() and r.state = 'open'")


def disputed(work: Work) -> list[Report]:
    """What the work's agency reported and the institution disputed, while the record was not amended since."""
    return _listed(
        work,
        """r.by_agency = comity.me() and r.state = 'disputed' and not exists (select 1 from comity.entry later
            where later.record = r.record and later.agency = comity.me() and later.kind in ('amend', 'correction')
              and later.entered_at > e.entered_at)""",
    )


def confirm(node: Node, actor: Actor, entry: str, *, reason: str | None = None, key: str | None = None) -> Receipt:
    """Say that the institution did what the entry reports. By a member whose own role may do that act.

    Raises Problem: not_found, not_allowed, report_judged.
    """
    return _judge(node, actor, entry, "confirm", reason, key)


def dispute(node: Node, actor: Actor, entry: str, *, reason: str, key: str | None = None) -> Receipt:
    """Say that it is not so, and why. Raises as `confirm`, and invalid without a reason."""
    return _judge(node, actor, entry, "dispute", reason, key)


@traced(lambda entry, verdict, *_: Attempt(verdict))
def _judge(node: Node, actor: Actor, entry: str, verdict: str, reason: str | None, key: str | None) -> Receipt:
    refuse_unspellable(reason=reason)
    if verdict == "dispute" and not (reason and reason.strip()):
        fault = Fault("needs", "reason", say("needs.dispute_says_what_is_not"))
        raise Problem("invalid", say("invalid.dispute_needs_reason"), faults=[fault])
    digest = digest_of(verdict, entry, reason) if key else b""

    def do(work: Work) -> Receipt:
        row = _locked(work, as_uuid(entry))
        subject = find_subject(work, row["record"])
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        _allow(work, subject, row, verdict)
        if row["state"] != "open":
            raise Problem(
                "report_judged",
                say(JUDGED[row["state"]], agency=work.agency),
                state=row["state"],
            )
        done = Step(verdict, verdict, VERDICT[verdict], refers=row["entry"], state_from="open")
        change = about_anothers(work, of, subject.folded, subject.id, done, items.say(reason=reason))
        change = replace(change, verdict=Verdict(row["entry"], VERDICT[verdict]), key=key, digest=digest)
        disclosure.told(work, verdict, [(subject, [])])
        return write(work, [change])[0]

    return once(node, actor, key, digest, do, again=lambda before: before)


def _whether(work: Work, subject: Subject, act: str, by: Collection[str]) -> Sentence:
    of, roles = subject.type(work), work.catalogue.lifecycle_roles
    titles = listed(called_in(roles, name) for name in sorted(by))
    label = called_in(named_steps(of), act)
    return say("not_allowed.whether_did_is_said_by", agency=work.agency, act=label, by=titles)


def _locked(work: Work, entry: UUID) -> dict[str, Any]:
    """The report, with all about its record locked until this transaction ends: of two verdicts one is first."""
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select * from comity.reported where agency = comity.me()
                  and record = (select record from comity.reported where entry = %s) order by entry for update""",
            (entry,),
        )
        .fetchall()
    )
    found = next((row for row in rows if row["entry"] == entry), None)
    if found is None:
        raise Problem("not_found", say("not_found.no_such_record_or_it"))
    return found


def _allow(work: Work, subject: Subject, row: Mapping[str, Any], verdict: str) -> None:
    """The word of an institution is given by who could have done the act for it, and has the document before them."""
    by = _doers(subject.type(work), row["act"])
    if work.actor.behalf or not by & work.actor.roles:
        raise Problem(
            "not_allowed",
            _whether(work, subject, row["act"], by),
        )
    if verdict == "confirm" and not subjects(work, [row["document"]]):
        raise Problem(
            "not_allowed", say("not_allowed.you_may_not_read_document"),
        )  # fmt: skip


def _doers(of: Type, act: str) -> frozenset[str]:
    """The lifecycle roles that may do the act; any of the type's where the own definitions know no such act."""
    rule = of.acts.get("amend" if act == "attach" else act) or answers(of.offer).get(act)
    by = rule.by if rule else frozenset()
    return (by or frozenset().union(*(one.by for one in of.acts.values()))) - {"system"}


def _listed(work: Work, condition: str) -> list[Report]:
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(f"{_SELECT} where {condition} order by r.entered_at desc, r.entry limit 500")
        .fetchall()
    )
    seen = subjects(work, sorted({str(row["record"]) for row in rows}))
    disclosure.told(work, "reports", [(one, ["number"]) for one in seen.values()])
    return [_report(work, row, seen[str(row["record"])]) for row in rows if str(row["record"]) in seen]


def _report(work: Work, row: Mapping[str, Any], subject: Subject) -> Report:
    whole = visibility(work, work.type_of(subject.agency, subject.type_name, subject.core_type), subject).whole
    return Report(
        entry=str(row["entry"]), agency=row["agency"], by_agency=row["by_agency"], record=str(row["record"]),
        number=subject.folded.number, title=subject.title, type=subject.core_type, act=row["act"],
        document=str(row["document"]), at=row["entered_at"], state=row["state"], judged_at=row["judged_at"],
        reason=_reason(row) if whole else "", said=_said(work, row, whole=whole),
    )  # fmt: skip


def _reason(row: Mapping[str, Any]) -> str:
    return items.text(loaded(row["content"]) or {}, items.REASON)


def _said(work: Work, row: Mapping[str, Any], *, whole: bool) -> Text:
    """`as reported by A for B; confirmed by B on 2026-11-22`. The reason is for whoever sees the whole record."""
    told = names.as_reported(row["by_agency"], row["agency"])
    if row["state"] == "open":
        return told
    on = row["judged_at"].astimezone(ZoneInfo(work.catalogue.definition.zone)).date() if row["judged_at"] else None
    said = say(_SAID_OF[row["state"]][on is not None], agency=row["agency"], day=on)
    if whole and row["state"] == "disputed" and (reason := _reason(row)):
        said = say("reported.because", said=said, reason=Given(reason))
    return joined((told, said), "semicolon")


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said of one entry made on behalf of another. `document` is empty where it may not be seen."""

    agency: str
    act: str
    document: str
    state: str
    said: Text


def told(work: Work, subject: Subject, *, whole: bool) -> dict[UUID, Told]:
    """What is to be said of each entry of a record that was made on behalf of another, oldest first."""
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(f"{_SELECT} where r.record = %s order by r.entered_at", (subject.id,))
        .fetchall()
    )
    papers = subjects(work, sorted({str(row["document"]) for row in rows}))
    return {
        row["entry"]: Told(
            row["agency"], row["act"], str(row["document"]) if str(row["document"]) in papers else "", row["state"],
            _said(work, row, whole=whole),
        )
        for row in rows
    }  # fmt: skip


def of_record(work: Work, subject: Subject, *, whole: bool) -> Text:
    """What is to be said of a record that was entered on behalf of another, with whatever later act is disputed."""
    if not subject.folded.behalf:
        return NOTHING
    found = list(told(work, subject, whole=whole).values())
    first = next(
        (one.said for one in found if one.act == "enter"), names.as_reported(subject.agency, subject.folded.behalf)
    )
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    steps = named_steps(of)
    later = [one for one in found if one.act != "enter" and one.state == "disputed"]
    return joined(
        [first, *(say("reported.act", act=called_in(steps, one.act), said=one.said) for one in later)], "semicolon"
    )


class Rebuilding:
    """The reports and verdicts that an agency's entries tell, gathered as they pass, to be compared with the rows."""

    def __init__(self, agency: str) -> None:
        self.agency = agency
        self.made: dict[UUID, tuple[Any, ...]] = {}
        self.erased: set[UUID] = set()
        self.verdicts: dict[UUID, tuple[str, UUID]] = {}
        self.judged: dict[UUID, datetime] = {}

    def take(self, row: Mapping[str, Any], content: Mapping[str, Any] | None) -> None:
        """One entry of the agency, with its content or None where that was erased."""
        if content is None:
            self.erased.add(row["id"])
        elif (held := items.behalf(content)) is not None:
            self.made[row["id"]] = (
                held["agency"], str(row["record"]), row["type"], row["act"], held["document"], row["entered_at"],
            )  # fmt: skip
        if row["kind"] in VERDICTS:
            self.verdicts[row["refers"]] = (VERDICT[row["kind"]], row["id"])
            self.judged[row["refers"]] = row["entered_at"]

    def differences(self, conn: Conn) -> Iterator[tuple[str, Text]]:
        """(record, what differs), within a transaction of the agency."""
        held = {}
        for row in conn.cursor(row_factory=dict_row).execute(
            """select *, exists (select 1 from comity.share s where s.record = r.record and s.to_agency = r.agency
                  and s.basis = %s and s.live) as granted from comity.reported r
                where comity.me() in (agency, by_agency)""",
            (BASIS,),
        ):
            record = str(row["record"])
            if row["agency"] == self.agency:
                if (row["state"], row["answer_entry"]) != self.verdicts.pop(row["entry"], ("open", None)):
                    yield record, say("rebuild.verdict_differs")
                continue
            held[row["entry"]] = (
                row["agency"], record, row["type"], row["act"], str(row["document"]), row["entered_at"],
            )  # fmt: skip
            if not row["granted"]:
                yield record, say("rebuild.report_is_not_seen", agency=row["agency"])
        for entry in held.keys() | self.made.keys():
            if entry not in self.erased and held.get(entry) != self.made.get(entry):
                yield (held.get(entry) or self.made[entry])[1], say("rebuild.report_differs")
        came = conn.execute("select at from comity.arrival where agency = comity.me()").fetchone()
        for entry in self.verdicts:
            if came and self.judged[entry] < came[0]:
                continue  # the report stayed in its reporter's log, on the node that was left
            yield str(entry), say("rebuild.verdict_names_no_report")
