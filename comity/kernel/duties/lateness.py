"""Late entry: what an act must come after, and how soon it is entered. Refused without its cause; with it, typed late.

An act that breaks a rule of order leaves an item `late/<rule>` in its entry, beside the cause: never silent. So does
whatever else moves the time that a rule reads: an amendment, a correction, an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from comity.clock import read_when, show_instant
from comity.errors import Fault, Problem
from comity.kernel.law.dated import Law, Rule
from comity.kernel.law.sequence import SELF, SEQUENCES, After, Order, Sequences
from comity.kernel.ledger import items
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.work.change import Change, is_ahead
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, loaded, subjects
from comity.kernel.work.visibility import readable_fields
from comity.sentences import NOTHING, Text, Worded, say


@lru_cache(maxsize=64)
def sequences_for(catalogue: Catalogue) -> Sequences:
    return SEQUENCES.of(catalogue.rules)


@lru_cache(maxsize=4096)
def rules_for(catalogue: Catalogue, act: str) -> tuple[Rule[Order], ...]:
    """The rules of order that speak of `type.act`."""
    return tuple(
        rule for rule in sequences_for(catalogue).values() if any(act in law.said.acts for law in rule.versions)
    )


@lru_cache(maxsize=4096)
def rules_about(catalogue: Catalogue, core_name: str) -> tuple[Rule[Order], ...]:
    """The rules of order that speak of any act of a type."""
    return tuple(
        rule
        for rule in sequences_for(catalogue).values()
        if any(act.rpartition(".")[0] == core_name for law in rule.versions for act in law.said.acts)
    )


@lru_cache(maxsize=4096)
def moments_of(catalogue: Catalogue, core_name: str, effective: str) -> frozenset[str]:
    """The fields of a type that rules of order read, by themselves or over a link."""
    laws = [law.said for rule in sequences_for(catalogue).values() for law in rule.versions]
    own = [law for law in laws if any(act.rpartition(".")[0] == core_name for act in law.acts)]
    found = {law.occurred or effective for law in own}
    found |= {law.after.field for law in own if law.after and law.after.link == SELF}
    found |= {law.after.field for law in laws if law.after and core_name in law.after.types}
    return frozenset(found - {""})


@lru_cache(maxsize=4096)
def judges(catalogue: Catalogue, core_name: str, effective: str) -> bool:
    """Whether any rule of order speaks of a type, or reads a field of it: only then is there anything to time."""
    return bool(rules_about(catalogue, core_name) or moments_of(catalogue, core_name, effective))


def timed(work: Work, change: Change, seen: Mapping[str, Subject] | None = None, *, owner: str = "") -> Change:
    """The change, typed late where it breaks a rule of order; Problem `late_cause_needed` without a cause for that.

    A time that a rule reads and that is yet to come is refused (`invalid`). `seen` are linked records that were read
    already; `owner` the record's, where it is not the own agency. The agency's own system follows acts, not judged.
    """
    of = change.type
    rules = rules_about(work.catalogue, of.core_name)
    given = _given(change)
    if work.actor.kind == "system" or not (rules or given):
        return change
    _refuse_ahead(work, of, given)
    moved = {name for name in given if change.before.version and not _stays(change, name, given[name])}
    one = _Timed(work, change, {**change.after.fields, **given}, frozenset(moved), seen or {}, owner or work.agency)
    broken = [told for rule in rules if (told := _broken(one, rule)) is not None]
    if not broken:
        return change
    if not items.text(change.entry.content, items.CAUSE).strip():
        faults = [
            Fault("late_cause_needed", name, said, say("late_cause_needed.say_why_in_late_cause.fix"))
            for name, said in broken
        ]
        raise Problem(
            "late_cause_needed", broken[0][1], faults=faults, rules=[name for name, _ in broken],
            fix=say("late_cause_needed.correct_time_or_give_late.fix"),
        )  # fmt: skip
    return change.saying(items.late(name for name, _ in broken))


@dataclass(frozen=True, slots=True)
class _Timed:
    """A change under the rules of order: the fields as it leaves them, and which of them it gives another time."""

    work: Work
    change: Change
    fields: Mapping[str, Any]
    moved: frozenset[str]
    seen: Mapping[str, Subject]
    owner: str

    def moment(self, order: Order) -> date | datetime | None:
        """When what the rule speaks of happened; None where this change is not about it."""
        of, entry = self.change.type, self.change.entry
        if f"{of.core_name}.{entry.act}" in order.acts:
            return _moment(self.fields.get(order.occurred)) or entry.occurred_at
        name = order.occurred or (of.effective_field if f"{of.core_name}.enter" in order.acts else "")
        if name not in self.moved or not any(self._was_done(act) for act in order.acts):
            return None
        return _moment(self.fields.get(name))

    def _was_done(self, act: str) -> bool:
        of, _, verb = act.rpartition(".")
        now = self.change
        return of == now.type.core_name and (
            verb == "enter" or _done(self.work, now.entry.record, self.owner, verb, now.before.version) is not None
        )


def _given(change: Change) -> Mapping[str, Any]:
    """The fields that an entry sets, an answer's too."""
    content = change.entry.content
    return {**items.fields_set(content), **items.answered(content)}


