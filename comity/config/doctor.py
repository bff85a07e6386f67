"""`comity doctor`: is this installation fit, and if not, what to do. Looks at everything, changes nothing of substance
(an embedded database that is not running is started for the examination, and ends after it)."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from comity.config import file_stores
from comity.config.database import Database, open_database, pending_migrations
from comity.config.settings import Settings
from comity.config.startup import StartupRefused, faults
from comity.names import briefly

LITTLE_ROOM = 2**30


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    detail: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    found = [_python(), _home(settings.home), _room(settings.home), _files(settings)]
    try:
        database = open_database(settings)
    except StartupRefused as refused:
        return [*found, _refused("database", refused)]
    with database:
        wrong = faults(database.app_url)
        if any(fault.code == "database_unreachable" for fault in wrong):
            return [*found, *(_refused("database", fault) for fault in wrong)]
        found.append(Finding("database", True, "embedded" if database.embedded else "DATABASE_URL"))
        found += [_refused(fault.code, fault) for fault in wrong] or [
            Finding(
                "start-up checks", True, "durable commits, every script found, no role passes by row-level security"
            )
        ]
        found += [_migrations(database), _sequencer(database)]
    return found


def _refused(name: str, refused: StartupRefused) -> Finding:
    return Finding(name, False, refused.message, refused.fix)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", (3, 11) <= sys.version_info[:2] <= (3, 13), version, "use Python 3.11, 3.12 or 3.13")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _home(home: Path) -> Finding:
    place = _existing(home)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding("COMITY_HOME", False, f"{home}: {error.strerror}", "choose a folder of your own in COMITY_HOME")
    mode = place.stat().st_mode & 0o077
    if place == home and mode & 0o066:
        return Finding("COMITY_HOME", False, f"{home} can be read by others", f"chmod 700 {home}")
    return Finding("COMITY_HOME", True, str(home))


def _room(home: Path) -> Finding:
    free = shutil.disk_usage(_existing(home)).free
    return Finding(
        "free disk", free >= LITTLE_ROOM, f"{free / 2**30:.1f} GB", "free some space: below 1 GB writing may stop"
    )


def _files(settings: Settings) -> Finding:
    """The store of files; the room below COMITY_HOME itself is judged by `_room`."""
    try:
        free = file_stores.opened(settings).free()
    except StartupRefused as refused:
        return _refused("files", refused)
    except OSError as error:
        return Finding("files", False, f"{settings.files}: {error.strerror}", "correct COMITY_FILES")
    room = "as much room as it gives" if free is None else f"{free / 2**30:.1f} GB free"
    enough = free is None or free >= LITTLE_ROOM or settings.files == "disk"
    return Finding("files", enough, f"{settings.files}, {room}", "free some space there")


def _migrations(database: Database) -> Finding:
    import psycopg

    try:
        pending = pending_migrations(database.owner_url or database.app_url)
    except StartupRefused as refused:
        return _refused("migrations", refused)
    except psycopg.OperationalError as error:
        return Finding("migrations", False, str(error).strip(), "correct DATABASE_ADMIN_URL")
    if pending:
        return Finding("migrations", False, f"not applied: {briefly(pending)}", "comity db migrate, or comity serve")
    return Finding("migrations", True, "all applied")


def _sequencer(database: Database) -> Finding:
    """How long the oldest appended entry has waited for its place in the log."""
    import psycopg

    if not database.sequencer_url:
        return Finding("sequencer", True, "not examined: DATABASE_SEQUENCER_URL is not set")
    try:
        with psycopg.connect(database.sequencer_url, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute("SELECT to_regclass('comity.pending') IS NOT NULL").fetchone()
            if not row or not row[0]:
                return Finding("sequencer", True, "not examined: there is no table comity.pending")
            row = connection.execute("SELECT count(*) FROM comity.pending").fetchone()
    except psycopg.Error as error:
        return Finding("sequencer", False, str(error).strip(), "comity db migrate; correct DATABASE_SEQUENCER_URL")
    waiting = row[0] if row else 0
    return Finding(
        "sequencer",
        waiting < 10_000,
        f"{waiting} entries wait for their place",
        "see that the worker runs: comity serve",
    )
