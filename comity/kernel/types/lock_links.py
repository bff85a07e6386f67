"""What serial links say of the types they point at: they are stood upon, and acts follow what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comity.kernel.types import lifecycle
from comity.kernel.types.catalogue import Act, Answer, Type
from comity.kernel.types.definition import Faults, nearest
from comity.sentences import say


def mark_lock_targets(types: Mapping[str, Type], faults: Faults) -> dict[str, Type]:
    """The types to which a serial link points, marked so. A state that an act follows must be one of its target's."""
    serial = [link for one in types.values() for link in one.links.values() if link.serial]
    for one in types.values():
        acts: list[Act | Answer] = [*one.acts.values(), *lifecycle.answers(one.offer).values()]
        for act in acts:
            for name, states in act.follows.items():
                link = one.links.get(name)
                of = [to for key, to in types.items() if link is not None and link.accepts(key, to.core_name)]
                known = {state for to in of for state in to.states}
                for state in sorted(states - known):
                    said = say(
                        "state_unknown.of_follows_unknown_state_of",
                        name=act.name,
                        one_name=one.name,
                        state=state,
                        name2=name,
                    )
                    faults.add("state_unknown", act.source, said, nearest(state, known))
    return {
        name: replace(one, stood_on=True)
        for name, one in types.items()
        if any(link.accepts(name, one.core_name) for link in serial)
    }
