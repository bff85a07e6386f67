"""Reading one record: as it is, as it was entered at an instant, or as of an effective time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.duties import offer_status
from comity.kernel.duties.lateness import late_entries
from comity.kernel.duties.overrides import overriding_entries
from comity.kernel.exchange import identity_claims, reported
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.scope import live
from comity.kernel.records import grants, offers
from comity.kernel.types.catalogue import Type
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import LinkedRecord, View, is_id
from comity.kernel.work.subject import (
    COLUMNS,
    Subject,
    at_state,
    find_subject,
    folded,
    numbered,
    subject_of,
    subjects,
    visible,
)
from comity.kernel.work.visibility import Visibility, readable_fields, visibility
from comity.sentences import say


def read(
    node: Node,
    actor: Actor,
    record: str,
    *,
    as_entered: datetime | None = None,
    as_of: datetime | None = None,
) -> View:
    """The record as this actor may see it. Problem `not_found` for absent and forbidden alike.

    `as_entered`: what the log said at that instant (the entries sequenced by then). `as_of`: what was in force at that
    instant, folding the entries in order of their effective time. A read of another's record is disclosed to its owner
    before the answer goes out.
    """
    with node.work(actor) as work:
        return look(work, record, as_entered, as_of).view


@dataclass(frozen=True, slots=True)
class Look:
    """A record as it was read in a transaction: its owner's type, its row, what of it the reader sees."""

    of: Type
    subject: Subject
    seen: Visibility
    view: View
    past: bool


def look(work: Work, record: str, as_entered: datetime | None = None, as_of: datetime | None = None) -> Look:
    """What `read` answers, within a transaction that is open already, and disclosed as by it."""
    subject, past = find_subject(work, record), as_entered is not None or as_of is not None
    of = work.type_of(subject.agency, subject.type_name, subject.core_type)
    if past:
        subject = _at(work, subject, as_entered, as_of)
    seen = visibility(work, of, subject)
    view = _view(work, of, subject, seen, past=past)
    disclosure.told(work, "read", [(subject, sorted(set(view.fields)))])
    return Look(of, subject, seen, view, past)


def _at(work: Work, subject: Subject, as_entered: datetime | None, as_of: datetime | None) -> Subject:
    """The subject folded to an instant; `not_found` when it was not there yet."""
    instant, order = (
        ("s.sequenced_at", "e.version") if as_entered is not None else ("e.occurred_at", "e.occurred_at, e.version")
    )
    bounds = {"at": as_entered or as_of, "top": subject.folded.version}
    then = folded(work, subject, f"e.version <= %(top)s and {instant} <= %(at)s", bounds, order)
    if then.version == 0:
        raise Problem("not_found", say("not_found.no_such_record_or_it"))
    earlier = at_state(work, subject, then)
    if not work.policies.decide(work.actor, "read", earlier.resource(), today=work.today).allowed:
        raise Problem("not_found", say("not_found.no_such_record_or_it"))
    return earlier


def _view(work: Work, of: Type, subject: Subject, seen: Visibility, *, past: bool) -> View:
    fields, masked = readable_fields(work, of, subject, seen)
    links, linked = _outward(work, of, subject)
    inward = [] if past else _inward(work, subject)
    now = subject.folded
    offer = None if past else _offer(work, of, subject, seen)
    return View(
        id=str(subject.id), type=subject.type_name, agency=subject.agency, number=now.number,
        title=subject.title, state=now.state if subject.agency == work.agency else subject.core_state,
        core_state=subject.core_state, version=now.version, type_version=now.type_version, fields=fields,
        links=links, files=now.files if seen.whole else {}, linked=linked,
        linked_from=inward, marks=now.marks, masked=masked,
        acts=() if past else open_acts(work, of, subject, offer), entered_at=subject.entered_at,
        changed_at=subject.changed_at, offer=offer,
        seen_by=seen_by(work, subject) if subject.agency == work.agency else (),
        pointers=_pointers(work, subject) if subject.agency == work.agency else (),
        claims=() if past else identity_claims.claims_about(work, subject), erased=now.erased,
        on_behalf=now.behalf, reported=reported.of_record(work, subject, whole=seen.whole),
        overrides=[one.as_json() for one in overriding_entries(work, [(subject, seen.whole)])],
        late=[one.as_json() for one in late_entries(work, [(subject, seen.whole)], answers=not past)],
        as_sent=subject.as_sent, in_error=subject.core_state in of.error_states,
        replaced_by=_replacing(work, of, subject, fields, linked, inward),
    )  # fmt: skip


