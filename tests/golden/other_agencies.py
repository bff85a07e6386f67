"""What an agency's roles see of other agencies' records: what is shared with them, as a party, and by agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from comity.kernel.policy.decide import Resource
from comity.kernel.types.catalogue import Type
from tests.golden.offices import EVERY_ROLE, STRANGER, USUAL, Occasion, Office, Seat, Span, record, told_apart
from tests.golden.own_records import SeenBy, kinds, seeing
from tests.golden.patterns import alike, columns, listed, one_each

SEEING = ("read", "find")
Meant = tuple[frozenset[str], frozenset[str], bool, frozenset[str]]
"""Groups read, groups found by, emergency access, marks with which the base group is still read."""

Case = tuple[Span, str, str]
"""On which days, for which purpose, and in which core state of the record."""


class OtherAgencies:
    """The answers about others' records, each asked once."""

    def __init__(self, office: Office) -> None:
        self.office = office

    @cached_property
    def shared(self) -> SeenBy:
        """Of a record of which an offer or emergency opened every group."""
        return self._seen(lambda of: record(of, STRANGER, grants=frozenset(of.groups)))

    @cached_property
    def kinds(self) -> tuple[Type, ...]:
        return kinds(self.office, self.shared)

    @cached_property
    def unopened(self) -> SeenBy:
        """Of a stranger's record that nothing opened: one type of each kind, and where anything is seen, every type."""
        ask = partial(self._asked, self.office.seats, verb="read", what=lambda of: record(of, STRANGER))
        some = ask(self.kinds)
        return ask(self.office.types.values()) if any(any(one) for of in some.values() for one in of.values()) else some

    def party(self, owner: str, span: Span) -> SeenBy:
        """Of the owner's record that names the own agency as a party."""
        return self._seen(self._named(owner), span)

    def party_at_all(self, owner: str, span: Span) -> SeenBy:
        """The same for a member with every role, of one type of each kind: whether it is as with another owner."""
        return self._asked([EVERY_ROLE], self.kinds, "read", self._named(owner), span)

    def _named(self, owner: str) -> Callable[[Type], Resource]:
        return lambda of: record(of, owner, parties=frozenset({self.office.agency}))

    def _seen(self, what: Callable[[Type], Resource], span: Span = USUAL) -> SeenBy:
        """What is read and found of every type. What is found follows what is read: asked of one type of each kind,
        and where it is not so of every type."""
        seats, types = self.office.seats, self.office.types.values()
        read = self._asked(seats, types, "read", what, span)
        some = self._asked(seats, kinds(self.office, read), "find", what, span)
        if all(one == read[seat, "read"][name] for (seat, _), of in some.items() for name, one in of.items()):
            return {**read, **{(seat, "find"): of for (seat, _), of in read.items()}}
        return {**read, **self._asked(seats, types, "find", what, span)}

    def _asked(
        self, seats: Iterable[Seat], types: Collection[Type], verb: str, what: Callable[[Type], Resource],
        span: Span = USUAL,
    ) -> SeenBy:  # fmt: skip
        ask = partial(self.office.groups, when=Occasion(span=span))
        return {(seat, verb): {of.name: (ask(seat, verb, what(of)),) for of in types} for seat in seats}

    def agreed(self, owner: str, of: Type, text: str) -> Mapping[Seat, Mapping[Case, Meant]]:
        """What agreements open of the owner's records of the type to each seat, for each case in which they do.

        `text` are the rules that do so: cases that it does not tell apart are asked once, and where a member with every
        role finds nothing open, the single roles are not asked.
        """
        found: dict[Seat, dict[Case, Meant]] = defaultdict(dict)
        verbs = [one for one in (*SEEING, "emergency") if self.office.named(owner, one, of)]
        for span in self.office.spans(owner):
            for purposes in told_apart(text, self.office.purposes):
                for states in told_apart(text, sorted({one.core for one in of.states.values()})):
                    what = record(of, owner, state=states[0])
                    opened = partial(self._opened, what=what, verbs=verbs, when=Occasion(purposes[0], span))
                    most = opened(EVERY_ROLE, None)
                    cases = [(span, purpose, state) for purpose in purposes for state in states]
                    for seat in self.office.seats if any(most) else ():
                        meant = opened(seat, most[3])
                        found[seat] |= dict.fromkeys(cases, meant) if any(meant) else {}
        return found

    def _opened(
        self, seat: Seat, passing: frozenset[str] | None, *, what: Resource, verbs: Sequence[str], when: Occasion
    ) -> Meant:
        """`passing` are the marks that somebody passes. Who reads a record with all of them passes each."""
        may = partial(self.office.may, seat, when=when)
        seen = partial(self.office.groups, seat, what=what, when=when)
        read, find = (seen(verb) if verb in verbs else frozenset[str]() for verb in SEEING)
        marks = self.office.marks(what.owner) if passing is None else passing
        kept = frozenset(marks if read else ())
        if kept and (passing is None or not may("read", replace(what, marks=kept))):
            kept = frozenset(one for one in kept if may("read", replace(what, marks=frozenset({one}))))
        return read, find, "emergency" in verbs and may("emergency", what), kept


