"""Steps that recur: a step `do: order` stands for the steps of that name in `sequences/<law>.yml`, with its own values.

    order:
      values: { title: Order, about: [] }            # what a case may leave out
      steps:
        - { as: judge, enter: court.order, id: <id>, fields: { title: <title> }, links: { about: <about> } }

`<name>` is a value of the step; alone it is put in as it is, within a text as text. `at` is the first step's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_VALUE = re.compile(r"<(\w+)>")


class Misspelt(Exception):
    """A case that is not of the form."""


def expanded(where: str, steps: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps that are done, in order. Raises Misspelt for an unknown sequence, and for values that it has not."""
    out: list[Mapping[str, Any]] = []
    for one in steps:
        if "do" not in one:
            out.append(one)
            continue
        name = one["do"]
        if name not in known:
            raise Misspelt(f"{where}: no sequence {name!r}; known: {', '.join(sorted(known)) or 'none'}")
        of = known[name]
        values = {**of.get("values", {}), **{key: value for key, value in one.items() if key not in ("do", "at")}}
        asked = {found for step in of["steps"] for found in _VALUE.findall(str(step))}
        if values.keys() != asked:
            raise Misspelt(f"{where}: {name} takes {', '.join(sorted(asked))}, given {', '.join(sorted(values))}")
        filled = expanded(where, [_filled(step, values) for step in of["steps"]], known)
        first = {"at": one["at"]} if "at" in one else {}
        out += [{**filled[0], **first}, *filled[1:]]
    return out


def _filled(said: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(said, Mapping):
        return {name: _filled(one, values) for name, one in said.items()}
    if isinstance(said, list):
        return [_filled(one, values) for one in said]
    if not isinstance(said, str):
        return said
    whole = _VALUE.fullmatch(said)
    return values[whole[1]] if whole else _VALUE.sub(lambda found: str(values[found[1]]), said)
