"""The commands that run a node: demo, serve, import, rebuild, upgrade, db, doctor."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from comity.cli import output
from comity.cli.output import Shown
from comity.cli.profiles import layers_of
from comity.cli.services import services
from comity.cli.session import As, Json, Purpose, SeatName, operating, plain, signed_in

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
    as_: As = None,
    seat: SeatName = None,
    purpose: Purpose = None,
    json: Json = False,
) -> Shown:
    """Import the rows of a file as records. The same file again changes nothing; exits with 1 for rejects."""
    from comity.kernel.importing.importing import run

    with signed_in(as_, seat, purpose) as session, _Bar(file.name, shown=not json and sys.stderr.isatty()) as bar:
        report = run(
            session.node, session.actor, file, mapping, dry_run=dry_run, rejects=rejects, progress=bar.move
        )  # fmt: skip
    found = report.as_json()

    def page(out: Any) -> None:
        done = "would be entered" if dry_run else "entered"
        out.print(
            f"{found['rows']} rows: {found['rows_entered']} {done}, {found['unchanged']} unchanged, "
            f"{found['rows_rejected']} rejected"
        )
        for name, count in found["entered"].items():
            out.print(f"  {count} {name}")
        for name, count in found["rejected"].items():
            out.print(f"  rejected {count}: {name}")
        if found.get("unmapped"):
            out.print(f"columns that nothing reads: {', '.join(found['unmapped'])}", markup=False)
        if found.get("rejects"):
            out.print(f"the rejected rows are in {found['rejects']}", markup=False)

    return Shown(found, page, output.REFUSED if found["rows_rejected"] else output.OK)


def rebuild(
    agency: Annotated[str | None, typer.Option("--agency", help="Only this agency's records.")] = None,
    as_: As = None,
    json: Json = False,
) -> Shown:
    """Fold every record anew from its entries and compare it with what is stored."""
    from comity.kernel.portability.rebuild import run

    with services().opened(services().settings()) as node:
        found = plain(run(node, agency=agency or as_))

    def page(out: Any) -> None:
        out.print(f"{found['records']} records folded anew: {'all equal' if found['equal'] else 'they differ'}")
        for one in found.get("differences", ())[:20]:
            out.print(f"  {one}", markup=False)

    return Shown(found, page, output.OK if found["equal"] else output.REFUSED)


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_: As = None,
    seat: SeatName = None,
    json: Json = False,
) -> Shown:
    """Bring the tables and every agency's definitions up to what this version ships, in place."""
    from comity.kernel.definitions.load import NOTHING, load
    from comity.kernel.definitions.upgrade import compare
    from comity.kernel.records.install import install, is_in_force
    from comity.kernel.types.definition import DefinitionsRefused

    applied = [] if dry_run else list(services().migrate(services().settings()))
    lines: list[dict[str, Any]] = []
    with operating(as_, seat) as session:
        for name in session.node.agencies():
            folder = services().agencies() / name
            if not folder.is_dir():
                lines.append({"agency": name, "state": "its definitions are not shipped here; left as they are"})
                continue
            core, jurisdiction, own = layers_of(folder)
            kept = session.node.backfill.of_agency() if is_in_force(session.node, name, own) else NOTHING
            try:
                new, old = load(core, jurisdiction, own, kept), session.node.catalogue(name)
            except DefinitionsRefused as refused:
                faults = [one.as_json() for one in refused.faults]
                lines.append({"agency": name, "state": "refused, left as it is", "faults": faults})
                continue
            if new.digest == old.digest:
                lines.append({"agency": name, "state": "as shipped"})
                continue
            report = compare(old, new)
            line = {"agency": name, "state": "would change" if dry_run else "upgraded", **plain(report)}
            lines.append(line)
            if report.decide:
                line["state"] = "must be decided"
            elif not dry_run:
                install(session.node, session.actor, agency=name, core=core, jurisdiction=jurisdiction, own=own)
    waiting = [one for one in lines if one["state"] == "must be decided" or "faults" in one]

    def page(out: Any) -> None:
        out.print(f"tables: {', '.join(applied) or 'up to date'}")
        for one in lines:
            out.print(f"{one['agency']}: {one['state']}", markup=False)
            for line in one.get("decide", ()):
                out.print(f"  decide: {line['path']}: {line['message']}", markup=False)
            for line in one.get("faults", ()):
                out.print(f"  {line['path']}: {line['message']}: {line['fix']}", markup=False)

    return Shown({"migrations": applied, "agencies": lines}, page, output.CONFLICT if waiting else output.OK)


def doctor(json: Json = False) -> Shown:
    """Look whether this installation is fit, and say what to do where it is not."""
    found = list(services().examine(services().settings()))
    well = all(one.ok for one in found)

    def page(out: Any) -> None:
        rows = [("ok" if one.ok else "NOT OK", one.name, one.detail, "" if one.ok else one.fix) for one in found]
        out.print(output.table(("", "what", "found", "what to do"), rows))

    lines = [{"name": one.name, "ok": one.ok, "detail": one.detail, "fix": "" if one.ok else one.fix} for one in found]
    return Shown({"ok": well, "findings": lines}, page, output.OK if well else output.UNAVAILABLE)


@db.command()
def start(json: Json = False) -> Shown:
    """Start the embedded database, bring its tables up to date, and hold it until this command is ended."""

    def ready() -> None:
        if json:
            output.write_json({"state": "running"})
        else:
            output.console(errors=True).print("the database runs until this command ends (Ctrl-C)")

    services().hold_database(services().settings(), ready)
    return _spoken(0)


@db.command()
def stop(json: Json = False) -> Shown:
    """Stop the embedded database now. Programs that use it are refused until it is started again."""
    stopped = services().stop_database(services().settings())
    return Shown({"stopped": stopped}, "stopped" if stopped else "it was not running")


@db.command()
def migrate(json: Json = False) -> Shown:
    """Bring the tables up to date."""
    applied = list(services().migrate(services().settings()))
    return Shown({"applied": applied}, f"applied {', '.join(applied)}" if applied else "up to date")


@db.command()
def status(json: Json = False) -> Shown:
    """Say which database this is, whether it runs, and what its tables lack."""
    found = dict(services().database_state(services().settings()))
    return Shown(found, "\n".join(f"{name}: {value}" for name, value in found.items()))


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
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]} rows"),
                TimeRemainingColumn(), console=output.console(errors=True), transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=None, rows=0)
        return self

    def move(self, at: Any) -> None:
        if self._bar is not None:
            total = at.bytes_total if at.bytes_done else None
            self._bar.update(self._task, completed=at.bytes_done, total=total, rows=at.rows)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
