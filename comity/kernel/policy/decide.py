"""May this actor do this, and why: the one place where rights are decided.

`Policies` belongs to one agency and decides what its members may do with its own and with others' records. It is
immutable but for its caches and may be used by many threads. Any error inside a decision is a denial.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import cedarpy
import orjson

from comity.errors import Problem
from comity.kernel.policy.actor import Actor, acting_roles, held_roles
from comity.kernel.policy.cedar import ACTIONS, SCHEMA, SEEING, Rule
from comity.kernel.policy.denial import unasked
from comity.kernel.policy.generate import IncomingAgreement, rules
from comity.kernel.policy.scope import (
    MEMBER,
    Binding,
    GroupColumns,
    PolicyNotCompilable,
    Predicate,
    bound,
    combine,
    compile_residuals,
    group_array,
)
from comity.kernel.types.catalogue import Catalogue
from comity.sentences import Text, joined, say

_KEPT = 4096
_SCHEMA = cedarpy.Schema.from_str(SCHEMA)
_PRINCIPAL = 'Member::"actor"'
_RESOURCE = 'Record::"record"'
_ERROR = "error"

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Resource:
    """What policies may know of a record. `state` is its core state; parties are agencies, assigned are member ids.

    `core_type` is the core type that `type` derives from; empty where it is `type` itself.

    `grants` are the groups that a live share opens to this actor (its agency, or the member in person).
    """

    owner: str
    type: str
    state: str = ""
    marks: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    entered_by: str = ""
    grants: frozenset[str] = frozenset()
    core_type: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which records are asked for: those with which an actor may do this. `group` is the field group that is read.

    With `type` only records of that type, by a shorter predicate. `act` is the act's name, or for `find` the field
    searched by, as `find.<type>.<field>`.
    """

    action: str = "read"
    group: str = "base"
    type: str | None = None
    act: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`reasons` are the ids of the rules that decided (`role:agent:read`, `mark:grand_jury`), `why` the same in words.

    A denial without reasons is one that no rule allows. A decision that erred is denied, with the reason `error`.
    """

    allowed: bool
    reasons: tuple[str, ...]
    why: Text

    def require(self) -> None:
        """Raise the denial: `policy_error` when the decision erred, else `not_allowed` with the reasons."""
        if not self.allowed:
            raise Problem(
                "policy_error" if self.reasons == (_ERROR,) else "not_allowed", self.why, reasons=list(self.reasons)
            )


class _Question(NamedTuple):
    """Who asks, and for what: all that policies know but the record and the field group. A plain tuple, for it is a key
    of what is kept. `held` are the roles that count; `member` is MEMBER where the answer is text for every member."""

    held: frozenset[str]
    member: str
    kind: str
    agency: str
    purpose: str
    action: str
    act: str
    today: int

    def request(self, group: str, resource: str | None) -> dict[str, Any]:
        """One request to the engine; without a resource what is left of the policies is asked for."""
        return {
            "principal": _PRINCIPAL,
            "action": f'Action::"{self.action}"',
            "resource": resource,
            "context": {"act": self.act, "group": group, "purpose": self.purpose, "today": self.today},
        }


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The policies that can apply to one kind of request. `ids` and `why` are by the engine's own policy name."""

    policies: cedarpy.PolicySet
    rules: Mapping[str, Rule]


