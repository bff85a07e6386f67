"""What waits for an agency: offers to answer, answers that came, what stays unanswered, obligations, collisions,
emergencies, notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import read_when, show_instant
from comity.kernel.duties import offer_status
from comity.kernel.exchange.reported import Report, disputed, waiting
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import KEEP_SUBSCRIPTIONS
from comity.kernel.records import offers
from comity.kernel.records.open_obligations import kinds
from comity.kernel.sharing.dead_letters import DeadLetter, letters_of
from comity.kernel.sharing.outbox import STOPPED
from comity.kernel.types.catalogue import Type
from comity.kernel.types.language import called_in
from comity.kernel.types.lifecycle import offer_ended, step_done
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work
from comity.kernel.work.subject import subjects
from comity.kernel.work.visibility import readable_fields, visibility
from comity.names import as_reported
from comity.sentences import Sentence, Text, Worded, say


@dataclass(frozen=True, slots=True)
class InboxItem:
    """`kind`: offer (answer it) · waiting (yours is not answered) · answer (yours was) · escalation (unanswered or not
    carried out, and now your role's to see to) · obligation · pointer · emergency · notice (of a subscription, where in
    state `dead` the subscription itself was stopped; or of what was offered and moved by itself since) · reported (in
    your name: confirm or dispute it) · disputed (what you reported: amend it). `since` dates it; `escalated_at` says
    since when silence on it was raised at either side."""

    kind: str
    record: str
    type: str
    number: str | None
    from_agency: str
    state: str
    message: Text
    since: datetime
    escalated_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "record": self.record, "type": self.type, "number": self.number,
            "from_agency": self.from_agency, "state": self.state, "message": self.message,
            "since": show_instant(self.since),
            "escalated_at": show_instant(self.escalated_at) if self.escalated_at else None,
        }  # fmt: skip


def inbox(node: Node, actor: Actor) -> list[InboxItem]:
    """Everything that waits for the actor's agency and that this actor may see, newest first."""
    with node.work(actor) as work:
        sources = (
            _offers, _taken_back, _escalations, _obligations, _pointers, _emergencies, _notices, _dead, _reported,
            _disputed,
        )  # fmt: skip
        items = [item for source in sources for item in source(work)]
        return sorted(items, key=lambda one: one.since, reverse=True)


