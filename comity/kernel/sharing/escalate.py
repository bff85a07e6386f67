"""The follower of silence: what stays unanswered or not carried out is raised by rule, once for each step and side.

Two steps in two transactions, as for deliveries: what is due goes into the outbox, unique on (follower, entry, target);
then each is written and marked done in one transaction. Whatever ends a process in between, the next round goes on.
Each agency raises at its own roles only; the law is the offerer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from psycopg.rows import dict_row

from comity.kernel.duties.offer_status import backed, escalations_for, law_of, laws
from comity.kernel.law.clock_book import book_for
from comity.kernel.law.dated import Law
from comity.kernel.law.escalation import ADDRESSEE, OFFERER, Backing, Escalation
from comity.kernel.law.obligation_rules import condition
from comity.kernel.sharing import outbox
from comity.kernel.types.expression import GuardError, evaluate
from comity.kernel.work.follower import Follower
from comity.kernel.work.node import Node, Work, system
from comity.kernel.work.subject import subjects
from comity.kernel.work.visibility import readable_fields

NAME = "escalation"
PACE = timedelta(minutes=1)
_RAISED = UUID("b9a3c1f2-5a54-5b0e-8f0c-2f7b7f4d6a10")


@dataclass(frozen=True, slots=True)
class Raised:
    """One step that is due at this agency. `since` is when the silence began, by the entry `entry`."""

    entry: UUID
    rule: str
    step: int
    law: Law[Escalation]
    offer: Mapping[str, Any]
    since: datetime
    due: datetime
    agency: str

    @property
    def key(self) -> tuple[UUID, str]:
        """What the outbox knows it by."""
        return self.entry, f"{self.rule}/{self.step}@{self.agency}"


def escalate(node: Node, agency: str) -> int:
    """A round by the clock, at most once a minute; how many steps were raised. Problem `agency_suspended`."""
    with node.work(system(agency)) as work:
        row = work.conn.execute("select at from comity.escalation_round where agency = comity.me()").fetchone()
    if row and work.now - PACE < row[0] <= work.now:
        return 0
    owe_due(node, agency)
    return raise_owed(node, agency)


def owe_due(node: Node, agency: str) -> int:
    """Put every step that is due at this agency into the outbox; those that are there already stay as they are."""
    with node.work(system(agency)) as work:
        work.conn.execute(
            """insert into comity.escalation_round (agency, at) values (comity.me(), %s)
               on conflict (agency) do update set at = excluded.at""",
            (work.now,),
        )
        due = {one.key for one in _due(work)}
        known = work.conn.execute(
            "select entry, target from comity.outbox where follower = %s and agency = comity.me() and entry = any(%s)",
            (NAME, [entry for entry, _ in due]),
        )
        new = sorted(due - set(known.fetchall()))
        outbox.owe(work.conn, NAME, agency, new, work.now)
        return len(new)


def raise_owed(node: Node, agency: str) -> int:
    """Write what is owed and mark it done. What was answered in the meantime, or does not meet the condition of its
    rule now that its time has come, is done without a word."""
    with node.work(system(agency)) as work:
        owed = outbox.due(work.conn, NAME, agency)
        due = {one.key: one for one in _due(work)} if owed else {}
        still = {one.key: one for one in _standing(work, [due[key] for key in owed if key in due])}
        raised = 0
        for entry, target in owed:
            one = still.get((entry, target))
            raised += _write(work, one) if one is not None else 0
            outbox.done(work.conn, NAME, entry, target, work.now)
        return raised


def _write(work: Work, one: Raised) -> int:
    said = one.law.said
    return work.conn.execute(
        """insert into comity.escalation (id, agency, from_agency, to_agency, record, entry, rule, step, title,
               citation, roles, states, since, due_at, at)
           values (%s, comity.me(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (
            uuid5(_RAISED, " ".join(map(str, one.key))), one.offer["from_agency"], one.offer["to_agency"],
            one.offer["id"], one.entry, one.rule, one.step, said.title, one.law.citation,
            list(said.steps[one.step - 1].roles), sorted(said.states), one.since, one.due, work.now,
        ),
    ).rowcount  # fmt: skip


def _due(work: Work) -> list[Raised]:
    """The steps whose time has come at this agency, of offers that it made or was made; conditions are not asked.

    While something stands for an answer nothing is due; once it is gone, the time since the answer has long run out.
    """
    due = list(_come(work))
    asked: dict[Backing, list[UUID]] = {}
    for one in due:
        if one.law.said.unless is not None:
            asked.setdefault(one.law.said.unless, []).append(one.offer["id"])
    told = {unless: backed(work, unless, offers) for unless, offers in asked.items()}
    return [
        one
        for one in due
        if one.law.said.unless is None or told[one.law.said.unless].get(str(one.offer["id"])) is False
    ]


def _come(work: Work) -> Iterator[Raised]:
    for offer, (rule, law) in [(held, one) for held in _offers(work) for one in laws(work, held)]:
        entry, since = offer["offer_entry"], offer["offered_at"]
        if law.said.states:
            entry, since = offer["answer_entry"], offer["answered_at"]
        side = OFFERER if offer["from_agency"] == work.agency else ADDRESSEE
        for number, step in enumerate(law.said.steps, start=1):
            due = step.after.after(since, *_place(work, offer["to_agency"], legal=law.said.legal_days))
            if step.at == side and due <= work.now:
                yield Raised(entry, rule, number, law, offer, since, due, work.agency)


def _standing(work: Work, due: Sequence[Raised]) -> Iterator[Raised]:
    """Those whose record the agency sees and whose condition it meets."""
    seen = subjects(work, sorted({one.offer["id"] for one in due}, key=str))
    for one in due:
        subject = seen.get(str(one.offer["id"]))
        if subject is not None and _meets(work, one.law.said, subject):
            yield one


def _offers(work: Work) -> list[dict[str, Any]]:
    """The own offers, made and received, that are unanswered or whose record may still have to be carried out."""
    types, states = set(), set()
    for agency in [row[0] for row in work.conn.execute("select id from comity.agency where version > 0")]:
        for rule in escalations_for(law_of(work, agency)).values():
            types |= {law.said.type for law in rule.versions}
            states |= {state for law in rule.versions for state in law.said.states}
    if not types:
        return []
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select o.*, r.core_type, r.core_state from comity.offer o join comity.record r on r.id = o.id
            where (o.from_agency = comity.me() or o.to_agency = comity.me()) and r.core_type = any(%s)
              and (o.state = 'offered' or o.answer_entry is not null and r.core_state = any(%s))
            order by o.offered_at""",
        (sorted(types), sorted(states)),
    )
    return rows.fetchall()


def _place(work: Work, addressee: str, *, legal: bool) -> tuple[str, Any]:
    """The addressee's zone, and its calendar where days off do not count."""
    law = law_of(work, addressee)
    book = book_for(law)[0] if legal else None
    return law.definition.zone, book.calendars.get(book.default_calendar) if book else None


def _meets(work: Work, said: Escalation, subject: Any) -> bool:
    if not said.when:
        return True
    fields, _ = readable_fields(work, work.type_of(subject.agency, subject.type_name, subject.core_type), subject)
    given = {**fields, "state": subject.core_state, "agency": subject.agency}
    try:
        return evaluate(condition(said.when), {"given": given, "done": {}, "each": ""})
    except GuardError:
        return True


_BEFORE = f"%(now)s::timestamptz - interval '{PACE.total_seconds():.0f} seconds'"
FOLLOWER = Follower(
    NAME, "effect", escalate, when="clock",
    pending=f"""not exists (select from comity.escalation_round
                     where agency = comity.me() and at > {_BEFORE} and at <= %(now)s)
        and (exists (select from comity.offer where comity.me() in (from_agency, to_agency)) or {outbox.owes(NAME)})""",
)  # fmt: skip
