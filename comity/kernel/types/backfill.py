"""What definitions written before the language had words for it leave unsaid, filled in when they are loaded again.

Definitions in force lie in a database for good, and a newer version must go on with them as they are. So what an older
one took for granted is data that the newer one ships (`config` hands it down), not something the kernel knows:

    core:                                        # taken by a core none of whose pillars declares roles
      evidence/pillar.yml: { roles: { custodian: Keeper of evidence } }
      evidence/types/locker.yml: { states: { gone: { in_error: true } } }
    agency: { agency.yml: { purpose: custody } }    # what the agency's own file does not say
    calculations:                                # of rules that were written with `beside`, what judges in their place
      custody/rules/orders.yml: { release_was_ordered: custody.release_authority }

Only keys that a file lacks are filled in, and only in files that are there. New definitions are never filled in: they
are refused until they say it themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from comity.kernel.types.definition import Node, yaml_text

ROLES = "roles"


@dataclass(frozen=True, slots=True)
class Backfill:
    """For each file of the core and of an agency what it says where it says nothing; for each file of rules the
    calculations that judge where a rule has a program of conditions. Empty: nothing is filled in."""

    core: Mapping[str, Node] = field(default_factory=dict)
    agency: Mapping[str, Node] = field(default_factory=dict)
    calculations: Mapping[str, Node] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str, text: str) -> Backfill:
        """From the text of the file that holds it. Raises DefinitionsRefused."""
        root = yaml_text(path, text)
        parts = (root.get(name) for name in ("core", "agency", "calculations"))
        return cls(*(dict(one.items()) if one else {} for one in parts))

    def of_agency(self) -> Backfill:
        """Of it what is filled in for an agency whose own files are in force already, under a core that is new."""
        return Backfill(agency=self.agency)

    def over_core(self, files: Mapping[str, Node]) -> dict[str, Node]:
        """The core's files: filled in when they are of before pillars declared roles, and each rule that was written
        as a program of conditions judged by the calculation that took its place."""
        old = not any(node.get(ROLES) for path, node in files.items() if path.endswith("/pillar.yml"))
        whole = _filled(files, self.core) if old else dict(files)
        return whole | {
            path: _calculated(whole[path], more) for path, more in self.calculations.items() if path in whole
        }

    def over_agency(self, files: Mapping[str, Node]) -> dict[str, Node]:
        """An agency's files, filled in."""
        return _filled(files, self.agency)


def _filled(files: Mapping[str, Node], more: Mapping[str, Node]) -> dict[str, Node]:
    return {path: _over(node, more[path]) if path in more else node for path, node in files.items()}


def _calculated(file: Node, named: Node) -> Node:
    joints = file.get("joints")
    programs = {name: one for name, one in joints.items() if one.get("beside")} if joints else {}
    more = {name: Node({"calculation": one}, one.source) for name, one in named.items() if name in programs}
    return _over(file, Node({"joints": Node(more, named.source)}, named.source)) if more else file


def _over(node: Node, more: Node) -> Node:
    """A mapping with the keys that it lacks, at every depth where both are mappings."""
    if not isinstance(node.value, dict) or not isinstance(more.value, dict):
        return node
    keys = {**dict.fromkeys(more.value, node.source), **(node.keys or {})}
    value = dict(node.value)
    for key, one in more.items():
        value[key] = _over(value[key], one) if key in value else one
    return Node(value, node.source, keys)
