"""The command `comity`: its list of commands, and how any of them ends."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity import __version__
from comity.cli import (
    due,
    emergencies,
    files,
    law,
    leaving,
    orders,
    output,
    people,
    problems,
    profiles,
    records,
    refusals,
    reports,
    running,
    sharing,
    show,
)
from comity.cli.services import Services, attach
from comity.cli.session import Language
from comity.errors import Problem
from comity.sentences import Given, say

if TYPE_CHECKING:
    from comity.cli.output import Shown

app = typer.Typer(
    name="comity",
    help="One justice record that many institutions keep together: entered once, seen by all who may.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 not found, 4 conflict, 5 not ready, 70 internal, 75 unavailable.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    language: Language = None,
) -> None:
    pass


_RECORDS: tuple[Callable[..., Any], ...] = (
    records.enter, records.amend, records.act, records.answer, records.submit, show.show, show.history, records.find,
    records.inbox, records.statistics, files.attach, files.fetch, sharing.subscribe, sharing.subscriptions,
    sharing.feed, due.due, orders.reconcile, reports.reports, reports.confirm, reports.dispute,
    refusals.refusals,
)  # fmt: skip
_START: tuple[Callable[..., Any], ...] = (running.demo, running.serve)
_NODE: tuple[Callable[..., Any], ...] = (running.rebuild, running.upgrade, running.doctor, problems.problems)

for command in (*_START, *_RECORDS):
    app.command()(command)
app.command("import")(running.import_)
for command in _NODE:
    app.command()(command)
app.add_typer(profiles.profile, name="profile")
app.add_typer(running.db, name="db")
app.add_typer(emergencies.emergency, name="emergency")
app.add_typer(law.law, name="law")
app.add_typer(sharing.webhook, name="webhook")
app.add_typer(sharing.letters, name="dead-letters")
app.add_typer(people.member, name="member")
app.add_typer(people.agency, name="agency")
app.add_typer(leaving.leave, name="leave")


def run(services: Services, arguments: Sequence[str]) -> int:
    """Do one command and return its exit code. On standard output stands one JSON document, or a page, or nothing."""
    attach(services)
    output.nobody_reads()
    before_end = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in before_end
    try:
        shown: Shown | int | None = app(list(arguments), prog_name="comity", standalone_mode=False)
    except typer.TyperException as error:
        return _usage(error, as_json=as_json)
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return output.OK
    except Exception as error:  # noqa: BLE001  the last resort: whatever it was, the exit code and the document say so
        return output.refuse(_foreseen(services, error) or _unforeseen(error), as_json=as_json)
    if shown is None or isinstance(shown, int):
        return shown or output.OK
    if shown.payload is None:
        return shown.code
    return output.say(shown, as_json=as_json)


def _usage(error: Any, *, as_json: bool) -> int:
    problem = Problem(
        "request_invalid", Given(error.format_message()), fix=say("request_invalid.comity_help_or_command_with.fix")
    )
    if as_json:
        return output.refuse(problem, as_json=True)
    if hasattr(error, "show"):
        error.show()
    else:
        typer.echo(f"Error: {error.format_message()}", err=True)
    return output.USAGE


def _foreseen(services: Services, error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    import psycopg

    if isinstance(error, psycopg.OperationalError):
        return Problem("unavailable", fix=say("unavailable.comity_doctor_says_what_is.fix"))
    return services.refused(error)


def _unforeseen(error: Exception) -> Problem:
    """An error that no refusal foresaw. Where it arose is told, not its message: that may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
    return Problem("internal", say("internal.at", name=type(error).__name__, where=where))
