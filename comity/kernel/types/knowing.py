"""Of which other pillars a pillar's types and rules speak: of those only that its pillar.yml says it needs or knows.

What it needs is installed with it; what it knows may be absent, and then sleeps. Two pillars may know each other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from comity.kernel.types.catalogue import Pillar
from comity.kernel.types.definition import Faults, Node
from comity.sentences import say

NAMING = frozenset(("to", "type", "tie", "of", "act", "creates", "owes", "profile"))
"""Keys whose text is the name of a type, also of one that is not here."""
_NAME = re.compile(r"([a-z][a-z0-9_]*)\.[a-z][a-z0-9_]*")
_WHOLE = re.compile(rf"{_NAME.pattern}(\.[a-z][a-z0-9_]*)?\Z")
_QUOTED = re.compile(rf"'({_NAME.pattern})'")


def check(pillars: Mapping[str, Pillar], core: Mapping[str, Node], types: Collection[str], faults: Faults) -> None:
    """`pillar_not_known` for each pillar that is neither needed nor known, where a type of it is named first."""
    told: set[tuple[str, str]] = set()
    for path, node in core.items():
        home, _, inner = path.partition("/")
        pillar = pillars.get(home)
        if pillar is None or not inner.startswith(("types/", "rules/")):
            continue
        known = {home, *pillar.needs, *pillar.knows}
        for name, one in named(node, types):
            other = name.partition(".")[0]
            if other not in known and (home, other) not in told:
                told.add((home, other))
                said = say("pillar_not_known.names_and_does_not_know", home=home, name=name, other=other)
                fix = say("pillar_not_known.add_to_knows_in_pillar.fix", other=other, home=home)
                faults.add("pillar_not_known", one.source, said, fix)


def named(node: Node, types: Collection[str], key: str = "") -> Iterator[tuple[str, Node]]:
    """(type, where) of every type that a definition names, as a value, as `type.act`, or in a condition."""
    if isinstance(node.value, dict):
        for inner, one in node.items():
            yield from named(one, types, inner)
    elif isinstance(node.value, tuple):
        for one in node.value:
            yield from named(one, types, key)
    elif isinstance(node.value, str):
        whole = _WHOLE.match(node.value)
        found = [".".join(node.value.split(".")[:2])] if whole else [one[0] for one in _QUOTED.findall(node.value)]
        for name in found:
            if name in types or (whole and key in NAMING):
                yield name, node