def _stays(change: Change, name: str, value: Any) -> bool:
    """Whether a field says the time that it said before, in whatever spelling."""
    before = change.before.fields.get(name)
    return before == value or (_moment(before) is not None and _moment(before) == _moment(value))


def _refuse_ahead(work: Work, of: Type, given: Mapping[str, Any]) -> None:
    read = moments_of(work.catalogue, of.core_name, of.effective_field or "")
    zone = ZoneInfo(work.catalogue.definition.zone)
    faults = [
        Fault("occurred_in_future", f"fields.{name}", say("occurred_in_future.it_is_entered_when_it"))
        for name in sorted(read & given.keys())
        if (moment := _moment(given[name])) is not None and is_ahead(moment, work.now, zone)
    ]
    if faults:
        raise Problem("invalid", say("invalid.says_time_that_is_yet", title=of.title), faults=faults)


@dataclass(frozen=True, slots=True)
class Late:
    """One entry that broke rules of order."""

    record: str
    number: str | None
    act: str
    occurred_at: datetime
    entered_at: datetime
    rules: tuple[str, ...]
    cause: str

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "number": self.number, "act": self.act,
            "occurred_at": show_instant(self.occurred_at), "entered_at": show_instant(self.entered_at),
            "rules": list(self.rules), "cause": self.cause,
        }  # fmt: skip


def late_entries(work: Work, shown: Iterable[tuple[Subject, bool]], *, answers: bool = True) -> list[Late]:
    """The owners' late entries on records that the reader sees, and the answers to them, oldest first.

    The cause where the reader sees the whole; that of an answer is said to the two alone.
    """
    held = {one.id: (one, whole) for one, whole in shown}
    rows = work.conn.execute(
        r"""select e.record, e.act, e.occurred_at, e.entered_at, e.agency, e.version, e.kind, c.content
              from comity.entry e
              join comity.entry_content c on c.entry = e.id
             where e.record = any(%s) and position(%s in c.content) > 0
             order by e.entered_at, e.version""",
        (list(held), items.LATE_BYTES),
    )
    out = []
    for record, act, occurred, entered, agency, version, kind, content in rows:
        one, whole = held[record]
        told = loaded(content) or {}
        counts = version <= one.folded.version if agency == one.agency else answers and kind == "answer"
        if counts and (rules := items.late_rules(told)):
            between = agency == one.agency or work.agency in (agency, one.agency)
            cause = str(told.get("cause", "")) if whole and between else ""
            out.append(Late(str(record), one.folded.number, act, occurred, entered, rules, cause))
    return out


