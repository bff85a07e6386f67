"""What an agency's roles may do with its own records: acts, answers, reading, searching."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from comity.kernel.policy.decide import Resource
from comity.kernel.types.catalogue import Type
from tests.golden.offices import MEMBER, NOBODY, STRANGER, Office, Seat, involved, record
from tests.golden.patterns import Seen, alike, columns, one_each, patterns, spellings

BASE = frozenset({"base"})
SeenBy = Mapping[tuple[Seat, str], Mapping[str, Seen]]
"""(seat, verb) -> type -> groups."""


class OwnRecords:
    """The answers about own records, asked once: other sections look up what was allowed."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.nobody = tuple(Seat(label) for label in NOBODY)
        themselves = tuple(Seat(f"{one.role} (for itself)", one.role) for one in office.seats if one.behalf)
        self.silent = (*themselves, *self.nobody)
        """Who should be allowed nothing: asked one act of each type, and all acts where that one is allowed."""

    @cached_property
    def acts(self) -> Mapping[str, Mapping[Seat, dict[str, str]]]:
        """type -> seat -> act -> where it is allowed: everywhere (empty), `assigned` (or entered), `unassigned`."""
        found: dict[str, dict[Seat, dict[str, str]]] = {}
        for of in self.office.types.values():
            asked = [one for one in _asked(of) if self.office.permitted(one[1], of, self.office.agency, one[2])]
            found[of.name] = {seat: dict(self._allowed(seat, of, asked)) for seat in self.office.seats}
            for seat in self.silent:
                if any(self._allowed(seat, of, asked[:1])):
                    found[of.name][seat] = dict(self._allowed(seat, of, asked))
        return found

    def _allowed(self, seat: Seat, of: Type, asked: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
        theirs, mine = record(of, self.office.agency), involved(of, self.office.agency)
        for name, action, act in asked:
            own = self.office.may(seat, action, mine, act=act)
            apart = action != "enter" and self.office.minds_involved(action, of, act)
            free = self.office.may(seat, action, theirs, act=act) if apart else own
            if free or own:
                yield name, "" if free and own else "assigned" if own else "unassigned"

    @cached_property
    def answers(self) -> Mapping[str, Mapping[Seat, tuple[str, ...]]]:
        """type -> seat -> answers to what another agency offers, then those of an outsider, recorded on the own offer.

        `[unread]` follows where the seat may not read the offer that it answers.
        """
        offers = [of for of in self.office.types.values() if of.offer]
        return {of.name: {seat: tuple(self._answered(seat, of)) for seat in self.office.seats} for of in offers}

    def _answered(self, seat: Seat, of: Type) -> Iterator[str]:
        offered, own = record(of, STRANGER, grants=BASE), record(of, self.office.agency)
        for what, words in ((offered, []), (own, ["reported:"])):
            may = [
                name for name in (of.offer.answers if of.offer else ())
                if self.office.permitted("answer", of, what.owner, name)
                if self.office.may(seat, "answer", what, act=name)
            ]  # fmt: skip
            if may:
                yield from (*words, *may, *([] if self.office.may(seat, "read", what) else ["[unread]"]))

    @cached_property
    def seen(self) -> SeenBy:
        """(seat, read or find or emergency) -> type -> groups open, or opened: an emergency opens every group.

        What is found and opened follows what is read. That is asked of one type of each kind, and where it is not so
        of every type.
        """
        types = self.office.types
        read = {(seat, "read"): self._every(seat, "read") for seat in self.office.seats}
        found: dict[tuple[Seat, str], Mapping[str, Seen]] = dict(read)
        for verb, follows in (("find", lambda seen, of: seen), ("emergency", _opened)):
            for seat in self.office.seats:
                should = {name: follows(seen, types[name]) for name, seen in read[seat, "read"].items()}
                as_should = all(self._seen(seat, verb, of) == should[of.name] for of in kinds(self.office, read))
                found[seat, verb] = should if as_should else self._every(seat, verb)
        for seat in self.nobody:
            own = ((of, involved(of, self.office.agency)) for of in one_each(types).values())
            found[seat, "read"] = {of.name: (self._open(seat, "read", of, what),) for of, what in own}
        return found

    def _every(self, seat: Seat, verb: str) -> Mapping[str, Seen]:
        return {name: self._seen(seat, verb, of) for name, of in self.office.types.items()}

    def _seen(self, seat: Seat, verb: str, of: Type) -> Seen:
        me = self.office.agency
        free = self._open(seat, verb, of, record(of, me))
        if not self.office.minds_involved(verb, of):
            return free, free, free
        places = record(of, me, assigned=frozenset({MEMBER})), record(of, me, entered_by=MEMBER)
        return free, *(self._open(seat, verb, of, one) for one in places)

    def _open(self, seat: Seat, verb: str, of: Type, what: Resource) -> frozenset[str]:
        if verb == "emergency":
            return frozenset(of.groups if self.office.may(seat, verb, what) else ())
        return self.office.groups(seat, verb, what)


def _opened(seen: Seen, of: Type) -> Seen:
    """A role opens in an emergency whatever it reads at all, though only of records that are its own."""
    return (frozenset(of.groups if any(seen) else ()),) * len(seen)


def kinds(office: Office, read: SeenBy) -> tuple[Type, ...]:
    """One type for each way in which the roles read: for what does not turn on the type besides."""
    found = {
        tuple(tuple(map(bool, read[seat, "read"][name])) for seat in office.seats): of
        for name, of in office.types.items()
    }  # fmt: skip
    return tuple(found.values())


def _asked(of: Type) -> Iterator[tuple[str, str, str]]:
    """(name in the table, action, act) of all that may be done to a record of the type."""
    for name in of.acts:
        if name in ("enter", "amend"):
            yield name, name, name
        else:
            yield name, "act", name
    if "amend" in of.acts:
        yield "attach", "attach", "amend"
    for ending in (of.offer.withdrawn, of.offer.expired) if of.offer else ():
        if ending and ending.name not in of.acts:
            yield ending.name, "act", ending.name


def acts(own: OwnRecords) -> Iterator[str]:
    for name, seats in own.acts.items():
        yield from _of_type(name, {seat: tuple(_acts(allowed)) for seat, allowed in seats.items()})


def _acts(allowed: Mapping[str, str]) -> Iterator[str]:
    """`amend` says `attach` too, where both are allowed in the same places."""
    for name, where in allowed.items():
        if name != "attach" or where != allowed.get("amend"):
            yield f"{name}[{where}]" if where else name
    if "amend" in allowed and "attach" not in allowed:
        yield "(no attach)"


def answers(own: OwnRecords) -> Iterator[str]:
    for name, seats in own.answers.items():
        yield from _of_type(name, seats)


def _of_type(name: str, seats: Mapping[Seat, tuple[str, ...]]) -> Iterator[str]:
    """A line for each set of roles that may do the same."""
    for who, what in alike((seat.label, may) for seat, may in seats.items() if may):
        yield columns(name, " ".join(who), " ".join(what))


def reading(own: OwnRecords) -> Iterator[str]:
    yield from seeing(own.office.types, own.seen)


def seeing(types: Mapping[str, Type], seen: SeenBy) -> Iterator[str]:
    """A line for each pattern and what is seen of it, with the verbs and the roles that have it alike."""
    said: dict[tuple[Seat, str, str], list[str]] = defaultdict(list)
    for (seat, verb), of in seen.items():
        lines = patterns({name: spellings(one, frozenset(types[name].groups)) for name, one in of.items()})
        for pattern, what in lines.items():
            said[seat, pattern, what].append(verb)
    order = [seat.label for seat, _ in seen]
    rows = [(seat.label, (pattern, " ".join(verbs), what)) for (seat, pattern, what), verbs in said.items()]
    for who, (pattern, verbs, what) in sorted(alike(rows), key=lambda one: (one[1][0], order.index(one[0][0]))):
        yield columns(pattern, " ".join(who), verbs.ljust(20), what)


def searching(own: OwnRecords) -> Iterator[str]:
    """The fields by which each role may search; a field that a statute bars stands with `nobody`."""
    office = own.office
    barred = [name.removeprefix("find.").rpartition(".")[::2] for name in sorted(office.catalogue.forbid)]
    for of in office.types.values():
        names = [*of.find_fields, *(field for one, field in barred if one == of.name)]
        said = ((name, _finders(office, of, name) or ("nobody",)) for name in dict.fromkeys(names))
        for fields, who in alike(said):
            yield columns(of.name, " ".join(who), " ".join(fields))


def _finders(office: Office, of: Type, name: str) -> tuple[str, ...]:
    group = of.fields[name].group if name in of.fields else "base"
    what, act = record(of, office.agency), f"find.{of.name}.{name}"
    members = (one for one in office.seats if one.role)
    return tuple(one.label for one in members if office.may(one, "find", what, act=act, group=group))