def shared(others: OtherAgencies) -> Iterator[str]:
    yield from seeing(others.office.types, others.shared)


def unopened(others: OtherAgencies) -> Iterator[str]:
    """Of agencies without an agreement, and of the others one type of each pillar that no agreement names."""
    office = others.office
    yield from seeing(office.types, others.unopened)
    for owner in office.owners[:-1]:
        left = {name: of for name, of in office.types_of(owner).items() if not office.named(owner, "read", of)}
        for of in one_each(left).values():
            if groups := office.groups(EVERY_ROLE, "read", record(of, owner)):
                yield columns(f"{owner} {of.name}", EVERY_ROLE.label, f"read {listed(groups)}")


def party(others: OtherAgencies) -> Iterator[str]:
    """Every type is asked for the first of the owners and days that are alike."""
    like: dict[tuple[str, ...], list[tuple[str, Span]]] = defaultdict(list)
    types = others.office.types
    for owner in others.office.owners:
        seen = ((span, others.party_at_all(owner, span)) for span in others.office.spans(owner))
        for span, lines in joined((span, tuple(seeing(types, one))) for span, one in seen):
            like[lines].append((owner, span))
    for lines, where in like.items():
        if lines:
            yield f"of {', '.join(f'{owner} {span}' for owner, span in where)}"
            yield from seeing(types, others.party(*where[0]))


def agreements(others: OtherAgencies) -> Iterator[str]:
    """A line for each owner, type and set of roles, and for each set of days, purposes and states that is alike."""
    office = others.office
    for owner in office.owners:
        for of in office.types_of(owner).values():
            if text := "".join(office.named(owner, action, of) for action in (*SEEING, "emergency")):
                every = {one.core for one in of.states.values()}
                agreed = others.agreed(owner, of, text)
                seats = (seat for seat in office.seats if seat in agreed)
                for who, lines in alike((seat.label, tuple(_lines(agreed[seat], office, every))) for seat in seats):
                    yield from (columns(f"{owner} {of.name}", " ".join(who), line) for line in lines)


def _lines(cases: Mapping[Case, Meant], office: Office, every: set[str]) -> Iterator[str]:
    """What is seen, then what an emergency opens: agreements allow that for other purposes."""
    seen = {case: _seen(meant) for case, meant in cases.items()}
    opened = {case: "emergency" if meant[2] else "" for case, meant in cases.items()}
    for said in (seen, opened):
        yield from _told({case: what for case, what in said.items() if what}, office, every)


def _seen(meant: Meant) -> str:
    read, find, _, marks = meant
    said = [f"{verb} {listed(groups)}" for verb, groups in (("read", read), ("find", find)) if groups]
    return "; ".join([*said, f"marked {listed(marks)}"] if marks else said)


def _told(cases: Mapping[Case, str], office: Office, every: set[str]) -> Iterator[str]:
    days: dict[Span, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for (span, purpose, state), what in cases.items():
        days[span][purpose][state] = what
    for span, by_purpose in joined(days.items()):
        for purposes, by_state in _merged(by_purpose):
            for states, what in _merged(by_state):
                where = "any state" if set(states) == every else listed(states)
                yield f"{what} | {where} | {office.worded(purposes)} | {span}"


def _merged(by: Mapping[str, Any]) -> list[tuple[list[str], Any]]:
    """The names that have the same, together."""
    out: list[tuple[list[str], Any]] = []
    for name, what in by.items():
        for names, known in out:
            if known == what:
                names.append(name)
                break
        else:
            out.append(([name], what))
    return out


def joined(spans: Iterable[tuple[Span, Any]]) -> list[tuple[Span, Any]]:
    """Spans that follow each other and have the same, as one."""
    out: list[tuple[Span, Any]] = []
    for span, what in spans:
        if out and out[-1][1] == what and out[-1][0].meets(span):
            out[-1] = (Span(out[-1][0].first, span.last), what)
        else:
            out.append((span, what))
    return out
