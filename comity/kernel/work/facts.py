"""The graph of records around a subject, as extensions see it: read-only, lazy, under the actor's own rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from comity.extensions import Done, Fact, OfferFact
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, among, known_at, subject_of, visible
from comity.kernel.work.visibility import readable_fields


class FactGraph:
    """Implements extensions.Facts. Each step outward is one statement under the policy; what was read is kept."""

    def __init__(self, work: Work, subject: Subject, *, born: bool = True, at: datetime | None = None) -> None:
        """`born` is False for a record that is being entered: nothing has been done with it yet.

        `at`: as it was known at a past instant, read with today's rights; `subject` is handed over as of then.
        """
        self._work = work
        self.given: Mapping[str, Fact] = {}
        self._held: dict[str, Fact] = {}
        self._foreign: dict[str, tuple[Subject, list[str]]] = {}
        self.agency, self.owner = work.actor.institution, work.agency
        self.now: datetime = at or work.now
        self._zone = ZoneInfo(work.catalogue.definition.zone)
        self.today: date = self.day(self.now)
        self._past = self.now < work.now
        self.subject = self._keep([subject], born=born)[0]

    def linked(self, fact: Fact, name: str) -> Sequence[Fact]:
        ids = list(fact.links.get(name, ()))
        if all(one in self._held for one in ids):
            return sorted((self._held[one] for one in ids), key=lambda one: (one.entered_at, one.id))
        which, asked = among([UUID(one) for one in ids])
        return self._read(f"r.id = {which}", {"ids": asked})

    def linking(self, fact: Fact | str, type_name: str, name: str) -> Sequence[Fact]:
        target = fact if isinstance(fact, str) else fact.id
        found = self._read(
            """r.core_type = %(type)s and r.id in
               (select record from comity.link where target = %(target)s::uuid and name = %(name)s)""",
            {"type": type_name, "target": target, "name": name},
        )
        return [one for one in found if target in one.links.get(name, ())]

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self._zone).date()

    def knows(self, type_name: str) -> bool:
        return type_name in self._work.catalogue.types

    def unseen(self, record: str, type_name: str, name: str, states: Collection[str], tie: str = "") -> bool:
        """Asked under row-level security and without the policy, which says only what of it is hidden."""
        work = self._work
        of = work.catalogue.types.get(tie)
        ties = of.ties if of is not None else None
        params: dict[str, Any] = {
            "record": record, "type": type_name, "name": name, "states": list(states), "tie": tie,
            "ends": list(ties.ends if ties else ()), "live": list(ties.live if ties else ()),
        }  # fmt: skip
        sees = {}
        for alias in ("r", "c", "t"):
            sees[alias], policy = visible(work, alias=alias)
            params |= policy
        apart = []
        for at, (field, values) in enumerate(ties.apart.items() if ties else ()):
            apart.append(f"c.fields ->> %(apart{at})s = any(%(values{at})s)")
            params |= {f"apart{at}": field, f"values{at}": [str(one) for one in values]}
        target = f"exists (select from comity.record t where t.id = l.target and {sees['t']})"
        found = self._work.conn.execute(
            f"""select exists (select from comity.link l join comity.record r on r.id = l.record
                  where l.target = %(record)s::uuid and l.name = %(name)s and r.core_type = %(type)s
                    and r.core_state = any(%(states)s) and not ({sees["r"]} and {target}))
                or exists (select from comity.link one join comity.record c on c.id = one.record
                  join comity.link other on other.record = c.id and other.name <> one.name
                  join comity.link l on l.target = other.target and l.name = %(name)s
                  join comity.record r on r.id = l.record
                  where one.target = %(record)s::uuid and one.name = any(%(ends)s) and other.name = any(%(ends)s)
                    and c.core_type = %(tie)s and c.core_state = any(%(live)s)
                    and not coalesce({" and ".join(apart) or "false"}, false)
                    and r.core_type = %(type)s and r.core_state = any(%(states)s)
                    and not ({sees["r"]} and {sees["c"]} and {target}))""",
            params,
        ).fetchone()
        return bool(found and found[0])

    def rules(self, name: str) -> Any:
        return self._work.catalogue.rules.get(name)

    def one(self, record: str) -> Fact | None:
        """A record by its id, if the actor may read it."""
        held = self._held.get(record)
        found = [held] if held is not None else self._read("r.id = %(id)s::uuid", {"id": record})
        return found[0] if found else None

    def owned(self, agency: str, type_name: str, states: Collection[str]) -> Sequence[Fact]:
        """The records of a type in these core states that another agency lets this one read, such as its profiles."""
        return self._read(
            """(r.agency = %(owner)s and r.on_behalf = '' or r.on_behalf = %(owner)s)
               and r.core_type = %(type)s and r.core_state = any(%(states)s)""",
            {"owner": agency, "type": type_name, "states": sorted(states)},
        )

    def disclosed(self) -> list[tuple[Subject, list[str]]]:
        """Others' records that were read for this package, with the fields: a disclosure of their owners."""
        return list(self._foreign.values())

    def _read(self, condition: str, params: dict[str, Any]) -> list[Fact]:
        may, policy = visible(self._work)
        rows = self._work.conn.cursor(row_factory=dict_row).execute(
            f"select {COLUMNS} from comity.record r where {condition} and {may} order by r.entered_at, r.id limit 2000",
            {**policy, **params, "member": self._work.actor.member},
        )
        found = [subject_of(row) for row in rows]
        return self._keep(known_at(self._work, found, self.now) if self._past else found)

    def _keep(self, found: Sequence[Subject], *, born: bool = True) -> list[Fact]:
        new = [one for one in found if str(one.id) not in self._held]
        for fact, subject in zip(self._facts(new, born=born), new, strict=True):
            self._held[fact.id] = fact
            if subject.agency != self.owner:
                self._foreign[fact.id] = (subject, sorted(fact.fields))
        return [self._held[str(one.id)] for one in found]

    def _facts(self, found: Sequence[Subject], *, born: bool) -> Iterable[Fact]:
        if not found:
            return
        acts: dict[str, dict[str, Done]] = {}
        offers: dict[str, OfferFact] = {}
        if born:
            which, asked = among([one.id for one in found])
            for record, agency, act, actor, at in self._work.conn.execute(
                f"""select record, agency, act, actor, entered_at from comity.entry
                    where record = {which} {"and entered_at <= %(now)s" if self._past else ""} order by entered_at""",
                {"ids": asked, "now": self.now},
            ):
                acts.setdefault(str(record), {})[act] = Done(str(actor), at, agency)
            offers = {
                str(row[0]): OfferFact(*row[1:])
                for row in self._work.conn.execute(
                    f"""select id, state, from_agency, to_agency, offered_at, answered_at, answer
                         from comity.offer
                        where id = {which} and comity.me() in (from_agency, to_agency)""",
                    {"ids": asked},
                )
            }
        for one in found:
            of = self._work.type_of(one.agency, one.type_name, one.core_type)
            yield Fact(
                id=str(one.id), type=one.core_type, agency=one.institution, owner=one.agency,
                number=one.folded.number or "", title=one.title, state=one.core_state, version=one.folded.version,
                fields=readable_fields(self._work, of, one)[0], links=one.folded.links,
                marks=frozenset(one.folded.marks),
                entered_at=one.entered_at, entered_by=one.folded.entered_by, acts=acts.get(str(one.id), {}),
                offer=self._spoken(offers.get(str(one.id)), one),
            )  # fmt: skip

    def _spoken(self, offer: OfferFact | None, subject: Subject) -> OfferFact | None:
        """The offer as the institution's that made it, whoever reports it, with what had come of it by then."""
        if offer is None:
            return None
        if self._past and offer.answered_at is not None and offer.answered_at > self.now:
            offer = replace(offer, state="offered", answered_at=None, answer={})
        return replace(offer, from_agency=subject.institution)
