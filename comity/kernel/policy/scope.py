"""Policies as SQL: Cedar evaluated with the record unknown, its residual written as one predicate over comity.record.

The predicate selects exactly the records that full decisions allow; a test holds them equal. It knows few operators.
Whatever else comes out of the evaluation is refused with `PolicyNotCompilable`: never guessed, never widened.
No value stands in the SQL text; every one is a named parameter. A NULL would hide the row, not show it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comity.errors import Problem
from comity.sentences import Text, say

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

SCALARS = {
    "owner": "agency", "type": "type", "core_type": "core_type", "state": "core_state", "entered_by": "entered_by",
}  # fmt: skip
ARRAYS = {"marks": "marks", "assigned": "assigned", "parties": "parties"}
GRANTS = "grants"

MEMBER = "\N{WHITE SQUARE}member"
"""Stands for the member's id while policies are evaluated, so that members with the same roles share the result.

Sound because policies compare `principal.id` with attributes of the record only, and no name can begin so.
"""


class PolicyNotCompilable(Problem):
    """A policy uses what the compiler to SQL does not know. Nothing is shown; `profile check` finds it beforehand."""

    def __init__(self, detail: Text) -> None:
        super().__init__("policy_error", detail, fix=say("policy_error.change_definition.fix"))


@dataclass(frozen=True, slots=True)
class Predicate:
    """A boolean SQL expression and its named parameters. Prefixes keep predicates in one query apart."""

    sql: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroupColumns:
    """Which field groups of a row are readable: `sql` is one text[] expression, `each` a boolean for each group."""

    sql: str
    each: Mapping[str, str]
    params: Mapping[str, Any]
    groups: tuple[str, ...]


@dataclass(slots=True)
class Binding:
    """What a predicate is written for: the alias of comity.record, the actor's agency, what is known of the record.

    Parameters collect here, one for each distinct value, so that several expressions can share them.
    """

    alias: str
    agency: str
    prefix: str
    known: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    _names: dict[Any, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.alias, self.prefix):
            if not _NAME.match(name):
                raise ValueError(f"{name!r} cannot be an alias or a prefix in SQL")

    def param(self, value: str | list[str]) -> str:
        key = tuple(value) if isinstance(value, list) else value
        if key not in self._names:
            self._names[key] = f"{self.prefix}{len(self._names)}"
            self.params[self._names[key]] = value
        return f"%({self._names[key]})s" + ("::text[]" if isinstance(value, list) else "::text")

    def column(self, name: str) -> str:
        return f"{self.alias}.{name}"


def bound(params: Mapping[str, Any], member: str) -> dict[str, Any]:
    """The parameters with the member's id in its place."""
    return {name: member if value == MEMBER else value for name, value in params.items()}


# An expression is a Python bool (decided), a str (SQL), or one of these operands.
@dataclass(frozen=True, slots=True)
class _Scalar:
    value: str


@dataclass(frozen=True, slots=True)
class _Values:
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    array: bool


@dataclass(frozen=True, slots=True)
class _Grants:
    pass


_OWNER = {".": {"left": {"unknown": [{"Value": "resource"}]}, "attr": "owner"}}
_Operand = _Scalar | _Values | _Column | _Grants
_Truth = bool | str


def compile_residuals(residuals: Mapping[str, Mapping[str, Any]], binding: Binding) -> tuple[_Truth, _Truth]:
    """What some permit allows and what some forbid bars, each True, False or SQL. Raises PolicyNotCompilable."""
    permits: list[list[Any]] = []
    forbids: list[_Truth] = []
    only_marked: list[_Truth] = []
    unmarked = Binding(binding.alias, binding.agency, binding.prefix, {**binding.known, "marks": ()})
    for name in sorted(residuals, key=lambda one: (len(one), one)):
        policy = residuals[name]
        if policy.get("effect") not in ("permit", "forbid"):
            raise PolicyNotCompilable(say("policy_error.policy_has_effect_that_is", name=name))
        for part in ("principal", "action", "resource"):
            if policy.get(part) != {"op": "All"}:
                raise PolicyNotCompilable(say("policy_error.of_policy_is_still_open", part=part, name=name))
        if policy["effect"] == "permit":
            permits.append(policy["conditions"])
            continue
        truth = _and([_condition(one, binding) for one in policy["conditions"]])
        bars_unmarked = _and([_condition(one, unmarked) for one in policy["conditions"]])
        (only_marked if bars_unmarked is False else forbids).append(truth)
    if only_marked:  # most records carry no mark: that is asked once, before each mark by itself
        forbids.append(_and([f"cardinality({binding.column('marks')}) > 0", _or(only_marked)]))
    return _or([_and([_condition(one, binding) for one in held]) for held in _by_owner(permits)]), _or(forbids)


