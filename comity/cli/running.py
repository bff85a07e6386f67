"""The commands that run a node: demo, serve, import, rebuild, upgrade, db, doctor."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.profiles import layers_of
from comity.cli.services import services
from comity.cli.session import As, Json, Language, Purpose, SeatName, Session, operating, plain, signed_in
from comity.sentences import Text, say

db = typer.Typer(help="The database: start, stop, migrate, status.", no_args_is_help=True)


def demo(
    story: Annotated[str, typer.Argument(metavar="STORY", help="Of which country; see the list with another.")] = "us",
    outside: Annotated[
        str | None, typer.Option("--outside", metavar="WHO,WHO", help="Who keeps no record here: court, jail.")
    ] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End when the case is told.")] = False,
    json: Json = False,
) -> Shown:
    """Show one case pass through many institutions, on real incidents, from nothing."""
    without = [one.strip() for one in (outside or "").split(",") if one.strip()]
    shown = services().demo(services().settings(), story=story, outside=without, serve=not no_serve, as_json=json)
    return _spoken(shown)


def serve(
    bind: Annotated[str | None, typer.Option("--bind", metavar="ADDRESS:PORT", help="In place of COMITY_BIND.")] = None,
    json: Json = False,
) -> Shown:
    """Serve the API until it is ended: database, worker and HTTP workers, all together."""
    if bind:
        os.environ["COMITY_BIND"] = bind
    return _spoken(services().serve(services().settings(), as_json=json))


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, XLSX, JSON or JSONL.")],
    mapping: Annotated[Path, typer.Option("--mapping", metavar="M.yml", help="How its columns become records.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge every row, write none.")] = False,
    rejects: Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="Where refused rows go.")] = None,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Import the rows of a file as records. The same file again changes nothing; exits with 1 for rejects."""
    from comity.kernel.importing.importing import run

    with signed_in(as_, seat, purpose) as session, _Bar(file.name, shown=not json and sys.stderr.isatty()) as bar:
        report = run(
            session.node, session.actor, file, mapping, dry_run=dry_run, rejects=rejects, progress=bar.move,
            locale=output.locale(),
        )  # fmt: skip
        labels = session.labels()
    found = report.as_json()

    def page(out: Any) -> None:
        done = "import_would_be" if dry_run else "import_done"
        counts = {"entered": found["rows_entered"], "rejected": found["rows_rejected"], "unchanged": found["unchanged"]}
        out.print(output.word(done, rows=found["rows"], **counts), markup=False)
        for name, count in found["entered"].items():
            out.print(f"  {output.word('import_entered', count=count, type=labels.type(name))}", markup=False)
        for name, count in found["rejected"].items():
            out.print(f"  {output.word('import_rejected', count=count, reason=name)}", markup=False)
        if found.get("unmapped"):
            out.print(output.word("import_unmapped", columns=found["unmapped"]), markup=False)
        if found.get("rejects"):
            out.print(output.word("import_rejects", path=found["rejects"]), markup=False)

    return Shown(found, page, output.REFUSED if found["rows_rejected"] else output.OK)


def rebuild(
    agency: Annotated[str | None, typer.Option("--agency", help="Only this agency's records.")] = None,
    language: Language = None,
    as_: As = None,
    json: Json = False,
) -> Shown:
    """Fold every record anew from its entries and compare it with what is stored."""
    from comity.kernel.portability.rebuild import run

    with services().opened(services().settings()) as node:
        found = plain(run(node, agency=agency or as_))

    def page(out: Any) -> None:
        out.print(output.word("rebuild_equal" if found["equal"] else "rebuild_differs", count=found["records"]))
        for one in found.get("differences", ())[:20]:
            out.print(f"  {output.shown(one)}", markup=False)

    return Shown(found, page, output.OK if found["equal"] else output.REFUSED)


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    language: Language = None,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Bring the tables and every agency's definitions up to what this version ships, in place.

    Again changes nothing. A database that a newer version upgraded is refused and left as it is.
    """
    if dry_run and (lacking := list(services().pending_migrations(services().settings()))):
        would = output.word("upgrade_would_apply", migrations=output.briefly(lacking))
        return Shown({"migrations": lacking, "agencies": []}, output.lines(would, output.word("upgrade_seen_later")))
    applied = [] if dry_run else list(services().migrate(services().settings()))
    with operating(as_, seat) as session:
        lines = [_upgraded(session, name, dry_run=dry_run) for name in session.node.agencies()]
    waiting = [one for one in lines if one.get("decide") or "faults" in one]

    code = output.CONFLICT if waiting else output.OK
    return Shown({"migrations": applied, "agencies": lines}, lambda out: _upgrade_page(applied, lines, out), code)


def _upgraded(session: Session, name: str, *, dry_run: bool) -> dict[str, Any]:
    """Bring one agency's definitions up to what is shipped, unless somebody has to decide first; what came of it."""
    from comity.kernel.definitions.load import NOTHING, load
    from comity.kernel.definitions.upgrade import compare
    from comity.kernel.records.install import install, is_in_force
    from comity.kernel.types.definition import DefinitionsRefused

    folder = services().agencies() / name
    if not folder.is_dir():
        return {"agency": name, "state": say("cli.upgrade_not_shipped")}
    core, jurisdiction, own = layers_of(folder)
    kept = session.node.backfill.of_agency() if is_in_force(session.node, name, own) else NOTHING
    try:
        new, old = load(core, jurisdiction, own, kept), session.node.catalogue(name)
    except DefinitionsRefused as refused:
        faults = [one.as_json() for one in refused.faults]
        return {"agency": name, "state": say("cli.upgrade_refused"), "faults": faults}
    if new.digest == old.digest:
        return {"agency": name, "state": say("cli.upgrade_as_shipped")}
    report = compare(old, new)
    if report.decide:
        state = say("cli.upgrade_must_be_decided")
    elif dry_run:
        state = say("cli.upgrade_would_change")
    else:
        state = say("cli.upgrade_done")
        install(session.node, session.actor, agency=name, core=core, jurisdiction=jurisdiction, own=own)
    return {"agency": name, "state": state, **plain(report)}


