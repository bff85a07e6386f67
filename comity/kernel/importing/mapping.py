"""The language of import mappings: which column of a foreign file becomes which field of which record.

`mapping_file.load` reads one from a file; `Mapping.faults` compares it with an
agency's catalogue before a row is read; `Mapping.plan` turns one row into the records to enter, or into the reasons
why not. The language is described in docs/importing.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comity.errors import Fault, Problem
from comity.extensions import Row
from comity.formats.rows import Options, cut
from comity.formats.values import Converter, ValueRefused, text
from comity.kernel.types.catalogue import Catalogue, Type
from comity.sentences import NOTHING, Text, joined, say

KEY = "key:"
"""A link target written so names a record by the idempotency key under which it is entered."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a row was not taken, or what about it a reader should know. `row` as numbered in its file."""

    row: int
    code: str
    reason: Text
    record: str = ""
    field: str = ""
    column: str = ""
    value: str = ""
    fix: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Planned:
    """A record that a row asks for. `links` hold `key:` targets; `content` tells two plans of one key apart."""

    record: str
    type: str
    fields: Map[str, Any]
    links: Map[str, tuple[str, ...]]
    key: str
    occurred_at: datetime | None
    marks: tuple[str, ...]
    shared: bool

    @property
    def content(self) -> bytes:
        body = [self.type, self.fields, self.links, str(self.occurred_at), self.marks]
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).digest()


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is filled: from columns, or with a constant. `source` is where the mapping says so."""

    name: str
    columns: tuple[str, ...]
    convert: Converter
    kind: str = "text"
    constant: Any = None
    codes: Map[str, Any] | None = None
    otherwise: Any = None
    default: Any = None
    empty: frozenset[str] = frozenset({""})
    strip: bool = True
    join: str = " "
    required: bool = False
    optional: bool = False
    source: str = ""

    def read(self, values: Map[str, Any]) -> Any:
        """The field's value, or None when the row says nothing. Raises ValueRefused."""
        if not self.columns:
            return self.constant
        raw = values.get(self.columns[0]) if len(self.columns) == 1 else self._joined(values)
        if isinstance(raw, str):
            if self.strip:
                raw = raw.strip()
            if raw in self.empty:
                raw = None
        if raw is None:
            if self.default is None and self.required:
                raise ValueRefused("value_missing", say("value_missing.mapping_requires_value_here"))
            return self.default
        if self.codes is not None:
            return self._code(text(raw))
        return self.convert(raw)

    def _code(self, said: str) -> Any:
        assert self.codes is not None
        found = self.codes.get(said, self.otherwise)
        if found is None:
            raise ValueRefused("code_unmapped", say("code_unmapped.code_table_has_no_such"))
        return found

    def _joined(self, values: Map[str, Any]) -> str:
        parts = (text(one).strip() for one in (values.get(name) for name in self.columns) if one is not None)
        return self.join.join(part for part in parts if part and part not in self.empty)

    def constants(self) -> Iterator[Any]:
        """Every value that the mapping itself writes into the field."""
        yield from (one for one in (self.constant, self.default, self.otherwise) if one is not None)
        yield from (self.codes or {}).values()


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row has this record: all of `present` are filled, and each column of `is_` holds one of its values."""

    present: tuple[str, ...] = ()
    is_: Map[str, frozenset[str]] = field(default_factory=dict)

    def holds(self, values: Map[str, Any]) -> bool:
        return all(_said(values.get(name)) for name in self.present) and all(
            _said(values.get(name)) in allowed for name, allowed in self.is_.items()
        )


@dataclass(frozen=True, slots=True)
class RecordRule:
    """One record of a row. `shared`: rows with the same `key` mean the same record, entered once; where they differ,
    `differs` says whether the row is refused (`refuse`) or the first stands and the difference is noted (`first`)."""

    name: str
    type: str
    key: tuple[str, ...]
    shared: bool
    fields: tuple[FieldRule, ...]
    links: Map[str, tuple[str, ...]]
    occurred: FieldRule | None = None
    when: Condition = Condition()
    marks: tuple[str, ...] = ()
    differs: str = "refuse"
    source: str = ""
    link_sources: Map[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> Iterator[tuple[str, bool]]:
        """The columns that the record needs, each with whether the file may lack it."""
        for rule in (*self.fields, *((self.occurred,) if self.occurred else ())):
            yield from ((name, rule.optional) for name in rule.columns)
        yield from ((name, False) for name in (*self.key, *self.when.present, *self.when.is_))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file that holds together. `records` stand in an order in which links point backwards."""

    name: str
    version: int
    options: Options
    system: str
    key: tuple[str, ...]
    ignore: Map[str, str]
    records: tuple[RecordRule, ...]
    title: str = ""
    licence: str = ""
    file: str = ""

    @property
    def columns(self) -> dict[str, bool]:
        """Every column the mapping reads, and whether the file may lack it."""
        found = dict.fromkeys(self.key, False)
        for rule in self.records:
            for name, optional in rule.columns:
                found[name] = found.get(name, True) and optional
        return found

    def absent(self, columns: Sequence[str]) -> list[Fault]:
        """A fault for each column that the mapping needs and the file has not."""
        there = set(columns)
        unlike = _separator(columns, self.columns)
        if unlike:
            said = say("column_absent.header_has_between_columns", unlike=unlike)
            fix = say("column_absent.file_looks_separated_by_write.fix", unlike=unlike)
            return [Fault("column_absent", name, said, fix) for name, optional in self.columns.items() if not optional]
        return [
            Fault(
                "column_absent",
                name,
                say("column_absent.file_has_no_column", name=name, columns=cut(", ".join(columns), 400)),
            )
            for name, optional in self.columns.items()
            if not optional and name not in there
        ]

    def unmapped(self, columns: Sequence[str]) -> list[str]:
        """The file's columns that the mapping neither reads nor ignores by name."""
        known = self.columns
        return [name for name in columns if name not in known and name not in self.ignore]

    def plan(self, row: Row) -> list[Planned] | list[Reject]:
        """The records of a row in an order in which links point backwards, or every reason why it is not taken."""
        values = row.values
        identity = [_said(values.get(name)) for name in self.key]
        if not any(identity):
            names = ", ".join(self.key)
            said = say("row_key_missing.row_has_no", names=names)
            return [Reject(row.number, "row_key_missing", said, column=names)]
        planned: list[Planned] = []
        rejects: list[Reject] = []
        keys: dict[str, str] = {}
        for rule in self.records:
            if not rule.when.holds(values):
                continue
            own = [_said(values.get(name)) for name in rule.key] if rule.shared else identity
            if rule.shared and not any(own):
                continue
            fields = {one.name: found for one in rule.fields if (found := _read(one, row, rule, rejects)) is not None}
            occurred = _read(rule.occurred, row, rule, rejects) if rule.occurred else None
            key = f"import:{self.name}:{rule.name}:{_digest(own)}"
            keys[rule.name] = KEY + key
            links = {
                name: found
                for name, targets in rule.links.items()
                if (found := tuple(keys[target] for target in targets if target in keys))
            }
            planned.append(Planned(rule.name, rule.type, fields, links, key, occurred, rule.marks, rule.shared))
        if rejects:
            return rejects
        if not planned:
            return [Reject(row.number, "row_gives_nothing", say("row_gives_nothing.no_record_applies"))]
        return planned

    def rule(self, record: str) -> RecordRule:
        return next(one for one in self.records if one.name == record)

    def column_of(self, record: str, path: str) -> tuple[str, str]:
        """Field and column(s) behind a fault's path such as `fields.title` or `fields.tags.0`."""
        parts = path.split(".")
        name = parts[1] if len(parts) > 1 else path
        for one in self.rule(record).fields:
            if one.name == name:
                return name, ", ".join(one.columns)
        return name, ""

    def faults(self, catalogue: Catalogue) -> list[Fault]:
        """What this mapping asks that the agency's types do not have: found before the file is opened."""
        found: list[Fault] = []
        for rule in self.records:
            try:
                of = catalogue.type(rule.type)
            except Problem as problem:
                found.append(Fault("type_unknown", rule.source, problem.detail, problem.fix))
                continue
            found += _field_faults(rule, of)
            found += self._link_faults(rule, of, catalogue)
        return found

    def _link_faults(self, rule: RecordRule, of: Type, catalogue: Catalogue) -> Iterator[Fault]:
        for name, targets in rule.links.items():
            where = rule.link_sources.get(name, rule.source)
            link = of.links.get(name)
            if link is None:
                yield Fault(
                    "link_unknown",
                    where,
                    say("link_unknown.mapped_type_has_no_link", of=of.name, link=name, links=", ".join(of.links)),
                )
                continue
            for target in targets:
                aim = self.rule(target).type
                known = catalogue.types.get(aim)
                if known and not link.accepts(known.name, known.core_name):
                    said = joined(link.to, "or")
                    yield Fault(
                        "link_target",
                        where,
                        say("link_target.of_points_at_not", name=name, of_name=of.name, said=said, aim=aim),
                    )
        for name, link in of.links.items():
            if of.initial in link.required_in and name not in rule.links:
                yield Fault("required", rule.source, say("required.needs_link_from_start", name=of.name, name2=name))