def _offers(work: Work) -> Iterator[InboxItem]:
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select o.*, a.state as asker, (select min(at) from comity.escalation where record = o.id) as escalated_at
                 from comity.offer o join comity.agency a on a.id = o.from_agency
                where to_agency = comity.me() and o.state = 'offered' and (expires_at is null or expires_at > %(now)s)
                   or from_agency = comity.me() and (o.state = 'offered' or answered_at > %(now)s - interval '30 days')
                order by offered_at desc limit 500""",
            {"now": work.now},
        )
        .fetchall()
    )
    seen = subjects(work, [row["id"] for row in rows])
    disclosure.told(work, "inbox", [(one, ["number"]) for one in seen.values()])
    for row in rows:
        one = seen.get(str(row["id"]))
        if one is None:
            continue
        mine, open_ = row["from_agency"] == work.agency, row["state"] == "offered"
        if mine and open_ and row["to_agency"] != work.agency:  # both ends are ours where we report who asks us
            key = "inbox.seen_and_not_answered" if row["seen_at"] else "inbox.not_answered"
            kind, message = "waiting", say(key, label=row["label"], agency=row["to_agency"])
        elif mine and not open_:
            of = work.type_of(one.agency, one.type_name, one.core_type)
            reason = row["answer"].get("reason") if visibility(work, of, one).whole else None
            kind, message = "answer", _answered(work, row, of, reason)
        else:
            whose = as_reported(row["from_agency"], one.folded.behalf)
            key = "inbox.offer_as_reported" if whose else "inbox.offer"
            kind, message = "offer", say(key, label=row["label"], whose=whose, agency=row["from_agency"])
            if row["asker"] == "suspended":
                message = say("inbox.offerer_is_suspended", said=message)
        yield InboxItem(
            kind, str(row["id"]), row["type"], one.folded.number, row["to_agency" if mine else "from_agency"],
            row["state"], message, row["offered_at" if open_ else "answered_at"],
            row["escalated_at"] if open_ else None,
        )  # fmt: skip


def _answered(work: Work, row: Mapping[str, Any], of: Type, reason: str | None) -> Sentence:
    told = as_reported(work.agency, row["to_agency"]) if offers.reported(row) else ""
    said = say(
        "inbox.answered_as_reported" if told else "inbox.answered", label=row["label"], agency=row["to_agency"],
        state=offer_ended(of, row["state"]), told=told,
    )  # fmt: skip
    return say("inbox.because", said=said, reason=reason) if reason else said


def _taken_back(work: Work) -> Iterator[InboxItem]:
    """What was offered to this agency and has moved since, because what it stood on did: a recall reaches everybody."""
    rows = work.conn.execute(
        """select o.id::text, o.label, e.agency, e.entered_at from comity.offer o
             join comity.entry e on e.record = o.id and e.agency = o.from_agency
            where o.to_agency = comity.me() and e.kind = 'act' and e.refers is not null
              and e.entered_at > %s - interval '30 days' order by e.entered_at desc limit 500""",
        (work.now,),
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    disclosure.told(work, "inbox", [(one, ["number"]) for one in seen.values()])
    for record, label, agency, at in rows:
        one = seen.get(record)
        if one is not None:
            of = work.type_of(one.agency, one.type_name, one.core_type)
            said = say("inbox.taken_back", label=label, agency=agency, state=called_in(of.states, one.core_state))
            yield InboxItem(
                "notice", record, one.core_type, one.folded.number, agency, one.core_state,
                said, at,
            )  # fmt: skip


def _escalations(work: Work) -> Iterator[InboxItem]:
    """The last step of each silence raised at a role of this member, until it is broken."""
    rows = work.conn.cursor(row_factory=dict_row).execute(
        """select distinct on (x.record, x.rule) x.*, o.state, o.offered_at, r.core_type, r.core_state
             from comity.escalation x join comity.offer o on o.id = x.record
             join comity.record r on r.id = x.record
            where x.agency = comity.me() and x.roles && %s::text[]
              and (x.states = '{}' and o.state = 'offered' or r.core_state = any(x.states))
            order by x.record, x.rule, x.step desc limit 500""",
        (sorted(work.actor.roles),),
    ).fetchall()  # fmt: skip
    rows = [{**row, "title": _raised_by(work, row)} for row in rows]
    seen = subjects(work, list({row["record"] for row in rows}))
    disclosure.told(work, "inbox", [(one, ["number"]) for one in seen.values()])
    for row in rows:
        one = seen.get(str(row["record"]))
        if one is not None and not _backed(work, row):
            key = "inbox.yours_to_answer" if row["to_agency"] == work.agency else "inbox.is_silent"
            said = say(key, title=row["title"], since=row["since"], agency=row["to_agency"])
            if row["citation"]:
                said = say("inbox.cited", said=said, citation=row["citation"])
            yield InboxItem(
                "escalation", str(one.id), one.core_type, one.folded.number,
                row["from_agency"] if row["to_agency"] == work.agency else row["to_agency"], f"step {row['step']}",
                said, row["since"], row["at"],
            )  # fmt: skip


def _raised_by(work: Work, row: Mapping[str, Any]) -> Worded:
    """What the offerer's rule is called; where it does not speak of this offer any more, as it was called then."""
    law = dict(offer_status.laws(work, row)).get(row["rule"])
    return law.said.title if law is not None else Worded(row["title"])


def _backed(work: Work, row: Mapping[str, Any]) -> bool:
    """Whether what was raised is over since something stands for the answer now."""
    law = dict(offer_status.laws(work, row)).get(row["rule"])
    unless = law.said.unless if law is not None else None
    return unless is not None and offer_status.backed(work, unless, [row["record"]]).get(str(row["record"])) is True


def _obligations(work: Work) -> Iterator[InboxItem]:
    """Open obligations that name this agency as who owes them: what it owes, here or to others."""
    rows = work.conn.execute(
        """select r.id from jsonb_to_recordset(%s) as k (type text, open jsonb, owed_by text)
             join comity.record r on r.core_type = k.type and k.open ? r.core_state
            where r.fields->>k.owed_by = comity.me() order by r.entered_at desc limit 500""",
        (kinds(work.catalogue),),
    )
    for one in subjects(work, [row[0] for row in rows]).values():
        of = work.type_of(one.agency, one.type_name, one.core_type)
        rule, fields = work.catalogue.type(of.core_name).obligation, readable_fields(work, of, one)[0]
        assert rule is not None, "it was found by what the catalogue says is one"
        said = ": ".join(str(fields[name]) for name in rule.says if fields.get(name)) or one.title
        since = fields.get(rule.since)
        since = (read_when(since) or since) if since else one.entered_at.date()
        yield InboxItem(
            "obligation", str(one.id), one.core_type, one.folded.number, one.agency, one.core_state,
            say("inbox.since", said=said, since=since), one.entered_at,
        )  # fmt: skip


_COLLIDES = {
    "target": "inbox.same_target", "place": "inbox.same_place", "operation": "inbox.same_operation",
    "identity": "inbox.contradicts",
}  # fmt: skip


