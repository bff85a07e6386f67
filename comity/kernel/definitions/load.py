"""Loads the three layers, core, jurisdiction and agency, into one catalogue, or refuses them with all that is wrong."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from comity.errors import Fault
from comity.kernel.law import clock_book, order_rules
from comity.kernel.types import agency as agency_files
from comity.kernel.types import code_uses, knowing, lifecycle, reading, roles, schema, shape
from comity.kernel.types.backfill import Backfill
from comity.kernel.types.catalogue import Catalogue, CodeList, Type
from comity.kernel.types.declared import Declared
from comity.kernel.types.definition import (
    DefinitionsRefused,
    Faults,
    Files,
    Form,
    Node,
    is_map,
    is_names,
    is_text,
    nearest,
    yaml_text,
)
from comity.kernel.types.expression import check_lengths
from comity.kernel.types.finish import edited, finish
from comity.kernel.types.layers import lay
from comity.kernel.types.link_shape_types import check_shapes
from comity.kernel.types.lock_links import mark_lock_targets
from comity.kernel.types.obligation_types import check_obligations, check_owed
from comity.kernel.types.part import Part
from comity.kernel.types.reading import LAYER_KEYS, TYPE_KEYS, Draft
from comity.names import TYPE
from comity.sentences import Text, joined, say

_SINGLE = {"jurisdiction": "jurisdiction.yml", "agency": "agency.yml"}
_FOLDERS = ("types", "codes", "rules", "examples", "boards", "records")
_SPEAKING = frozenset(("types", "rules", "records"))
_LAYER = {"core": "pillar"}
_FILE = re.compile(r"(?P<folder>[a-z]+)/(?P<stem>[A-Za-z0-9_.-]+)\.yml\Z")
_IS = re.compile(r"[a-z][a-z0-9-]*\Z")


PAIRS = "examples/clocks/"
NOTHING = Backfill()
KEPT = 32
"""Catalogues that are kept."""


def read_folder(path: Path, *, pairs: bool = False) -> Files:
    """A layer's files below `path`: `.yml` and `.yaml`, hidden ones apart. A missing folder is an empty layer.

    `mappings/` is left out: import mappings belong to the importer and define nothing. So are, unless `pairs`, the
    worked pairs of clocks: they are checked before a law is installed and not carried along (definitions/clock_pairs).
    """
    found = {}
    for file in sorted(path.rglob("*.y*ml")) if path.is_dir() else ():
        name = file.relative_to(path)
        if (
            name.parts[0] != "mappings"
            and (pairs or not name.as_posix().startswith(PAIRS))
            and file.suffix in (".yml", ".yaml")
            and not any(part.startswith((".", "_")) for part in name.parts)
        ):
            found[name.as_posix()] = _text(file, name.as_posix())
    return found


def _text(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fault = Fault("yaml_syntax", f"{name}:1", say("yaml_syntax.file_is_not_utf_8"))
        raise DefinitionsRefused([fault]) from None


def read_core(pillars_root: Path, own: Path | None = None, only: Collection[str] | None = None) -> Files:
    """The core layer: the union of the pillars below `pillars_root` and below `own`, a folder of pillars of one's own.

    `only` limits it to these pillars and those that they need, which their pillar.yml names.
    """
    files: dict[str, str] = {}
    for root in (pillars_root, own):
        files.update(read_folder(root) if root is not None else {})
    if only is None:
        return files
    wanted: set[str] = set()
    todo = list(only)
    while todo:
        name = todo.pop()
        text = files.get(f"{name}/pillar.yml")
        if name not in wanted and text is not None:
            needs = yaml_text(f"{name}/pillar.yml", text).get("needs")
            todo += needs.plain() or [] if needs else []
        wanted.add(name)
    return {path: text for path, text in files.items() if path.split("/")[0] in wanted}


_kept: deque[tuple[str, Backfill, Catalogue]] = deque(maxlen=KEPT)


def load(
    core: Files, jurisdiction: Files | None = None, agency: Files | None = None, backfill: Backfill = NOTHING
) -> Catalogue:
    """The catalogue of one agency. Raises DefinitionsRefused with every fault found in all three layers.

    With no agency the catalogue is the core's own, or the jurisdiction's: for examples and for checking. `backfill` is
    for definitions that are in force already: what they leave unsaid is filled in, and what older versions of this
    program did not ask of them is not asked. A catalogue is not changed by anybody, so the same files give the same
    one, which takes a third of a second; the last few are kept.
    """
    layers = (core, jurisdiction or {}, agency or {})
    key = digest(*layers)
    for known, held, made in tuple(_kept):
        if known == key and held is backfill:
            return made
    made = _Loading(*layers, backfill).catalogue()
    _kept.append((key, backfill, made))
    return made


def digest(*layers: Files) -> str:
    """SHA-256 (hex) over the layers in order, their files by name: the same definitions give the same digest."""
    state = hashlib.sha256()
    for files in layers:
        for name in sorted(files):
            for part in (name, files[name]):
                data = part.encode("utf-8", "surrogatepass")
                state.update(len(data).to_bytes(8, "big") + data)
        state.update(b"\xff")
    return state.hexdigest()


class _Loading:
    def __init__(self, core: Files, jurisdiction: Files, agency: Files, backfill: Backfill) -> None:
        self.new_core = not backfill.core
        self.faults = Faults()
        self.in_force = {"core": bool(backfill.core), "agency": bool(backfill.agency)}
        self.layers = (("core", core), ("jurisdiction", jurisdiction), ("agency", agency))
        self.trees = {kind: dict(self.parsed(files)) for kind, files in self.layers}
        self.trees["core"] = backfill.over_core(self.trees["core"])
        self.trees["agency"] = backfill.over_agency(self.trees["agency"])
        self.declared = Declared(self.faults)
        self.names = {kind: self.named(kind, file) for kind, file in _SINGLE.items()}
        self.lists: dict[str, CodeList] = {}
        self.rules: dict[str, Any] = {}
        self.written: dict[str, Node] = {}
        self.plain: dict[str, dict[str, Any]] = {"examples": {}, "boards": {}, "records": {}}
        self.code_uses: list[code_uses.CodeUse | code_uses.CodeMeaning] = []
        self.types: list[tuple[str, Form]] = []
        self.drafts: dict[str, Draft] = {}

    def parsed(self, files: Files) -> Iterator[tuple[str, Node]]:
        for path, text in sorted(files.items()):
            if path.startswith(PAIRS):
                continue
            try:
                yield path, yaml_text(path, text)
            except DefinitionsRefused as refused:
                self.faults.found.extend(refused.faults)

    def named(self, kind: str, file: str) -> str:
        """The name under which a layer's own fields and types live."""
        node = self.trees[kind].get(file)
        if node is None:
            if self.trees[kind]:
                self.faults.add("layer_unnamed", f"{file}:1", say("layer_unnamed.layer_has_no", kind=kind, file=file))
            return ""
        name = node.get(kind)
        if name is None or not is_text(name.value) or not _IS.match(name.value):
            self.faults.add("bad_name", node.source, say("bad_name.names_no", file=file, kind=kind))
            return ""
        return str(name.value)

    def catalogue(self) -> Catalogue:
        for kind, _ in self.layers:
            for path, node in self.trees[kind].items():
                self.file(kind, path, node)
        clocks = {name: node for name, node in self.written.items() if clock_book.speaks_of_clocks(node)}
        clock_book.read_book(clocks, self.faults)
        for kind in ("core", "jurisdiction", "agency"):
            self.lay_types(kind)
        types = {
            name: finish(draft, self.drafts.keys(), self.lists, self.declared.marks, self.faults)
            for name, draft in self.drafts.items()
        }
        types |= mark_lock_targets(types, self.faults)
        check_obligations(types, self.faults)
        check_shapes(types, self.lists, self.faults)
        said = self.declared
        homes = frozenset(said.pillars) | {self.names["jurisdiction"], self.names["agency"]}
        in_force = () if self.new_core else types.values()
        order_rules.check(self.written, types, {*said.roles, *roles.named_roles(in_force)}, homes, self.faults)
        self.compile(types)
        agency = self.agency(types)
        if self.new_core:
            knowing.check(said.pillars, self.trees["core"], types, self.faults)
            check_owed(types, self.faults)
            roles.check_roles(types, said.roles, agency.roles, self.names["agency"], self.faults)
        made = Catalogue(
            agency=self.names["agency"], jurisdiction=self.names["jurisdiction"],
            digest=digest(*(files for _, files in self.layers)), types=types, roles=agency.roles,
            agreements=agency.agreements, marks=said.marks, codes=self.lists, rules=self.rules,
            definition=agency.definition, pillars=said.pillars, records=self.plain["records"],
            examples=self.plain["examples"], boards=self.plain["boards"], jurisdiction_title=agency.jurisdiction_title,
            forbid={key: why for one in types.values() for key, why in one.forbid.items() if key.startswith("find.")},
            code_uses=(*self.code_uses, *said.code_meanings), lifecycle_roles=said.roles, purposes=said.purposes,
        )  # fmt: skip
        if not self.faults.found:
            self.faults.found.extend((*lifecycle.check(made), *roles.check_speakers(made)))
        if self.faults.found:
            raise DefinitionsRefused(sorted(self.faults.found, key=_place))
        return made

    def agency(self, types: Mapping[str, Type]) -> agency_files.AgencyFiles:
        """The agency's own files. Roles count that its own types name, and in what is in force those of any type."""
        said, mine = self.declared, self.names["agency"]
        named = [one for one in types.values() if not self.new_core or (mine and mine == one.owner_layer)]
        known = agency_files.Known(types, said.marks, {*said.roles, *roles.named_roles(named)}, said.purposes)
        found = agency_files.read(self.trees["agency"], self.trees["jurisdiction"], known, self.faults)
        for name in found.definition.pillars:
            if name not in said.pillars:
                unknown = say("pillar_unknown.there_is_no_pillar", name=name)
                self.faults.add("pillar_unknown", found.definition.source, unknown, nearest(name, said.pillars))
        return found

    def file(self, kind: str, path: str, node: Node) -> None:
        inner = path.split("/", 1)[1] if kind == "core" and "/" in path else path
        home = path.split("/", 1)[0] if kind == "core" else self.names[kind]
        found = _FILE.match(inner)
        self.faults.in_force = self.in_force.get(kind, not self.new_core)
        if found is not None and found["folder"] in ("types", "rules"):
            check_lengths(node, self.faults)
        if found is not None and found["folder"] in _SPEAKING:
            self.code_uses.extend(code_uses.uses(node, f"{_LAYER.get(kind, kind)} {home}", found["stem"]))
        if kind == "core" and inner == "pillar.yml":
            self.declared.pillar(node, home, self.trees["core"])
        elif kind == "jurisdiction" and inner == "jurisdiction.yml":
            self.declared.read(node, home)
        elif kind == "agency" and inner in agency_files.KNOWN:
            if inner == "agency.yml":
                self.declared.read(node, home, marks_only=True)
        elif found is None or found["folder"] not in _FOLDERS:
            known = [*(f"{one}/" for one in _FOLDERS), "pillar.yml", *_SINGLE.values(), *agency_files.KNOWN]
            fix = say("unknown_file.name_it_yml.fix") if path.endswith(".yaml") else nearest(inner, known)
            self.faults.add("unknown_file", node.source, say("unknown_file.is_no_definition_file_that", path=path), fix)
        elif found["folder"] == "types":
            keys = TYPE_KEYS if kind == "core" else LAYER_KEYS
            form = Form(node, self.faults, Part("the_type"), keys, nullable=())
            self.types.append((kind, form))
            self.misnamed(form, home, found["stem"], kind)
        elif found["folder"] == "codes":
            self.code_list(node, home, kind)
        elif found["folder"] == "rules":
            self.rule(node, home)
        else:
            name = found["stem"] if found["folder"] == "records" else f"{home}.{found['stem']}"
            self.plain[found["folder"]][name] = node.plain()

    def misnamed(self, form: Form, home: str, stem: str, kind: str) -> None:
        name = form.text("type")
        if not name and "extends" not in form:
            self.faults.add("bad_name", form.source, say("bad_name.file_names_no_type"))
        elif name and (not TYPE.match(name) or name.split(".")[0] != home):
            fix = say("bad_name.write_type.fix", home=home, stem=stem)
            self.faults.add(
                "bad_name", form.at("type"), say("bad_name.type_does_not_live_under", name=name, home=home), fix
            )
        elif name and kind == "core" and name != f"{home}.{stem}":
            fix = say("bad_name.write_type_or_rename_file.fix", home=home, stem=stem)
            self.faults.add("bad_name", form.at("type"), say("bad_name.type_is_in_file_yml", name=name, stem=stem), fix)

    def code_list(self, node: Node, home: str, kind: str) -> None:
        keys = {
            **dict.fromkeys(("codes", "title", "term", "description"), is_text), "values": is_map, "value": is_map,
        } | ({"extends": is_text, "allow": is_names, "add": is_map} if kind != "core" else {})  # fmt: skip
        form = Form(node, self.faults, Part("the_code_list"), keys)
        if kind != "core" and "extends" in form:
            name = form.text("extends")
            old = self.lists.get(name)
            if old is None:
                said = say("codes_unknown.no_list", name=name)
                self.faults.add("codes_unknown", form.at("extends"), said, nearest(name, self.lists))
                return
            change = Node({k: v for k, v in node.items() if k in ("allow", "add")}, node.source, node.keys)
            values = edited(old.values, change, Part("codes", name), self.faults)
            if labels := form.get("values"):
                values = reading.labelled(values, labels, Part("codes", name), self.faults)
            self.lists[name] = CodeList(name, form.text("title", old.title), values, old.source)
            return
        name = form.text("codes")
        if not TYPE.match(name) or name.split(".")[0] != home:
            said = say("bad_name.list_does_not_live_under", name=name, home=home)
            self.faults.add("bad_name", form.at("codes"), said, say("bad_name.write_codes_name.fix", home=home))
        elif name in self.lists:
            said = say("extends_cycle.is_already_at", name=name, source=self.lists[name].source)
            self.faults.add("duplicate_definition", node.source, said, say("duplicate_definition.keep_one.fix"))
        else:
            written = form.get("values") or form.get("value")
            values = reading.read_codes(written, self.faults, parent=False) if written else {}
            if not values:
                self.faults.add("wrong_kind", node.source, say("wrong_kind.has_no_values", name=name))
            self.lists[name] = CodeList(name, form.text("title", name), values, str(node.source))

    def rule(self, node: Node, home: str) -> None:
        name = node.get("rule")
        if name is None or not is_text(name.value) or name.value.split(".")[0] != home:
            self.faults.add("bad_name", node.source, say("bad_name.rule_does_not_live_under", home=home))
        elif name.value in self.rules:
            self.faults.add(
                "duplicate_definition", node.source, say("duplicate_definition.rule_is_written_twice", value=name.value)
            )
        else:
            self.rules[name.value] = node.plain()
            self.written[name.value] = node

    def lay_types(self, kind: str) -> None:
        """One layer's types: overlays of what the lower layers know, then its own, each after what it extends."""
        mine = [form for owner, form in self.types if owner == kind]
        self.faults.in_force = self.in_force.get(kind, not self.new_core)
        own: dict[str, Form] = {}
        overlaid: dict[str, Form] = {}
        for form in mine:
            name = form.text("type") or form.text("extends")
            group = own if "type" in form else overlaid
            if name in group or (name in self.drafts and "type" in form):
                said = say("duplicate_definition.is_another_layer_s", name=name)
                if name in group:
                    said = say("duplicate_definition.is_already_defined_in_this", name=name)
                self.faults.add("duplicate_definition", form.source, said)
            elif name:
                group[name] = form
        layer = self.names.get(kind, "core") if kind != "core" else "core"
        for name, form in overlaid.items():
            if name in self.drafts:
                lay(self.drafts[name], form, layer, self.faults)
            elif name not in own:
                said = say("duplicate_definition.there_is_no_type_to", name=name)
                self.faults.add("type_unknown", form.at("extends"), said, nearest(name, self.drafts))
        for name in own:
            self.own(name, own, layer, ())
        for name in overlaid.keys() & own.keys():
            said = say("duplicate_definition.is_this_layer_own", name=name)
            self.faults.add("duplicate_definition", overlaid[name].source, said)

    def own(self, name: str, own: Mapping[str, Form], layer: str, above: tuple[str, ...]) -> None:
        form = own[name]
        parent = form.text("extends")
        if name in self.drafts:
            return
        if parent in (*above, name):
            said: Text = joined((*above, name, parent), "extends")
            self.faults.add("extends_cycle", form.at("extends"), said, say("extends_cycle.let_one_of_them_stand.fix"))
            return
        if not parent:
            self.drafts[name] = reading.read_type(form, layer, self.faults)
            return
        if parent in own:
            self.own(parent, own, layer, (*above, name))
        if parent in self.drafts:
            self.drafts[name] = self.drafts[parent].copy(name, str(form.source), layer)
            lay(self.drafts[name], form, layer, self.faults)
        elif parent not in own:
            said = say("type_unknown.there_is_no_type_to", parent=parent)
            self.faults.add("type_unknown", form.at("extends"), said, nearest(parent, self.drafts))

    def compile(self, types: Mapping[str, Type]) -> None:
        """Compiles the validator of each type's initial state now, so that no record meets a schema that does not."""
        if self.faults.found:
            return
        for one in types.values():
            try:
                shape.prepare(one)
            except (jsonschema_rs.ValidationError, ValueError):
                self.culprits(one)

    def culprits(self, of: Type) -> None:
        for name, one in of.fields.items():
            try:
                schema.validator(one.schema)
            except (jsonschema_rs.ValidationError, ValueError) as error:
                said = say("schema_refused.because", of=of.name, field=name, reason=str(error).splitlines()[0])
                self.faults.add("schema_refused", one.source, said)


def _place(fault: Fault) -> tuple[str, int, str]:
    file, _, line = fault.path.rpartition(":")
    return file, int(line) if line.isdigit() else 0, fault.code
