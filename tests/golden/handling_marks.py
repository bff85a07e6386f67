"""Which handling marks a role is cleared for: on own records, and on what others share.

A mark bars one action as it bars the next, so every purpose is asked for one action, and of the others one purpose that
does not pass; an action that answers otherwise has a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from comity.kernel.policy.cedar import literal
from comity.kernel.policy.decide import Resource
from tests.golden.offices import MEMBER, STRANGER, UNKNOWN, Occasion, Office, Seat, Span, record, told_apart
from tests.golden.other_agencies import OtherAgencies, joined
from tests.golden.own_records import BASE, OwnRecords
from tests.golden.patterns import alike, columns

Probe = tuple[str, str, Resource]
"""An action, the act, and an unmarked record on which the seat may do it."""


def marks(own: OwnRecords, others: OtherAgencies) -> Iterator[str]:
    office = own.office
    rows = [(seat.label, line) for seat in office.seats for line in _own(own, seat)]
    rows += [(seat.label, line) for seat in office.seats for line in _involved(own, seat)]
    rows += [(seat.label, line) for seat in office.seats for line in _shared(others, seat)]
    for who, (where, mark, purposes) in sorted(alike(rows), key=lambda one: one[1][:2]):
        yield columns(mark, " ".join(who), where.ljust(20), purposes)
    for seat in [one for one in office.seats if _opened(others, one)][:1]:
        for owner in office.owners:
            seen = ((span, tuple(_agreed(others, seat, owner, span))) for span in office.spans(owner))
            for span, (mark, purposes) in ((span, line) for span, lines in joined(seen) for line in lines):
                yield columns(mark, "whoever reads it unmarked", f"shared by {owner}".ljust(20), f"{purposes} | {span}")


def _own(own: OwnRecords, seat: Seat) -> Iterator[tuple[str, ...]]:
    probes = list(_probes(own, seat))
    for mark in (*own.office.marks(""), UNKNOWN) if probes else ():
        passes = _purposes(own.office, seat, probes[0], mark)
        if passes:
            yield "own", mark, own.office.worded(passes)
        for probe in probes[1:]:
            found = _as_well(own.office, seat, probe, mark, passes)
            if found != passes:
                yield f"own, to {probe[0]}", mark, own.office.worded(found) or "for no purpose"


def _probes(own: OwnRecords, seat: Seat) -> Iterator[Probe]:
    """One of each action that the seat may do on an unmarked record that is not its own."""
    office, me = own.office, own.office.agency
    for verb in ("read", "find", "emergency"):
        seen = own.seen[seat, verb]
        if name := next((name for name, groups in seen.items() if "base" in groups[0]), ""):
            yield verb, "", record(office.types[name], me)
    wanted = {"amend": "amend", "attach": "amend"}
    for action, act in wanted.items():
        if name := next((name for name, seats in own.acts.items() if seats[seat].get(action) == ""), ""):
            yield action, act, record(office.types[name], me)
    plain = (
        (name, act) for name, seats in own.acts.items() for act, where in seats[seat].items()
        if not where and act not in ("enter", "amend", "attach")
    )  # fmt: skip
    for name, act in list(plain)[:1]:
        yield "act", act, record(office.types[name], me)


def _purposes(office: Office, seat: Seat, probe: Probe, mark: str) -> frozenset[str]:
    action, act, what = probe
    marked, found = replace(what, marks=frozenset({mark})), frozenset[str]()
    for purposes in told_apart(office.marking[mark], office.purposes):
        if office.may(seat, action, marked, act=act, when=Occasion(purposes[0])):
            found |= frozenset(purposes)
    return found


def _as_well(office: Office, seat: Seat, probe: Probe, mark: str, passes: frozenset[str]) -> frozenset[str]:
    """The same, if a purpose that does not pass does not pass here, or, where all pass, one does; else what does."""
    action, act, what = probe
    asked = next((one for one in office.purposes if one not in passes), office.purposes[0])
    marked = replace(what, marks=frozenset({mark}))
    same = office.may(seat, action, marked, act=act, when=Occasion(asked)) == (asked in passes)
    return passes if same else _purposes(office, seat, probe, mark)


def _involved(own: OwnRecords, seat: Seat) -> Iterator[tuple[str, ...]]:
    """The marks that do not bar a record from the member who entered it or is assigned to it."""
    office, me = own.office, own.office.agency
    seen = own.seen[seat, "read"]
    name = next((name for name, groups in seen.items() if all("base" in one for one in groups[1:])), "")
    if not name:
        return
    of = office.types[name]
    known = (*office.marks(""), UNKNOWN)
    for where, more in (("own, assigned", {"assigned": frozenset({MEMBER})}), ("own, entered", {"entered_by": MEMBER})):
        passes = [one for one in known if office.may(seat, "read", record(of, me, marks=frozenset({one}), **more))]
        if passes == list(office.marks("")):
            yield where, "(every mark)", "any purpose"
        else:
            yield from ((where, mark, "any purpose") for mark in passes)


def _opened(others: OtherAgencies, seat: Seat) -> str:
    """A type of which the seat reads what others share."""
    return next((name for name, groups in others.shared[seat, "read"].items() if "base" in groups[0]), "")


def _shared(others: OtherAgencies, seat: Seat) -> Iterator[tuple[str, ...]]:
    """What passes whoever shared it: the receiving agencies that a mark names."""
    office = others.office
    if name := _opened(others, seat):
        what = record(office.types[name], STRANGER, grants=BASE)
        for mark in (*office.marks(""), UNKNOWN):
            if passes := _purposes(office, seat, ("read", "", what), mark):
                yield "shared by others", mark, office.worded(passes)


def _agreed(others: OtherAgencies, seat: Seat, owner: str, span: Span) -> Iterator[tuple[str, str]]:
    """What passes besides, since an agreement with the owner names the mark."""
    office, of = others.office, others.office.types[_opened(others, seat)]
    for mark in office.marks(owner):
        if literal(owner) not in office.marking[mark]:
            continue  # no rule about the mark tells this owner from others
        passes = set[str]()
        for purposes in told_apart(office.marking[mark], office.purposes):
            asked = (record(of, one, grants=BASE, marks=frozenset({mark})) for one in (owner, STRANGER))
            here, anyway = (office.may(seat, "read", one, when=Occasion(purposes[0], span)) for one in asked)
            passes |= set(purposes) if here and not anyway else set()
        if passes:
            yield mark, office.worded(passes)
