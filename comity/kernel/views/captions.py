"""What names a record beside its number where its title does not: what the reader sees first of its type's caption.

A person's name stands in a group of its own and is no title that everybody may read; a stay in custody is named by its
person. What is shown of others' records is disclosed to their owners as read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from comity.kernel.types.catalogue import Type
from comity.kernel.views.wording import Wording
from comity.kernel.work import disclosure
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject, subjects
from comity.kernel.work.visibility import readable_fields

MOST = 400
"""Records of which captions are looked up for one page."""


def captions(work: Work, wording: Wording, found: Collection[Subject]) -> dict[str, str]:
    """By id what names each of these records, as far as the reader sees it; in one statement for all that they are
    named by."""
    asked = list(found)[:MOST]
    types = {one.id: work.type_of(one.agency, one.type_name, one.core_type) for one in asked}
    ends = {id for one in asked for name in types[one.id].caption for id in one.folded.links.get(name, ())}
    linked = subjects(work, sorted(ends)[:MOST]) if ends else {}
    shown: list[tuple[Subject, list[str]]] = []
    names = {
        id: _named(work, wording, one, work.type_of(one.agency, one.type_name, one.core_type), {}, shown)
        for id, one in linked.items()
    }
    out = {str(one.id): _named(work, wording, one, types[one.id], names, shown) for one in asked}
    disclosure.told(work, "read", shown)
    return {id: name for id, name in out.items() if name}


def _named(
    work: Work, wording: Wording, one: Subject, of: Type, linked: Mapping[str, str],
    shown: list[tuple[Subject, list[str]]],
) -> str:  # fmt: skip
    """The caption of one record; `shown` gathers what was taken from it."""
    fields = readable_fields(work, of, one)[0] if any(name in of.fields for name in of.caption) else {}
    for name in of.caption:
        if name in fields:
            if not one.title:
                shown.append((one, [name]))
            return ", ".join(value.text for value in wording.value(of.fields[name], fields[name]))
        for id in one.folded.links.get(name, ()):
            if linked.get(id):
                return linked[id]
    return wording.locale.given(one.title)