def _broken(one: _Timed, rule: Rule[Order]) -> tuple[str, Text] | None:
    """(rule, what is wrong and by which law), or None. The version in force on the day of the act counts."""
    zone = ZoneInfo(one.work.catalogue.definition.zone)
    for law in rule.versions:
        happened = one.moment(law.said)
        if happened is None or not law.holds(_day(happened, zone)):
            continue
        said = _too_early(one, law.said, happened, zone) or _too_late(one.change, law.said, happened, zone)
        if not said:
            return None
        return rule.name, say("late_cause_needed.rule", title=law.said.title, said=said, source=_source(law))
    return None


def _source(law: Law[Order]) -> Text:
    if not law.citation:
        return say("late_cause_needed.local_rule")
    return say("late_cause_needed.source", citation=law.citation, verified=law.verified)


def _too_late(change: Change, order: Order, happened: date | datetime, zone: ZoneInfo) -> Text:
    if order.late_after is None:
        return NOTHING
    began = happened if isinstance(happened, datetime) else datetime.combine(happened, datetime.max.time(), zone)
    if change.entry.entered_at <= order.late_after.after(began, zone.key):
        return NOTHING
    return say("late_cause_needed.entered_late", happened=happened, entered=change.entry.entered_at)


def _too_early(one: _Timed, order: Order, happened: date | datetime, zone: ZoneInfo) -> Text:
    after = order.after
    if after is None:
        return NOTHING
    for name, moment in _firsts(one, after):
        if moment is None and after.field:
            field = _called(one, after, "fields", after.field)
            return say("late_cause_needed.cannot_be_read", happened=happened, field=field, name=name)
        if moment is None:
            act = _called(one, after, "acts", after.act.replace("_", " "))
            return say("late_cause_needed.not_done", happened=happened, name=name, act=act)
        if _before(happened, moment, zone):
            return say("late_cause_needed.before", happened=happened, name=name, moment=moment)
    return NOTHING


def _called(timed: _Timed, after: After, parts: str, english: str) -> Worded:
    """The act or field that comes first, in other languages as its type calls it."""
    types = timed.work.catalogue.types
    of = [timed.change.type] if after.link == SELF else [types[one] for one in after.types if one in types]
    held = (getattr(one, parts).get(after.act or after.field) for one in of)
    return Worded(english, next((one.labels for one in held if one is not None), {}))


def _firsts(timed: _Timed, after: After) -> Iterable[tuple[str, date | datetime | None]]:
    """What must come first: (its number, its moment). A field that is absent or not shown says nothing."""
    work, change, seen = timed.work, timed.change, timed.seen
    if after.link == SELF:
        if after.field:
            value = timed.fields.get(after.field)
            return [(say("late_cause_needed.record_itself"), _moment(value))] if value not in (None, "") else []
        return [(after.act, _done(work, change.entry.record, timed.owner, after.act, change.before.version))]
    ids = change.after.links.get(after.link, ())
    found = {
        **{one: seen[one] for one in ids if one in seen},
        **subjects(work, [one for one in ids if one not in seen]),
    }
    fitting: Sequence[Subject] = [one for one in found.values() if not after.types or one.core_type in after.types]
    out: list[tuple[str, date | datetime | None]] = []
    for one in fitting:
        name = one.folded.number or str(one.id)
        if after.act:
            done = None if one.in_error(work) else _done(work, one.id, one.agency, after.act, one.folded.version)
            out.append((name, done))
            continue
        fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
        value = fields.get(after.field)
        out += [(name, _moment(value))] if value not in (None, "") else []
    return out


def _done(work: Work, record: Any, agency: str, act: str, version: int) -> datetime | None:
    row = work.conn.execute(
        "select max(occurred_at) from comity.entry where record = %s and agency = %s and act = %s and version <= %s",
        (record, agency, act, version),
    ).fetchone()
    return row[0] if row else None


def _moment(value: Any) -> date | datetime | None:
    found = read_when(value)
    return None if isinstance(found, datetime) and found.tzinfo is None else found


def _before(one: date | datetime, other: date | datetime, zone: ZoneInfo) -> bool:
    """Whether one lies before the other, by the minute, as people write times; by the day where either is a day."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one < other.replace(second=0, microsecond=0)
    return _day(one, zone) < _day(other, zone)


def _day(moment: date | datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
