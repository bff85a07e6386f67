"""Reads a mapping file into a Mapping. Every fault is gathered, each with `file:line` and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from comity.errors import Problem
from comity.extensions import Row
from comity.formats import values
from comity.formats.open_file import open_table
from comity.formats.rows import ENCODINGS, Options
from comity.kernel.importing.mapping import Condition, FieldRule, Mapping, RecordRule
from comity.kernel.types.definition import (
    DefinitionsRefused,
    Faults,
    Form,
    Kind,
    Node,
    is_any,
    is_flag,
    is_map,
    is_names,
    is_text,
    nearest,
    yaml_text,
)
from comity.kernel.types.part import Part
from comity.sentences import say

MAX_CODES = 20_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}\Z")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_single(value: Any) -> bool:
    return isinstance(value, str | int | bool)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_MAPPING: Map[str, Kind] = {
    "mapping": is_text, "version": _is_count, "title": is_text, "source": is_map, "key": is_names, "ignore": is_map,
    "records": is_map,
}  # fmt: skip
_SOURCE: Map[str, Kind] = {
    "format": is_text, "encoding": is_text, "delimiter": is_text, "skip": _is_count, "sheet": is_text, "at": is_text,
    "formulas": is_text, "zone": is_text, "system": is_text, "licence": is_text, "address": is_text,
}  # fmt: skip
_RECORD: Map[str, Kind] = {
    "type": is_text, "key": is_names, "fields": is_map, "links": is_map, "occurred": is_any, "when": is_map,
    "marks": is_names, "differs": is_text,
}  # fmt: skip
_FIELD: Map[str, Kind] = {
    "column": is_text, "columns": _is_words, "join": lambda one: isinstance(one, str), "value": _is_single,
    "as": is_text, "format": is_text, "zone": is_text, "fold": is_text, "gap": is_text, "codes": is_map,
    "codes_from": is_map, "otherwise": _is_single, "default": _is_single, "required": is_flag, "optional": is_flag,
    "empty": _is_words, "strip": is_flag,
}  # fmt: skip
_WHEN: Map[str, Kind] = {"present": is_names, "is": is_map}
_CODES_FROM: Map[str, Kind] = {"file": is_text, "from": is_text, "to": is_text}


def load(file: Path) -> Mapping:
    """The mapping in a file. Raises Problem mapping_invalid."""
    try:
        text = file.read_text("utf-8-sig")
        node = yaml_text(file.name, text)
    except FileNotFoundError:
        raise Problem("mapping_invalid", say("mapping_invalid.there_is_no_mapping", file=file)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem("mapping_invalid", say("mapping_invalid.cannot_be_read", file=file, error=error)) from None
    except DefinitionsRefused as refused:
        raise Problem("mapping_invalid", refused.detail, faults=refused.faults, fix=refused.fix) from None
    faults = Faults()
    found = _Reader(file, faults).mapping(node)
    if faults.found or found is None:
        first = faults.found[0]
        raise Problem(
            "mapping_invalid",
            say("mapping_invalid.found_first", count=len(faults.found), path=first.path, message=first.message),
            faults=faults.found,
            fix=first.fix,
        )
    return found


class _Reader:
    def __init__(self, file: Path, faults: Faults) -> None:
        self.file, self.faults = file, faults
        self.zone = ""

    def mapping(self, node: Node) -> Mapping | None:
        form = Form(node, self.faults, Part("a_mapping"), _MAPPING)
        for key in ("mapping", "version", "source", "key", "records"):
            if node.get(key) is None:
                self.faults.add("key_missing", node.source, say("key_missing.mapping_needs", key=key))
        name = form.text("mapping")
        if name and not _NAME.match(name):
            self.faults.add("name_refused", form.at("mapping"), say("name_refused.is_no_name", name=name))
        options, source = self.source(form.get("source"))
        rules = [self.record(key, one, form.names("key")) for key, one in form.items("records")]
        records = self.ordered([rule for rule in rules if rule is not None])
        ignore = {key: str(one.plain() or "") for key, one in form.items("ignore")}
        used = {column for rule in records for column, _ in rule.columns} | set(form.names("key"))
        for column in used & set(ignore):
            place = form.get("ignore")
            assert place is not None
            self.faults.add(
                "ignored_and_used", place.at(column), say("ignored_and_used.is_read_and_ignored", column=column)
            )
        if self.faults.found:
            return None
        return Mapping(
            name, form.plain("version", 1), options, source.get("system", ""), form.names("key"), ignore, records,
            form.text("title"), source.get("licence", ""), self.file.name,
        )  # fmt: skip

    def source(self, node: Node | None) -> tuple[Options, dict[str, str]]:
        if node is None:
            return Options(), {}
        form = Form(node, self.faults, "source", _SOURCE)
        self.one_of(form, "encoding", ENCODINGS)
        self.one_of(form, "formulas", ("refuse", "cached"))
        self.zone = self.zone_of(form)
        delimiter = form.text("delimiter")
        if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n'):
            self.faults.add("wrong_kind", form.at("delimiter"), say("wrong_kind.delimiter_must_be_one_character"))
        plain = {key: form.text(key) for key in _SOURCE if key != "skip"}
        options = Options(
            plain["format"], plain["encoding"] or "utf-8", delimiter, form.plain("skip", 0), plain["sheet"],
            plain["at"], plain["formulas"] or "refuse",
        )  # fmt: skip
        return options, plain

    def record(self, name: str, node: Node, row_key: tuple[str, ...]) -> RecordRule | None:
        form = Form(node, self.faults, Part("record", name), _RECORD)
        if "type" not in form:
            self.faults.add("key_missing", node.source, say("key_missing.record_needs_type", name=name))
            return None
        self.one_of(form, "differs", ("refuse", "first"))
        shared = "key" in form
        if "differs" in form and not shared:
            self.faults.add("differs_alone", form.at("differs"), say("differs_alone.only_record_with_key_of"))
        fields = tuple(self.field(key, one) for key, one in form.items("fields"))
        occurred = form.get("occurred")
        links: dict[str, tuple[str, ...]] = {}
        for key, one in form.items("links"):
            plain = one.plain()
            if is_names(plain) and plain:
                links[key] = (plain,) if isinstance(plain, str) else tuple(plain)
            else:
                self.faults.add("wrong_kind", one.source, say("wrong_kind.link_must_name_record_of", key=key))
        rule = RecordRule(
            name, form.text("type"), form.names("key"), shared, fields, links,
            self.field("occurred", occurred, moment=True) if occurred else None, self.when(form.get("when")),
            form.names("marks"), form.text("differs", "refuse"), str(node.source),
            {key: str(one.source) for key, one in form.items("links")},
        )  # fmt: skip
        if shared and rule.differs == "refuse":
            self.only_key_columns(rule, row_key)
        return rule

    def only_key_columns(self, rule: RecordRule, row_key: tuple[str, ...]) -> None:
        """What rows share must follow from its key; else two rows would say different things about one record."""
        inside = {*rule.key}
        if set(row_key) <= inside:
            return
        for one in (*rule.fields, *((rule.occurred,) if rule.occurred else ())):
            for column in one.columns:
                if column not in inside:
                    self.faults.add(
                        "shared_field_outside_key",
                        one.source,
                        say(
                            "shared_field_outside_key.of_shared_record_comes_from",
                            name=one.name,
                            rule_name=rule.name,
                            column=column,
                        ),
                    )

    def field(self, name: str, node: Node, *, moment: bool = False) -> FieldRule:
        if is_text(node.value):  # `title: Column` is short for `title: {column: Column}`
            return FieldRule(name, (node.value,), self.converter(None, node, moment), source=str(node.source))
        form = Form(node, self.faults, name, _FIELD)
        given = [key for key in ("column", "columns", "value") if key in form]
        if len(given) != 1:
            self.faults.add(
                "field_source",
                node.source,
                say("field_source.needs_column_columns_or_value", name=name),
            )
        self.one_of(form, "as", values.KINDS)
        self.one_of(form, "fold", values.FOLDS)
        self.one_of(form, "gap", values.GAPS)
        codes = self.codes(form)
        if "otherwise" in form and codes is None:
            self.faults.add(
                "codes_missing",
                form.at("otherwise"),
                say("codes_missing.otherwise_belongs_to_codes_or"),
            )
        kind = form.text("as", "instant" if moment else "text")
        return FieldRule(
            name, form.names("column") or form.names("columns"), self.converter(form, node, moment), kind,
            form.plain("value"), codes, form.plain("otherwise"), form.plain("default"),
            frozenset({"", *form.plain("empty", [])}), form.plain("strip", True), form.plain("join", " "),
            form.plain("required", False), form.plain("optional", False), str(node.source),
        )  # fmt: skip

    def converter(self, form: Form | None, node: Node, moment: bool) -> values.Converter:
        kind = form.text("as", "instant" if moment else "text") if form else "instant" if moment else "text"
        plain: dict[str, values.Converter] = {
            "text": values.text, "integer": values.integer, "decimal": values.decimal, "boolean": values.boolean,
        }  # fmt: skip
        shape = form.text("format") if form else ""
        timed = [key for key in ("zone", "fold", "gap") if form and key in form and kind != "instant"]
        if shape and kind not in ("date", "instant"):
            timed.append("format")
        for key in timed:
            self.faults.add(
                "key_idle",
                form.at(key) if form else node.source,
                say("key_idle.says_nothing_as", key=key, kind=kind),
            )
        if kind == "date":
            return values.day(shape)
        if kind == "instant":
            zone = (self.zone_of(form) if form else "") or self.zone
            moment_of = values.instant(shape, zone, form.text("fold") if form else "", form.text("gap") if form else "")
            return moment_of if moment else values.instant_text(moment_of)
        return plain.get(kind, values.text)

    def codes(self, form: Form) -> dict[str, Any] | None:
        table = form.get("codes")
        if table is not None:
            for key, one in table.items():
                if not _is_single(one.value):
                    self.faults.add(
                        "wrong_kind",
                        table.at(key),
                        say("wrong_kind.code_must_give_one_value", key=key),
                    )
            return {key: one.plain() for key, one in table.items()}
        node = form.get("codes_from")
        if node is None:
            return None
        inner = Form(node, self.faults, "codes_from", _CODES_FROM)
        if not all(key in inner for key in _CODES_FROM):
            self.faults.add("key_missing", node.source, say("key_missing.codes_from_needs_file_from"))
            return {}
        return self.code_file(node, inner.text("file"), inner.text("from"), inner.text("to"))

    def code_file(self, node: Node, name: str, key: str, to: str) -> dict[str, Any]:
        if Path(name).name != name:
            self.faults.add("codes_file", node.source, say("codes_file.is_not_file_beside_mapping", name=name))
            return {}
        found: dict[str, Any] = {}
        try:
            with open_table(self.file.parent / name, Options(format="csv")) as table:
                for row in table.rows:
                    if (
                        not isinstance(row, Row)
                        or key not in row.values
                        or to not in row.values
                        or len(found) > MAX_CODES
                    ):
                        fix = say("codes_file.csv_with_columns_and_at.fix", key=key, to=to, max_codes=MAX_CODES)
                        self.faults.add(
                            "codes_file",
                            node.source,
                            say("codes_file.row_is_no_code", name=name, number=row.number),
                            fix,
                        )
                        break
                    found[row.values[key].strip()] = row.values[to].strip()
        except Problem as problem:
            self.faults.add("codes_file", node.source, problem.detail, problem.fix)
        return found

    def when(self, node: Node | None) -> Condition:
        if node is None:
            return Condition()
        form = Form(node, self.faults, "when", _WHEN)
        allowed: dict[str, frozenset[str]] = {}
        for key, one in form.items("is"):
            plain = one.plain()
            allowed[key] = frozenset(str(value) for value in (plain if isinstance(plain, list) else [plain]))
        return Condition(form.names("present"), allowed)

    def ordered(self, rules: list[RecordRule]) -> tuple[RecordRule, ...]:
        """The rules with every target before what links to it."""
        by_name = {rule.name: rule for rule in rules}
        done: list[RecordRule] = []
        open_names: list[str] = []

        def visit(rule: RecordRule) -> None:
            if rule in done:
                return
            if rule.name in open_names:
                self.faults.add(
                    "link_cycle", rule.source, say("link_cycle.links_to_itself_through_others", name=rule.name)
                )
                return
            open_names.append(rule.name)
            for name, targets in rule.links.items():
                for target in targets:
                    if target in by_name:
                        visit(by_name[target])
                    else:
                        where = rule.link_sources.get(name, rule.source)
                        self.faults.add(
                            "record_unknown",
                            where,
                            say("record_unknown.there_is_no_record", target=target),
                            nearest(target, by_name),
                        )
            open_names.pop()
            done.append(rule)

        for rule in rules:
            visit(rule)
        return tuple(done)

    def zone_of(self, form: Form) -> str:
        zone = form.text("zone")
        try:
            return ZoneInfo(zone).key if zone else ""
        except (KeyError, ValueError, OSError):
            self.faults.add("zone_unknown", form.at("zone"), say("zone_unknown.there_is_no_zone", zone=zone))
            return ""

    def one_of(self, form: Form, key: str, known: Any) -> None:
        if key in form and form.text(key) not in known:
            self.faults.add(
                "wrong_kind",
                form.at(key),
                say("wrong_kind.must_be_one_of", key=key, known=", ".join(known)),
                nearest(form.text(key), known),
            )
