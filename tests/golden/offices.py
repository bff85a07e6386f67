"""The agencies of the repository with their policies, and everybody who may be asked about: the table's questions.

Every answer is that of `Policies.decide`, the decision on which the verbs act; nothing is read out of roles.yml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from comity.config import loader, paths
from comity.kernel.definitions.load import load, read_folder
from comity.kernel.policy.actor import Actor, Behalf
from comity.kernel.policy.cedar import Rule, literal
from comity.kernel.policy.decide import Policies, Resource
from comity.kernel.policy.generate import IncomingAgreement
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.types.definition import Files, yaml_text

DAY = date(2026, 1, 1)
"""The day of every question that no agreement dates. It is written here, so that no table changes as days pass."""

MEMBER = "the member asked about"
NO_PURPOSE = "(unnamed)"
STRANGER = "an agency that no rule names"
UNKNOWN = "a mark that nobody declared"
NOBODY = ("(no role)", "(operator)")
SYSTEM = "(system)"


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody of the agency: a member in one role, in that role on behalf of `behalf`, the system, or no role at all.

    `label` is how the table calls it.
    """

    label: str
    role: str = ""
    behalf: str = ""


EVERY_ROLE = Seat("(every role)")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both included; None is open."""

    first: date | None
    last: date | None

    @property
    def day(self) -> int:
        """One of its days, as policies compare it."""
        one = self.first or (self.last or DAY)
        return one.year * 10000 + one.month * 100 + one.day

    def meets(self, after: Span) -> bool:
        """Whether the other begins where this one ends."""
        return self.last is not None and after.first == self.last + timedelta(1)

    def __str__(self) -> str:
        if self.first is None and self.last is None:
            return "at all times"
        return f"{self.first or ''}..{self.last or ''}"


USUAL = Span(DAY, DAY)


@dataclass(frozen=True, slots=True)
class Occasion:
    """For what is asked, and when: on one day of the span."""

    purpose: str = NO_PURPOSE
    span: Span = USUAL


ANY = Occasion()


def told_apart(text: str, values: Collection[str]) -> list[tuple[str, ...]]:
    """The values in classes that the text of rules can tell apart: each that it names, and all the others together."""
    named = [one for one in values if literal(one) in text]
    rest = tuple(one for one in values if one not in named)
    return [*((one,) for one in named), *([rest] if rest else [])]


def _of_marked(rule: Rule) -> bool:
    """Whether the rule speaks of records with a mark alone."""
    return any(one.startswith("resource.marks.contains(") for one in rule.when)


@dataclass(eq=False)
class Office:
    """One agency: its catalogue, its policies, and the other agencies of the repository as they know themselves."""

    catalogue: Catalogue
    others: Mapping[str, Catalogue]
    _actors: dict[tuple[Seat, str], Actor] = field(default_factory=dict)
    _slices: dict[tuple[str, ...], list[tuple[Rule, str]]] = field(default_factory=dict)

    @property
    def agency(self) -> str:
        return self.catalogue.agency

    @cached_property
    def incoming(self) -> tuple[IncomingAgreement, ...]:
        """What the others let this agency do, as an installation hands it to the policies."""
        return tuple(
            IncomingAgreement(name, spec)
            for name, other in sorted(self.others.items())
            for spec in other.agreements
            if spec.to == self.agency
        )

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.catalogue, self.incoming)

    @cached_property
    def marking(self) -> Mapping[str, str]:
        """The text of the rules that speak of each mark."""
        names = {*self.catalogue.marks, *(mark for one in self.others.values() for mark in one.marks), UNKNOWN}
        return {name: "\n".join(one for one in self._texts if literal(name) in one) for name in names}

    @cached_property
    def types(self) -> Mapping[str, Type]:
        return dict(sorted(self.catalogue.types.items()))

    @cached_property
    def seats(self) -> tuple[Seat, ...]:
        """One for each role, in the order of roles.yml, then the system."""
        roles = self.catalogue.roles.values()
        return (*(Seat(one.name, one.name, one.for_) for one in roles), Seat(SYSTEM))

    @cached_property
    def purposes(self) -> tuple[str, ...]:
        """All that any code list, mark or agreement here names, and one that none names."""
        lists = (one.values for name, one in self.catalogue.codes.items() if name.endswith(".purpose"))
        specs = (one.spec for one in self.incoming)
        named = set[str]().union(
            *lists, *(one.purposes for one in self.catalogue.marks.values()), *(one.purposes for one in specs)
        )
        return (*sorted(named), NO_PURPOSE)

    def worded(self, purposes: Collection[str]) -> str:
        return "any purpose" if set(purposes) == set(self.purposes) else " ".join(sorted(purposes))

    @cached_property
    def owners(self) -> tuple[str, ...]:
        """The other agencies that any rule names, and one in the place of all that none names."""
        named = frozenset[str]().union(*(one.owners or () for one in self.policies.rules)) - {self.agency}
        return (*sorted(named), STRANGER)

    def types_of(self, owner: str) -> Mapping[str, Type]:
        """The types of another agency's records as that agency defines them; a stranger's are the own ones."""
        known = self.others.get(owner)
        return dict(sorted(known.types.items())) if known else self.types

    def spans(self, owner: str) -> tuple[Span, ...]:
        """All time, divided where an agreement with the owner, either way, begins or ends."""
        specs = [one.spec for one in self.incoming if one.owner == owner]
        specs += [one for one in self.catalogue.agreements if one.to == owner]
        starts = {one.from_ for one in specs if one.from_} | {one.until + timedelta(1) for one in specs if one.until}
        ends: list[date | None] = [one - timedelta(1) for one in sorted(starts)]
        return tuple(Span(a, b) for a, b in zip([None, *sorted(starts)], [*ends, None], strict=True))

    def marks(self, owner: str) -> tuple[str, ...]:
        """The marks that a record of the owner may carry, as both know them."""
        known = self.others.get(owner)
        return tuple(sorted({*self.catalogue.marks, *(known.marks if known else ())}))

    def permitted(self, action: str, of: Type, owner: str, act: str = "") -> bool:
        """Whether any permit can apply. Without one nobody is allowed, so nobody is asked."""
        return any(rule.effect == "permit" for rule, _ in self._concerned(action, of, owner, act))

    @cached_property
    def _texts(self) -> list[str]:
        """The text of each rule, in the order of the rules."""
        return [one.cedar() for one in self.policies.rules]

    def minds_involved(self, action: str, of: Type, act: str = "") -> bool:
        """Whether any rule minds who entered an own record or is assigned to it, but for those on marked records."""
        texts = (text for rule, text in self._concerned(action, of, self.agency, act) if not _of_marked(rule))
        return any("resource.assigned" in one or "resource.entered_by" in one for one in texts)

    def named(self, owner: str, action: str, of: Type) -> str:
        """The text of the permits for the owner's records of the type that name this owner: what agreements open."""
        return "\n".join(
            text for rule, text in self._concerned(action, of, owner)
            if rule.effect == "permit" and rule.id != "party" and owner in (rule.owners or ())
        )  # fmt: skip

    def _concerned(self, action: str, of: Type, owner: str, act: str = "") -> list[tuple[Rule, str]]:
        """The rules that can apply to the question, with their text, by the decision's own choice of rules."""
        core = of.core_name or of.name
        key = action, act, of.name, core, owner
        if key not in self._slices:
            self._slices[key] = [
                (rule, text) for rule, text in self._of_act(action, act)
                if rule.concerns(action, act=act, type_name=of.name, core_type=core, owner=owner)
            ]  # fmt: skip
        return self._slices[key]

    def _of_act(self, action: str, act: str) -> list[tuple[Rule, str]]:
        if (action, act) not in self._slices:
            self._slices[action, act] = [
                (rule, text) for rule, text in zip(self.policies.rules, self._texts, strict=True)
                if rule.concerns(action, act=act, type_name=None, core_type=None, owner=None)
            ]  # fmt: skip
        return self._slices[action, act]

    def actor(self, seat: Seat, purpose: str = NO_PURPOSE) -> Actor:
        if (seat, purpose) not in self._actors:
            self._actors[seat, purpose] = self._actor(seat, purpose)
        return self._actors[seat, purpose]

    def _actor(self, seat: Seat, purpose: str) -> Actor:
        if seat.label == SYSTEM:
            return Actor.system(self.agency, purpose=purpose)
        if seat.label == "(operator)":
            return Actor.operator(self.agency, member=MEMBER, name="")
        behalf = Behalf(seat.behalf, "shown") if seat.behalf else None
        held = list(self.catalogue.roles) if seat is EVERY_ROLE else [seat.role] if seat.role else []
        return Actor.of(self.catalogue, member=MEMBER, name="", held=held, purpose=purpose, behalf=behalf)

    def may(
        self, seat: Seat, action: str, what: Resource, *, act: str = "", group: str = "base", when: Occasion = ANY
    ) -> bool:  # fmt: skip
        """One decision. An error inside a decision is no denial here: it stops the table."""
        actor = self.actor(seat, when.purpose)
        found = self.policies.decide(actor, action, what, act=act, group=group, today=when.span.day)
        assert found.reasons != ("error",), found.why
        return found.allowed

    def groups(self, seat: Seat, action: str, what: Resource, when: Occasion = ANY) -> frozenset[str]:
        """The field groups that the seat may read, or find by, of the record."""
        actor, names = self.actor(seat, when.purpose), self.policies.groups_of(what.type)
        found = self.policies.decide_groups(actor, action, what, groups=names, today=when.span.day)
        assert all(one.reasons != ("error",) for one in found.values()), found
        return frozenset(name for name, one in found.items() if one.allowed)


