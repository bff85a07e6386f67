"""The conditions of an act as written: under `guard`, a CEL sentence, the name of a pillar's function, or a mapping.

guard:
  - "size(open_obligations) == 0"
  - custody.no_active_hold
  - if: "record.kind == 'remand'"            # asked only where this holds
    when: "has(record.remand_until)"
    code: remand_unsaid
    message: A remand says until when.
    fix: Set remand_until.
    override: { .. }                         # types/override; of a function, what it leaves for a person to decide
    message_hi: ...                          # in another language, as fix_hi
"""

from __future__ import annotations

import re
from dataclasses import replace

from comity.kernel.types.catalogue import GuardRule
from comity.kernel.types.definition import (
    DefinitionsRefused,
    Faults,
    Form,
    Kind,
    Node,
    in_languages,
    is_map,
    is_text,
    nearest,
    spoken_keys,
)
from comity.kernel.types.expression import VARIABLES, Guard, compile_guard
from comity.kernel.types.override import read_override
from comity.kernel.types.part import Part, What, spoken_of
from comity.sentences import Worded, say

_EXTENSION = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")
_KEYS: dict[str, Kind] = {**dict.fromkeys(("if", "when", "code", "message", "fix"), is_text), "override": is_map}


def read_guards(form: Form, faults: Faults) -> tuple[GuardRule, ...]:
    """The guards written under `guard` or `guards`: CEL text, an extension's name, or a mapping with `when`."""
    out: list[GuardRule] = []
    for key in ("guard", "guards"):
        node = form.get(key)
        if node is not None and node.value is not None:
            for one in node.value if node.is_list else (node,):
                rule = _guard(one, faults)
                if rule is not None:
                    out.append(rule)
    return tuple(out)


def said_of(rules: tuple[GuardRule, ...], form: Form, faults: Faults) -> tuple[GuardRule, ...]:
    """Conditions of a lower layer in other languages: under `conditions`, by their code, `message_hi` and `fix_hi`."""
    for code, node in form.items("conditions"):
        keys = spoken_keys(node)
        said = Form(node, faults, Part("condition", code), dict.fromkeys(keys, is_text))
        if code not in {one.code for one in rules if one.message}:
            known = nearest(code, {one.code for one in rules if one.message})
            faults.add("unknown_key", node.source, say("unknown_key.there_is_no_condition_here", code=code), known)
        message, fix = (Worded("", in_languages(said, keys, start)) for start in ("message_", "fix_"))
        rules = tuple(
            replace(one, message=one.message.over(message), fix=one.fix.over(fix)) if one.code == code else one
            for one in rules
        )
    return rules


def refuse_overrides(guards: tuple[GuardRule, ...], what: What, faults: Faults) -> None:
    """What is overridden is said and owed in the log of the record's owner, and an answer stands in another's."""
    for rule in guards:
        if rule.override is not None:
            said = say("wrong_kind.condition_of_cannot_be_overridden", what=spoken_of(what))
            faults.add("wrong_kind", rule.source, said, say("wrong_kind.override_condition_of_act.fix"))


def _guard(node: Node, faults: Faults) -> GuardRule | None:
    source = str(node.source)
    rule = GuardRule("", source=source)
    text = node.value
    if node.is_map:
        spoken = spoken_keys(node)
        form = Form(node, faults, "guard", {**_KEYS, **dict.fromkeys(spoken, is_text)})
        text = form.text("when")
        rule = replace(
            rule, code=form.text("code", "guard_refused"),
            message=Worded(form.text("message"), in_languages(form, spoken, "message_")),
            fix=Worded(form.text("fix"), in_languages(form, spoken, "fix_")),
            applies=_compiled(form.text("if"), source, faults), override=read_override(form, faults),
        )  # fmt: skip
    if not is_text(text):
        faults.add("guard_syntax", node.source, say("guard_syntax.guard_is_text"))
        return None
    if _EXTENSION.match(text) and text.split(".")[0] not in VARIABLES:
        if rule.applies:
            said = say("wrong_kind.judges_by_itself_where_it", text=text)
            faults.add("wrong_kind", node.source, said, say("wrong_kind.write_if_beside_sentence.fix"))
        return replace(rule, text=text, extension=text)
    guard = _compiled(text, source, faults)
    return replace(rule, text=text, guard=guard) if guard else None


def _compiled(text: str, source: str, faults: Faults) -> Guard | None:
    try:
        return compile_guard(text, source) if text else None
    except DefinitionsRefused as refused:
        faults.found.extend(refused.faults)
        return None
