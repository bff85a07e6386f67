"""What new definitions mean for an agency: what holds, what changes by itself, and what a person must decide.

Old records are never judged by newer rules until they are changed, so a narrower shape *changes*; what would leave
records without a home (a type, field, code or state that is gone) must be *decided*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comity.kernel.types.catalogue import Act, Answer, Catalogue, Field, Link, Type
from comity.kernel.types.lifecycle import answers
from comity.sentences import NOTHING, Sentence, Text, say


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: a code, where (`investigation.case.fields.title`), what, and for decisions what to do."""

    code: str
    path: str
    message: Text
    fix: Text = NOTHING

    def __post_init__(self) -> None:
        if not self.fix and isinstance(self.message, Sentence):
            object.__setattr__(self, "fix", self.message.fix)

    def as_json(self) -> dict[str, str]:
        out = {"code": self.code, "path": self.path, "message": self.message}
        return {**out, "fix": self.fix} if self.fix else out


@dataclass(frozen=True, slots=True)
class Report:
    """`holds` are the paths of all parts that are the same; `changes` and `decide` the differences."""

    agency: str
    holds: tuple[str, ...]
    changes: tuple[Line, ...]
    decide: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """Whether the new definitions can be installed without a decision."""
        return not self.decide

    def as_json(self) -> dict[str, Any]:
        return {
            "agency": self.agency, "holds": len(self.holds),
            "changes": [one.as_json() for one in self.changes], "decide": [one.as_json() for one in self.decide],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fit:
    """How far an agency works in the core's own terms: of the core's fields, how many are kept as they are, how many
    narrowed; how many the layers added; and the types the layers own outright."""

    kept: int
    narrowed: int
    added: int
    own_types: int

    @property
    def percent(self) -> int:
        """Of all fields in the agency's catalogue, the share (0-100, rounded down) that are the core's."""
        whole = self.kept + self.narrowed + self.added
        return 100 * (self.kept + self.narrowed) // whole if whole else 100

    def as_json(self) -> dict[str, int]:
        return {
            "kept": self.kept, "narrowed": self.narrowed, "added": self.added, "own_types": self.own_types,
            "percent": self.percent,
        }  # fmt: skip


def fit(catalogue: Catalogue, core: Catalogue) -> Fit:
    """Counted over fields. `core` is the catalogue of the core alone (`load(core)`)."""
    kept = narrowed = added = own = 0
    for of in catalogue.types.values():
        plain = core.types.get(of.core_name)
        own += of.name not in core.types
        for name, one in of.fields.items():
            old = plain.fields.get(name) if plain else None
            if old is None:
                added += 1
            elif _binding(old) == _binding(one):
                kept += 1
            else:
                narrowed += 1
    return Fit(kept, narrowed, added, own)


def _binding(one: Field) -> tuple[Any, ...]:
    """What a field lets in and where it must be: words and places in files left out."""
    states = sorted(one.required_in)
    return one.schema, one.group, one.find, one.cls, sorted(one.values or ()), one.required, one.required_from, states


def compare(old: Catalogue, new: Catalogue) -> Report:
    """The differences that an agency meets when `new` takes the place of `old`."""
    holds: list[str] = []
    changes: list[Line] = []
    decide: list[Line] = []
    for name, before in old.types.items():
        after = new.types.get(name)
        if after is None:
            decide.append(Line("type_removed", name, say("upgrade.type_is_gone", name=name)))
            continue
        for kind, line in _type(before, after):
            if kind == "same":
                holds.append(line.path)
            else:
                (decide if kind == "decide" else changes).append(line)
    for name in new.types.keys() - old.types.keys():
        changes.append(Line("type_added", name, say("upgrade.type_is_new", name=name)))
    for name in sorted(old.marks.keys() - new.marks.keys()):
        decide.append(Line("mark_removed", f"marks.{name}", say("upgrade.mark_is_gone", name=name)))
    return Report(new.agency, tuple(holds), tuple(sorted(changes, key=_path)), tuple(sorted(decide, key=_path)))


def _path(line: Line) -> str:
    return line.path


Sorted = Iterator[tuple[str, Line]]


def _type(old: Type, new: Type) -> Sorted:
    yield from _parts(old, new, "fields", old.fields, new.fields)
    yield from _parts(old, new, "links", old.links, new.links)
    yield from _states(old, new)
    yield from _steps(old, new, "acts", old.acts, new.acts)
    yield from _steps(old, new, "offer", answers(old.offer), answers(new.offer))
    if old.number != new.number:
        key = "upgrade.numbers_are_now" if old.number else "upgrade.numbers_begin"
        said = say(key if new.number else "upgrade.numbers_end", new=new.number, old=old.number)
        yield "change", Line("number_changed", f"{old.name}.number", said)
    if old.handling - new.handling:
        gone = ", ".join(sorted(old.handling - new.handling))
        yield (
            "decide",
            Line("handling_removed", f"{old.name}.handling", say("upgrade.no_longer_marked", gone=gone)),
        )


def _parts(old: Type, new: Type, kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Sorted:
    for name, one in before.items():
        path = f"{old.name}.{kind}.{name}"
        other = after.get(name)
        if other is None:
            yield "decide", Line("removed", path, say("upgrade.part_is_gone", name=name))
            continue
        more = sorted((other.required_in - one.required_in) & old.states.keys())
        if more:
            yield "decide", Line("now_required", path, say("upgrade.is_now_required", name=name, states=more))
        found = list(_field(path, one, other) if isinstance(one, Field) else _link(path, one, other))
        yield from found
        if not found and not more:
            yield "same", Line("same", path, NOTHING)
    for name in after.keys() - before.keys():
        path = f"{new.name}.{kind}.{name}"
        plain = [mine for mine in before if mine.endswith(f":{name}")]
        if plain:
            yield "decide", Line("name_met", path, say("upgrade.core_now_has", name=name, own=plain[0]))
        elif new.initial in after[name].required_in:
            yield "decide", Line("now_required", path, say("upgrade.is_new_and_required", name=name))
        else:
            yield "change", Line("added", path, say("upgrade.is_new", name=name))


def _field(path: str, old: Field, new: Field) -> Sorted:
    if old.schema.get("type") != new.schema.get("type"):
        said = say("upgrade.kind_was", old=old.schema.get("type"), new=new.schema.get("type"))
        yield "decide", Line("type_changed", path, said)
    elif old.schema != new.schema:
        yield "change", Line("shape_changed", path, say("upgrade.shape_differs"))
    gone = sorted((old.values or {}).keys() - (new.values or {}).keys()) if new.values is not None else []
    if gone:
        yield "decide", Line("code_removed", path, say("upgrade.codes_are_gone", codes=gone))
    if (new.values or {}).keys() - (old.values or {}).keys():
        more = sorted((new.values or {}).keys() - (old.values or {}).keys())
        yield "change", Line("code_added", path, say("upgrade.new_codes", codes=more))
    if old.group != new.group:
        yield "decide", Line("group_changed", path, say("upgrade.group_was", old=old.group, new=new.group))
    for key in ("find", "party", "counterparty", "effective", "input", "cls"):
        if getattr(old, key) != getattr(new, key):
            said = say("upgrade.key_was", key=key, old=getattr(old, key), new=getattr(new, key))
            yield "change", Line(f"{key}_changed", path, said)


def _link(path: str, old: Link, new: Link) -> Sorted:
    gone = set(old.to) - set(new.to)
    if gone and "any" not in new.to:
        yield "decide", Line("target_removed", path, say("upgrade.no_longer_points_at", types=sorted(gone)))
    elif set(new.to) != set(old.to):
        yield "change", Line("target_added", path, say("upgrade.points_at", types=new.to))
    if old.many and not new.many:
        yield "decide", Line("now_single", path, say("upgrade.one_record_only"))
    elif old.many != new.many:
        yield "change", Line("now_many", path, say("upgrade.may_point_at_several"))
    if (old.shape.as_json() if old.shape else {}) != (new.shape.as_json() if new.shape else {}):
        said = say("upgrade.takes_what_fits", said=new.shape.said()) if new.shape else say("upgrade.takes_any")
        yield "change", Line("where_changed", path, said)
    if old.inherit != new.inherit:
        yield (
            "change",
            Line("inherit_changed", path, say("upgrade.key_was", key="inherit", old=old.inherit, new=new.inherit)),
        )


def _states(old: Type, new: Type) -> Sorted:
    for name, one in old.states.items():
        path = f"{old.name}.states.{name}"
        other = new.states.get(name)
        if other is None:
            yield "decide", Line("state_removed", path, say("upgrade.state_is_gone", name=name))
        elif one.core != other.core:
            yield "decide", Line("state_moved", path, say("upgrade.others_read", new=other.core, old=one.core))
        elif other.divided and not one.divided:
            yield "decide", Line("state_divided", path, say("upgrade.is_divided_now", entry=other.entry))
        elif one.final != other.final:
            yield (
                "change",
                Line("final_changed", path, say("upgrade.key_was", key="final", old=one.final, new=other.final)),
            )
        else:
            yield "same", Line("same", path, NOTHING)
    for name in new.states.keys() - old.states.keys():
        yield "change", Line("added", f"{new.name}.states.{name}", say("upgrade.state_is_new", name=name))
    if old.initial != new.initial:
        yield (
            "change",
            Line("initial_changed", f"{new.name}.states", say("upgrade.records_start_in", state=new.initial)),
        )


def _steps(
    old: Type, new: Type, kind: str, before: Mapping[str, Act] | Mapping[str, Answer],
    after: Mapping[str, Act] | Mapping[str, Answer],
) -> Sorted:  # fmt: skip
    for name, one in before.items():
        path = f"{old.name}.{kind}.{name}"
        other = after.get(name)
        if other is None:
            yield (
                "decide",
                Line("act_removed", path, say("upgrade.can_no_longer_be_done", name=name)),
            )
            continue
        found = [
            key
            for key in ("from_", "to", "by", "needs", "sets", "not_by", "ends", "creates", "package", "owes", "lifts")
            if getattr(one, key, None) != getattr(other, key, None)
        ]
        if [rule.sentences for rule in one.guards] != [rule.sentences for rule in other.guards]:
            found.append("guard")
        for key in found:
            yield (
                "change",
                Line(f"{key.rstrip('_')}_changed", path, say("upgrade.key_differs", key=key.rstrip("_"), name=name)),
            )
        if not found:
            yield "same", Line("same", path, NOTHING)
    for name in after.keys() - before.keys():
        yield "change", Line("added", f"{new.name}.{kind}.{name}", say("upgrade.is_new", name=name))
