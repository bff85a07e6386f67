"""The policies of one agency, generated: there is no other source of rights than what is read here.

roles.yml gives `role:*`, the lifecycle of types `lifecycle:*`, `answer:*` and `forbid:*`, agreements `agreement:*` and
`party`, an offer or emergency grant `share`, marks `mark:*`. The agency is the one whose members act; its policies
speak of its own records and of those that others let it see. A rule that nobody could satisfy is not written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from comity.kernel.policy.cedar import (
    ACTIONS,
    INVOLVED,
    OWN,
    SCHEMA,
    SEEING,
    Rule,
    between,
    both,
    either,
    holds,
    literal,
    one_of,
    within,
)
from comity.kernel.types.catalogue import Agreement, Answer, Catalogue, Mark, ReadRule, Role, Type
from comity.kernel.types.language import called, called_in
from comity.kernel.types.lifecycle import named_steps
from comity.kernel.types.roles import SYSTEM
from comity.sentences import Given, Worded, say

__all__ = ["SCHEMA", "IncomingAgreement", "cedar_text", "fillers", "rules"]

GUARDED = tuple(action for action in ACTIONS if action != "enter")
"""What a mark bars. Entering is how a record gets its marks."""

_LETS_READ, _LETS_FIND = "not_allowed.agreement_lets_read", "not_allowed.agreement_lets_find"
SYSTEM_ACTS = 'principal.kind == "system"'


@dataclass(frozen=True, slots=True)
class IncomingAgreement:
    """An agreement of another agency: what `owner` lets us see or do. `spec.to` is us, or it gives nothing."""

    owner: str
    spec: Agreement


def cedar_text(catalogue: Catalogue, incoming: Sequence[IncomingAgreement]) -> str:
    """All policies of the catalogue's agency as Cedar text."""
    return "\n".join(rule.cedar() for rule in rules(catalogue, incoming))


def rules(catalogue: Catalogue, incoming: Sequence[IncomingAgreement]) -> tuple[Rule, ...]:
    """All policies of the catalogue's agency, in a stable order."""
    me = catalogue.agency
    ours = sorted(
        (one for one in incoming if one.spec.to == me and one.owner != me), key=lambda one: (one.owner, one.spec.id)
    )
    return (
        *_always(catalogue),
        *(rule for name in sorted(catalogue.roles) for rule in _role(catalogue, catalogue.roles[name])),
        *_abroad(catalogue),
        *(rule for name in sorted(catalogue.types) for rule in _lifecycle(catalogue, catalogue.types[name])),
        *(rule for one in ours for rule in _agreement(catalogue, one)),
        *_partners(catalogue, ours),
        *_marks(catalogue, ours),
        *_barred_searches(catalogue),
    )  # fmt: skip


def fillers(catalogue: Catalogue, by: frozenset[str]) -> frozenset[str]:
    """The agency's roles that fill one of the lifecycle roles `by`; `system` is filled by no member."""
    wanted = by - {SYSTEM}
    return frozenset(name for name, role in catalogue.roles.items() if role.is_ & wanted)


def _always(catalogue: Catalogue) -> Iterator[Rule]:
    me = catalogue.agency
    yield Rule(
        "agency", say("not_allowed.only_members_of_act_under", me=me), ACTIONS, "forbid",
        (f"principal.agency != {literal(me)}",),
    )  # fmt: skip
    yield Rule(
        "operator",
        say("not_allowed.operator_runs_node_and_reads"),
        ACTIONS,
        "forbid",
        ('principal.kind == "operator"',),
    )
    roleless = ['principal.kind == "member"']
    if catalogue.roles:
        roleless.append(f"!({holds(catalogue.roles)})")
    yield Rule("roles", say("not_allowed.member_without_role_in_may", me=me), ACTIONS, "forbid", tuple(roleless))
    yield Rule(
        "system:read", say("not_allowed.system_of_reads_agency_own", me=me), SEEING, given=(SYSTEM_ACTS,), when=(OWN,)
    )
    yield Rule(
        "share",
        say("not_allowed.offer_or_emergency_opened_this"),
        SEEING,
        when=("resource.grants.contains(context.group)",),
    )


