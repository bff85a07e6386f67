"""The links of new and changed records: each target is there, may be seen, fits, and passes on its marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from comity.errors import Fault
from comity.kernel.types.catalogue import Type
from comity.kernel.types.definition import nearest
from comity.kernel.types.language import called, called_in
from comity.kernel.work import disclosure
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, subjects
from comity.kernel.work.visibility import readable_fields
from comity.sentences import listed, say


@dataclass(frozen=True, slots=True)
class Targets:
    """What the links of a batch may point at: readable records and members of the own agency."""

    records: Mapping[str, Subject]
    members: frozenset[str]


NO_TARGETS = Targets({}, frozenset())


def targets(work: Work, wanted: Iterable[tuple[Type, Mapping[str, Sequence[str]]]]) -> Targets:
    """Read all link targets of a batch in two statements, under the actor's rights."""
    ids: set[str] = set()
    members: set[str] = set()
    for of, links in wanted:
        for name, given in links.items():
            link = of.links.get(name)
            (members if link and link.to == ("member",) else ids).update(one for one in given if _is_id(one))
    found = subjects(work, sorted(ids)) if ids else {}
    known: set[str] = set()
    if members:
        known = {
            row[0]
            for row in work.conn.execute(
                "select id::text from comity.member where agency = comity.me() and id = any(%s) and state = 'active'",
                ([UUID(one) for one in sorted(members)],),
            )
        }
    return Targets(found, frozenset(known))


def faults(
    of: Type,
    links: Mapping[str, Sequence[str]],
    known: Targets,
    *,
    types: Mapping[str, Type],
    own: Mapping[str, Type] | None = None,
) -> list[Fault]:
    """What is wrong with the targets of links to add. `own` are records that the same transaction enters, by id;
    `types` those of the catalogue."""
    found: list[Fault] = []
    for name, given in links.items():
        path = f"links.{name}"
        link = of.links.get(name)
        if link is None:
            found.append(
                Fault(
                    "unknown_link",
                    path,
                    say("unknown_link.has_no_link", title=called(of), name=name),
                    nearest(name, of.links),
                )
            )
            continue
        for target in given:
            if link.to == ("member",):
                if target not in known.members:
                    found.append(Fault("link_not_found", path, say("link_not_found.no_active_member_of_agency")))
                continue
            kind = _kind(target, known, own or {})
            if kind is None:
                found.append(Fault("link_not_found", path, say("link_not_found.record_is_absent_or_not")))
            elif not link.accepts(*kind):
                wanted = listed(called_in(types, one) for one in link.to)
                found.append(Fault("link_wrong_type", path, say("link_wrong_type.this_link_takes", to=wanted)))
    return found


def _kind(target: str, known: Targets, own: Mapping[str, Type]) -> tuple[str, str] | None:
    """The type and core type of a target that is there; None for one that is absent or hidden."""
    if target in own:
        return own[target].name, own[target].core_name
    seen = known.records.get(target)
    return (seen.type_name, seen.core_type) if seen else None


def inherited(of: Type, links: Mapping[str, Sequence[str]], known: Targets) -> set[str]:
    """The marks that the targets of inheriting links pass on: what is derived inherits them."""
    marks: set[str] = set()
    for name, given in links.items():
        link = of.links.get(name)
        if link and link.inherit:
            for target in given:
                seen = known.records.get(target)
                marks.update(seen.folded.marks if seen else ())
    return marks


def taken_over(
    work: Work, of: Type, given: Mapping[str, object], links: Mapping[str, Sequence[str]], known: Targets
) -> dict[str, tuple[object, str]]:
    """field -> (value, the record that it was taken over from), for links that fill what the draft does not give.

    Nobody types again what the institution before has told: the actor takes over what it may read, and the owner's
    log of disclosures says so.
    """
    out: dict[str, tuple[object, str]] = {}
    for name, targets in links.items():
        link = of.links.get(name)
        if link is None or not link.fills or len(targets) != 1 or targets[0] not in known.records:
            continue
        source = known.records[targets[0]]
        theirs = work.type_of(source.agency, source.type_name, source.core_type)
        shown, _ = readable_fields(work, theirs, source)
        found = {
            one: (shown[one], str(source.id)) for one in link.fills if one in shown and one not in {**given, **out}
        }
        if found:
            disclosure.told(work, "enter", [(source, sorted(found))])
        out |= found
    return out


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
