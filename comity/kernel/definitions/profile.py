"""Checks whole folders of definitions: what `comity profile check` says of every agency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comity.errors import Fault
from comity.kernel.definitions import clock_pairs, examples, upgrade
from comity.kernel.definitions.examples import ExampleResult
from comity.kernel.definitions.installable import declared, not_installable, unknown
from comity.kernel.definitions.load import PAIRS, load
from comity.kernel.definitions.upgrade import Fit, Report
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import DefinitionsRefused, Files, yaml_text
from comity.sentences import listed, say


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer laid over those below it. `name` is `core`, or the folder of the jurisdiction or agency.

    `faults` refuse it; `examples` holds those that failed; `upgrade` compares with the new core, and `upgrade_faults`
    is what the new core would refuse. `made` is what its files give, None where they do not load.
    """

    kind: str
    name: str
    faults: tuple[Fault, ...] = ()
    types: int = 0
    digest: str = ""
    fit: Fit | None = None
    examples_run: int = 0
    examples: tuple[ExampleResult, ...] = ()
    upgrade: Report | None = None
    upgrade_faults: tuple[Fault, ...] = ()
    made: Catalogue | None = None

    @property
    def ok(self) -> bool:
        return not self.faults and not self.examples and not self.upgrade_faults

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "kind": self.kind, "name": self.name, "ok": self.ok, "types": self.types, "digest": self.digest,
            "faults": [one.as_json() for one in self.faults], "examples_run": self.examples_run,
            "examples_failed": [one.as_json() for one in self.examples],
        }  # fmt: skip
        if self.fit is not None:
            out["fit"] = self.fit.as_json()
        if self.upgrade is not None or self.upgrade_faults:
            out["upgrade"] = self.upgrade.as_json() if self.upgrade else None
            out["upgrade_faults"] = [one.as_json() for one in self.upgrade_faults]
        return out


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """`ok`: nothing is refused and no example fails, with the new core as well. What must be decided is not refused."""

    layers: tuple[LayerReport, ...]

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.layers)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for one in self.layers for fault in one.faults)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "layers": [one.as_json() for one in self.layers]}


def check_folders(
    core: Files, jurisdictions: Mapping[str, Files], agencies: Mapping[str, Files], against: Files | None = None
) -> ProfileReport:
    """The core, then each jurisdiction, then each agency with its own; never raises for what is written in them.

    `jurisdictions` and `agencies` are keyed by folder name. `against` is a new core to compare with.
    """
    ground, faults = _load(core, {}, {})
    layers = [_report(_Layer("core", "core"), ground, faults, None, against)]
    for name, files in jurisdictions.items():
        if files:
            made, faults = _load(core, files, {})
            layers.append(_report(_Layer("jurisdiction", name, files), made, faults, ground, against))
    for name, files in agencies.items():
        law, unknown = _law(files, jurisdictions)
        made, faults = (None, unknown) if unknown else _load(core, law, files)
        layers.append(_report(_Layer("agency", name, law, files), made, faults, ground, against))
    return ProfileReport(tuple(layers))


def _load(core: Files, law: Files, agency: Files) -> tuple[Catalogue | None, tuple[Fault, ...]]:
    try:
        made = load(core, law, agency)
    except DefinitionsRefused as refused:
        return None, refused.faults
    if not agency:
        return made, ()
    lacking = unknown(made, declared(made, "calculations"), declared(made, "packages"))
    return made, (*not_installable(made), *lacking)


def _law(agency: Files, jurisdictions: Mapping[str, Files]) -> tuple[Files, tuple[Fault, ...]]:
    """The jurisdiction that agency.yml names; an unreadable agency.yml is refused later, by the loader."""
    try:
        node = yaml_text("agency.yml", agency.get("agency.yml", ""))
    except DefinitionsRefused:
        return {}, ()
    named = node.get("jurisdiction")
    if named is None:
        return {}, ()
    if named.value not in jurisdictions:
        fix = say("jurisdiction_unknown.known.fix", jurisdictions=listed(sorted(jurisdictions)))
        return {}, (
            Fault(
                "jurisdiction_unknown",
                str(named.source),
                say("jurisdiction_unknown.there_is_no", value=named.value),
                fix,
            ),
        )
    return jurisdictions[named.value], ()


@dataclass(frozen=True, slots=True)
class _Layer:
    """What is checked: its kind and name, and its files of law and agency."""

    kind: str
    name: str
    law: Files = field(default_factory=dict)
    agency: Files = field(default_factory=dict)


def _report(
    layer: _Layer,
    made: Catalogue | None,
    faults: Iterable[Fault],
    ground: Catalogue | None,
    against: Files | None,
) -> LayerReport:
    kind, name = layer.kind, layer.name
    if made is None:
        return LayerReport(kind, name, tuple(faults))
    mine = {"jurisdiction": f"{made.jurisdiction}.", "agency": f"{made.agency}."}.get(kind, "")
    ran = [one for one in examples.run(made) if one.file.startswith(mine)]
    if kind == "jurisdiction":
        ran += clock_pairs.run(made, {path: text for path, text in layer.law.items() if path.startswith(PAIRS)})
    newer, refused = (None, ()) if against is None else _load(against, layer.law, layer.agency)
    return LayerReport(
        kind=kind, name=name, faults=tuple(faults), types=len(made.types), digest=made.digest,
        fit=upgrade.fit(made, ground) if ground is not None else None, examples_run=len(ran),
        examples=tuple(one for one in ran if not one.ok),
        upgrade=upgrade.compare(made, newer) if newer is not None else None,
        upgrade_faults=refused if newer is None else (), made=made,
    )  # fmt: skip