class Policies:
    """The prepared policies of the catalogue's agency. `incoming` are the agreements that others made in its favour."""

    def __init__(self, catalogue: Catalogue, incoming: Sequence[IncomingAgreement] = ()) -> None:
        self.catalogue = catalogue
        self.agency = catalogue.agency
        self.rules = rules(catalogue, incoming)
        self._agreed: dict[str, set[str]] = defaultdict(set)
        for one in incoming:
            for name, groups in one.spec.read.items():
                self._agreed[name].update(groups)
        self._acts = {rule.act for rule in self.rules}
        self._owners = frozenset[str]().union(*(rule.owners or () for rule in self.rules))
        self._types = frozenset[str]().union(*(rule.types or () for rule in self.rules))
        self._slices: dict[tuple[str | None, ...], _Prepared] = {}
        self._decisions: dict[tuple[Any, ...], dict[str, Decision]] = {}
        self._predicates: dict[tuple[Any, ...], Predicate] = {}
        self._columns: dict[tuple[Any, ...], GroupColumns] = {}

    def cedar_text(self) -> str:
        """All policies as Cedar text, each with its id and its reason in words."""
        return "\n".join(rule.cedar() for rule in self.rules)

    def groups_of(self, type_name: str | None = None) -> tuple[str, ...]:
        """The field groups of a type, of all types without a name: the catalogue's and those of agreements with us."""
        names = [type_name] if type_name else [*self.catalogue.types, *self._agreed]
        known = [self.catalogue.types[name].groups for name in names if name in self.catalogue.types]
        return tuple(sorted({"base"}.union(*known, *(self._agreed.get(name, ()) for name in names))))

    def decide(
        self, actor: Actor, action: str, resource: Resource, *, act: str = "", group: str = "base", today: int
    ) -> Decision:
        """One decision. `act` names the act or answer; `group` the field group read; `today` is 20261122."""
        return self._decide(actor, action, resource, act=act, groups=(group,), today=today)[group]

    def decide_groups(
        self, actor: Actor, action: str, resource: Resource, *, groups: Collection[str], today: int
    ) -> dict[str, Decision]:
        """The decision for each field group, in one call to the engine."""
        return dict(self._decide(actor, action, resource, act="", groups=tuple(groups), today=today))

    def scope(
        self, actor: Actor, asked: Asked = Asked(), *, today: int, alias: str = "r", prefix: str | None = None
    ) -> Predicate:
        """The records the actor may see (or act on), as SQL over `comity.record AS <alias>`.

        The prefix of the parameters is by default alias_action_group_.
        """
        prefix = prefix or re.sub(r"\W", "_", f"{alias}_{asked.action}_{asked.group}_")
        question = self._question(actor, asked.action, asked.act, today, member=MEMBER)
        key = (question, asked.group, asked.type, alias, prefix)
        cached = kept(self._predicates, key, lambda: self._compile(question, asked.group, asked.type, alias, prefix))
        return Predicate(cached.sql, bound(cached.params, actor.member))

    def group_columns(
        self,
        actor: Actor,
        type: str | None = None,
        *,
        today: int,
        prefix: str = "r_groups_",
        action: str = "read",
        groups: tuple[str, ...] | None = None,
    ) -> GroupColumns:
        """For each field group whether the actor may read it (or find by it), as SQL over `comity.record AS r` for a
        select list.

        Without `type` the groups are those of all types, unless `groups` names fewer. A type's expression is false on
        rows of other types.
        """
        question = self._question(actor, action, "", today, member=MEMBER)
        key = (question, type, prefix, groups)
        cached = kept(self._columns, key, lambda: self._compile_groups(question, type, prefix, groups))
        return GroupColumns(cached.sql, cached.each, bound(cached.params, actor.member), cached.groups)

    def compile_new(self, actor: Actor, asked: Asked, *, today: int, seen: set[bytes]) -> None:
        """Raise PolicyNotCompilable when what is left of a policy for this request has no SQL.

        What is left is mostly the same for one role as for the next: what stands in `seen` is not compiled again.
        """
        left = self._residuals(self._question(actor, asked.action, asked.act, today, member=MEMBER), asked.group, None)
        said = {name: orjson.dumps(one) for name, one in left.items()}
        new = {name: one for name, one in left.items() if said[name] not in seen}
        compile_residuals(new, Binding("r", actor.agency, "r_"))
        seen.update(said.values())

    def _decide(
        self, actor: Actor, action: str, resource: Resource, *, act: str, groups: tuple[str, ...], today: int
    ) -> dict[str, Decision]:
        """A decision follows from what stands in this key and from nothing else, so it is asked of the engine once."""
        question = self._question(actor, action, act, today, member=actor.member)
        return kept(self._decisions, (question, groups, resource), lambda: self._ask(question, groups, resource))

    def _question(self, actor: Actor, action: str, act: str, today: int, *, member: str) -> _Question:
        held = self._held(actor, action)
        return _Question(held, member, actor.kind, actor.agency, actor.purpose, action, act, today)

    def _held(self, actor: Actor, action: str) -> frozenset[str]:
        """The roles that count: for seeing, all that are held; for an act, those for whose act it is."""
        seeing = action in SEEING or action == "emergency"
        return held_roles(actor, self.catalogue) if seeing else acting_roles(actor, self.catalogue)

    def _ask(self, question: _Question, groups: tuple[str, ...], resource: Resource) -> dict[str, Decision]:
        action, act = question.action, question.act
        prepared = self._slice(action, act, resource.type, resource.core_type or resource.type, resource.owner)
        requests = [question.request(group, _RESOURCE) for group in groups]
        entities = json.dumps([_member(question), _record(resource)])
        try:
            answers = cedarpy.is_authorized_batch(requests, prepared.policies, entities)
        except ValueError as error:
            return {group: _errs(str(error)) for group in groups}
        decided = {group: _decision(answer, prepared) for group, answer in zip(groups, answers, strict=True)}
        if all(one.allowed or one.why for one in decided.values()):
            return decided
        why = unasked(self.catalogue, question.held, action, act, resource.type)
        return {group: one if one.allowed or one.why else replace(one, why=why) for group, one in decided.items()}

    def _known(self, type_name: str | None) -> dict[str, str | tuple[str, ...]]:
        """What is known of a record whose type is known; the core type of a type of others is not."""
        known = {"type": type_name, "core_type": self._core_type(type_name)}
        return {name: value for name, value in known.items() if value}

    def _core_type(self, type_name: str | None) -> str | None:
        of = self.catalogue.types.get(type_name or "")
        return (of.core_name or of.name) if of else None

    def _slice(
        self, action: str, act: str, type_name: str | None, core_type: str | None, owner: str | None
    ) -> _Prepared:
        """The policies that can apply; leaving out the others cannot change the decision (see `Rule`)."""
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is not an action; the actions are {', '.join(ACTIONS)}")

        # A name that no rule speaks of is like any other such name: callers cannot fill the cache with them.
        act = act if act in self._acts else ""
        owner = owner if owner is None or owner in self._owners else ""
        type_name = type_name if type_name is None or type_name in self._types else ""
        core_type = core_type if core_type is None or core_type in self._types else ""

        def prepare() -> _Prepared:
            chosen = [
                one
                for one in self.rules
                if one.concerns(action, act=act, type_name=type_name, core_type=core_type, owner=owner)
            ]
            text = "\n".join(one.cedar() for one in chosen)
            return _Prepared(cedarpy.PolicySet.from_str(text), {f"policy{i}": one for i, one in enumerate(chosen)})

        return kept(self._slices, (action, act, type_name, core_type, owner), prepare)

    def _compile(self, question: _Question, group: str, type_name: str | None, alias: str, prefix: str) -> Predicate:
        binding = Binding(alias, question.agency, prefix, self._known(type_name))
        parts = compile_residuals(self._residuals(question, group, type_name), binding)
        sql = combine(*parts)
        if type_name and sql != "false":
            sql = f"({binding.column('type')} = {binding.param(type_name)} and {sql})"
        return Predicate(sql, binding.params)

    def _compile_groups(
        self, question: _Question, type_name: str | None, prefix: str, groups: tuple[str, ...] | None
    ) -> GroupColumns:
        binding = Binding("r", question.agency, prefix, self._known(type_name))
        groups = self.groups_of(type_name) if groups is None else groups
        parts = {group: compile_residuals(self._residuals(question, group, type_name), binding) for group in groups}
        array, each = group_array(parts, binding), {group: combine(*part) for group, part in parts.items()}
        if type_name:
            this = f"{binding.column('type')} = {binding.param(type_name)}"
            array = f"case when {this} then {array} else '{{}}'::text[] end"
            each = {group: f"({this} and {sql})" for group, sql in each.items()}
        return GroupColumns(array, each, binding.params, groups)

    def _residuals(self, question: _Question, group: str, type_name: str | None) -> Mapping[str, Mapping[str, Any]]:
        """What is left of each policy when all but the record is known. Every policy must be accounted for."""
        prepared = self._slice(question.action, question.act, type_name, self._core_type(type_name), None)
        result = cedarpy.is_authorized_partial(
            question.request(group, None),
            prepared.policies,
            cedarpy.Entities.from_json_str(json.dumps([_member(question)]), _SCHEMA),
            _SCHEMA,
        )
        residuals: Mapping[str, Mapping[str, Any]] = result.residuals
        if result.diagnostics.errors:
            raise PolicyNotCompilable(
                say("policy_error.policies_could_not_be_evaluated", errors="; ".join(result.diagnostics.errors))
            )
        if set(residuals) != set(prepared.rules):
            raise PolicyNotCompilable(say("policy_error.evaluation_did_not_account_for"))
        return residuals


