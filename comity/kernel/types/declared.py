"""What layers declare for all that follows: pillars, and the marks, roles and purposes of pillar.yml and the laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from comity.kernel.types.agency import read_mark
from comity.kernel.types.catalogue import LifecycleRole, Mark, Pillar
from comity.kernel.types.code_uses import CodeMeaning, meanings
from comity.kernel.types.definition import Faults, Form, Kind, Node, Source, is_any, is_map, is_names, is_text
from comity.kernel.types.part import Part, kind_of_part
from comity.kernel.types.reading import NAME
from comity.kernel.types.roles import read_role
from comity.sentences import Worded, say

_PILLAR: Mapping[str, Kind] = {
    "pillar": is_text, "title": is_text, "needs": is_any, "knows": is_names, "marks": is_map, "roles": is_map,
    "purposes": is_map, "extensions": is_map, "problems": is_map, "description": is_text,
}  # fmt: skip
EXTENSIONS = ("calculations", "packages", "guards")
"""What a pillar.yml may name; `guards` is what definitions of older versions call calculations."""


@dataclass(slots=True)
class Declared:
    """Filled file by file. A name of a mark, role or purpose is declared once, whoever declares it."""

    faults: Faults
    pillars: dict[str, Pillar] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    roles: dict[str, LifecycleRole] = field(default_factory=dict)
    purposes: dict[str, Worded] = field(default_factory=dict)
    code_meanings: list[CodeMeaning] = field(default_factory=list)
    _at: dict[tuple[str, str], Source] = field(default_factory=dict)

    def pillar(self, node: Node, home: str, core: Mapping[str, Node]) -> None:
        """A pillar.yml in the folder `home`; `core` are all files of the core layer."""
        form = Form(node, self.faults, Part("the_pillar"), _PILLAR)
        if form.text("pillar") != home:
            said = say("bad_name.pillar_in_folder_is_named", home=home)
            self.faults.add("bad_name", node.source, said, say("bad_name.pillar.fix", home=home))
        for need in form.plain("needs", []) or []:
            if f"{need}/pillar.yml" not in core:
                said = say("pillar_unknown.needs_which_is_not_there", home=home, need=need)
                self.faults.add("pillar_unknown", form.at("needs"), said, say("pillar_unknown.add_it.fix"))
        for name in form.names("knows"):
            if not NAME.match(name) or name == home:
                self.faults.add("bad_name", form.at("knows"), say("bad_name.knows", home=home, name=name))
        extensions = {key: one.plain() for key, one in form.items("extensions")}
        for key, named in extensions.items():
            if key not in EXTENSIONS or not is_map(named):
                fix = say("unknown_key.calculations_and_packages_each_name.fix")
                self.faults.add(
                    "unknown_key", form.at("extensions"), say("unknown_key.extensions_of", home=home, key=key), fix
                )
        self.pillars[home] = Pillar(
            home, form.titled(home), tuple(form.plain("needs", []) or ()), form.names("knows"), extensions,
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
            form = Form(one, self.faults, f"purpose {name}", {"title": is_text}) if one.is_map else None
            self.purposes[name] = form.titled() if form is not None else Worded(str(one.value))
            if not self.purposes[name] or not (one.is_map or is_text(one.value)):
                fix = say("wrong_kind.write_purposes.fix")
                self.faults.add("wrong_kind", one.source, say("wrong_kind.purpose_has_no_title", name=name), fix)

    def _new(self, what: str, written: Node | None) -> list[tuple[str, Node]]:
        """The entries whose names are good and were not declared before; the others are faults."""
        out = []
        for name, one in written.items() if written else ():
            if not NAME.match(name):
                fix = say("bad_name.names_are_lower_case_letters.fix")
                self.faults.add(
                    "bad_name", one.source, say("bad_name.is_none", what=kind_of_part(what), name=name), fix
                )
            elif (what, name) in self._at:
                kind, at = kind_of_part(what), self._at[what, name]
                said = say("duplicate_definition.is_already_declared_at", what=kind, name=name, at=at)
                self.faults.add(
                    "duplicate_definition", one.source, said, say("duplicate_definition.choose_another_name.fix")
                )
            else:
                self._at[what, name] = one.source
                out.append((name, one))
        return out