def _upgrade_page(applied: Sequence[str], lines: Sequence[Mapping[str, Any]], out: Any) -> None:
    if applied:
        out.print(output.word("upgrade_applied", migrations=output.briefly(applied)), markup=False)
    else:
        out.print(output.word("upgrade_up_to_date"), markup=False)
    for one in lines:
        out.print(output.word("upgrade_agency", agency=one["agency"], state=one["state"]), markup=False)
        for line in one.get("decide", ()):
            said = output.word("upgrade_decide", path=line["path"], message=line["message"])
            out.print(f"  {said}", markup=False)
        for line in one.get("faults", ()):
            told = ": ".join(output.shown(line[name]) for name in ("path", "message", "fix"))
            out.print(f"  {told}", markup=False)


def doctor(language: Language = None, json: Json = False) -> Shown:
    """Look whether this installation is fit, and say what to do where it is not."""
    found = list(services().examine(services().settings()))
    well = all(one.ok for one in found)

    def page(out: Any) -> None:
        rows = [
            (output.word("doctor_ok" if one.ok else "doctor_not_ok"), one.name, one.detail, "" if one.ok else one.fix)
            for one in found
        ]
        out.print(output.headed(("", "what", "found", "what_to_do"), rows))

    lines = [
        {"name": str(one.name), "ok": one.ok, "detail": one.detail, "fix": "" if one.ok else one.fix} for one in found
    ]
    return Shown({"ok": well, "findings": lines}, page, output.OK if well else output.UNAVAILABLE)


@db.command()
def start(language: Language = None, json: Json = False) -> Shown:
    """Start the embedded database, bring its tables up to date, and hold it until this command is ended."""

    def ready() -> None:
        if json:
            output.write_json({"state": "running"})
        else:
            output.console(errors=True).print(output.word("database_runs"), markup=False)

    services().hold_database(services().settings(), ready)
    return _spoken(0)


@db.command()
def stop(language: Language = None, json: Json = False) -> Shown:
    """Stop the embedded database now. Programs that use it are refused until it is started again."""
    stopped = services().stop_database(services().settings())
    return Shown({"stopped": stopped}, output.word("database_stopped" if stopped else "database_not_running"))


@db.command()
def migrate(language: Language = None, json: Json = False) -> Shown:
    """Bring the tables up to date."""
    applied = list(services().migrate(services().settings()))
    return Shown({"applied": applied}, _migrated(applied))


@db.command()
def status(language: Language = None, json: Json = False) -> Shown:
    """Say which database this is, whether it runs, and what its tables lack."""
    found = dict(services().database_state(services().settings()))
    return Shown(found, output.lines(*(_status(name, value) for name, value in found.items())))


def _migrated(applied: Sequence[str]) -> str:
    return (
        output.word("migrate_applied", migrations=output.briefly(applied)) if applied else output.word("migrate_none")
    )


def _status(name: str, value: Any) -> Text:
    """A line of what the database is: what it is called, and what it is."""
    if isinstance(value, bool):
        value = output.word("yes" if value else "no")
    elif isinstance(value, list | tuple):
        value = output.briefly(value) if value else output.word("none")
    elif isinstance(value, str):
        value = output.term(value)
    return Text(f"{output.shown(output.term(name))}: {output.shown(value)}")


def _spoken(code: int) -> Shown:
    """A command that has spoken for itself."""
    return Shown(None, "", code)


class _Bar:
    """Progress on standard error, where a person watches."""

    def __init__(self, name: str, *, shown: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._name, self._shown = name, shown

    def __enter__(self) -> _Bar:
        if self._shown:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]}"),
                TimeRemainingColumn(), console=output.console(errors=True), transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=None, rows=output.word("import_rows", count=0))
        return self

    def move(self, at: Any) -> None:
        if self._bar is not None:
            total = at.bytes_total if at.bytes_done else None
            self._bar.update(
                self._task, completed=at.bytes_done, total=total, rows=output.word("import_rows", count=at.rows)
            )

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