_policies: dict[tuple[str, str, str], Policies] = {}


def policies_for(catalogue: Catalogue, incoming: Sequence[IncomingAgreement] = ()) -> Policies:
    """The policies of the catalogue's agency, prepared once for each pair of catalogue and incoming agreements."""
    key = (catalogue.agency, catalogue.digest, incoming_digest(incoming))
    return kept(_policies, key, lambda: Policies(catalogue, incoming))


def incoming_digest(incoming: Sequence[IncomingAgreement]) -> str:
    """SHA-256 (hex) of the agreements in whatever order they come."""
    lines = sorted(json.dumps([one.owner, one.spec.as_json()], sort_keys=True) for one in incoming)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def kept(cache: dict[_Key, _Value], key: _Key, make: Callable[[], _Value]) -> _Value:
    """The cached value, made when absent. A full cache starts anew; two threads may make the same value."""
    if (value := cache.get(key)) is None:
        value = make()
        if len(cache) >= _KEPT:
            cache.clear()
        cache[key] = value
    return value


def _member(question: _Question) -> dict[str, Any]:
    return {
        "uid": {"type": "Member", "id": "actor"},
        "attrs": {
            "agency": question.agency, "id": question.member, "kind": question.kind, "roles": sorted(question.held),
        },
        "parents": [],
    }  # fmt: skip


def _record(resource: Resource) -> dict[str, Any]:
    return {
        "uid": {"type": "Record", "id": "record"},
        "attrs": {
            "owner": resource.owner,
            "type": resource.type,
            "core_type": resource.core_type or resource.type,
            "state": resource.state,
            "entered_by": resource.entered_by,
            "marks": list(resource.marks),
            "assigned": list(resource.assigned),
            "parties": list(resource.parties),
            "grants": list(resource.grants),
        },
        "parents": [],
    }


def _decision(answer: cedarpy.AuthzResult, prepared: _Prepared) -> Decision:
    if answer.diagnostics.errors:
        return _errs("; ".join(answer.diagnostics.errors))
    decided = [prepared.rules[name] for name in sorted(answer.diagnostics.reasons, key=lambda one: (len(one), one))]
    reasons = tuple(dict.fromkeys(rule.id for rule in decided))
    return Decision(answer.allowed, reasons, joined(dict.fromkeys(rule.why for rule in decided), "semicolon"))


def _errs(what: str) -> Decision:
    return Decision(False, (_ERROR,), say("policy_error.could_not_be_decided", what=what))
