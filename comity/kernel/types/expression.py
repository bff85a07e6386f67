"""Guards: one CEL sentence about a record. Bounded before it is compiled, refused with a reason when it fails to run.

CEL has no cost limit of its own (a triple nested loop over 150 items took two seconds), so the text is bounded here:
length, operators, depth, no loop within a loop, no regular expressions, no `map`, known names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cel

from comity.errors import Fault, Problem
from comity.kernel.types.definition import DefinitionsRefused, Faults, Form, Node, Source, nearest
from comity.sentences import Given, Text, say

MAX_TEXT = 500
"""What a condition that is in force already may have."""
MAX_CONDITION = 120
"""What a condition in new definitions may have: a sentence that is read at once."""
CONDITIONS = frozenset(("if", "when", "applies", "requires"))
"""The keys of definitions under which a condition stands; in a list of guards it may stand by itself."""
MAX_OPERATORS = 50
MAX_NESTING = 20
VARIABLES = frozenset(
    ("record", "state", "links", "linked", "input", "reason", "actor", "history", "open_obligations", "today")
)
LOOPS = frozenset(("exists", "exists_one", "all", "filter"))
FUNCTIONS = LOOPS | {
    "size", "has", "contains", "startsWith", "endsWith", "int", "uint", "double", "string", "bool", "timestamp",
    "duration", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "min", "max", "abs",
}  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"\"\"|'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<number>[0-9][0-9a-zA-Z.]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?])|(?P<mark>[()\[\]{}.,:])|(?P<space>\s+)|(?P<other>.)"""
)
_CHAIN = re.compile(r"""[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*(?!\s*\()|\[\s*(?:"[^"]*"|'[^']*')\s*\])+""")
_STEP = re.compile(r"""[A-Za-z_]\w*|"[^"]*"|'[^']*'""")
_WORDS = frozenset(("true", "false", "null", "in"))


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A compiled guard, safe to share between threads. `source` is `file:line`."""

    text: str
    source: str
    program: Any


class GuardError(Problem):
    """A guard that could not be evaluated. `path` names what was missing (`record.weight`), or is the guard itself."""

    def __init__(self, guard: Guard, path: str, said: Text) -> None:
        self.path = path
        fix = (
            say("guard_error.give_value_first.fix", path=path)
            if path != guard.text
            else say("guard_error.definition_at_needs_repair.fix", source=guard.source)
        )
        fault = Fault("guard_error", path, said, fix)
        super().__init__(
            "guard_error",
            say("guard_error.could_not_be_evaluated", condition=guard.text, said=said),
            faults=[fault],
            fix=fix,
        )


def compile_guard(text: str, source: Source | str, known: frozenset[str] = VARIABLES) -> Guard:
    """A guard within its bounds, over the `known` variables. Raises DefinitionsRefused: guard_too_long,
    guard_nested_loop, guard_function, guard_unknown_name or guard_syntax."""
    refused = bounds(text, source, known)
    if refused is not None:
        raise DefinitionsRefused([refused])
    try:
        program = cel.compile(text)
    except ValueError as error:
        said = next((line for line in str(error).splitlines() if "ERROR" in line), str(error))
        said = said.split("ERROR: ")[-1].replace("<input>:", "at ")[:200]
        raise DefinitionsRefused(
            [Fault("guard_syntax", str(source), Given(said), say("guard_syntax.write_one_cel_expression.fix"))]
        ) from None
    return Guard(text, str(source), program)


def guard_text(form: Form, key: str, faults: Faults, known: frozenset[str] = VARIABLES) -> str:
    """The condition that stands under a key, empty where none does; what is wrong with it becomes faults."""
    text = form.text(key)
    if text:
        try:
            compile_guard(text, form.at(key), known)
        except DefinitionsRefused as refused:
            faults.found.extend(refused.faults)
    return text


def check_lengths(definition: Node, faults: Faults) -> None:
    """Each condition of a definition that is longer than a new one may be: `condition_too_long`, at its line."""
    for text in conditions(definition):
        if MAX_CONDITION < len(text.value) <= MAX_TEXT:  # beyond that it is not read at all: guard_too_long
            said = say(
                "condition_too_long.condition_of_characters_at_most", count=len(text.value), max_condition=MAX_CONDITION
            )
            fix = say("condition_too_long.write_two_conditions_say_with.fix")
            faults.add_new("condition_too_long", text.source, said, fix)


def conditions(definition: Node) -> Iterator[Node]:
    """Every condition that stands in a definition, as written."""
    for key, one in definition.items():
        written = one.value if one.is_list else (one,)
        if key in CONDITIONS or key in ("guard", "guards"):
            yield from (text for text in written if isinstance(text.value, str))
        yield from conditions(one)
    for one in definition.value if definition.is_list else ():
        yield from conditions(one)


def bounds(text: str, source: Source | str, known: frozenset[str] = VARIABLES) -> Fault | None:
    """What is wrong with a guard before it is compiled; None when it is within its bounds."""
    where = str(source)
    if len(text) > MAX_TEXT:
        return Fault(
            "guard_too_long", where, say("guard_too_long.guard_of_characters", count=len(text), max_text=MAX_TEXT)
        )
    tokens = [(one.lastgroup or "", one[0]) for one in _TOKEN.finditer(text) if one.lastgroup != "space"]
    wrong = next((value for kind, value in tokens if kind == "other" or value in ('"""', "'''")), None)
    if wrong is not None:
        return Fault("guard_syntax", where, say("guard_syntax.is_not_read_in_guard", wrong=wrong))
    operators = sum(kind == "op" or value == "in" for kind, value in tokens)
    if operators > MAX_OPERATORS:
        return Fault(
            "guard_too_long", where, say("guard_too_long.operators", operators=operators, max_operators=MAX_OPERATORS)
        )
    return _structure(tokens, where, known)