def _role(catalogue: Catalogue, role: Role) -> Iterator[Rule]:
    """What the role reads of its own agency's records, one rule for all types that are read alike."""
    alike: dict[tuple[str, tuple[str, ...] | None], set[str]] = defaultdict(set)
    for name, of in catalogue.types.items():
        found = _read_rule(role, of)
        if found and found.when in ("all", "assigned") and found.groups != ():
            alike[found.when, found.groups].add(name)
    everything = set(role.read) == {"*"}
    mine = (holds([role.name]),)
    for (when, groups), types in sorted(alike.items(), key=lambda item: sorted(item[1])):
        said = "not_allowed.reads_of" if when == "all" else "not_allowed.reads_own_of"
        yield Rule(
            f"role:{role.name}:read",
            say(said, name=called(role), agency=catalogue.agency),
            SEEING,
            given=mine if groups is None else (*mine, one_of(groups, "context.group")),
            types=None if everything else frozenset(types),
            when=(OWN,) if when == "all" else (OWN, INVOLVED),
        )
    if alike:
        yield Rule(
            f"role:{role.name}:emergency",
            say("not_allowed.may_open_such_record_of", name=called(role), agency=catalogue.agency),
            ("emergency",),
            given=mine,
            types=None if everything else frozenset[str]().union(*alike.values()),
            when=(OWN,),
        )


def _abroad(catalogue: Catalogue) -> Iterator[Rule]:
    """Another agency's record is opened to a member's agency, and the member's own roles still say what they read.

    A role that reads such records only when assigned reads another's only where an offer or emergency opened it; one
    that may answer such an offer reads what was offered.
    """
    whole = [role.name for role in catalogue.roles.values() if role.read == {"*": ReadRule()}]
    covered = []
    for role in catalogue.roles.values():
        alike: dict[tuple[str, tuple[str, ...] | None], set[str]] = defaultdict(set)
        for name, of in catalogue.types.items():
            found = _read_rule(role, of) if role.name not in whole else None
            if found and found.groups != ():
                alike[found.when, found.groups].add(name)
        for (when, groups), types in sorted(alike.items(), key=lambda item: sorted(item[1])):
            clauses = [holds([role.name]), one_of(types, "resource.core_type")]
            clauses += [one_of(groups, "context.group")] if groups is not None else []
            clauses += ["resource.grants.contains(context.group)"] if when == "assigned" else []
            covered.append(both(clauses))
        answered = [
            name
            for name, of in catalogue.types.items()
            if of.offer and not role.for_ and any(role.is_ & one.by for one in of.offer.answers.values())
        ]
        if answered and role.name not in whole:
            offered = one_of(answered, "resource.core_type")
            covered.append(both([holds([role.name]), offered, "resource.grants.contains(context.group)"]))
    if set(whole) != set(catalogue.roles):
        member = ['principal.kind == "member"', holds(catalogue.roles)]
        given = [*member, *([f"!({holds(whole)})"] if whole else [])]
        yield Rule(
            "role:abroad", say("not_allowed.member_own_roles_do_not"), SEEING, "forbid",
            given=tuple(given),
            when=(f"resource.owner != {literal(catalogue.agency)}", *([f"!({either(covered)})"] if covered else [])),
        )  # fmt: skip


def _read_rule(role: Role, of: Type) -> ReadRule | None:
    """What the role says of the type itself, else of its core type, else of everything."""
    found = role.read_rule(of.name)
    return role.read_rule(of.core_name or of.name) if found is None or found is role.read.get("*") else found