def _pointers(work: Work) -> Iterator[InboxItem]:
    rows = work.conn.execute(
        """select p.record::text, p.other, p.found_at, a.title, a.contact->'deconfliction', p.about
             from comity.pointer p
             join comity.agency a on a.id = p.other
            where p.agency = comity.me() order by p.found_at desc limit 500"""
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    for record, other, at, title, contact, about in rows:
        one = seen.get(record)
        if one is not None:
            call = ", ".join(str(value) for value in (contact or {}).values())
            yield InboxItem(
                "pointer", record, one.core_type, one.folded.number, other, "open",
                say(_COLLIDES.get(about, _COLLIDES["target"]), title=title, call=call or title), at,
            )  # fmt: skip


def _emergencies(work: Work) -> Iterator[InboxItem]:
    rows = work.conn.execute(
        """select record::text, agency, opened_at, reason, until, id::text from comity.emergency
            where owner = comity.me() and reviewed_at is null order by opened_at desc limit 200"""
    ).fetchall()
    seen = subjects(work, [row[0] for row in rows])
    for record, agency, at, reason, until, opening in rows:
        one = seen.get(record)
        if one is not None:
            said = say("inbox.emergency", agency=agency, until=until, reason=reason, opening=opening)
            yield InboxItem(
                "emergency", record, one.core_type, one.folded.number, agency, "unreviewed", said, at,
            )  # fmt: skip


def _notices(work: Work) -> Iterator[InboxItem]:
    """What subscriptions brought to this member, or to the roles it holds, as far as it may still see the record."""
    rows = work.conn.execute(
        """select n.record::text, n.act, n.from_agency, n.at, s.name from comity.notice n
             join comity.subscription s on s.id = n.subscription
            where n.agency = %(agency)s and n.at > %(now)s - interval '30 days'
              and (n.member::text = %(member)s or n.role = any(%(roles)s) or n.role <> '' and %(keeps)s)
            order by n.at desc, n.place desc limit 500""",
        {
            "agency": work.agency, "now": work.now, "member": work.actor.member,
            "roles": sorted(work.actor.held or ()), "keeps": work.may(KEEP_SUBSCRIPTIONS),
        },
    ).fetchall()  # fmt: skip
    seen = subjects(work, list({row[0] for row in rows}))
    disclosure.told(work, "inbox", [(one, ["number"]) for one in seen.values()])
    for record, act, agency, at, name in rows:
        one = seen.get(record)
        if one is not None:
            of = work.type_of(one.agency, one.type_name, one.core_type)
            yield InboxItem(
                "notice", record, one.core_type, one.folded.number, agency, one.core_state,
                say("inbox.notice", act=step_done(of, act), agency=agency, name=name), at,
            )  # fmt: skip


_DEAD = {
    (True, False): "inbox.stopped", (True, True): "inbox.stopped_and_failed", (False, True): "inbox.failed",
}  # fmt: skip
"""What is said of a subscription: (whether it was stopped, whether deliveries failed)."""


def _dead(work: Work) -> Iterator[InboxItem]:
    """One item for each subscription with dead letters: that it fails is told where its notices would have come."""
    counted: dict[str, int] = {}
    latest: dict[str, DeadLetter] = {}
    for letter in letters_of(work, limit=500):
        key = str(letter.subscription)
        counted[key] = counted.get(key, 0) + (letter.kind != STOPPED)
        if key not in latest or (letter.kind == STOPPED and latest[key].kind != STOPPED):
            latest[key] = letter
    for key, letter in latest.items():
        said = say(
            _DEAD[letter.kind == STOPPED, counted[key] > 0], name=letter.name, reason=letter.reason,
            count=counted[key], id=letter.id,
        )  # fmt: skip
        yield InboxItem("notice", "", "subscription", None, work.agency, "dead", said, letter.since)


def _reported(work: Work) -> Iterator[InboxItem]:
    """What others entered in the agency's name, while it has not said whether it is so."""
    for one in waiting(work):
        said = say("inbox.reported", act=_done(work, one), said=one.said, entry=one.entry)
        yield _about(one, "reported", one.by_agency, said, one.at)


def _disputed(work: Work) -> Iterator[InboxItem]:
    """What this agency reported and the institution says is not so, until the record was amended."""
    for one in disputed(work):
        said = say("inbox.disputed", act=_done(work, one), said=one.said)
        yield _about(one, "disputed", one.agency, said, one.judged_at or one.at)


def _done(work: Work, one: Report) -> Text:
    return step_done(work.catalogue.types.get(one.type), one.act)


def _about(one: Report, kind: str, agency: str, message: Text, since: datetime) -> InboxItem:
    return InboxItem(kind, one.record, one.type, one.number, agency, one.state, message, since)
