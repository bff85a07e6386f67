"""The table of one agency's rights as text: its sections, and how it differs from the one that was committed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

from tests.golden import declared, handling_marks, other_agencies, own_records
from tests.golden.offices import SYSTEM, Definitions, Office
from tests.golden.other_agencies import OtherAgencies
from tests.golden.own_records import OwnRecords

FOLDER = Path(__file__).resolve().parent / "rights"

HEAD = """\
# Rights in {agency}: what each role may do, as the agency's policies decide it.
# Written by `make golden`; do not edit. `make check` compares. docs/adding_an_agency.md says how to read and renew it.
#
# A line: a type or a pattern of types, the roles that have it alike, and what they may. What no line allows is denied.
# Patterns: for each verb the most specific line holds (evidence.item before evidence.* before *), as in roles.yml.
# A member with several roles may what any of them may. [assigned] means: assigned to the member, or entered by it.
# Where a line says nothing else, records are unmarked and in their first state. In which state an act is in turn, and
# what its conditions want, stands in the type's YAML. Days are those on which a line holds, the first and the last.
# From [roles] on: what the definitions themselves say of rights, where no decision of a policy is asked.
{whole}
"""

SECTIONS = {
    "acts": "on own records; amend means attach too; (system) is the agency's own system",
    "answers": "to what another agency offers; [unread]: the offer is not open to it; reported: an outsider's",
    "own records": "what is open of them, and what an emergency opens",
    "searches": "by a field of own records",
    "marks": "who passes a handling mark, for which purposes",
    "shared by others": "what is seen of another agency's record of which an offer or emergency opened every group",
    "as a party": "what is seen of another agency's record that names this one as a party",
    "agreements": "what is seen of another agency's records | state | purpose | days",
    "unopened": "what is seen of another agency's record that nothing opened: there should be nothing",
}

DECLARED = {
    "roles": "for whom a role speaks | which roles of the types it fills | which powers of the kernel it has",
    "field groups": "the fields of each; a field that no line names is in base",
    "offers": "to the agency in which field | what an offer opens of its record, and of those it links | which ends it",
    "told": "who learns of a record beside: the agency in a party field, one reported of, another with an equal target",
    "marks pass": "which records bear a mark always, to which the marks of what they link pass, which acts lift one",
    "limits of acts": "who did another act may not do this one; what an act sets or does; overrides; what links take",
}
"""What the definitions say themselves; the decisions on these are the kernel's, made from the same catalogue."""


def table(office: Office) -> str:
    """The whole file. Equal definitions give equal bytes."""
    mine, theirs = OwnRecords(office), OtherAgencies(office)
    lines = {
        "acts": own_records.acts(mine), "answers": own_records.answers(mine), "own records": own_records.reading(mine),
        "searches": own_records.searching(mine), "marks": handling_marks.marks(mine, theirs),
        "shared by others": other_agencies.shared(theirs), "as a party": other_agencies.party(theirs),
        "agreements": other_agencies.agreements(theirs), "unopened": other_agencies.unopened(theirs),
    }  # fmt: skip
    head = HEAD.format(agency=office.agency, whole=declared.agency(office))
    return "\n".join([head, *_parts(SECTIONS, lines), *defined(office)])


def defined(office: Office) -> list[str]:
    """The sections that no decision is asked for, but on powers."""
    lines = {
        "roles": declared.roles(office), "field groups": declared.groups(office), "offers": declared.offers(office),
        "told": declared.told(office), "marks pass": declared.passing(office),
        "limits of acts": declared.limits(office),
    }  # fmt: skip
    return list(_parts(DECLARED, lines))


def _parts(sections: Mapping[str, str], lines: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for name, what in sections.items():
        if said := list(lines[name]):
            yield "\n".join([f"[{name}] {what}", *said]) + "\n"


def written() -> dict[str, str]:
    """The committed tables by agency."""
    return {one.stem: one.read_text("utf-8") for one in sorted(FOLDER.glob("*.txt"))}


def rows(text: str, section: str) -> list[list[str]]:
    """The lines of one section as cells: what it speaks of, who, and what they may."""
    found, at = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            at = line[1:].partition("]")[0]
        elif line and not line.startswith("#") and at == section:
            found.append(re.split(r" {2,}", line))
    return found


def covered(text: str) -> set[str]:
    """The types that some member acts on or answers; what the system alone does counts for nothing."""
    lines = (one for section in ("acts", "answers") for one in rows(text, section))
    return {type_name for type_name, who, *_ in lines if who.split() != [SYSTEM]}


def difference(before: str, after: str) -> Iterator[str]:
    """What changed, each run of lines under its section: `-` was so, `+` is so."""
    old, new = before.splitlines(), after.splitlines()
    told = ""
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            section = next((one for one in reversed(new[: c + 1] or old[: a + 1]) if one.startswith("[")), "[head]")
            if section != told:
                told = section
                yield section.partition("]")[0] + "]"
            yield from (f"- {one}" for one in old[a:b] if one)
            yield from (f"+ {one}" for one in new[c:d] if one)


def tables(definitions: Definitions, agencies: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(agency, its table), one agency to a processor at a time where the system can fork."""
    processors = min(os.cpu_count() or 1, len(agencies))
    if processors < 2 or "fork" not in get_all_start_methods():
        yield from ((agency, table(definitions.office(agency))) for agency in agencies)
        return
    assert definitions.catalogues, "loaded before the processes part, so that each has them"
    with get_context("fork").Pool(processors, _take, (definitions,)) as pool:
        yield from zip(agencies, pool.imap(_made, agencies), strict=True)


_taken: list[Definitions] = []


def _take(definitions: Definitions) -> None:
    _taken[:] = [definitions]


def _made(agency: str) -> str:
    return table(_taken[0].office(agency))
