"""The conditions of acts and answers as they are written: sentences in CEL, guard functions of pillars, their words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from comity.kernel.types.catalogue import GuardRule
from comity.kernel.types.definition import DefinitionsRefused, Faults, Form, Node, is_text, nearest
from comity.kernel.types.expression import VARIABLES, compile_guard

_EXTENSION = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")


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
        keys = _spoken_keys(node)
        said = Form(node, faults, f"condition {code}", dict.fromkeys(keys, is_text))
        if code not in {one.code for one in rules if one.message}:
            known = nearest(code, {one.code for one in rules if one.message})
            faults.add("unknown_key", node.source, f"there is no condition {code} here", known)
        messages, fixes = _in_languages(said, keys, "message_"), _in_languages(said, keys, "fix_")
        rules = tuple(
            replace(one, messages={**one.messages, **messages}, fixes={**one.fixes, **fixes})
            if one.code == code
            else one
            for one in rules
        )
    return rules


def _spoken_keys(node: Node) -> list[str]:
    return [key for key, _ in node.items() if key.startswith(("message_", "fix_"))]


def _guard(node: Node, faults: Faults) -> GuardRule | None:
    source = str(node.source)
    rule = GuardRule("", source=source)
    text = node.value
    if node.is_map:
        spoken = _spoken_keys(node)
        keys = dict.fromkeys(("when", "code", "message", "fix", *spoken), is_text)
        form = Form(node, faults, "guard", keys)
        text = form.text("when")
        rule = replace(
            rule, code=form.text("code", "guard_refused"), message=form.text("message"), fix=form.text("fix"),
            messages=_in_languages(form, spoken, "message_"), fixes=_in_languages(form, spoken, "fix_"),
        )  # fmt: skip
    if not is_text(text):
        faults.add("guard_syntax", node.source, "a guard is text", "write a CEL expression or pillar.function")
        return None
    if _EXTENSION.match(text) and text.split(".")[0] not in VARIABLES:
        return replace(rule, text=text, extension=text)
    try:
        return replace(rule, text=text, guard=compile_guard(text, source))
    except DefinitionsRefused as refused:
        faults.found.extend(refused.faults)
        return None


def _in_languages(form: Form, keys: Sequence[str], start: str) -> dict[str, str]:
    return {key.removeprefix(start): form.text(key) for key in keys if key.startswith(start) and key in form}
