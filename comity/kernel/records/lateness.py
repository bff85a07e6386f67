"""Late entry: what an act must come after, and how soon it is entered. Refused without its cause; with it, typed late.

An act that breaks a rule of order leaves an item `late/<rule>` in its entry, beside the cause: never silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.records.change import Change
from comity.kernel.records.node import Work
from comity.kernel.records.sight import readable_fields
from comity.kernel.records.subject import Subject, loaded, subjects
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.dated import Law, Rule
from comity.kernel.types.due import read_when
from comity.kernel.types.sequence import SELF, After, Order, Sequences, sequences_of

MARK = "late/"


@lru_cache(maxsize=64)
def sequences_for(catalogue: Catalogue) -> Sequences:
    return sequences_of(catalogue.rules)


@lru_cache(maxsize=4096)
def rules_for(catalogue: Catalogue, act: str) -> tuple[Rule[Order], ...]:
    """The rules of order that speak of `type.act`."""
    return tuple(
        rule for rule in sequences_for(catalogue).values() if any(act in law.said.acts for law in rule.versions)
    )


def timed(work: Work, change: Change, seen: Mapping[str, Subject] | None = None) -> Change:
    """The change, typed late where it breaks a rule of order; Problem `late_cause_needed` without a cause for that.

    `seen` are linked records that were read already. The agency's own system follows acts and is not judged.
    """
    entry = change.entry
    rules = rules_for(work.catalogue, f"{change.type.core_name}.{entry.act}")
    if not rules or work.actor.kind == "system":
        return change
    broken = [told for rule in rules if (told := _broken(work, change, rule, seen or {})) is not None]
    if not broken:
        return change
    if not str(entry.content.get("cause", "")).strip():
        faults = [Fault("late_cause_needed", name, said, "say why in late_cause") for name, said in broken]
        raise Problem(
            "late_cause_needed", broken[0][1], faults=faults, rules=[name for name, _ in broken],
            fix="correct the time, or give late_cause: why it is entered late or out of its order",
        )  # fmt: skip
    late = {f"{MARK}{name}": True for name, _ in broken}
    return replace(change, entry=replace(entry, content={**entry.content, **late}))


def late_rules(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The rules of order that an entry broke, from its content."""
    return tuple(path[len(MARK) :] for path in sorted(content) if path.startswith(MARK))


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


def late_entries(work: Work, shown: Iterable[tuple[Subject, bool]]) -> list[Late]:
    """The owners' late entries on records that the reader sees, oldest first; the cause where it sees the whole."""
    held = {one.id: (one, whole) for one, whole in shown}
    rows = work.conn.execute(
        r"""select e.record, e.act, e.occurred_at, e.entered_at, e.agency, e.version, c.content from comity.entry e
              join comity.entry_content c on c.entry = e.id
             where e.record = any(%s) and position('"late/'::bytea in c.content) > 0
             order by e.entered_at, e.version""",
        (list(held),),
    )
    out = []
    for record, act, occurred, entered, agency, version, content in rows:
        one, whole = held[record]
        told = loaded(content) or {}
        if agency == one.agency and version <= one.folded.version and (rules := late_rules(told)):
            cause = str(told.get("cause", "")) if whole else ""
            out.append(Late(str(record), one.folded.number, act, occurred, entered, rules, cause))
    return out


def _broken(work: Work, change: Change, rule: Rule[Order], seen: Mapping[str, Subject]) -> tuple[str, str] | None:
    """(rule, what is wrong and by which law), or None. The version in force on the day of the act counts."""
    zone = ZoneInfo(work.catalogue.definition.zone)
    for law in rule.versions:
        happened = _moment(change.after.fields.get(law.said.occurred)) or change.entry.occurred_at
        if not law.holds(_day(happened, zone)):
            continue
        said = _too_early(work, change, law.said, happened, zone, seen) or _too_late(change, law.said, happened, zone)
        return (rule.name, f"{law.said.title}: {said} ({_source(law)})") if said else None
    return None


def _source(law: Law[Order]) -> str:
    return f"{law.citation}, {law.verified}" if law.citation else "local rule"


def _too_late(change: Change, order: Order, happened: date | datetime, zone: ZoneInfo) -> str:
    if order.late_after is None:
        return ""
    began = happened if isinstance(happened, datetime) else datetime.combine(happened, datetime.max.time(), zone)
    if change.entry.entered_at <= order.late_after.after(began, zone.key):
        return ""
    return f"it happened {_shown(happened)} and is entered {_shown(change.entry.entered_at)}"


def _too_early(
    work: Work, change: Change, order: Order, happened: date | datetime, zone: ZoneInfo, seen: Mapping[str, Subject]
) -> str:
    after = order.after
    if after is None:
        return ""
    for name, moment in _firsts(work, change, after, seen):
        if moment is None:
            return f"it happened {_shown(happened)}, and {name} has not been done ({after.act.replace('_', ' ')})"
        if _before(happened, moment, zone):
            return f"it happened {_shown(happened)}, before {name} of {_shown(moment)}"
    return ""


def _firsts(
    work: Work, change: Change, after: After, seen: Mapping[str, Subject]
) -> Iterable[tuple[str, date | datetime | None]]:
    """What must come first: (its number, its moment). A field that is absent or not shown says nothing."""
    if after.link == SELF:
        if after.field:
            moment = _moment(change.after.fields.get(after.field))
            return [(after.field, moment)] if moment is not None else []
        return [(after.act, _done(work, change.entry.record, work.agency, after.act, change.before.version))]
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
            out.append((name, _done(work, one.id, one.agency, after.act, one.folded.version)))
            continue
        fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
        moment = _moment(fields.get(after.field))
        out += [(name, moment)] if moment is not None else []
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


def _shown(moment: date | datetime) -> str:
    return f"{show_instant(moment)[:16]}Z" if isinstance(moment, datetime) else moment.isoformat()