def _structure(tokens: list[tuple[str, str]], where: str, known: frozenset[str]) -> Fault | None:
    """Walks the tokens once: depth, loops in loops, functions, names. `open_` holds (is a loop, its variable)."""
    open_: list[tuple[bool, str]] = []
    for place, (kind, value) in enumerate(tokens):
        before = tokens[place - 1][1] if place else ""
        after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if value in ("(", "[", "{") and kind == "mark":
            loop = value == "(" and before in LOOPS and place > 1 and tokens[place - 2][1] == "."
            if loop and any(one[0] for one in open_):
                return Fault("guard_nested_loop", where, say("guard_nested_loop.within_another_loop", before=before))
            open_.append((loop, after if loop else ""))
            if len(open_) > MAX_NESTING:
                return Fault("guard_too_long", where, say("guard_too_long.too_deeply_nested", max_nesting=MAX_NESTING))
        elif value in (")", "]", "}") and kind == "mark":
            if open_:
                open_.pop()
        elif kind == "name" and value not in _WORDS:
            if after == "(":
                if value not in FUNCTIONS:
                    fix = nearest(value, FUNCTIONS, say("name.use_exists_all_filter_size.fix"))
                    return Fault("guard_function", where, say("guard_function.guard_cannot_call", value=value), fix)
            elif before not in (".",) and value not in known and value not in {one[1] for one in open_}:
                return Fault(
                    "guard_unknown_name",
                    where,
                    say("guard_unknown_name.guard_knows_no", value=value),
                    nearest(value, known),
                )
    return None


def evaluate(guard: Guard, variables: Mapping[str, Any]) -> bool:
    """Whether the condition holds. Raises GuardError for anything but true or false, naming the missing path.

    Under `record` and `input` a layer's field `atf:nibin_lead` may also be written `nibin_lead`.
    """
    given = {name: _plain_names(value) if name in ("record", "input") else value for name, value in variables.items()}
    try:
        outcome = guard.program.execute(given)
    except KeyError as error:
        path = _missing(guard.text, given, str(error.args[0]) if error.args else "")
        raise GuardError(guard, path, say("guard_error.is_missing", path=path)) from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  (the engine's panics are no Exception, and must refuse as well)
        raise GuardError(guard, guard.text, Given(str(error).split(". ")[0] or type(error).__name__)) from None
    if not isinstance(outcome, bool):
        raise GuardError(guard, guard.text, say("guard_error.it_gave_not_true_or", name=type(outcome).__name__))
    return outcome


def _plain_names(value: Any) -> Any:
    if not isinstance(value, Mapping) or not any(":" in name for name in value):
        return value
    return {name.rsplit(":", 1)[-1]: one for name, one in value.items() if ":" in name} | dict(value)


def _missing(text: str, variables: Mapping[str, Any], key: str) -> str:
    """The path in `text` at which `key` is absent: `record.weight`; the bare key when no path in the text shows it."""
    guess = key
    for chain in _CHAIN.findall(text):
        steps = [step.strip("\"'") for step in _STEP.findall(chain)]
        if steps[0] not in variables:
            guess = ".".join(steps) if key in steps else guess
            continue
        here: Any = variables[steps[0]]
        for depth, step in enumerate(steps[1:], start=1):
            if not isinstance(here, Mapping):
                break
            if step not in here:
                if step == key:
                    return ".".join(steps[: depth + 1])
                break
            here = here[step]
    return guess
