"""What of a record a reader sees: fields by group, marked fields, codes of another agency as their core code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comity.kernel.policy import mask
from comity.kernel.types.catalogue import Field, Type
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject
from comity.sentences import say

MARKED = "page.marked_ground"


def readable_groups(work: Work, of: Type, subject: Subject) -> frozenset[str]:
    """The field groups that the policy lets this actor read on this record."""
    names = ["base", *(name for name in of.groups if name != "base")]
    return mask.groups(work.policies, work.actor, subject.resource(), today=work.today, of=names)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one reader sees of one record. `hidden` are fields behind a mark, each with the marks.

    `whole`: every group is open and no field hidden, whether or not it holds a value. What belongs to no field, such as
    files, reasons and causes, is for whoever sees the whole.
    """

    groups: frozenset[str]
    hidden: Mapping[str, str]
    whole: bool

    def shows(self, of: Type, name: str) -> bool:
        """Whether a field is shown; what is none, such as a reason, is for whoever sees the whole."""
        known = of.fields.get(name)
        return self.whole if known is None else known.group in self.groups and name not in self.hidden


def visibility(work: Work, of: Type, subject: Subject) -> Visibility:
    """`of` is the owner's type: its groups decide."""
    groups, hidden = readable_groups(work, of, subject), _hidden_by_mark(work, subject)
    return Visibility(groups, hidden, not hidden and groups.issuperset(("base", *of.groups)))


def readable_fields(
    work: Work, of: Type, subject: Subject, seen: Visibility | None = None
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """(fields shown, what is masked with its ground). `of` is the owner's type; `seen` spares deciding again."""
    seen = seen or visibility(work, of, subject)
    groups, marked = seen.groups, seen.hidden
    open_fields = {name: value for name, value in subject.folded.fields.items() if name not in marked}
    shown, masked = mask.apply(of, open_fields, groups)
    if subject.agency != work.agency:
        shown = {name: core_code(of.fields[name], value) for name, value in shown.items()}
    return shown, masked + [
        {"field": name, "group": "", "ground": say(MARKED, marks=marks)} for name, marks in sorted(marked.items())
    ]


def _hidden_by_mark(work: Work, subject: Subject) -> Mapping[str, str]:
    """The marked fields that this actor may not read, each with the mark that says so."""
    if not subject.folded.field_marks:
        return {}
    hidden = {}
    for name, marks in subject.folded.field_marks.items():
        resource = replace(subject.resource(), marks=frozenset(subject.folded.marks) | frozenset(marks))
        if not work.policies.decide(work.actor, "read", resource, today=work.today).allowed:
            hidden[name] = ", ".join(marks)
    return hidden


def core_code(one: Field, value: Any) -> Any:
    """The value as another agency reads it: a layer's own code as the core code that it is a kind of."""
    if one.values is None:
        return value
    return [one.core_code(item) for item in value] if isinstance(value, list) else one.core_code(value)