def _lifecycle(catalogue: Catalogue, of: Type) -> Iterator[Rule]:
    """Who may do each act of the type on the agency's own record, who may answer another's, what a statute bars."""
    us, only = catalogue.agency, frozenset({of.name})
    speakers = {role.name for role in catalogue.roles.values() if role.for_}
    for name, act in sorted(of.acts.items()):
        if given := _filled(catalogue, act.by):
            yield _act(catalogue, of, name, given)
    for name, answer in sorted(of.offer.answers.items() if of.offer else ()):
        if given := _filled(catalogue, answer.by):
            yield Rule(
                f"answer:{of.name}:{name}",
                say("not_allowed.may_answer_to_offered_to", agency=us, name=called(answer), of_name=called(of)),
                ("answer",),
                given=(given,),
                act=name,
                types=only,
                when=('resource.grants.contains("base")',),
            )
        if spoken := sorted(fillers(catalogue, answer.by) & speakers):
            yield Rule(
                f"report:{of.name}:{name}",
                say("not_allowed.may_record_answer_that_outsider", agency=us, name=called(answer)),
                ("answer",),
                given=('principal.kind == "member"', holds(spoken)),
                act=name,
                types=only,
                when=(OWN,),
            )
    for ending in _endings(of):
        given = _filled(catalogue, ending.by or frozenset({SYSTEM}))
        if given and ending.name not in of.acts:
            yield _act(catalogue, of, ending.name, given)
    for name, citation in sorted(of.forbid.items()):
        if name.startswith("find."):
            continue
        label, (actions, only_act) = called_in(named_steps(of), name), _actions(name, answers=True)
        yield Rule(
            f"forbid:{of.name}:{name}",
            say("not_allowed.of_is_barred", name=label, of_name=called(of), citation=Worded(citation)),
            actions,
            "forbid",
            act=only_act,
            types=only,
        )


def _act(catalogue: Catalogue, of: Type, name: str, given: str) -> Rule:
    label, (actions, act) = called_in(named_steps(of), name), _actions(name)
    return Rule(
        f"lifecycle:{of.name}:{name}",
        say("not_allowed.may_its_own_in_this", agency=catalogue.agency, name=label, of_name=called(of)),
        actions,
        given=(given,),
        act=act,
        types=frozenset({of.name}),
        when=(OWN,),
    )


def _actions(name: str, *, answers: bool = False) -> tuple[tuple[str, ...], str | None]:
    """The actions that an act of a type is decided under, and its name where the action does not say it."""
    if name == "enter":
        return ("enter",), None
    if name == "amend":
        return ("amend", "attach"), None
    return (("act", "answer") if answers else ("act",)), name


def _endings(of: Type) -> list[Answer]:
    return [one for one in (of.offer.withdrawn, of.offer.expired) if one] if of.offer else []


def _filled(catalogue: Catalogue, by: frozenset[str]) -> str:
    """The clause that the actor fills one of `by`, or nothing when nobody can."""
    clauses = [SYSTEM_ACTS] if SYSTEM in by else []
    if roles := fillers(catalogue, by):
        clauses.append(both(('principal.kind == "member"', holds(roles))))
    return either(clauses) if clauses else ""


def _agreed(spec: Agreement) -> tuple[str, ...] | None:
    """Valid today and for the purpose; None when the agreement names no purpose and so serves none."""
    return (*between(spec.from_, spec.until), one_of(spec.purposes, "context.purpose")) if spec.purposes else None


def _agreement(catalogue: Catalogue, incoming: IncomingAgreement) -> Iterator[Rule]:
    """What one agreement opens: reading, finding (what is also read), and emergency access."""
    spec, owners = incoming.spec, frozenset({incoming.owner})
    marks = within("resource.marks", spec.marks)
    given = _agreed(spec)
    name = Worded(spec.title) if spec.title else Given(spec.id)
    for (states, groups), types in sorted(_alike(spec, spec.read).items()):
        if given is None:
            break
        opens = (*given, one_of(groups, "context.group"))
        when = (*((one_of(states, "resource.state"),) if states else ()), marks)
        for action, kept, said in (("read", types, _LETS_READ), ("find", types & spec.find, _LETS_FIND)):
            if kept:
                yield Rule(
                    f"agreement:{spec.id}:{action}",
                    say(said, name=name, agency=catalogue.agency),
                    (action,),
                    given=opens,
                    owners=owners,
                    types=frozenset(kept),
                    core=True,
                    when=when,
                )
    for (states, roles), types in sorted(_alike(spec, _emergency_roles(catalogue, spec)).items()):
        yield Rule(
            f"agreement:{spec.id}:emergency",
            say("not_allowed.agreement_allows_emergency_access", name=name),
            ("emergency",),
            given=(*between(spec.from_, spec.until), holds(roles)),
            owners=owners,
            types=frozenset(types),
            core=True,
            when=(*((one_of(states, "resource.state"),) if states else ()), marks),
        )


