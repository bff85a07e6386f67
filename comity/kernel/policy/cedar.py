"""The little of the Cedar language that the generator writes, and the schema every generated policy is checked against.

Policies read a fixed set of attributes that are never absent. A `Rule` says in data what it is limited to (actions,
act, owners, types) and writes the same limits into its Cedar text: leaving out the rules that cannot apply to one
request therefore never changes the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from comity.sentences import Text

ACTIONS = ("read", "find", "enter", "amend", "act", "answer", "attach", "emergency")
SEEING = ("read", "find")

SCHEMA = """\
entity Member = { agency: String, id: String, kind: String, roles: Set<String> };
entity Record = {
  owner: String, type: String, core_type: String, state: String, entered_by: String,
  marks: Set<String>, assigned: Set<String>, parties: Set<String>, grants: Set<String>,
};
type Request = { act: String, group: String, purpose: String, today: Long };
action read, find, enter, amend, act, answer, attach, emergency
  appliesTo { principal: [Member], resource: [Record], context: Request };
"""

OWN = "resource.owner == principal.agency"
INVOLVED = "(resource.assigned.contains(principal.id) || resource.entered_by == principal.id)"


def literal(value: str) -> str:
    """A Cedar string literal. Control characters are written as code points, so that no name can end the literal."""
    plain = value.isprintable() and '"' not in value and "\\" not in value
    return '"' + (value if plain else "".join(_escape(letter) for letter in value)) + '"'


def _escape(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}"


def one_of(values: Iterable[str], attribute: str) -> str:
    """The attribute (one string) is among the values. There must be a value: Cedar types no empty set."""
    known = sorted(values)
    return f"{attribute} == {literal(known[0])}" if len(known) == 1 else f"{listed(known)}.contains({attribute})"


def listed(values: Iterable[str]) -> str:
    return f"[{', '.join(literal(value) for value in sorted(values))}]"


def within(attribute: str, values: Iterable[str]) -> str:
    """The attribute (a set) holds nothing but the values."""
    known = sorted(values)
    return f"{listed(known)}.containsAll({attribute})" if known else f"{attribute}.isEmpty()"


def holds(roles: Iterable[str]) -> str:
    """The member holds one of the roles; there must be a role."""
    known = sorted(roles)
    if len(known) == 1:
        return f"principal.roles.contains({literal(known[0])})"
    return f"principal.roles.containsAny({listed(known)})"


def either(clauses: Sequence[str]) -> str:
    """One of the clauses, as a balanced tree: a long list must not become a deep one. Without clauses: false."""
    if not clauses:
        return "false"
    if len(clauses) == 1:
        return clauses[0]
    middle = len(clauses) // 2
    return f"({either(clauses[:middle])} || {either(clauses[middle:])})"


def both(clauses: Sequence[str]) -> str:
    """All of the clauses; without clauses: true."""
    return f"({' && '.join(clauses)})" if clauses else "true"


def day(value: date) -> int:
    """A day as policies compare it: 2026-11-22 is 20261122."""
    return value.year * 10000 + value.month * 100 + value.day


def between(from_: date | None, until: date | None) -> list[str]:
    """Today lies between the two days, both included; an end that is not given is open."""
    clauses = [f"context.today >= {day(from_)}"] if from_ else []
    return [*clauses, f"context.today <= {day(until)}"] if until else clauses


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy. `id` is the reason it gives, `why` the same in words; several rules may share both.

    `given` reads principal and context only, `when` the record. A limit of None limits nothing. With `core` the types
    are meant with what other layers derive from them: the record's own type or its core type is among them.
    """

    id: str
    why: Text
    actions: tuple[str, ...]
    effect: Literal["permit", "forbid"] = "permit"
    given: tuple[str, ...] = ()
    act: str | None = None
    owners: frozenset[str] | None = None
    types: frozenset[str] | None = None
    core: bool = False
    when: tuple[str, ...] = ()

    def concerns(
        self, action: str, *, act: str | None, type_name: str | None, core_type: str | None, owner: str | None
    ) -> bool:
        """Whether the rule can apply to a request. None means that the value is not known yet."""
        open_type = type_name is None or (self.core and core_type is None)
        return (
            action in self.actions
            and (self.act is None or act is None or act == self.act)
            and (self.types is None or open_type or type_name in self.types or (self.core and core_type in self.types))
            and (self.owners is None or owner is None or owner in self.owners)
        )

    def cedar(self) -> str:
        """The policy text. What principal and context decide stands first, so that it folds first."""
        clauses = list(self.given)
        if self.act is not None:
            clauses.append(f"context.act == {literal(self.act)}")
        if self.owners is not None:
            clauses.append(one_of(self.owners, "resource.owner"))
        if self.types is not None:
            names = ("resource.type", "resource.core_type") if self.core else ("resource.type",)
            clauses.append(either([one_of(self.types, name) for name in names]))
        clauses += self.when
        actions = [f'Action::"{action}"' for action in self.actions]
        scope = f"action == {actions[0]}" if len(actions) == 1 else f"action in [{', '.join(actions)}]"
        condition = f"\nwhen {{ {' && '.join(clauses)} }}" if clauses else ""
        return (
            f"@id({literal(self.id)})\n@why({literal(self.why)})\n"
            f"{self.effect} (principal, {scope}, resource){condition};\n"
        )
