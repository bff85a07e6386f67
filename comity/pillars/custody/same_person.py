"""Whether a record that one institution keeps and a stay that another keeps are of one person.

Each institution keeps person records of its own, so two that differ may be of one person all the same: an end differs
only where it is known to be another person of the stay's own institution. What leads nowhere is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comity.extensions import Fact, Facts

CLAIM = "registry.identity_claim"
DOCUMENT = "registry.document"
STEPS = 2
"""From the court's defendant to an earlier record of the prisoner, and from there to that of this stay."""
PERSONS = ("person", "defendant", "order.defendant", "judgment.defendant")
ALL_DEFENDANTS = ("case.defendant", "order.case.defendant")
"""Read only where the record itself names nobody."""
CASES = ("case", "order.case", "judgment.case")
STAY_CASES = ("authority.case", "authority.order.case", "authority.judgment.case")


def of_another(facts: Facts, stay: Fact, one: Fact) -> bool:
    """Whether a record is shown to be of another stay or person than the stay's; where neither is known, by the case.

    Of one case there may be several defendants, so that the case alone shows nothing of a person who is known.
    """
    here = set(stay.links.get("person", ()))
    named = ends(facts, one, PERSONS) or ends(facts, one, ALL_DEFENDANTS)
    pairs = [({stay.id}, set(one.links.get("intake", ()))), _persons(facts, stay, here, named)]
    if one.type == DOCUMENT:
        pairs.append(_persons(facts, stay, here | {stay.id}, set(one.links.get("about", ()))))
    known = [(ours, theirs) for ours, theirs in pairs if ours and theirs]
    if not known:
        ours, theirs = matters(facts, stay, STAY_CASES), matters(facts, one, CASES)
        return bool(ours and theirs) and not ours & theirs
    return not any(ours & theirs for ours, theirs in known)


def matters(facts: Facts, one: Fact, paths: Sequence[str]) -> set[str]:
    """The cases to which the paths lead, with what each was opened on: two that were opened on one are one matter."""
    found = ends(facts, one, paths)
    return found | ends(facts, one, [f"{path}.instrument" for path in paths])


def _persons(facts: Facts, stay: Fact, here: set[str], named: set[str]) -> tuple[set[str], set[str]]:
    """Ours, and what the named ends are said to be; of these only records of the stay's own institution differ."""
    said = {other for end in named for other in tied(facts, end)}
    if here & said:
        return here, said
    read = (facts.one(end) for end in said)
    return here, {fact.id for fact in read if fact is not None and fact.agency == stay.agency}


def same_person(facts: Facts, stay: Fact) -> set[str]:
    """The person of a stay, and each record that live claims say is the same, at most STEPS away."""
    return {other for person in stay.links.get("person", ()) for other in tied(facts, person)}


def tied(facts: Facts, person: str) -> set[str]:
    """What live claims say to be one with a person record, at most STEPS away; itself always."""
    found, edge = {person}, {person}
    for _ in range(STEPS):
        edge = {other for one in edge for other in _claimed(facts, one)} - found
        found |= edge
    return found


def _claimed(facts: Facts, person: str) -> Iterator[str]:
    for link, other in (("person", "same_as"), ("same_as", "person")):
        for claim in facts.linking(person, CLAIM, link):
            if claim.state == "claimed" and claim.fields.get("relation", "same") == "same":
                yield from claim.links.get(other, ())


def ends(facts: Facts, one: Fact, paths: Sequence[str]) -> set[str]:
    """To what a record leads on any of the paths of links, dotted. The ends themselves are not read."""
    out: set[str] = set()
    for path in paths:
        *names, last = path.split(".")
        reached: list[Fact] = [one]
        for name in names:
            reached = [fact for before in reached for fact in facts.linked(before, name)]
        out.update(target for fact in reached for target in fact.links.get(last, ()))
    return out
