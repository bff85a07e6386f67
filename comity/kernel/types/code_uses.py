"""Which codes the definitions say, and where: conditions, doors, decisions of clocks, checks of a profile.

Whatever the file, a mapping with the texts `code` and `message` says a code; `fix` beside it is what to do. What a
pillar says in Python, or in several places in different words, it explains once in its pillar.yml:

    problems:
      hold_active: { title: .., meaning: .., remedy: .., label_hi: .., meaning_hi: .., remedy_hi: .. }
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from comity.kernel.types.definition import Faults, Form, Node, is_text, is_words
from comity.problems import CODES
from comity.problems.code import DECISION, FAULT
from comity.sentences import Text, Worded, say

_PARTS = {"title": is_text, "meaning": is_words, "remedy": is_words}
_DECIDING = frozenset(("decide", "moves"))


@dataclass(frozen=True, slots=True)
class CodeUse:
    """One place that says a code: `at` the type, rule or record with the keys down to it, `source` who brings it."""

    name: str
    kind: str
    at: str
    source: str
    message: Worded
    fix: Worded


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What a pillar says that a code of its own means wherever it is said."""

    name: str
    source: str
    title: Text
    meaning: Text
    remedy: Text


def uses(node: Node, source: str, stem: str) -> Iterator[CodeUse]:
    """The codes that one definition file says, in the order written."""
    named = next((one for key in ("type", "extends", "rule") if (one := node.get(key)) is not None), None)
    yield from _uses(node, source, (str(named.value) if named is not None else stem,))


def _uses(node: Node, source: str, path: tuple[str, ...]) -> Iterator[CodeUse]:
    if node.is_list:
        for one in node.value:
            yield from _uses(one, source, path)
        return
    code, message, fix = _text(node, "code"), _words(node, "message"), _words(node, "fix")
    if code and message:
        kind = DECISION if _DECIDING & set(path) else FAULT
        yield CodeUse(code, kind, ".".join(path), source, message, fix)
    for key, one in node.items():
        yield from _uses(one, source, (*path, key))


def _text(node: Node, key: str) -> str:
    one = node.get(key)
    return one.value if one is not None and isinstance(one.value, str) else ""


def _words(node: Node, key: str) -> Worded:
    start = f"{key}_"
    return Worded(
        _text(node, key), {at[len(start) :]: _text(node, at) for at, _ in node.items() if at.startswith(start)}
    )


def meanings(form: Form, source: str, known: Collection[str], faults: Faults) -> Iterator[CodeMeaning]:
    """What a pillar.yml says under `problems`; each needs all three parts, and none is explained already (`known`)."""
    for name, node in form.items("problems"):
        if name in known or name in CODES:
            said = say("duplicate_definition.problem_is_explained_already", name=name)
            faults.add("duplicate_definition", node.source, said, say("duplicate_definition.say_it_in_that_sense.fix"))
        one = Form(node, faults, f"the problem {name}", _PARTS)
        for key in _PARTS:
            if key not in one:
                faults.add("wrong_kind", node.source, say("wrong_kind.problem_has_no", name=name, key=key))
        yield CodeMeaning(name, source, one.titled(), one.worded("meaning"), one.worded("remedy"))