def _replacing(
    work: Work, of: Type, subject: Subject, fields: Mapping[str, Any], linked: Sequence[LinkedRecord],
    inward: Sequence[LinkedRecord],
) -> list[LinkedRecord]:  # fmt: skip
    """What takes the place of a record entered in error, as far as the reader sees it: what its own link or field
    `replaced_by` names (a field by number or id), and what names it by the link `replaces` of its type."""
    if subject.core_state not in of.error_states:
        return []
    out = [one for one in linked if one.name == of.replaced_by]
    out += [one for one in inward if one.name == of.replaces and one.type == of.core_name]
    if named := fields.get(of.replaced_by):
        found = subjects(work, [one for one in (numbered(work, str(named)) or str(named),) if is_id(one)])
        out += [_linked(of.replaced_by, one) for one in found.values()]
    return list({one.id: one for one in out}.values())


def _outward(work: Work, of: Type, subject: Subject) -> tuple[dict[str, list[str]], list[LinkedRecord]]:
    """The links, without those to records that the reader may not see: they are absent and uncounted."""
    members = {name for name, link in of.links.items() if link.to == ("member",)}
    wanted = [t for name, ids in subject.folded.links.items() if name not in members for t in ids]
    seen = subjects(work, wanted)
    links: dict[str, list[str]] = {}
    linked: list[LinkedRecord] = []
    names = _member_names(work, [t for name in members for t in subject.folded.links.get(name, ())])
    for name, ids in subject.folded.links.items():
        for target in ids:
            if name in members:
                if subject.agency == work.agency:
                    links.setdefault(name, []).append(target)
                    linked.append(LinkedRecord(name, target, "member", work.agency, None, names.get(target, ""), ""))
            elif target in seen:
                links.setdefault(name, []).append(target)
                linked.append(_linked(name, seen[target]))
    return links, linked


def _linked(name: str, one: Subject) -> LinkedRecord:
    return LinkedRecord(
        name, str(one.id), one.core_type, one.agency, one.folded.number, one.title, one.core_state, one.folded.behalf,
        one.as_sent,
    )  # fmt: skip


