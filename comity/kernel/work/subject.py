"""The record that an act is about, read under the actor's own rights in one statement: never fetched, then checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.errors import Problem
from comity.kernel.ledger.entry import ERASE
from comity.kernel.ledger.fold import Folded, fold, said_again
from comity.kernel.policy.decide import Asked, Resource
from comity.kernel.policy.scope import live
from comity.kernel.types.catalogue import Type
from comity.kernel.work import on_behalf
from comity.kernel.work.change import title_of
from comity.kernel.work.node import Work
from comity.kernel.work.results import as_uuid
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class Subject:
    """A record as its row says, whoever owns it. `grants` are the groups shared live with the reader's agency.

    `sent` is the version that was sent, and its time, where the reader sees that one and there are later ones.
    """

    id: UUID
    agency: str
    type_name: str
    core_type: str
    title: str
    core_state: str
    folded: Folded
    assigned: frozenset[str]
    parties: frozenset[str]
    entered_at: datetime
    changed_at: datetime
    grants: Mapping[str, int | None]
    sent: tuple[int, datetime] | None = None

    @property
    def as_sent(self) -> dict[str, Any] | None:
        """That this is what was sent and not what is: which version, of when, and that it has changed; never how."""
        return {"version": self.sent[0], "at": show_instant(self.sent[1]), "changed_since": True} if self.sent else None

    @property
    def institution(self) -> str:
        """Whose record it is in the world: the agency for which its owner entered it, else the owner."""
        return self.folded.behalf or self.agency

    def resource(self) -> Resource:
        """What policies read of it."""
        return Resource(
            owner=self.agency, type=self.type_name, core_type=self.core_type,
            state=self.core_state, marks=frozenset(self.folded.marks),
            assigned=self.assigned, parties=self.parties, entered_by=self.folded.entered_by,
            grants=frozenset(self.grants),
        )  # fmt: skip

    def type(self, work: Work) -> Type:
        """The type as the reader's agency knows it: another agency's sub-type reads as its core type."""
        catalogue = work.catalogue
        return catalogue.types.get(self.type_name) or catalogue.type(self.core_type)

    def in_error(self, work: Work) -> bool:
        """Whether it was entered in error: then it stays readable and counts for nothing."""
        return self.core_state in self.type(work).error_states


COLUMNS = f"""r.id, r.agency, r.type, r.core_type, r.number, r.title, r.state, r.core_state, r.version, r.type_version,
    r.fields, r.links, r.files, r.field_marks, r.marks, r.assigned, r.parties, r.entered_by, r.on_behalf, r.entered_at,
    r.changed_at,
    coalesce((select jsonb_object_agg(g, s.version) from comity.share s cross join unnest(s.groups) g
       where s.record = r.id and s.agency = r.agency and s.to_agency = comity.me() and {live("s")}
         and s.decision <> 'withheld' and (s.version is null or s.version >= r.version)
         and (s.to_member is null or s.to_member::text = %(member)s)), '{{}}') as grants"""


def subject_of(row: Mapping[str, Any]) -> Subject:
    """A row selected with COLUMNS, as a Subject."""
    folded = Folded(
        version=row["version"], type=row["type"], type_version=row["type_version"], state=row["state"],
        number=row["number"], entered_by=row["entered_by"], fields=row["fields"],
        links={name: tuple(ids) for name, ids in row["links"].items()}, marks=tuple(row["marks"]),
        field_marks=row["field_marks"], files=row["files"], behalf=row["on_behalf"],
    )  # fmt: skip
    return Subject(
        id=row["id"], agency=row["agency"], type_name=row["type"], core_type=row["core_type"], title=row["title"],
        core_state=row["core_state"], folded=folded, assigned=frozenset(row["assigned"]),
        parties=frozenset(row["parties"]), entered_at=row["entered_at"], changed_at=row["changed_at"],
        grants=row["grants"],
    )  # fmt: skip


def visible(work: Work, *, action: str = "read", group: str = "base", alias: str = "r") -> tuple[str, dict[str, Any]]:
    """The policy as a condition on comity.record AS alias, with its parameters: for every list, count and read."""
    predicate = work.policies.scope(work.actor, Asked(action, group), today=work.today, alias=alias)
    return f"({predicate.sql})", dict(predicate.params)


def find_subject(work: Work, record: str | UUID) -> Subject:
    """The record, if this actor may read it; else Problem `not_found`, the same for absent and forbidden."""
    found = subjects(work, [as_uuid(record)])
    if not found:
        raise Problem("not_found", say("not_found.no_such_record_or_it"))
    return next(iter(found.values()))


def subjects(work: Work, ids: Sequence[str | UUID]) -> dict[str, Subject]:
    """Those of the records that this actor may read, by id.

    One that only an offer opens, and that has moved on since, is shown at the version that was offered.
    """
    if not ids:
        return {}
    condition, params = visible(work)
    wanted = [as_uuid(one) for one in ids]
    which, asked = among(wanted)
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"select {COLUMNS} from comity.record r where r.id = {which} and {condition}",
        {**params, "ids": asked, "member": work.actor.member},
    )
    found = {str(row["id"]): subject_of(row) for row in rows}
    rest = [one for one in wanted if str(one) not in found]
    return {**found, **_pinned(work, rest)} if rest else found


def numbered(work: Work, number: str) -> str | None:
    """The id of the record that shows this actor the number, the own agency's first: one that `find_subject` finds.

    A number that the record got after the version that was sent is not shown, and does not find it.
    """
    condition, params = visible(work)
    row = work.conn.execute(
        f"""select r.id::text from comity.record r where r.number = %(number)s and {condition}
             order by (r.agency = comity.me()) desc limit 1""",
        {**params, "number": number},
    ).fetchone()
    if row is not None:
        return str(row[0])
    rows = work.conn.execute("select id from comity.record where number = %s order by agency", (number,)).fetchall()
    sent = _pinned(work, [one[0] for one in rows]) if rows else {}
    return next((id for id, one in sent.items() if one.folded.number == number), None)


def among(ids: Sequence[UUID]) -> tuple[str, UUID | list[UUID]]:
    """What stands behind `=` to find these, with the parameter `ids`: one as a value, for which a plan is kept; an
    array of several is planned each time."""
    return ("%(ids)s", ids[0]) if len(ids) == 1 else ("any(%(ids)s)", list(ids))


def readable(work: Work, ids: Collection[UUID]) -> set[UUID]:
    """Which of the records this actor may read, as `subjects` would find them; without ids nothing is asked."""
    if not ids:
        return set()
    condition, params = visible(work)
    rows = work.conn.execute(
        f"select r.id from comity.record r where r.id = any(%(ids)s) and {condition}", {**params, "ids": list(ids)}
    )
    found = {row[0] for row in rows}
    rest = [one for one in ids if one not in found]
    return found | {UUID(one) for one in _pinned(work, rest)} if rest else found


def _pinned(work: Work, ids: Sequence[UUID]) -> dict[str, Subject]:
    rows = (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            f"""select distinct on (r.id) {COLUMNS}, s.version as pin, s.groups as pin_groups,
                (select e.entered_at from comity.entry e
                  where e.record = r.id and e.agency = r.agency and e.version = s.version) as pin_at
              from comity.record r join comity.share s on s.record = r.id
             where r.id = any(%(ids)s) and s.agency = r.agency and s.to_agency = comity.me() and {live("s")}
               and s.decision <> 'withheld' and (s.to_member is null or s.to_member::text = %(member)s)
               and s.version < r.version
             order by r.id, s.version desc""",
            {"ids": list(ids), "member": work.actor.member},
        )
        .fetchall()
    )
    out = {}
    for row in rows:
        now = subject_of(row)
        then = at_state(work, now, folded(work, now, "e.version <= %(pin)s", {"pin": row["pin"]}, "e.version"))
        then = replace(
            then, changed_at=row["pin_at"], grants=dict.fromkeys(row["pin_groups"], row["pin"]),
            sent=(row["pin"], row["pin_at"]),
        )  # fmt: skip
        if work.policies.decide(work.actor, "read", then.resource(), today=work.today).allowed:
            out[str(now.id)] = then
    return out


def at_state(work: Work, now: Subject, earlier: Folded) -> Subject:
    """The subject as an earlier state makes it. How a thing is handled now holds for what it said before."""
    of = work.type_of(now.agency, now.type_name, now.core_type)
    marks = tuple(sorted({*earlier.marks, *now.folded.marks}))
    held = replace(
        earlier, marks=marks, field_marks={**earlier.field_marks, **now.folded.field_marks}, behalf=now.folded.behalf
    )
    return replace(now, folded=held, title=title_of(of, held), core_state=of.core_state(held.state))


def known_at(work: Work, found: Sequence[Subject], at: datetime) -> list[Subject]:
    """Subjects as they were known at a past instant; those that were not there yet are left out."""
    out = []
    for one in found:
        if one.entered_at > at:
            continue
        if one.changed_at > at:
            then = folded(work, one, "e.entered_at <= %(at)s", {"at": at}, "e.version")
            if not then.version:
                continue
            one = at_state(work, one, then)
        out.append(one)
    return out


def folded(work: Work, subject: Subject, condition: str, params: Mapping[str, Any], order: str) -> Folded:
    """The record as the entries of its owner that meet the condition make it, in the given order.

    What was erased since is erased then too: the orders hold in the place of what they erase.
    """
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select e.id, e.kind, e.version, e.type, e.type_version, e.state_from, e.state_to, e.actor, e.refers,
                   c.content, ({condition}) as within
              from comity.entry e left join comity.entry_content c on c.entry = e.id
              left join comity.sequence s on s.entry = e.id
             where e.record = %(record)s and e.agency = %(owner)s and ({condition} or e.kind = %(erase)s)
             order by {order}""",
        {**params, "record": subject.id, "owner": subject.agency, "erase": ERASE},
    )
    held = [{**row, "content": loaded(row["content"])} for row in rows]
    return fold([row for row in held if row["within"]], again=said_again(held))


