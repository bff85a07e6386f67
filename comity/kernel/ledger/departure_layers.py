"""The definitions in the folder of an agency that left: whose they may be, and that its own are what its log laid.

The core and the jurisdiction are the node's: the operator who imports says whether they are taken (portability/arrive).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from comity.errors import Problem
from comity.kernel.ledger import departure, items
from comity.kernel.ledger.canonical import canonical
from comity.sentences import Text, say

TYPE = "kernel.layer"
OWNER = "node"
"""In whose name the core and a jurisdiction are laid."""
_FILE = f"{departure.ROWS}/layer.jsonl"
_COLUMNS = {"name", "version", "agency", "digest", "files", "entry", "installed_at"}


@dataclass(frozen=True, slots=True)
class Laid:
    """A version of a layer as an entry of the log lays it; `files` is a digest, None where they were erased."""

    name: Any
    version: int
    entry: str
    digest: Any
    files: bytes | None
    at: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Laid | None:
        """What an entry lays; None for any other entry."""
        if row["type"] != TYPE:
            return None
        said = items.fields_set(departure.parsed(row["content"]) or {})
        files = said.get("files")
        return cls(
            said.get("name"), row["version"], row["entry"], said.get("digest"),
            None if files is None else _digest(files), row["entered_at"],
        )  # fmt: skip


def owner(name: Any, agency: str) -> str | None:
    """Whose a layer of this name is in the folder of `agency`; None: it may not stand there."""
    if name == f"agency/{agency}":
        return agency
    return OWNER if name == "core" or (isinstance(name, str) and name.startswith("jurisdiction/")) else None


def faults(folder: Path, agency: str, in_force: Mapping[str, Any], laid: list[Laid]) -> Iterator[Text]:
    """What is wrong with the layers of a folder, each fault in words. Raises Unreadable."""
    own = f"agency/{agency}"
    for name, version in in_force.items():
        if owner(name, agency) is None or type(version) is not int:
            yield say("folder_fault.layer_is_nobodys", proof=departure.PROOF, name=name, agency=agency)
    if sum(name.startswith("jurisdiction/") for name in in_force) > 1:
        yield say("folder_fault.two_jurisdictions", proof=departure.PROOF)
    rest: dict[int, Laid] = {}
    for one in laid:
        if one.name != own or one.version in rest:
            yield say(
                "folder_fault.not_for_it_to_lay", entry=one.entry, name=one.name, version=one.version, agency=agency
            )
        else:
            rest[one.version] = one
    if in_force.get(own) != max(rest, default=None):
        yield say("folder_fault.not_laid_last", proof=departure.PROOF, name=own, version=in_force.get(own))
    seen = set()
    for row in departure.rows(folder, "layer"):
        if set(row) != _COLUMNS or not _is_layer(row):
            yield say("folder_fault.is_no_layer", where=_FILE, name=str(row.get("name"))[:100])
            continue
        name, version = row["name"], row["version"]
        told = {"where": _FILE, "name": name, "version": version}
        if owner(name, agency) is None or name not in in_force:
            yield say("folder_fault.layer_of_another", **told, agency=agency)
        elif owner(name, agency) != row["agency"]:
            yield say("folder_fault.layer_in_another_name", **told, agency=row["agency"])
        elif (name, version) in seen:
            yield say("folder_fault.layer_twice", **told)
        elif name == own and not _same(row, rest.pop(version, None)):
            yield say("folder_fault.layer_differs", **told)
        seen.add((name, version))
    for version in rest:
        if (own, version) not in seen:
            yield say("folder_fault.lacks_laid_layer", where=_FILE, name=own, version=version)
    for name, version in in_force.items():
        if (name, version) not in seen:
            yield say("folder_fault.lacks_layer_in_force", where=_FILE, name=name, version=version)


def _same(row: Mapping[str, Any], laid: Laid | None) -> bool:
    if laid is None or (row["entry"], row["digest"]) != (laid.entry, laid.digest):
        return False
    try:
        at = datetime.fromisoformat(row["installed_at"]) == datetime.fromisoformat(laid.at)
    except (TypeError, ValueError):
        return False
    return at and laid.files in (None, _digest(row["files"]))


def _is_layer(row: Mapping[str, Any]) -> bool:
    files = row["files"]
    return (
        isinstance(row["name"], str) and type(row["version"]) is int
        and isinstance(files, dict) and all(isinstance(text, str) for text in files.values())
    )  # fmt: skip


def _digest(files: Any) -> bytes:
    """SHA-256 over the canonical spelling; over nothing when there is none, which no layer has."""
    try:
        return hashlib.sha256(canonical(files)).digest()
    except (Problem, ValueError):
        return b""
