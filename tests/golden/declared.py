"""What the definitions say of rights beside the policies: by which fields, offers, links and powers rights have effect.

No decision is asked here but that on powers. A line stands for what the kernel reads out of the catalogue itself when
it masks, offers, marks and refuses; so a change of it changes who sees or does what, and no decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from comity.kernel.policy import powers
from comity.kernel.types.catalogue import Act, Answer, Type
from comity.kernel.types.roles import POWERS
from tests.golden.offices import NOBODY, Office, Seat, Span
from tests.golden.patterns import alike, columns, listed


def agency(office: Office) -> str:
    """The line of the head on what holds for the whole agency."""
    own = office.catalogue.definition
    return f"# {own.membership}; purpose where none is stated: {own.purpose}; its days are those of {own.zone}"


def roles(office: Office) -> Iterator[str]:
    """For whom each role speaks, what it fills, and which powers of the kernel the decision on powers gives it."""
    for seat in (*office.seats, *(Seat(label) for label in NOBODY)):
        held = [one for one in POWERS if powers.may(office.actor(seat), office.catalogue, one)]
        if seat.role or held:
            filled = office.catalogue.roles[seat.role].is_ if seat.role else ()
            whom = f"for {seat.behalf}" if seat.behalf else ""
            yield columns(seat.label, whom, listed(filled).ljust(30), f"may {listed(held)}" if held else "")


def groups(office: Office) -> Iterator[str]:
    """The fields of each group but base: a field that is in none of these lines is in base."""
    for of in office.types.values():
        for group in sorted(of.groups):
            fields = listed(one.name for one in of.fields.values() if one.group == group)
            if group != "base" and fields:
                yield columns(of.name, group, fields)


def offers(office: Office) -> Iterator[str]:
    """What an offer opens to whom it is made, until when; then to whom this agency may make which."""
    for of in office.types.values():
        if rule := of.offer:
            opened = [listed(rule.grants.groups)]
            opened += [f"{link}: {listed(names)}" for link, names in sorted(rule.grants.links.items())]
            ends = [one.name for one in steps(of) if isinstance(one, Answer) and one.ends]
            until = [*ends, *([f"after {rule.expires}"] if rule.expires else [])]
            yield columns(of.name, f"to {of.counterparty}", "; ".join(opened), f"until {' '.join(until) or '-'}")
    taken = [
        (name, (one.owner, str(Span(one.spec.from_, one.spec.until))))
        for one in office.incoming for name in sorted(one.spec.offers)
    ]  # fmt: skip
    for names, (owner, days) in alike(taken):
        yield columns(f"(may be made to {owner})", days, listed(names))


def told(office: Office) -> Iterator[str]:
    """Who learns of a record though no role or agreement opens it: parties, whom it is reported of, by a pointer."""
    types = office.types.values()
    yield from _by_what("(party)", ((of.name, of.party_fields) for of in types))
    for of in types:
        if of.document:
            yield columns(of.name, "(shows an act on behalf)", listed(of.document))
        for rule in of.deconflict:
            when = [f"{name}: {listed(values)}" for name, values in sorted(of.deconflict_when.items())]
            said = [listed(rule.fields), f"as {rule.about}", listed(rule.during), listed(rule.while_), *when]
            yield columns(of.name, "(pointer)", " | ".join(one for one in said if one))


def passing(office: Office) -> Iterator[str]:
    """The marks that records of a type always bear, the links that pass on a target's, the acts that lift one."""
    types = office.types.values()
    yield from _by_what("(always)", ((of.name, sorted(of.handling)) for of in types))
    yield from _by_what("(linked)", ((of.name, [one.name for one in of.links.values() if one.inherit]) for of in types))
    yield from _by_what("(lifted)", ((f"{of.name}.{one.name}", one.lifts) for of in types for one in of.acts.values()))


def _by_what(how: str, found: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """A line for each name with the types that have it."""
    pairs = [(of, (name,)) for of, names in found for name in names]
    for types, (name,) in sorted(alike(pairs), key=lambda one: one[1]):
        yield columns(name, how, " ".join(types))


def steps(of: Type) -> Iterator[Act | Answer]:
    """The acts of the type, then the answers and endings of its offer."""
    yield from of.acts.values()
    if rule := of.offer:
        yield from (*rule.answers.values(), *(one for one in (rule.withdrawn, rule.expired) if one))


def limits(office: Office) -> Iterator[str]:
    """Whom an act refuses for what they did before, what it does to a record (set, create, follow), which conditions
    somebody may override, and what a link takes."""
    for of in office.types.values():
        every, acts = list(steps(of)), list(of.acts.values())
        for verb, told in (
            ("not by who did", [(one.name, one.not_by) for one in every]),
            ("set", [(one.name, one.sets) for one in every]),
            ("create", [(one.name, [one.creates] if one.creates else []) for one in acts]),
            ("follow", [(one.name, _followed(one)) for one in every]),
        ):
            if said := [f"{name}: {listed(what)}" for name, what in told if what]:
                yield columns(of.name, verb, "; ".join(said))
        for act in acts:
            for rule in act.guards:
                if over := rule.override:
                    yield columns(of.name, "override", f"{act.name} {rule.code} by {listed(over.by)}: {over.raises}")
        for link in of.links.values():
            if link.shape:
                yield columns(of.name, "link what fits", f"{link.name}: {link.shape.said()}")
        fixed = [one.name for one in of.fields.values() if one.fixed]
        fixed += [one.name for one in of.links.values() if one.fixed]
        by_acts = {name for one in every for name in one.sets}
        for verb, names in (
            ("set by no act", [one.name for one in of.fields.values() if one.input and one.name not in by_acts]),
            ("set by enter and amend too", [one for one in by_acts if one in of.fields and not of.fields[one].input]),
            ("set by enter alone", fixed),
        ):
            if names:
                yield columns(of.name, verb, listed(names))


def _followed(step: Act | Answer) -> list[str]:
    return [f"{link} {state}" for link, states in step.follows.items() for state in states]