def record(of: Type, owner: str, *, state: str | None = None, **more: frozenset[str] | str) -> Resource:
    """A record of the type in its first state, unless another core state is given: unmarked, and nobody's of those
    who are asked about unless `more` says so."""
    return Resource(
        owner=owner, type=of.name, state=of.core_state(of.initial) if state is None else state,
        core_type=of.core_name or of.name, **{"entered_by": "someone else", **more},  # type: ignore[arg-type]
    )  # fmt: skip


def involved(of: Type, owner: str) -> Resource:
    """A record that the member asked about entered and is assigned to."""
    return record(of, owner, assigned=frozenset({MEMBER}), entered_by=MEMBER)


@dataclass(frozen=True)
class Definitions:
    """The files of everything that is installed together: core, jurisdictions and agencies by folder."""

    core: Files
    jurisdictions: Mapping[str, Files]
    agencies: Mapping[str, Files]

    @cached_property
    def catalogues(self) -> Mapping[str, Catalogue]:
        return {name: load(self.core, self._law(own), own) for name, own in self.agencies.items()}

    @cached_property
    def types(self) -> frozenset[str]:
        """Every type of the core and of the jurisdictions; what an agency adds stands in its own catalogue."""
        laws = [load(self.core, law, {}) for law in self.jurisdictions.values()]
        return frozenset(load(self.core).types).union(
            *(one.types for one in (*laws, *self.catalogues.values()))
        )  # fmt: skip

    def office(self, agency: str) -> Office:
        return Office(
            self.catalogues[agency], {name: one for name, one in self.catalogues.items() if name != agency}
        )  # fmt: skip

    def _law(self, own: Files) -> Files:
        named = yaml_text("agency.yml", own["agency.yml"]).get("jurisdiction")
        return self.jurisdictions[str(named.plain())] if named is not None else {}


def shipped() -> Definitions:
    """All definitions of this repository."""
    return Definitions(
        loader.core_files(),
        dict(_folders(paths.jurisdictions(), "jurisdiction.yml")),
        dict(_folders(paths.agencies(), "agency.yml")),
    )


def _folders(root: Path, holds: str) -> Iterator[tuple[str, Files]]:
    for one in sorted(root.glob(f"*/{holds}")):
        yield one.parent.name, read_folder(one.parent)