def _inward(work: Work, subject: Subject) -> list[LinkedRecord]:
    """The records that point at this one and that the reader may see, newest first."""
    condition, params = visible(work)
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select {COLUMNS}, l.name as link from comity.link l join comity.record r on r.id = l.record
             where l.target = %(id)s and {condition} order by r.entered_at desc, r.id limit 200""",
        {**params, "id": subject.id, "member": work.actor.member},
    )
    return [_linked(row["link"], subject_of(row)) for row in rows]


def _member_names(work: Work, ids: Sequence[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = work.conn.execute(
        "select id::text, name from comity.member where agency = comity.me() and id = any(%s::uuid[])", (list(ids),)
    )
    return dict(rows.fetchall())


def open_acts(work: Work, of: Type, subject: Subject, offer: Mapping[str, Any] | None) -> list[str]:
    """What this actor may do next here: the acts open in this state to its roles, or the answers to an open offer."""
    waits = offer is not None and offer["state"] == "offered"
    resource = subject.resource()

    def may(action: str, name: str) -> bool:
        return work.policies.decide(work.actor, action, resource, act=name, today=work.today).allowed

    behalf = work.actor.behalf.agency if work.actor.behalf else ""
    if offer and of.offer and waits and offer["to"] == work.actor.institution:
        return [name for name in of.offer.answers if may("answer", name)]
    if subject.agency == work.agency and subject.folded.behalf != behalf:
        return []
    if subject.agency == work.agency:
        state = subject.folded.state
        open_now = [
            name for name, act in of.acts.items()
            if name != "enter" and state in act.from_ and may("amend" if name == "amend" else "act", name)
        ]  # fmt: skip
        withdrawn = of.offer.withdrawn if of.offer else None
        if waits and withdrawn and state in (withdrawn.from_ or {of.initial}) and may("act", "withdrawn"):
            open_now.append("withdrawn")
        return open_now
    return []


def _offer(work: Work, of: Type, subject: Subject, seen: Visibility) -> dict[str, Any] | None:
    """Where the offer stands, and its answer as far as the reader sees such fields.

    Reading it as the receiver is seeing it: silence has a date from then on.
    """
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select o.*, (select coalesce(array_agg(id order by id), '{}') from comity.agency a
                             where a.id in (o.from_agency, o.to_agency) and a.state = 'suspended') as suspended
                 from comity.offer o where o.id = %s and o.agency = comity.me()
                order by o.state <> 'offered', o.to_agency""",
            (subject.id,),
        )
        .fetchall()
    )
    if not rows:
        return None
    row = rows[0]
    if row["to_agency"] == work.agency and row["seen_at"] is None:
        grants.seen(work.conn, subject.id, row["from_agency"], work.agency, work.now)
        row["seen_at"] = work.now
    raised = work.conn.execute("select min(at) from comity.escalation where record = %s", (subject.id,)).fetchone()
    silent = offer_status.since(work, {**row, "core_type": subject.core_type, "core_state": subject.core_state})
    moments = {**row, "silent_since": silent, "escalated_at": raised[0] if raised else None}
    instants = {
        name: show_instant(moments[name]) if moments[name] else None
        for name in ("offered_at", "seen_at", "silent_since", "escalated_at", "expires_at", "answered_at")
    }
    return {
        "state": row["state"], "from": row["from_agency"], "to": row["to_agency"], **instants,
        "answer": {name: value for name, value in row["answer"].items() if seen.shows(of, name)},
        "answer_entry": str(row["answer_entry"]) if row["answer_entry"] else None,
        "reported_by": row["from_agency"] if offers.reported(row) else None, "suspended": row["suspended"],
        "manifest": offers.manifest_of(work, subject.id),
        "several": [
            {"to": one["to_agency"], "state": one["state"],
             "answer_entry": str(one["answer_entry"]) if one["answer_entry"] else None}
            for one in rows if len(rows) > 1
        ],
    }  # fmt: skip


def seen_by(work: Work, subject: Subject) -> list[str]:
    """The other agencies to which the record is open now: by agreement for its type, as a party, or by a live share."""
    rows = work.conn.execute(
        f"""select distinct to_agency from comity.agreement
            where agency = comity.me() and spec->'read' ? %(type)s and valid_from <= %(day)s and %(day)s <= valid_until
              and (select marks from comity.record where id = %(id)s) <@
                  (select coalesce(array_agg(m), '{{}}') from jsonb_array_elements_text(spec->'marks') m)
           union select distinct p from unnest(%(parties)s::text[]) p join comity.agreement a on p <> comity.me()
             and (a.agency, a.to_agency) in ((comity.me(), p), (p, comity.me()))
             and a.valid_from <= %(day)s and %(day)s <= a.valid_until
           union select to_agency from comity.share s
            where record = %(id)s and decision <> 'withheld' and {live("s")}
           order by 1""",
        {"type": subject.core_type, "id": subject.id, "day": work.now.date(),
         "parties": sorted(subject.parties)},
    )  # fmt: skip
    return [row[0] for row in rows]


def _pointers(work: Work, subject: Subject) -> list[dict[str, Any]]:
    """Collisions with another agency's target: which agency, and whom to call. Nothing else is known here."""
    rows = work.conn.execute(
        """select p.other, a.title, a.contact->'deconfliction', p.found_at, p.about from comity.pointer p
             join comity.agency a on a.id = p.other
            where p.record = %s and p.agency = comity.me() order by p.found_at""",
        (subject.id,),
    )
    return [
        {"agency": other, "title": title, "call": contact, "since": show_instant(at), "about": about}
        for other, title, contact, at, about in rows
    ]
