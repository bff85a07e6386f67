"""How a command speaks: one JSON document or a page for people on standard output; refusals; exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from comity.errors import Problem
from comity.sentences import DEFAULT, PSEUDO, Given, Locale, Sentence, Text, in_words, known, languages

if TYPE_CHECKING:
    from rich.console import Console

    from comity.kernel.types.catalogue import Catalogue

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


class _Reading:
    """Who reads what this process prints: set by `--language` or COMITY_LANGUAGE, then by the seat that signs in."""

    wanted: str = ""
    locale: Locale = DEFAULT


def nobody_reads() -> None:
    """Forget who read: what a command prints before it knows its reader is English, in UTC."""
    _Reading.wanted, _Reading.locale = "", DEFAULT


def want(language: str | None) -> str | None:
    """Take what an option demands, and give what is demanded so far, as `hi` for `hi-IN` too. The definitions of the
    seat, or of the node, say whether they have it."""
    if language:
        _Reading.wanted = language
        code, _, country = language.partition("-")
        if code.lower() in (*languages(), PSEUDO):
            _Reading.locale = replace(_Reading.locale, language=code.lower(), territory=country.upper())
    return _Reading.wanted.partition("-")[0].lower() or None


def read_by(catalogue: Catalogue) -> None:
    """From now on a member of the catalogue's agency reads: at its clock, and in a language that it has words in."""
    from comity.kernel.types.language import locale_for

    _Reading.locale = locale_for(catalogue, _Reading.wanted or None)


def locale() -> Locale:
    return _Reading.locale


def word(key: str, /, **values: Any) -> Text:
    """A word or sentence of the terminal's own, `cli.KEY` of the catalogue, in the reader's language."""
    return Text(_Reading.locale.say(f"cli.{key}", **values))


def term(name: str) -> Text:
    """What Comity calls a state or kind of its own, `cli.term.NAME`; one that has no word there as it is written."""
    key = f"cli.term.{name}"
    return Sentence(key) if known(key) else Given(name)


def shown(value: Any) -> str:
    """A text, a day, an instant as the reader reads it; anything else is a value, as it is written."""
    if isinstance(value, Text):
        return value.to(_Reading.locale)
    if isinstance(value, datetime):
        return _Reading.locale.instant(value)
    if isinstance(value, date):
        return _Reading.locale.date(value)
    return "" if value is None else _Reading.locale.given(str(value))


def lines(*parts: Any) -> Text:
    """What there is of these, each on its own line, as the reader reads it."""
    return Text("\n".join(text for part in parts if (text := shown(part))))


def briefly(items: Sequence[str], most: int = 3) -> Text:
    """The first of a list, and how many more there are: a, b, c and 34 more."""
    more = len(items) - most
    if more <= 1:
        return Text(", ".join(map(shown, items)))
    return word("first_and_more", first=list(items[:most]), count=more)


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
    payload = in_words(_plainly(payload), _Reading.locale)
    sys.stdout.write(json.dumps(payload, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def _plainly(value: Any) -> Any:
    """The payload in JSON's kinds, its texts as they are."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "as_json"):
        return _plainly(value.as_json())
    if isinstance(value, Mapping):
        return {str(name): _plainly(one) for name, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Sequence):
        return [_plainly(one) for one in value]
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
    from rich.text import Text as Styled

    detail = shown(problem.detail)
    said = Styled.assemble((f"{word('refused')} ", "bold red"), (shown(problem.code), "bold"), "  ", detail)
    out.print(said, soft_wrap=True)
    if problem.faults:
        out.print(faults_table((one.path, one.message, one.code, one.fix) for one in problem.faults))
    if problem.extra.get("missing"):
        missing_page(problem.extra["missing"], out)
    if problem.fix:
        out.print(Styled.assemble((f"{word('what_to_do')}  ", "bold"), shown(problem.fix)), soft_wrap=True)


def faults_table(faults: Iterable[tuple[str, str, str, str]]) -> Any:
    """Where something is wrong, what with its code, and what to do, a line each."""
    rows = [(path, Text(f"{shown(message)} [{shown(code)}]"), fix) for path, message, code, fix in faults]
    return headed(("where", "what_is_wrong", "what_to_do"), rows)


def missing_page(missing: Any, out: Console) -> None:
    """The lacks of a package: what, who owes it, since when, what to do."""
    told = [one if isinstance(one, dict) else one.as_json() for one in missing]
    rows = [
        (
            word("blocks" if one["severity"] == "error" else "warning"),
            Text(f"{shown(one['message'])} [{shown(one['code'])}]"), one["about_label"], one["owed_by"],
            date.fromisoformat(one["since"]) if one["since"] else "", one["fix"],
        )
        for one in told
    ]  # fmt: skip
    out.print(headed(("", "what_is_missing", "about", "owed_by", "since", "what_to_do"), rows))


def headed(headings: tuple[str, ...], rows: Iterable[Sequence[Any]], *, whole: tuple[str, ...] = ()) -> Any:
    """A table under words of the terminal's own: each heading, and each in `whole`, is the KEY of `word`, or empty."""
    return table(tuple(_heading(one) for one in headings), rows, whole=tuple(_heading(one) for one in whole))


def _heading(key: str) -> str:
    return word(key) if key else ""


def table(columns: tuple[str, ...], rows: Iterable[Sequence[Any]], *, whole: tuple[str, ...] = ()) -> Any:
    """A plain table; a cell that is no text of ours is a value, and what a record says is never read as markup. The
    columns in `whole` are never broken.

    Prose gives way before a number, an id, a name or a date is broken; what is then too wide stands as a list.
    """
    from comity.cli.table import Fitted

    return Fitted(columns, [[_cell(one) for one in row] for row in rows], whole)


def _cell(value: Any) -> Any:
    """What stands in a cell; a text with styles is ready."""
    return value if hasattr(value, "spans") else shown(value)
