"""The walk of obligation rules over what an agency may see: what was given, what was done for it, what is owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from comity.clock import days_of, parse_instant, show_instant
from comity.extensions import Outcome
from comity.kernel.duties.duty import Duty
from comity.kernel.duties.offer_status import backed
from comity.kernel.duties.overrides import overridden
from comity.kernel.duties.same_matter import ends, of_others
from comity.kernel.law.calendars import Calendar
from comity.kernel.law.clock_book import book_for
from comity.kernel.law.dated import Law, Rule
from comity.kernel.law.escalation import Backing
from comity.kernel.law.obligation_rules import OBLIGATION_RULES, Fulfilment, ObligationRule, ObligationRules, condition
from comity.kernel.law.overrides import OVERRIDES
from comity.kernel.policy.decide import Resource
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.expression import GuardError, evaluate
from comity.kernel.work.facts import FactGraph
from comity.kernel.work.node import Work
from comity.kernel.work.subject import COLUMNS, Subject, known_at, subject_of, subjects, visible
from comity.kernel.work.visibility import readable_fields
from comity.sentences import Filled, joined

PAGE = 500
Ways = Sequence[tuple[Fulfilment, Mapping[Any, Sequence[Subject]]]]


@lru_cache(maxsize=64)
def obligation_rules_for(catalogue: Catalogue) -> ObligationRules:
    return OBLIGATION_RULES.of(catalogue.rules)


@dataclass(frozen=True, slots=True)
class _Given:
    """What gave a duty: the record, what it tells, and for which of its values."""

    subject: Subject
    told: Mapping[str, Any]
    each: str


class Walk:
    """One reading of all joints at an instant. `own` and `read` are the own and others' records that it looked at."""

    def __init__(self, work: Work, at: datetime, within: set[str] | None) -> None:
        self.work, self.at, self.within = work, at, within
        self.past = at < work.now
        self.own: dict[str, Subject] = {}
        self.read: dict[str, Subject] = {}
        self.unjudged: set[str] = set()
        self._entered: dict[Any, datetime] = {}
        self._shown: dict[Any, Mapping[str, Any]] = {}
        self._readable: dict[tuple[str, frozenset[str]], bool] = {}
        self._zones = dict(work.conn.execute("select id, zone from comity.agency").fetchall())

    def duties(self) -> list[Duty]:
        out: list[Duty] = []
        for rule in obligation_rules_for(self.work.catalogue).values():
            for law in rule.versions:
                joint = self.awake(law.said)
                for page in self.pages(joint) if joint is not None else ():
                    out += self.judged(rule, law, joint, page) if joint is not None else []
        return out

    def awake(self, joint: ObligationRule) -> ObligationRule | None:
        """The joint over the types that are installed; None where it has nothing to join."""
        types = self.work.catalogue.types
        given = tuple(name for name in joint.given.types if name in types)
        ways = tuple(one for one in joint.ways if not one.types or any(name in types for name in one.types))
        judged = ways or joint.calculation in self.work.node.extensions.calculations
        return replace(joint, given=replace(joint.given, types=given), ways=ways) if given and judged else None

    def pages(self, joint: ObligationRule) -> Iterator[list[Subject]]:
        """The given records that this actor may see, in pages. In the past each is as it was known then."""
        condition_, params = visible(self.work)
        given = joint.given
        more = "and r.core_state = any(%(states)s)" if given.states and not self.past else ""
        more += " and r.id = any(%(within)s::uuid[])" if self.within is not None else ""
        after: tuple[Any, Any] | None = None
        while True:
            later = "and (r.entered_at, r.id) > (%(at)s, %(id)s)" if after else ""
            held = {"at": after[0], "id": after[1]} if after else {}
            rows = (
                self.work.conn.cursor(row_factory=dict_row)
                .execute(
                    f"""select {COLUMNS} from comity.record r
                         where {condition_} and r.core_type = any(%(types)s) {more} {later}
                         order by r.entered_at, r.id limit {PAGE}""",
                    {
                        **params, **held, "types": list(given.types), "states": list(given.states),
                        "within": sorted(self.within or ()), "member": self.work.actor.member,
                    },
                )
                .fetchall()
            )  # fmt: skip
            page = self.known([subject_of(row) for row in rows])
            yield [
                one for one in page if one.core_state in given.states or not (given.states or one.in_error(self.work))
            ]
            if len(rows) < PAGE:
                return
            after = (rows[-1]["entered_at"], rows[-1]["id"])

    def known(self, found: Sequence[Subject]) -> list[Subject]:
        """Subjects as they were known at the instant; those that were not there yet are left out."""
        if self.past:
            found = known_at(self.work, found, self.at)
        for one in found:
            (self.own if one.agency == self.work.agency else self.read)[str(one.id)] = one
        return list(found)

    def judged(
        self, rule: Rule[ObligationRule], law: Law[ObligationRule], joint: ObligationRule, page: Sequence[Subject]
    ) -> Iterator[Duty]:
        began = self.since(page, joint.given.states)
        ways, backed = self.ways(joint, page), self.backed(joint, page)
        over = overridden(self.work, page) if OVERRIDES in joint.given.when else {}
        for given in page:
            told = {**self.told(given, began[given.id]), "overrides": over.get(given.id, [])}
            since = began[given.id]
            if since > self.at or not law.holds(since.astimezone(self.zone(given.agency)).date()):
                continue
            for each in self.each(joint, told):
                try:
                    duty = self.duty(rule, law, _Given(given, told, each), ways, backed.get(str(given.id)))
                except GuardError:
                    self.unjudged.add(rule.name)
                    continue
                if duty is not None:
                    yield duty

    def duty(
        self, rule: Rule[ObligationRule], law: Law[ObligationRule], one: _Given, ways: Ways, backed: bool | None
    ) -> Duty | None:
        joint, given, told, each = law.said, one.subject, one.told, one.each
        if joint.given.when and not evaluate(condition(joint.given.when), {"given": told, "done": {}, "each": each}):
            return None
        outcome = self.calculated(joint, given)
        named = {"agency": given.agency, "each": each}.get(joint.owed_by, told.get(joint.owed_by))
        owed_by = str(named or given.agency)
        found = self.found(joint, given, told, each, ways) if outcome is None else list(outcome.rests_on)
        if outcome is not None:
            if not self.seen_whole(rule, given):
                return None
            good = not outcome.refused
        else:
            if not joint.never and not found and backed is None and not self.to_judge(rule, joint, given, owed_by):
                return None
            good = bool(found or backed) is not joint.never
        due = self.due(joint, told, owed_by)
        words = {"owed_by": owed_by, "number": given.folded.number or str(given.id), "each": each}
        found_by = [one.message for one in (outcome.refused if outcome is not None else ())]
        message = joined((Filled(joint.message, words), *found_by), "space")
        state = "done" if good else "open" if self.at < due else "difference"
        return Duty(
            joint=rule.name, title=joint.title, record=str(given.id), type=given.core_type, number=given.folded.number,
            agency=given.agency, each=each, owed_by=owed_by, since=told["_since"], due=due, state=state,
            message=message, fix=Filled(joint.fix, words), citation=law.citation, verified=law.verified,
            found=tuple(found), never=joint.never,
        )  # fmt: skip

    def ways(self, joint: ObligationRule, page: Sequence[Subject]) -> Ways:
        """Each way with what it leads to from each given; what is shown to be another matter's is left out."""
        ways = [(one, self.look(one, page)) for one in joint.ways]
        if not joint.about:
            return ways
        apart = of_others(self, joint.about, page, [hits for _, hits in ways])
        return [
            (way, {one.id: [hit for hit in hits.get(one.id, ()) if (one.id, hit.id) not in apart] for one in page})
            for way, hits in ways
        ]

    def backed(self, joint: ObligationRule, page: Sequence[Subject]) -> dict[str, bool]:
        """For each own offer of the page whether what is `known` of the joint stands, seen or not; of now only."""
        mine = [one.id for one in page if one.agency == self.work.agency]
        out: dict[str, bool] = {}
        for way in joint.ways if mine and not self.past else ():
            for name in way.types if way.known else ():
                told = backed(self.work, Backing(name, way.link, tuple(way.states)), mine)
                out = {**out, **{record: out.get(record, False) or there for record, there in told.items()}}
        return out

    def found(self, joint: ObligationRule, given: Subject, told: Mapping[str, Any], each: str, ways: Ways) -> list[str]:
        """The ids of what meets the joint for one given. Raises GuardError for a condition that cannot be judged."""
        asked = {"given": told, "each": each}
        return [
            str(one.id) for way, hits in ways
            for one in self.met(way, asked, [hit for hit in hits[given.id] if self.now(joint, hit)])
        ]  # fmt: skip

    def calculated(self, joint: ObligationRule, given: Subject) -> Outcome | None:
        """What the joint's calculation finds, of what was known when the given came into its state."""
        if not joint.calculation:
            return None
        at = min(self.at, self._entered.get(given.id, self.at))
        facts = FactGraph(self.work, known_at(self.work, [given], at)[0], at=at)
        facts.agency = given.institution
        outcome = self.work.node.extensions.calculations[joint.calculation](facts)
        self.read.update((str(one.id), one) for one, _ in facts.disclosed())
        codes = self.overriding(given, joint.calculation)
        return outcome.decided if codes & set(overridden(self.work, [given])[given.id] if codes else ()) else outcome

    def overriding(self, given: Subject, calculation: str) -> set[str]:
        """The codes by which acts of the type override what this calculation leaves for a person to decide."""
        of = self.work.type_of(given.agency, given.type_name, given.core_type)
        rules = [rule for act in of.acts.values() for rule in act.guards if rule.extension == calculation]
        return {rule.code for rule in rules if rule.override}

    def seen_whole(self, rule: Rule[ObligationRule], given: Subject) -> bool:
        """Whether this reader sees all that the given points at: what is hidden is no difference, and not judged."""
        of = self.work.type_of(given.agency, given.type_name, given.core_type)
        named = (targets for link, targets in given.folded.links.items() if "member" not in of.links[link].to)
        ids = sorted({target for targets in named for target in targets})
        whole = given.agency == self.work.agency and len(subjects(self.work, ids)) == len(ids)
        self.unjudged |= {rule.name} if not whole and given.agency == self.work.agency else set()
        return whole

    def now(self, joint: ObligationRule, hit: Subject) -> bool:
        """Whether a record speaks against what must not be: not one that is shown as it once was offered."""
        theirs = joint.never and hit.agency != self.work.agency
        return not (theirs and hit.grants and None not in hit.grants.values())

    def to_judge(self, rule: Rule[ObligationRule], joint: ObligationRule, given: Subject, owed_by: str) -> bool:
        """Whether this reader would see the act if it were there: on the given itself, or in the own log."""
        if any(way.own for way in joint.ways):
            return True
        mine = self.work.agency
        for way in joint.ways:
            if (given.agency if way.path else owed_by) == mine and all(self.may_read(one, given) for one in way.types):
                return True
        if mine in (owed_by, given.agency):
            self.unjudged |= {rule.name} if mine == owed_by else set()
        return False

    def may_read(self, name: str, given: Subject) -> bool:
        """Whether the roles open an own record of the type that bears the given's marks."""
        key = name, frozenset(given.folded.marks)
        if key not in self._readable:
            of = self.work.catalogue.types.get(name)
            self._readable[key] = of is not None and self.work.policies.decide(
                self.work.actor, "read",
                Resource(
                    owner=self.work.agency, type=of.name, core_type=of.core_name, state=of.core_state(of.initial),
                    marks=key[1], assigned=frozenset(), parties=frozenset(), entered_by="", grants=frozenset(),
                ),
                today=self.work.today,
            ).allowed  # fmt: skip
        return self._readable[key]

    def look(self, way: Fulfilment, page: Sequence[Subject]) -> Mapping[Any, Sequence[Subject]]:
        """For each given of a page, the records that a way leads to."""
        if way.own:
            return {one.id: [one] for one in page}
        if way.path:
            return self.along(way.path, page)
        anchors: dict[str, list[Any]] = defaultdict(list)
        for given, targets in ends(self, [name for name in way.at if name != "self"], page).items():
            for target in targets | ({str(given)} if "self" in way.at else set()):
                anchors[target].append(given)
        may, params = visible(self.work)
        rows = self.work.conn.cursor(row_factory=dict_row).execute(
            f"""select l.target::text as anchor, {COLUMNS} from comity.link l join comity.record r on r.id = l.record
                 where l.target = any(%(ids)s::uuid[]) and l.name = %(link)s and r.core_type = any(%(types)s) and {may}
                 order by r.entered_at, r.id""",
            {**params, "ids": list(anchors), "link": way.link, "types": list(way.types),
             "member": self.work.actor.member},
        ).fetchall()  # fmt: skip
        hits: dict[Any, list[Subject]] = defaultdict(list)
        by_id = {one.id: one for one in self.known([subject_of(row) for row in rows])}
        for row in rows:
            found = by_id.get(row["id"])
            if found is not None and row["anchor"] in found.folded.links.get(way.link, ()):
                for given in anchors[row["anchor"]]:
                    hits[given].append(found)
        return hits

    def along(self, path: Sequence[str], page: Sequence[Subject]) -> Mapping[Any, Sequence[Subject]]:
        reached: dict[Any, list[Subject]] = {one.id: [one] for one in page}
        for name in path:
            wanted = {t for many in reached.values() for one in many for t in one.folded.links.get(name, ())}
            seen = {str(one.id): one for one in self.known(list(subjects(self.work, sorted(wanted)).values()))}
            reached = {
                given: [seen[t] for one in many for t in one.folded.links.get(name, ()) if t in seen]
                for given, many in reached.items()
            }
        return reached

    def met(self, way: Fulfilment, asked: Mapping[str, Any], hits: Sequence[Subject]) -> Iterator[Subject]:
        """Those of the hits that are what the way asks for; `asked` is what its condition reads beside `done`."""
        for one in hits:
            if way.own:
                if one.core_state in way.own:
                    yield one
                continue
            if (way.types and one.core_type not in way.types) or (way.states and one.core_state not in way.states):
                continue
            if not way.states and one.in_error(self.work):
                continue
            began = self.since([one], way.states)[one.id] if "since" in way.when else one.entered_at
            done = self.told(one, began) if way.when or way.same else {}
            each, given = asked["each"], asked["given"]
            same = all(done.get(name) == (each if at == "each" else given.get(at)) for name, at in way.same.items())
            if same and (not way.when or evaluate(condition(way.when), {**asked, "done": done})):
                yield one

    def told(self, one: Subject, since: datetime) -> dict[str, Any]:
        """What a condition may read of a record: its fields as shown, its links, its state, and since when it is in it.

        `days`: of each time that is shown the day that it is at the institution whose record it is."""
        if one.id not in self._shown:
            of = self.work.type_of(one.agency, one.type_name, one.core_type)
            shown = readable_fields(self.work, of, one)[0]
            links = {name: list(one.folded.links.get(name, ())) for name in of.links}
            self._shown[one.id] = {**shown, "links": links, "days": days_of(shown, self.zone(one.institution))}
        return {
            **self._shown[one.id], "id": str(one.id), "type": one.core_type, "state": one.core_state,
            "agency": one.institution, "number": one.folded.number or "", "since": show_instant(since), "_since": since,
        }  # fmt: skip

    def each(self, joint: ObligationRule, told: Mapping[str, Any]) -> list[str]:
        if not joint.given.each:
            return [""]
        held = told.get(joint.given.each) or ()
        return [str(one) for one in (held if isinstance(held, list) else [held])]

    def since(self, page: Sequence[Subject], states: frozenset[str]) -> dict[Any, datetime]:
        """When each came into the states in which it is now: the effective time of that entry of its owner."""
        out = {one.id: one.entered_at for one in page}
        if not states:
            return out
        runs: dict[Any, bool] = {}
        owner = {one.id: one for one in page}
        rows = self.work.conn.execute(
            """select record, agency, state_to, occurred_at, entered_at from comity.entry
                where record = any(%s) and entered_at <= %s order by record, version""",
            (list(owner), self.at),
        )
        for record, agency, state, occurred, entered in rows:
            one = owner[record]
            if agency != one.agency:
                continue
            inside = self.work.type_of(agency, one.type_name, one.core_type).core_state(state) in states
            if inside and not runs.get(record):
                out[record], self._entered[record] = occurred, entered
            runs[record] = inside
        return out

    def due(self, joint: ObligationRule, told: Mapping[str, Any], owed_by: str) -> datetime:
        """Until when it may be done: the earlier of the time that the rule gives and the day that the record names."""
        since: datetime = told["_since"]
        ends = []
        if joint.within is not None:
            legal = self.calendar(owed_by) if joint.legal_days else None
            ends.append(joint.within.after(since, str(self.zone(owed_by)), legal))
        named = told.get(joint.by) if joint.by else None
        if isinstance(named, str):
            try:
                ends.append(parse_instant(named))
            except ValueError:
                ends.append(since)  # until when cannot be read: it is owed at once, and so it is seen
        return min(ends, default=since)

    def zone(self, agency: str) -> ZoneInfo:
        return ZoneInfo(self._zones.get(agency) or self.work.catalogue.definition.zone)

    def calendar(self, agency: str) -> Calendar | None:
        """The calendar of an agency's law: what counts as a day off there."""
        known = agency in self._zones and agency != self.work.agency
        law = self.work.node.catalogue_of(self.work.conn, agency) if known else self.work.catalogue
        book = book_for(law)[0]
        return book.calendars.get(book.default_calendar)
