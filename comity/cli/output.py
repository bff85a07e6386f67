"""How a command speaks: one JSON document or a page for people on standard output; refusals; exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comity.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OK, REFUSED, USAGE, NOT_FOUND, CONFLICT, NOT_READY, INTERNAL, UNAVAILABLE = 0, 1, 2, 3, 4, 5, 70, 75
_BY_CODE = {
    "not_ready": NOT_READY, "startup_refused": UNAVAILABLE, "bind_refused": REFUSED, "request_invalid": USAGE,
    "json_refused": USAGE,
}  # fmt: skip
_BY_STATUS = {404: NOT_FOUND, 409: CONFLICT, 412: CONFLICT, 428: CONFLICT, 503: UNAVAILABLE, 507: UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command found: `payload` for programs, `page` for people, and the exit code."""

    payload: Any
    page: Callable[[Console], None] | str = ""
    code: int = OK


def exit_code(problem: Problem) -> int:
    if problem.code in _BY_CODE:
        return _BY_CODE[problem.code]
    return _BY_STATUS.get(problem.status, INTERNAL if problem.status >= 500 else REFUSED)


def say(shown: Shown, *, as_json: bool) -> int:
    if as_json:
        write_json(shown.payload)
    elif callable(shown.page):
        shown.page(console())
    elif shown.page:
        console().print(shown.page, markup=False, soft_wrap=True)
    return shown.code


def write_json(payload: Any) -> None:
    """The one document on standard output."""
    sys.stdout.write(json.dumps(payload, ensure_ascii=False, indent=2, default=_spell) + "\n")
    sys.stdout.flush()


def _spell(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return value.as_json()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def console(*, errors: bool = False) -> Console:
    """A console on which what a record says cannot steer the terminal or turn the direction of the text."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Harmless(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for one in super().render(renderable, options):
                yield one if one.control else Segment(_STEERING.sub("", one.text), one.style)

    return Harmless(stderr=errors, highlight=False)


def refuse(problem: Problem, *, as_json: bool) -> int:
    """Show a refusal: the document for a program; code, what happened, each fault and what to do for a person."""
    if as_json:
        write_json(problem.as_json())
    else:
        _refusal_page(problem, console(errors=True))
    return exit_code(problem)


def _refusal_page(problem: Problem, out: Console) -> None:
    from rich.text import Text

    out.print(Text.assemble(("refused ", "bold red"), (problem.code, "bold"), "  ", problem.detail), soft_wrap=True)
    if problem.faults:
        out.print(
            table(
                ("where", "what is wrong", "what to do"),
                [(fault.path, f"{fault.message} [{fault.code}]", fault.fix) for fault in problem.faults],
            )
        )
    if problem.extra.get("missing"):
        missing_page(problem.extra["missing"], out)
    if problem.fix:
        out.print(Text.assemble(("what to do  ", "bold"), problem.fix), soft_wrap=True)


def missing_page(missing: Any, out: Console) -> None:
    """The lacks of a package: what, who owes it, since when, what to do."""
    lines = [one if isinstance(one, dict) else one.as_json() for one in missing]
    out.print(
        table(
            ("", "what is missing", "about", "owed by", "since", "what to do"),
            [
                (
                    "blocks" if one["severity"] == "error" else "warning", f"{one['message']} [{one['code']}]",
                    one["about_label"], one["owed_by"], one["since"], one["fix"],
                )
                for one in lines
            ],
        )
    )  # fmt: skip


def table(columns: tuple[str, ...], rows: Any, *, whole: tuple[str, ...] = ()) -> Any:
    """A plain table; what a record says is never read as markup. The columns in `whole` are never broken.

    Prose gives way before a number, an id, a name or a date is broken; what is then too wide stands as a list.
    """
    from comity.cli.table import Fitted

    return Fitted(columns, rows, whole)
