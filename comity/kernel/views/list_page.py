"""A list as a page shows it: columns from what a type features, each cell as its value reads, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Type
from comity.kernel.types.language import Languages
from comity.kernel.views.captions import captions
from comity.kernel.views.find import Found, Search, search
from comity.kernel.views.wording import Line, Parts, Value, Wording, kind_of
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import LinkedRecord, Page
from comity.kernel.work.subject import Subject, subjects

FEATURED_COLUMNS = 3
"""Columns beside number, title, state and agency: a list has at most seven."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `name` is a field or link of the type, or number, type, title, state, agency."""

    name: str
    label: str
    kind: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.label, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Row:
    """A record of a list, with a line for each column in their order."""

    id: str
    type: str
    cells: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "type": self.type, "cells": [one.as_json() for one in self.cells]}


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `found` is the same as data, `empty` what is said where nothing is found, `next` the cursor of
    the next page."""

    type: str
    label: str
    language: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str
    next: str | None
    found: Page

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type, "label": self.label, "language": self.language,
            "columns": [one.as_json() for one in self.columns], "rows": [one.as_json() for one in self.rows],
            "empty": self.empty, "next": self.next,
        }  # fmt: skip


def list_page(node: Node, actor: Actor, *, language: Languages = None, **asked: Any) -> ListPage:
    """A page of what the actor may find; `asked` are the members of find.Search, and it raises what `find` raises.

    What links of the shown columns lead to is read in a few statements for the whole page, whatever it holds.
    """
    wanted = Search(**asked)
    with node.work(actor) as work:
        found = search(work, wanted)
        wording = Wording.of(work, language, _agencies(work, found, wanted))
        of = wording.catalogue.type(wanted.type) if wanted.type else None
        others = any(item["agency"] != work.agency or item["on_behalf"] for item in found.page.items)
        columns = _columns(wording, of, others=others)
        linked = _linked(work, found.subjects, {one.name for one in columns if one.kind == "link"})
        bare = [one for one in (*linked.values(), *(() if of else found.subjects)) if not one.title]
        named = captions(work, wording, bare) if bare else {}
        rows = tuple(
            Row(str(one.id), one.type_name, _Cells(work, wording, one, hidden, linked, named).all(columns, item))
            for one, hidden, item in zip(found.subjects, found.masked, found.page.items, strict=True)
        )
        label = wording.type_label(of.name) if of else ""
        empty = wording.say("nothing_found_of", type=label) if of else wording.say("nothing_found")
        return ListPage(
            of.name if of else "", label, wording.language, columns, rows, empty, found.page.next, found.page
        )


def _agencies(work: Work, found: Found, wanted: Search) -> set[str]:
    """Those that the rows speak of: their owners, and what fields of the columns name."""
    fields = work.catalogue.type(wanted.type).fields if wanted.type else {}
    named = [name for name, one in fields.items() if kind_of(one) == "agency"]
    out = {agency for item in found.page.items for agency in (item["agency"], item["on_behalf"]) if agency}
    for item in found.page.items:
        for name in named:
            value = item["fields"].get(name)
            out.update(value if isinstance(value, list) else [value] if value else [])
    return out


def _columns(wording: Wording, of: Type | None, *, others: bool) -> tuple[Column, ...]:
    """Number, what names the record, what the type features, the state; and whose it is where `others` have any."""
    number = Column("number", wording.say("number"), "text")
    last = [Column("state", wording.say("state"), "choice")]
    if others:
        last.append(Column("agency", wording.say("agency"), "agency"))
    if of is None:
        kind = Column("type", wording.say("type"), "choice")
        return (number, kind, Column("title", wording.say("title"), "text"), *last)
    parts = Parts(wording, of, of)
    titles = of.caption[:1]
    featured = [
        name for name in of.featured
        if name not in of.caption and not (name in of.links and of.links[name].to == ("member",))
    ]  # fmt: skip
    named = [*titles, *featured[:FEATURED_COLUMNS]]
    shown = [
        Column(name, parts.label(name), kind_of(of.fields[name]) if name in of.fields else "link") for name in named
    ]
    return (number, *shown, *last)


def _linked(work: Work, found: Sequence[Subject], names: set[str]) -> Mapping[str, Subject]:
    """The records, by id, to which these links of the rows lead, as far as the reader sees them."""
    ids = {id for one in found for name in names for id in one.folded.links.get(name, ())}
    return subjects(work, sorted(ids)) if ids else {}


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row."""

    work: Work
    wording: Wording
    subject: Subject
    hidden: frozenset[str]
    linked: Mapping[str, Subject]
    named: Mapping[str, str]

    def all(self, columns: Sequence[Column], item: Mapping[str, Any]) -> tuple[Line, ...]:
        one = self.subject
        parts = self.wording.of_record(self.work.type_of(one.agency, one.type_name, one.core_type))
        return tuple(self._cell(column, item, parts) for column in columns)

    def _cell(self, column: Column, item: Mapping[str, Any], parts: Parts) -> Line:
        name, said = column.name, self.wording
        if name == "number":
            return said.line(
                name, column.label, [Value("text", said.locale.given(item["number"] or item["id"]), item["number"])]
            )
        if name == "type":
            return said.line(name, column.label, [Value("choice", said.type_label(item["type"]), item["type"])])
        if name == "title":
            title = said.locale.given(item["title"] or "") or self.named.get(item["id"], "")
            return said.line(name, column.label, [Value("text", title, item["title"])] if title else [])
        if name == "state":
            return said.line(name, column.label, [Value("choice", parts.state(item["state"]), item["state"])])
        if name == "agency":
            return said.line(
                name, column.label, [Value("agency", said.whose(item["agency"], item["on_behalf"]), item["agency"])]
            )
        if name in self.hidden:
            return Line(name, column.label, masked=parts.say("masked_cell"))
        if column.kind == "link":
            targets = (self.linked.get(id) for id in self.subject.folded.links.get(name, ()))
            return said.line(name, column.label, [self._target(name, one) for one in targets if one is not None])
        value = item["fields"].get(name)
        return said.line(name, column.label, said.value(parts.field(name), value) if value is not None else ())

    def _target(self, name: str, one: Subject) -> Value:
        """A linked record in a cell: what names it, or its number."""
        linked = LinkedRecord(
            name, str(one.id), one.core_type, one.agency, one.folded.number, one.title, one.core_state
        )
        to = self.wording.target(linked)
        given = self.wording.locale.given
        text = given(one.title) or self.named.get(str(one.id)) or given(one.folded.number or str(one.id))
        return Value("link", text, to.id, to)