def loaded(content: bytes | None) -> dict[str, Any] | None:
    """The content of an entry from its stored bytes; None where it was erased."""
    return None if content is None else orjson.loads(content)


def own(work: Work, record: str | UUID) -> Subject:
    """A record of the actor's own agency; Problem `not_allowed` for one that is readable but another's."""
    subject = find_subject(work, record)
    if subject.agency != work.agency:
        raise Problem(
            "not_allowed", say("not_allowed.record_belongs_to_only_its", agency=subject.agency),
        )  # fmt: skip
    on_behalf.refuse_others(work.actor, subject.folded.behalf)
    return subject


def allow(work: Work, action: str, resource: Resource, *, act: str = "") -> None:
    """Refuse, with the reason in words, what the policy does not allow. The system actor has its own acts only."""
    if work.actor.kind == "system":
        return
    if work.actor.behalf is not None:
        on_behalf.refuse_member(work.actor.behalf, action, outsider=work.outsider)
    decision = work.policies.decide(work.actor, action, resource, act=act, today=work.today)
    if not decision.allowed:
        raise Problem(
            "not_allowed",
            decision.why or say("not_allowed.policy_does_not_allow_this"),
            reasons=list(decision.reasons),
            fix=say("not_allowed.what_is_open_to_you.fix"),
        )