def _alike(
    spec: Agreement, opened: Mapping[str, tuple[str, ...]]
) -> dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]]:
    """Types by the states and the groups (or roles) that they are opened for; a type opened for none is left out."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = defaultdict(set)
    for name, values in opened.items():
        states = spec.states.get(name)
        if values and states != ():
            alike[tuple(sorted(states or ())), tuple(sorted(values))].add(name)
    return alike


def _emergency_roles(catalogue: Catalogue, spec: Agreement) -> dict[str, tuple[str, ...]]:
    """For each type under emergency access the roles of ours that read such records of our own."""
    return {
        name: tuple(role.name for role in catalogue.roles.values() if role.read_rule(name)) for name in spec.emergency
    }


def _partners(catalogue: Catalogue, ours: Sequence[IncomingAgreement]) -> Iterator[Rule]:
    """A party to another agency's record reads its base group, while an agreement exists either way."""
    spans: dict[tuple[date | None, date | None], set[str]] = defaultdict(set)
    for one in ours:
        spans[one.spec.from_, one.spec.until].add(one.owner)
    for spec in catalogue.agreements:
        if spec.to != catalogue.agency:
            spans[spec.from_, spec.until].add(spec.to)
    for span, owners in sorted(spans.items(), key=lambda item: sorted(item[1])):
        yield Rule(
            "party", say("not_allowed.is_party_to_this_record", agency=catalogue.agency), SEEING,
            given=(*between(*span), 'context.group == "base"'), owners=frozenset(owners),
            when=("resource.parties.contains(principal.agency)",),
        )  # fmt: skip


def _marks(catalogue: Catalogue, ours: Sequence[IncomingAgreement]) -> Iterator[Rule]:
    """Each mark bars what carries it from all who are not cleared; a mark that nobody here knows bars everyone."""
    known = set(catalogue.marks).union(*(one.spec.marks for one in ours))
    for name in sorted(known):
        mark = catalogue.marks.get(name) or Mark(name, name)
        said = "not_allowed.record_is_marked_under" if mark.basis else "not_allowed.record_is_marked_and_you"
        yield Rule(
            f"mark:{name}", say(said, name=name, title=called(mark), basis=Worded(mark.basis)),
            GUARDED, "forbid",
            when=(f"resource.marks.contains({literal(name)})", f"!({_cleared(catalogue, mark, ours)})"),
        )  # fmt: skip
    unknown = f"!({within('resource.marks', known)})"
    yield Rule("mark", say("not_allowed.record_carries_mark_that_this"), GUARDED, "forbid", when=(unknown,))


def _cleared(catalogue: Catalogue, mark: Mark, ours: Sequence[IncomingAgreement]) -> str:
    """Own records: a cleared or receiving role, the assigned, the enterer. Others': a receiving agency, or agreed."""
    purposes = [one_of(mark.purposes, "context.purpose")] if mark.purposes else []
    own = [SYSTEM_ACTS, INVOLVED]
    if roles := [role.name for role in catalogue.roles.values() if mark.name in role.marks]:
        own.append(holds(roles))
    if roles := [role.name for role in catalogue.roles.values() if _receives(catalogue, role, mark)]:
        own.append(both((*purposes, holds(roles))))
    clauses = [both((OWN, either(own)))]
    if catalogue.agency in mark.agencies:
        clauses.append(both(purposes))
    spans: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in ours:
        given = _agreed(one.spec)
        if given and mark.name in one.spec.marks:
            spans[given].add(one.owner)
    clauses += [both((*given, one_of(owners, "resource.owner"))) for given, owners in sorted(spans.items())]
    return either(clauses)


def _receives(catalogue: Catalogue, role: Role, mark: Mark) -> bool:
    """A mark's receivers are lifecycle roles; a name that is none of those means the agency's own role.

    In a mark of the agency's own its roles are meant by their names, whatever a pillar calls its lifecycle roles.
    """
    by_name = mark.home == catalogue.agency or role.name not in catalogue.lifecycle_roles
    return bool(role.is_ & mark.roles and not role.for_) or (role.name in mark.roles and by_name)


def _barred_searches(catalogue: Catalogue) -> Iterator[Rule]:
    for name, citation in sorted(catalogue.forbid.items()):
        yield Rule(
            f"forbid:{name}",
            say("not_allowed.searching_by_this_field_is", citation=Worded(citation)),
            ("find",),
            "forbid",
            act=name,
        )
