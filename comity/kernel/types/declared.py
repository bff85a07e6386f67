"""What layers declare for all that follows: pillars, and the marks, roles and purposes of pillar.yml and the laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from comity.kernel.types.agency import read_mark
from comity.kernel.types.catalogue import LifecycleRole, Mark, Pillar
from comity.kernel.types.code_uses import CodeMeaning, meanings
from comity.kernel.types.definition import Faults, Form, Kind, Node, Source, is_any, is_map, is_names, is_text
from comity.kernel.types.reading import NAME
from comity.kernel.types.roles import read_role

_PILLAR: Mapping[str, Kind] = {
    "pillar": is_text, "title": is_text, "needs": is_any, "knows": is_names, "marks": is_map, "roles": is_map,
    "purposes": is_map, "extensions": is_map, "problems": is_map, "description": is_text,
}  # fmt: skip
EXTENSIONS = ("calculations", "packages", "formats", "guards")
"""What a pillar.yml may name; `guards` is what definitions of older versions call calculations."""


@dataclass(slots=True)
class Declared:
    """Filled file by file. A name of a mark, role or purpose is declared once, whoever declares it."""

    faults: Faults
    pillars: dict[str, Pillar] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    roles: dict[str, LifecycleRole] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    code_meanings: list[CodeMeaning] = field(default_factory=list)
    _at: dict[tuple[str, str], Source] = field(default_factory=dict)

    def pillar(self, node: Node, home: str, core: Mapping[str, Node]) -> None:
        """A pillar.yml in the folder `home`; `core` are all files of the core layer."""
        form = Form(node, self.faults, "the pillar", _PILLAR)
        if form.text("pillar") != home:
            said = f"the pillar in the folder {home} is named otherwise"
            self.faults.add("bad_name", node.source, said, f"pillar: {home}")
        for need in form.plain("needs", []) or []:
            if f"{need}/pillar.yml" not in core:
                said = f"{home} needs {need}, which is not there"
                self.faults.add("pillar_unknown", form.at("needs"), said, "add it")
        for name in form.names("knows"):
            if not NAME.match(name) or name == home:
                self.faults.add("bad_name", form.at("knows"), f"{home} knows {name!r}", "name another pillar")
        extensions = {key: one.plain() for key, one in form.items("extensions")}
        for key, named in extensions.items():
            if key not in EXTENSIONS or not is_map(named):
                fix = "calculations, packages and formats, each name: module:function"
                self.faults.add("unknown_key", form.at("extensions"), f"extensions of {home}: {key}", fix)
        self.pillars[home] = Pillar(
            home, form.text("title", home), tuple(form.plain("needs", []) or ()), form.names("knows"), extensions,
            str(node.source),
        )  # fmt: skip
        known = {one.name for one in self.code_meanings}
        self.code_meanings.extend(meanings(form, f"pillar {home}", known, self.faults))
        self.read(node, home)

    def read(self, node: Node, home: str, *, marks_only: bool = False) -> None:
        """The marks, roles and purposes of one file; an agency declares marks alone."""
        for name, one in self._new("mark", node.get("marks")):
            self.marks[name] = read_mark(name, one, self.faults, home)
        for name, one in () if marks_only else self._new("role", node.get("roles")):
            self.roles[name] = read_role(name, one, home, self.faults)
        for name, one in () if marks_only else self._new("purpose", node.get("purposes")):
            self.purposes[name] = str(one.value)
            if not is_text(one.value):
                fix = "write purposes: { custody: Keeping of persons in custody }"
                self.faults.add("wrong_kind", one.source, f"purpose {name} has no title", fix)

    def _new(self, what: str, written: Node | None) -> list[tuple[str, Node]]:
        """The entries whose names are good and were not declared before; the others are faults."""
        out = []
        for name, one in written.items() if written else ():
            if not NAME.match(name):
                fix = "names are lower case letters, digits and _"
                self.faults.add("bad_name", one.source, f"{what} {name!r}", fix)
            elif (what, name) in self._at:
                said = f"{what} {name} is already declared at {self._at[what, name]}"
                self.faults.add("duplicate_definition", one.source, said, "choose another name")
            else:
                self._at[what, name] = one.source
                out.append((name, one))
        return out
