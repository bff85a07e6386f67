"""The catalogue: what every kind of thing is, as one agency sees it. Frozen, built once, shared by all threads.

Names: a field or link that a layer adds to another's type is stored and shown as `<layer>:<name>` (`atf:nibin_lead`).
States: `from_` sets are already expanded. Where a layer divides a core state, the core state itself stays legal for
records entered before the division, and counts as being in the division's entry state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from comity.errors import Problem
from comity.kernel.types.comparison import Rule
from comity.kernel.types.institution import AgencyDefinition, Agreement, LifecycleRole, Pillar, ReadRule, Role
from comity.kernel.types.link_shape import LinkShape
from comity.kernel.types.obligation import Obligation
from comity.kernel.types.override import Override
from comity.kernel.types.ties import Ties
from comity.sentences import NOTHING, UNWORDED, Text, Worded, joined, say

if TYPE_CHECKING:
    from comity.kernel.types.code_uses import CodeMeaning, CodeUse
    from comity.kernel.types.expression import Guard

__all__ = [
    "Act", "AgencyDefinition", "Agreement", "Answer", "Catalogue", "Code", "CodeList", "Field", "Grants", "Group",
    "GuardRule", "LifecycleRole", "Link", "Mark", "OfferRule", "Pillar", "ReadRule", "Role", "State", "Type",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list. `parent` is the core code that others read in its place (a core code: itself)."""

    name: str
    title: str
    term: str = ""
    parent: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeList:
    name: str
    title: str
    values: Mapping[str, Code]
    source: str = ""

    def core_code(self, value: str) -> str:
        """The code a reader of the core list reads for `value`; an unknown value reads as itself."""
        found = self.values.get(value)
        return (found.parent or value) if found else value