_SCHEMA_TYPES = {"text": "string", "integer": "integer", "decimal": "string", "boolean": "boolean", "date": "string",
                 "instant": "string"}  # fmt: skip


def _field_faults(rule: RecordRule, of: Type) -> Iterator[Fault]:
    mapped = set()
    for one in rule.fields:
        known = of.fields.get(one.name)
        mapped.add(one.name)
        if known is None:
            yield Fault(
                "unknown_field",
                one.source,
                say("unknown_field.mapped_type_has_no_field", of=of.name, field=one.name, fields=", ".join(of.fields)),
            )
            continue
        if known.input:
            yield Fault("input_refused", one.source, say("input_refused.is_set_by_act_not", name=one.name))
        wanted = known.schema.get("type")
        if one.codes is None and one.columns and isinstance(wanted, str) and wanted != _SCHEMA_TYPES[one.kind]:
            said = say(
                "type.of_is_as_gives",
                name=one.name,
                of_name=of.name,
                wanted=wanted,
                kind=one.kind,
                schema_types=_SCHEMA_TYPES[one.kind],
            )
            yield Fault("type", one.source, said, say("type.choose_another_as.fix"))
        if known.values is not None:
            for value in one.constants():
                if value not in known.values:
                    fix = say("code_unknown.codes.fix", values=cut(", ".join(known.values), 400))
                    yield Fault(
                        "code_unknown", one.source, say("code_unknown.is_no_code_of", value=value, name=one.name), fix
                    )
    for name, known in of.fields.items():
        if of.initial in known.required_in and not known.input and name not in mapped:
            yield Fault("required", rule.source, say("required.needs_field_from_start", name=of.name, name2=name))


def _read(rule: FieldRule, row: Row, record: RecordRule, rejects: list[Reject]) -> Any:
    try:
        return rule.read(row.values)
    except ValueRefused as refused:
        said = ", ".join(_shown(row.values.get(name)) for name in rule.columns)
        rejects.append(
            Reject(
                row.number,
                refused.code,
                refused.reason,
                record.name,
                rule.name,
                ", ".join(rule.columns),
                said,
                refused.fix,
            )
        )
        return None


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    try:
        return text(value)
    except ValueRefused:
        return ""


def _shown(value: Any) -> str:
    return cut(value if isinstance(value, str) else "" if value is None else str(getattr(value, "text", value)))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _separator(columns: Sequence[str], wanted: Collection[str]) -> str:
    """The sign that stands between the columns, where none is there and the header, read with it, has some; else ""."""
    if any(name in columns for name in wanted):
        return ""
    header = ",".join(columns)
    found = ({part.strip(' "') for part in header.split(sign)} & set(wanted) and sign for sign in ";|\t,")
    return next((sign for sign in found if sign), "")
