"""Definitions of an agency that arrives. Its own layer is what its log laid; core and law are this node's operator's.

Who could bring a core would decide what everybody's marks let through: so the folder's must be one that this node has
or ships. Versions of core and law that are history only stay in the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comity.errors import Fault, Problem
from comity.kernel.definitions.load import NOTHING, digest, load
from comity.kernel.ledger import departure
from comity.kernel.ledger.departure import Unreadable
from comity.kernel.ledger.departure_layers import owner
from comity.kernel.policy.actor import Actor
from comity.kernel.records import install
from comity.kernel.types.backfill import Backfill
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import Files
from comity.kernel.work.node import NODE, Conn
from comity.sentences import Text, joined, say

Shipped = Mapping[str, Files]
"""By the name of the layer: `core`, `jurisdiction/NAME`."""


@dataclass(slots=True)
class Brought:
    """The layers of a folder: those in force with their files, and every version of the agency's own by digest."""

    agency: str
    in_force: dict[str, Files] = field(default_factory=dict)
    own: dict[int, tuple[str, str]] = field(default_factory=dict)
    own_in_force: int = 0

    def nodes(self) -> dict[str, Files]:
        """The layers in force that are the node's."""
        return {name: files for name, files in self.in_force.items() if owner(name, self.agency) == NODE}

    def catalogue(self, backfill: Backfill = NOTHING) -> Catalogue:
        """Raises Unreadable, and Problem `definitions_refused`."""
        kinds = {name.split("/")[0]: files for name, files in self.in_force.items()}
        found = load(kinds.get("core", {}), kinds.get("jurisdiction", {}), kinds.get("agency", {}), backfill)
        if found.agency != self.agency:
            raise Unreadable(say("folder_fault.definitions_are_of", agency=found.agency))
        law = f"jurisdiction/{found.jurisdiction or 'none'}"
        if set(self.in_force) | {law} != {"core", law, f"agency/{self.agency}"}:
            raise Unreadable(
                say(
                    "folder_fault.layers_are_not_core_and",
                    in_force=", ".join(self.in_force),
                    law=law,
                    agency=self.agency,
                )
            )
        return found

    def without_law(self, catalogue: Catalogue) -> dict[str, Files]:
        """The law that the agency says it is under, as empty as the folder has it; nothing when it is there."""
        named = catalogue.definition.jurisdiction
        return {f"jurisdiction/{named}": {}} if named and f"jurisdiction/{named}" not in self.in_force else {}


def brought(folder: Path, agency: str, stated: Mapping[str, int]) -> Brought:
    """The layers of a folder, of which `stated` were in force. Raises Unreadable."""
    out = Brought(agency)
    for row in departure.rows(folder, "layer"):
        name, version, files = row["name"], row["version"], row["files"]
        if owner(name, agency) is None or owner(name, agency) != row["agency"]:
            raise Unreadable(say("folder_fault.layer_is_of", name=name, agency=row["agency"]))
        if row["digest"] != digest(files):
            raise Unreadable(say("folder_fault.layer_version_is_not_what", name=name, version=version))
        if owner(name, agency) == agency:
            out.own[version] = (row["digest"], row["entry"])
        if stated.get(name) == version:
            out.in_force[name] = files
            if owner(name, agency) == agency:
                out.own_in_force = int(version)
    if set(out.in_force) != set(stated):
        raise Unreadable(say("folder_fault.definitions_that_were_in_force"))
    return out


def refuse_strange(conn: Conn, layers: Mapping[str, Files], shipped: Shipped) -> None:
    """Problem `definitions_differ` unless this node has or ships core and law of the folder, byte for byte.

    A layer without files is one that the folder lacks: this node must have and ship none of its name.
    """
    faults = []
    for name, files in layers.items():
        held = dict(
            conn.execute(
                "select digest, files from comity.layer where name = %s and agency = %s order by version",
                (name, NODE),
            ).fetchall()
        )
        if name in shipped:
            held[digest(shipped[name])] = shipped[name]
        if digest(files) not in held and (files or held):
            ours = list(held.values())[-1] if held else {}
            key = "layer_differs.node_has" if held else "layer_differs.node_has_none"
            faults.append(
                Fault(
                    "layer_differs",
                    name,
                    say(key, files=digest(files), has=list(held), differences=_differences(files, ours)),
                )
            )
    if faults:
        raise Problem(
            "definitions_differ", say("definitions_differ.nothing_was_brought_in_what"),
            faults=faults,
        )  # fmt: skip


def _differences(theirs: Files, ours: Files) -> Text:
    """Which files differ, by name."""
    found = {
        "layer_differs.changed": [name for name in theirs if name in ours and theirs[name] != ours[name]],
        "layer_differs.only_in_folder": [name for name in theirs if name not in ours],
        "layer_differs.only_here": [name for name in ours if name not in theirs],
    }
    return joined(
        (say(key, names=[departure.shown(one) for one in sorted(names)]) for key, names in found.items() if names),
        "semicolon",
    )


def lay(conn: Conn, actor: Actor, of: Brought) -> dict[str, int]:
    """The versions in force on this node, by layer: a layer of the same files keeps the version that it has here.

    Others are laid anew in the node's log, behind what is there. The transaction acts for the node.
    """
    out = {f"agency/{of.agency}": of.own_in_force}
    for name, files in of.nodes().items():
        row = conn.execute(
            """select version from comity.layer where name = %s and agency = %s and digest = %s
                order by version desc limit 1""",
            (name, NODE, digest(files)),
        ).fetchone()
        out[name] = row[0] if row else install.lay(conn, actor, NODE, name, files, f"came with {of.agency}")
    return out


def refuse_other_than_laid(conn: Conn, of: Brought) -> None:
    """The agency's own layers, now that they are laid from its log, against those of the folder. Raises Unreadable."""
    laid = {
        version: (fingerprint, str(entry))
        for version, fingerprint, entry in conn.execute(
            "select version, digest, entry from comity.layer where agency = comity.me()"
        )
    }
    if laid != of.own or of.own_in_force != max(laid, default=0):
        raise Unreadable(say("folder_fault.rows_layer_jsonl_gives_other"))