@dataclass(frozen=True, slots=True)
class Group:
    """A named field group: masks are decided once per group. `base` is always there."""

    name: str
    title: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """A handling rule: who may receive what carries it, for which purposes, under which basis, reviewed how often.
    `home`: the pillar, jurisdiction or agency that declares it."""

    name: str
    title: str
    basis: str = ""
    roles: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    review: str = ""
    home: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `schema` is plain JSON Schema (a layer's is its own keywords with `allOf: [core]`), ours removed.

    `required_in` are all the states (core and sub-states) in which the field must be there; `required` and
    `required_from` are as written. `values` are the codes this agency may use here, with their core parents.
    """

    name: str
    schema: dict[str, Any]
    group: str = "base"
    term: str = ""
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    codes: str | None = None
    values: Mapping[str, Code] | None = None
    find: bool = False
    required: bool = False
    required_from: str | None = None
    required_in: frozenset[str] = frozenset()
    cls: str = "ordinary"
    effective: bool = False
    party: bool = False
    counterparty: bool = False
    unit: str | None = None
    observed: bool = False
    input: bool = False
    retype: bool = True
    fixed: bool = False
    owner_layer: str = "core"
    source: str = ""

    def core_code(self, value: str) -> str:
        """What a reader of the core type reads for this agency's code."""
        found = (self.values or {}).get(value)
        return (found.parent or value) if found else value


@dataclass(frozen=True, slots=True)
class Link:
    """A named pointer to records. `to` holds type names, or `member`, or `any`; `inherit` passes the target's marks.
    `fills` are fields that, not given on entry, are taken over from the target as far as the actor may read them.
    `serial`: whoever acts on a record with this link takes turns with all who act on the target (work/locking).
    `fixed`, here as in a field: set on entering and never changed. `shape`: what a target must be to be set."""

    name: str
    to: tuple[str, ...]
    many: bool = False
    term: str = ""
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    required_from: str | None = None
    required_in: frozenset[str] = frozenset()
    inherit: bool = False
    fills: tuple[str, ...] = ()
    serial: bool = False
    fixed: bool = False
    shape: LinkShape | None = None
    owner_layer: str = "core"
    source: str = ""

    def accepts(self, type_name: str, core_name: str = "") -> bool:
        """Whether a record of this type may be pointed at; a type derived from an accepted core type may."""
        return "any" in self.to or type_name in self.to or (bool(core_name) and core_name in self.to)


@dataclass(frozen=True, slots=True)
class State:
    """`core` is the state others read. `divided`: a layer put sub-states within it; `entry` is the first of them.
    `in_error`: what is in it was entered in error. `barred`: an act from or to it is forbidden to this agency, so that
    it may be out of reach or a dead end."""

    name: str
    core: str
    initial: bool = False
    final: bool = False
    in_error: bool = False
    divided: bool = False
    entry: str = ""
    barred: bool = False
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class GuardRule:
    """A condition of an act: `guard` (compiled CEL) or `extension` (`pillar.function`), one of the two.

    `applies`: it is asked only where this holds. `code`, `message` and `fix` are what the refusal says; `code` is
    `guard_refused` unless the definition names one.
    """

    text: str
    guard: Guard | None = None
    extension: str | None = None
    applies: Guard | None = None
    override: Override | None = None
    code: str = "guard_refused"
    message: Worded = UNWORDED
    fix: Worded = UNWORDED
    source: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences that it is judged by, as written."""
        return (self.applies.text, self.text) if self.applies else (self.text,)


@dataclass(frozen=True, slots=True)
class Act:
    """`to` None: the state stays. `by` are lifecycle roles. `not_by` names acts whose doer may not do this one.
    `lifts` are the marks that the act takes off the record (an order to unseal); only the type itself names them.
    `follows`: serial link -> core states of its target; the act follows by itself when the target comes to one."""

    name: str
    from_: frozenset[str]
    to: str | None
    by: frozenset[str]
    needs: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    guards: tuple[GuardRule, ...] = ()
    not_by: tuple[str, ...] = ()
    creates: str | None = None
    package: str | None = None
    profile: str | None = None
    owes: str | None = None
    lifts: frozenset[str] = frozenset()
    follows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    owner_layer: str = "core"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to end an offer: an answer of the receiver, or the offerer's `withdrawn`, or `expired` (by nobody)."""

    name: str
    to: str
    by: frozenset[str] = frozenset()
    from_: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    guards: tuple[GuardRule, ...] = ()
    not_by: tuple[str, ...] = ()
    ends: bool = False
    follows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Grants:
    """What an offer lets its receiver read: groups of the offer record, and groups of the records it links."""

    groups: tuple[str, ...] = ("base",)
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Several:
    """Of an offer to several agencies: how many must give an answer for it to be reached (`needs`: all, any or a
    number, as text), and which answers count. Each receiver answers for itself; that it is reached, the offerer's log
    says."""

    needs: str
    counts: frozenset[str]

    def reached(self, given: int, asked: int) -> bool:
        """Whether `given` equal answers of `asked` receivers are enough."""
        return given >= {"all": asked, "any": 1}.get(self.needs, int(self.needs) if self.needs.isdigit() else asked)


@dataclass(frozen=True, slots=True)
class OfferRule:
    """What makes a type two-sided. `expires` is an ISO 8601 duration or None. Withdrawal and expiry end the grant.

    `to_several`: its counterparty field may name many agencies."""

    answers: Mapping[str, Answer]
    withdrawn: Answer | None = None
    expired: Answer | None = None
    expires: str | None = None
    grants: Grants = Grants()
    to_several: Several | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """What a thing is for this agency. `memo` holds compiled validators and belongs to `shape` alone.
    `deconflict_when` limits deconfliction to records whose fields hold one of these values (core codes). `layers` are
    those laid over it. `stood_on`: a serial link of some type points at records of this one.
    `replaced_by`: the link or field of a record entered in error that names what takes its place; `replaces`: the link
    by which a later record of the type names what it takes the place of.
    `caption`: the first of these fields or links that says something names a record beside its number; `featured` are
    those that one looks at first, on its page and as the columns of a list. Both follow from the type where unsaid.
    `document`: a record of it may be named as what shows an act on behalf, which opens these groups: those of the file
    that says `document: true`, none that a layer added. Empty: it may not be named."""

    name: str
    title: str
    term: str
    number: str | None
    title_field: str | None
    groups: Mapping[str, Group]
    fields: Mapping[str, Field]
    links: Mapping[str, Link]
    states: Mapping[str, State]
    initial: str
    acts: Mapping[str, Act]
    offer: OfferRule | None
    deconflict: tuple[Rule, ...]
    handling: frozenset[str]
    core_name: str
    forbid: Mapping[str, str]
    owner_layer: str = "core"
    labels: Mapping[str, str] = field(default_factory=dict)
    deconflict_when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    source: str = ""
    layers: tuple[str, ...] = ()
    stood_on: bool = False
    ties: Ties | None = None
    obligation: Obligation | None = None
    replaced_by: str = ""
    replaces: str = ""
    document: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    featured: tuple[str, ...] = ()
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def core_state(self, state: str) -> str:
        """The core state others read; a state that this catalogue no longer knows reads as itself."""
        found = self.states.get(state)
        return found.core if found else state

    @property
    def error_states(self) -> frozenset[str]:
        """The core states of records that were entered in error: they count for nothing and stay readable."""
        return frozenset(one.core for one in self.states.values() if one.in_error)

    @property
    def counterparty(self) -> str | None:
        """The field that names the agency to which the record is offered."""
        return next((name for name, one in self.fields.items() if one.counterparty), None)

    @property
    def party_fields(self) -> tuple[str, ...]:
        """The agencies named in these see the base group for good; a counterparty sees while its offer stands."""
        return tuple(name for name, one in self.fields.items() if one.party)

    @property
    def find_fields(self) -> tuple[str, ...]:
        return tuple(name for name, one in self.fields.items() if one.find)

    @property
    def effective_field(self) -> str | None:
        """The field whose date is the act's occurred-at."""
        return next((name for name, one in self.fields.items() if one.effective), None)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Everything defined for one agency. `digest` is the SHA-256 (hex) of the three layers' files.

    `records` are the agency's own starting records (`records/*.yml`, by file stem), `examples` and `boards` the worked
    examples and boards (`<pillar or layer>.<stem>`), all as plain data. `forbid` maps `find.<type>.<field>` to the
    statute that bars it. `lifecycle_roles` and `purposes` (name -> title) are what the layers declare.
    """

    agency: str
    jurisdiction: str
    digest: str
    types: Mapping[str, Type]
    roles: Mapping[str, Role]
    agreements: tuple[Agreement, ...]
    marks: Mapping[str, Mark]
    codes: Mapping[str, CodeList]
    rules: Mapping[str, Any]
    definition: AgencyDefinition
    pillars: Mapping[str, Pillar] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    boards: Mapping[str, Any] = field(default_factory=dict)
    forbid: Mapping[str, str] = field(default_factory=dict)
    jurisdiction_title: Text = NOTHING
    code_uses: tuple[CodeUse | CodeMeaning, ...] = ()
    lifecycle_roles: Mapping[str, LifecycleRole] = field(default_factory=dict)
    purposes: Mapping[str, Worded] = field(default_factory=dict)

    def type(self, name: str) -> Type:
        """The type, or `Problem("type_unknown")` that names the nearest known one, else those of its pillar."""
        try:
            return self.types[name]
        except KeyError:
            from difflib import get_close_matches

            pillar, _, last = name.rpartition(".")
            beside = {one.rpartition(".")[2]: one for one in self.types if pillar and one.startswith(f"{pillar}.")}
            near = [beside[one] for one in get_close_matches(last, beside, n=1)]
            if not beside:
                near = [one for one in self.types if not pillar and one.rpartition(".")[2] == last]
                near = near or get_close_matches(name, self.types, n=1)
            fix = say("type_unknown.comity_profile_types_lists_them.fix")
            if near:
                fix = say("type_unknown.did_you_mean.fix", near=joined(near, "or"))
            elif beside:
                fix = say("type_unknown.those_of_are.fix", pillar=pillar, beside=", ".join(beside.values()))
            raise Problem("type_unknown", say("type_unknown.type_asked_for", name=name), fix=fix) from None

    def in_error(self) -> list[tuple[str, str]]:
        """(type, core state) of all records that were entered in error, of core types and the layers' own."""
        kinds = (of for of in self.types.values() if of.name == of.core_name)
        return [(of.name, state) for of in kinds for state in sorted(of.error_states)]
