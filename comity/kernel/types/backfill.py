"""What definitions written before the language had words for it leave unsaid, filled in when they are loaded again.

Definitions in force lie in a database for good, and a newer version must go on with them as they are. So what an older
one took for granted is data that the newer one ships (`config` hands it down), not something the kernel knows:

    core:                                        # taken by a core none of whose pillars declares roles
      evidence/pillar.yml: { roles: { custodian: Keeper of evidence } }
      evidence/types/locker.yml: { states: { gone: { in_error: true } } }
    agency: { agency.yml: { purpose: custody } }    # what the agency's own file does not say

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
    """For each file of the core and of an agency what it says where it says nothing. Empty: nothing is filled in."""

    core: Mapping[str, Node] = field(default_factory=dict)
    agency: Mapping[str, Node] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str, text: str) -> Backfill:
        """From the text of the file that holds it. Raises DefinitionsRefused."""
        root = yaml_text(path, text)
        core, agency = root.get("core"), root.get("agency")
        return cls(dict(core.items()) if core else {}, dict(agency.items()) if agency else {})

    def of_agency(self) -> Backfill:
        """Of it what is filled in for an agency whose own files are in force already, under a core that is new."""
        return Backfill(agency=self.agency)

    def over_core(self, files: Mapping[str, Node]) -> dict[str, Node]:
        """The core's files, filled in when they are of before pillars declared roles."""
        old = not any(node.get(ROLES) for path, node in files.items() if path.endswith("/pillar.yml"))
        return _filled(files, self.core) if old else dict(files)

    def over_agency(self, files: Mapping[str, Node]) -> dict[str, Node]:
        """An agency's files, filled in."""
        return _filled(files, self.agency)


def _filled(files: Mapping[str, Node], more: Mapping[str, Node]) -> dict[str, Node]:
    return {path: _over(node, more[path]) if path in more else node for path, node in files.items()}


def _over(node: Node, more: Node) -> Node:
    """A mapping with the keys that it lacks, at every depth where both are mappings."""
    if not isinstance(node.value, dict) or not isinstance(more.value, dict):
        return node
    keys = {**dict.fromkeys(more.value, node.source), **(node.keys or {})}
    value = dict(node.value)
    for key, one in more.items():
        value[key] = _over(value[key], one) if key in value else one
    return Node(value, node.source, keys)
