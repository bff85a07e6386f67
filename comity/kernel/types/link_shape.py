"""The shape of a link: which records it may be set to, by the values of their fields and their core state.

    order: { to: court.order, where: { kind: unseal, state: [entered, fulfilled] } }

Each is one value or a list of which it is one. `code`, `message` and `fix` beside them are what the refusal says. It is
a guard of whatever sets the link, and tells whoever looks for a target what to look for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from comity.kernel.types.definition import Faults, Form, Node, in_languages, is_names, is_text, spoken_keys
from comity.sentences import UNWORDED, Text, Worded, joined, say

STATE = "state"
WORDS = ("code", "message", "fix")


@dataclass(frozen=True, slots=True)
class LinkShape:
    """`fields`: field of the target -> the values of which it has one, of codes core codes. `states`: core states, of
    which it is in one; empty: any."""

    fields: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    states: frozenset[str] = frozenset()
    code: str = "link_not_fitting"
    message: Worded = UNWORDED
    fix: Worded = UNWORDED
    source: str = ""

    def as_json(self) -> dict[str, list[Any]]:
        """field -> the values of which a target has one; `state` among them."""
        asked: dict[str, list[Any]] = {name: list(allowed) for name, allowed in self.fields.items()}
        return {**asked, STATE: sorted(self.states)} if self.states else asked

    def said(self) -> Text:
        """What a target must be, in words."""
        asked = self.as_json().items()
        return joined(
            (say("link_not_fitting.is", name=name, allowed=_any(allowed)) for name, allowed in asked), "semicolon"
        )


def _any(allowed: Sequence[Any]) -> Text:
    return joined(map(_word, allowed), "or")


def _word(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def read_shape(node: Node | None, faults: Faults, *, of_layer: bool = False) -> LinkShape | None:
    """What stands under `where` of a link; None where nothing does. A layer may only say the refusal's words anew."""
    if node is None:
        return None
    fields: dict[str, tuple[Any, ...]] = {}
    states: frozenset[str] = frozenset()
    spoken = spoken_keys(node)
    said = (*WORDS, *spoken)
    words = Form(_part(node, said), faults, "where", dict.fromkeys(said, is_text))
    for name, one in node.items():
        values = one.plain() if one.is_list else [one.plain()]
        if name in said:
            continue
        if not values or not all(isinstance(value, str | bool | int) for value in values):
            faults.add("wrong_kind", one.source, say("wrong_kind.of_where_is_no_value", name=name))
        elif name == STATE and not is_names(values):
            faults.add("wrong_kind", one.source, say("wrong_kind.state_of_where_is_no"))
        elif name == STATE:
            states = frozenset(values)
        else:
            fields[name] = tuple(values)
    if not fields and not states and not (spoken and of_layer):
        faults.add("wrong_kind", node.source, say("wrong_kind.where_asks_nothing"))
    return LinkShape(
        fields, states, code=words.text("code", "link_not_fitting"), source=str(node.source),
        message=Worded(words.text("message"), in_languages(words, spoken, "message_")),
        fix=Worded(words.text("fix"), in_languages(words, spoken, "fix_")),
    )  # fmt: skip


def _part(node: Node, keys: tuple[str, ...]) -> Node:
    return Node({key: one for key, one in node.items() if key in keys}, node.source, node.keys)


def narrowed(core: LinkShape | None, layer: LinkShape | None, faults: Faults) -> LinkShape | None:
    """A layer's shape over the core's: what both ask. `layer_loosens_field` for a value that the core does not take,
    and for another code of the refusal."""
    if core is None or layer is None:
        return layer or core
    for name, allowed in core.as_json().items():
        wider = [str(one) for one in layer.as_json().get(name, ()) if one not in allowed]
        if wider:
            said = say(
                "layer_loosens_field.core_link_takes_no", name=name, wider=wider, allowed=tuple(map(str, allowed))
            )
            faults.add("layer_loosens_field", layer.source, said)
    if layer.code not in (LinkShape().code, core.code):
        said = say("layer_loosens_field.target_that_does_not_fit", code=core.code)
        faults.add("layer_loosens_field", layer.source, said, say("layer_loosens_field.leave_code_out.fix"))
    return replace(
        layer, fields={**core.fields, **layer.fields}, states=layer.states or core.states, code=core.code,
        message=core.message.over(layer.message), fix=core.fix.over(layer.fix),
    )  # fmt: skip