def _by_owner(permits: list[list[Any]]) -> Iterator[list[Any]]:
    """The permits, with those that differ only in the owner made one: hundreds of agreements are often alike."""
    owners: dict[str, tuple[list[Any], list[Any]]] = {}
    for conditions in permits:
        parts = [part for one in conditions for part in _conjuncts(one)]
        of_owner = [value for part in parts if (value := _owner_in(part))]
        if len(of_owner) == 1:
            rest = [part for part in parts if not _owner_in(part)]
            owners.setdefault(json.dumps(rest, sort_keys=True), (rest, []))[1].append(of_owner[0])
        else:
            yield conditions
    for rest, values in owners.values():
        if len(values) == 1:
            owner: Any = {"==": {"left": _OWNER, "right": values[0]}}
        else:
            owner = {"contains": {"left": {"Set": values}, "right": _OWNER}}
        yield [{"kind": "when", "body": part} for part in (owner, *rest)]


def _conjuncts(condition: Mapping[str, Any]) -> Iterator[Any]:
    """The parts of a `when` that must all hold; anything else than a conjunction is one part."""
    if condition.get("kind") == "unless":
        yield {"!": {"arg": condition["body"]}}
        return
    if condition.get("kind") != "when":
        raise PolicyNotCompilable(say("policy_error.condition_of_kind_is_not", get=condition.get("kind")))
    waiting = [condition["body"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping) and set(node) == {"&&"}:
            waiting += [node["&&"]["right"], node["&&"]["left"]]
        elif node != {"Value": True}:
            yield node


def _owner_in(part: Any) -> Any:
    """The value in `resource.owner == value`, as a node; None for any other expression."""
    sides = list(part["=="].values()) if isinstance(part, Mapping) and set(part) == {"=="} else []
    values = [side for side in sides if side != _OWNER]
    return values[0] if len(sides) == 2 and len(values) == 1 and set(values[0]) == {"Value"} else None


def combine(permit: _Truth, forbid: _Truth) -> str:
    """The SQL of `some permit and no forbid`."""
    return _sql(_and([permit, _not(forbid)]))


def group_array(parts: Mapping[str, tuple[_Truth, _Truth]], binding: Binding) -> str:
    """One text[] expression of the groups whose permit holds and whose forbid does not. Like parts are asked once."""
    by_forbid: dict[_Truth, dict[_Truth, list[str]]] = {}
    for group, (permit, forbid) in parts.items():
        if permit is not False and forbid is not True:
            by_forbid.setdefault(forbid, {}).setdefault(permit, []).append(group)
    none = "'{}'::text[]"
    sums = []
    for forbid, by_permit in by_forbid.items():
        terms = [_case(permit, binding.param(groups), none) for permit, groups in by_permit.items()]
        sums.append(_case(_not(forbid), " || ".join(terms), none))
    return f"({' || '.join(sums)})" if sums else none


def _case(condition: _Truth, then: str, otherwise: str) -> str:
    return f"({then})" if condition is True else f"case when {_sql(condition)} then {then} else {otherwise} end"


def _condition(condition: Mapping[str, Any], binding: Binding) -> _Truth:
    if condition.get("kind") not in ("when", "unless"):
        raise PolicyNotCompilable(say("policy_error.condition_of_kind_is_not", get=condition.get("kind")))
    truth = _truth(condition["body"], binding)
    return truth if condition["kind"] == "when" else _not(truth)


def _truth(node: Any, binding: Binding) -> _Truth:
    operator, body = _single(node)
    if operator == "Value" and isinstance(body, bool):
        return body
    if operator in ("&&", "||"):
        sides = [_truth(body["left"], binding), _truth(body["right"], binding)]
        return _and(sides) if operator == "&&" else _or(sides)
    if operator == "!":
        return _not(_truth(body["arg"], binding))
    if operator in ("==", "!="):
        same = _same(_operand(body["left"], binding), _operand(body["right"], binding), binding)
        return same if operator == "==" else _not(same)
    if operator in ("contains", "containsAll", "containsAny"):
        return _set_test(operator, _operand(body["left"], binding), _operand(body["right"], binding), binding)
    if operator == "isEmpty":
        return _empty(_operand(body["arg"], binding), binding)
    raise PolicyNotCompilable(say("policy_error.operator_is_not_known_to", operator=operator))


def _operand(node: Any, binding: Binding) -> _Operand:
    operator, body = _single(node)
    if operator == "Value" and isinstance(body, str):
        return _Scalar(body)
    if operator == "Value" and isinstance(body, list) and all(isinstance(one, str) for one in body):
        return _Values(tuple(sorted(body)))
    if operator == "Set":
        members = [_operand(one, binding) for one in body]
        if all(isinstance(one, _Scalar) for one in members):
            return _Values(tuple(sorted(one.value for one in members if isinstance(one, _Scalar))))
    if operator == "." and body.get("left") == {"unknown": [{"Value": "resource"}]}:
        return _attribute(body.get("attr"), binding)
    raise PolicyNotCompilable(say("policy_error.operand_of_kind_is_not", operator=operator))


def _attribute(name: Any, binding: Binding) -> _Operand:
    if name in binding.known:
        value = binding.known[name]
        return _Scalar(value) if isinstance(value, str) else _Values(value)
    if name == GRANTS:
        return _Grants()
    if name in SCALARS:
        return _Column(SCALARS[name], array=False)
    if name in ARRAYS:
        return _Column(ARRAYS[name], array=True)
    raise PolicyNotCompilable(say("policy_error.attribute_has_no_column", name=name))


def _single(node: Any) -> tuple[str, Any]:
    if not isinstance(node, Mapping) or len(node) != 1:
        raise PolicyNotCompilable(say("policy_error.evaluation_gave_expression_of_unknown"))
    ((operator, body),) = node.items()
    return str(operator), body


def _same(left: _Operand, right: _Operand, binding: Binding) -> _Truth:
    if isinstance(left, _Scalar) and isinstance(right, _Scalar):
        return left.value == right.value
    return f"({_one(left, binding)} = {_one(right, binding)})"


def _set_test(operator: str, left: _Operand, right: _Operand, binding: Binding) -> _Truth:
    if operator == "contains":
        if isinstance(left, _Grants):
            return _granted(right, binding)
        if isinstance(left, _Values) and isinstance(right, _Scalar):
            return right.value in left.values
        if left == _Values(()):
            return False
        return f"({_one(right, binding)} = any({_many(left, binding)}))"
    if isinstance(left, _Values) and isinstance(right, _Values):
        one, other = set(left.values), set(right.values)
        return one >= other if operator == "containsAll" else not one.isdisjoint(other)
    arrow = "@>" if operator == "containsAll" else "&&"
    return f"({_many(left, binding)} {arrow} {_many(right, binding)})"


def live(share: str) -> str:
    """That a row of comity.share, under its alias, is in force: not ended, its time not over, nor that of its offer.

    What expires is closed by the clock of the transaction, whether or not a worker has told so yet.
    """
    return (
        f"{share}.live and ({share}.until is null or {share}.until > comity.now())"
        f" and ({share}.offer is null or not exists"
        f" (select from comity.offer {share}_offer where {share}_offer.id = {share}.offer"
        f" and {share}_offer.state = 'offered' and {share}_offer.expires_at <= comity.now()))"
    )


def _granted(group: _Operand, binding: Binding) -> str:
    """A live share of the record with the actor's agency, or with this member, of this version or later.

    An offer shares only what the offering agency owns: nobody passes on another's record.
    """
    if not isinstance(group, _Scalar):
        raise PolicyNotCompilable(say("policy_error.grant_is_asked_for_one"))
    row, share = binding.alias, f"{binding.alias}_share"
    return (
        f"exists (select from comity.share {share} where {share}.record = {row}.id and {live(share)}"
        f" and ({share}.agency = {row}.agency or {share}.offer is null)"
        f" and {share}.to_agency = {binding.param(binding.agency)}"
        f" and ({share}.to_member is null or {share}.to_member::text = {binding.param(MEMBER)})"
        f" and {binding.param(group.value)} = any({share}.groups)"
        f" and ({share}.version is null or {share}.version >= {row}.version))"
    )


def _empty(of: _Operand, binding: Binding) -> _Truth:
    if isinstance(of, _Values):
        return not of.values
    return f"(cardinality({_many(of, binding)}) = 0)"


def _one(of: _Operand, binding: Binding) -> str:
    if isinstance(of, _Scalar):
        return binding.param(of.value)
    if isinstance(of, _Column) and not of.array:
        return binding.column(of.name)
    raise PolicyNotCompilable(say("policy_error.set_stands_where_one_value"))


def _many(of: _Operand, binding: Binding) -> str:
    if isinstance(of, _Values):
        return binding.param(list(of.values))
    if isinstance(of, _Column) and of.array:
        return binding.column(of.name)
    raise PolicyNotCompilable(say("policy_error.one_value_or_grants_stand"))


def _and(sides: list[_Truth]) -> _Truth:
    open_sides = list(dict.fromkeys(side for side in sides if side is not True))
    if any(side is False for side in open_sides):
        return False
    return _joined(" and ", open_sides) if open_sides else True


def _or(sides: list[_Truth]) -> _Truth:
    open_sides = list(dict.fromkeys(side for side in sides if side is not False))
    if any(side is True for side in open_sides):
        return True
    return _joined(" or ", open_sides) if open_sides else False


def _joined(word: str, sides: Sequence[_Truth]) -> str:
    texts = sorted((_sql(side) for side in sides), key=lambda text: "exists (" in text)  # what asks a table comes last
    return texts[0] if len(texts) == 1 else f"({word.join(texts)})"


def _not(truth: _Truth) -> _Truth:
    return (not truth) if isinstance(truth, bool) else f"(not {truth})"


def _sql(truth: _Truth) -> str:
    return truth if isinstance(truth, str) else ("true" if truth else "false")
