"""`comity doctor`: is this installation fit, and if not, what to do. Looks at everything, changes nothing of substance
(an embedded database that is not running is started for the examination, and ends after it)."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from comity.cli.output import briefly
from comity.config import file_stores
from comity.config.database import Database, open_database, pending_migrations
from comity.config.settings import Settings
from comity.config.startup import StartupRefused, faults
from comity.sentences import NOTHING, Given, Sentence, Text, say

LITTLE_ROOM = 2**30


@dataclass(frozen=True)
class Finding:
    """`name` is what was looked at; `fix`, unless given, is what the catalogue says behind `detail`."""

    name: Text
    ok: bool
    detail: Text
    fix: Text = NOTHING

    def __post_init__(self) -> None:
        if not self.fix and isinstance(self.detail, Sentence):
            object.__setattr__(self, "fix", self.detail.fix)


def examine(settings: Settings) -> list[Finding]:
    found = [_python(), _home(settings.home), _room(settings.home), _files(settings)]
    try:
        database = open_database(settings)
    except StartupRefused as refused:
        return [*found, _refused(say("doctor.database"), refused)]
    with database:
        wrong = faults(database.app_url)
        if any(fault.code == "database_unreachable" for fault in wrong):
            return [*found, *(_refused(say("doctor.database"), fault) for fault in wrong)]
        kind = say("doctor.embedded") if database.embedded else Given("DATABASE_URL")
        found.append(Finding(say("doctor.database"), True, kind))
        found += [_refused(Given(fault.code), fault) for fault in wrong] or [
            Finding(say("doctor.start_up_checks"), True, say("doctor.start_up_checks_hold"))
        ]
        found += [_migrations(database), sequencer_finding(database)]
    return found


def _refused(name: Text, refused: StartupRefused) -> Finding:
    return Finding(name, False, refused.message, refused.fix)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(Given("python"), fits, Given(version), say("doctor.python.fix"))


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _home(home: Path) -> Finding:
    name, place = Given("COMITY_HOME"), _existing(home)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(name, False, Given(f"{home}: {error.strerror}"), say("doctor.home_unwritable.fix", setting=name))
    mode = place.stat().st_mode & 0o077
    if place == home and mode & 0o066:
        return Finding(name, False, say("doctor.home_open", home=home), Given(f"chmod 700 {home}"))
    return Finding(name, True, Given(str(home)))


def _room(home: Path) -> Finding:
    free = shutil.disk_usage(_existing(home)).free
    return Finding(say("doctor.free_disk"), free >= LITTLE_ROOM, say("doctor.room", size=_gigabytes(free)))


def _gigabytes(free: int) -> float:
    return round(free / 2**30, 1)


def _files(settings: Settings) -> Finding:
    """The store of files; the room below COMITY_HOME itself is judged by `_room`."""
    try:
        free = file_stores.opened(settings).free()
    except StartupRefused as refused:
        return _refused(say("doctor.files"), refused)
    except OSError as error:
        said = Given(f"{settings.files}: {error.strerror}")
        return Finding(say("doctor.files"), False, said, say("doctor.files_unreachable.fix", setting="COMITY_FILES"))
    if free is None:
        return Finding(say("doctor.files"), True, say("doctor.files_unmeasured", store=settings.files))
    enough = free >= LITTLE_ROOM or settings.files == "disk"
    room = say("doctor.files_room", store=settings.files, size=_gigabytes(free))
    return Finding(say("doctor.files"), enough, room)


def _migrations(database: Database) -> Finding:
    import psycopg

    name = say("doctor.migrations")
    try:
        pending = pending_migrations(database.owner_url or database.app_url)
    except StartupRefused as refused:
        return _refused(name, refused)
    except psycopg.OperationalError as error:
        return Finding(name, False, Given(str(error).strip()), say("doctor.correct.fix", setting="DATABASE_ADMIN_URL"))
    if pending:
        lacking = say(
            "doctor.not_applied", migrations=briefly(pending), command="comity db migrate", or_="comity serve"
        )
        return Finding(name, False, lacking)
    return Finding(name, True, say("doctor.all_applied"))


def sequencer_finding(database: Database) -> Finding:
    """How long the oldest appended entry has waited for its place in the log."""
    import psycopg

    from comity.kernel.ledger.sequence import set_aside

    name = say("doctor.sequencer")
    if not database.sequencer_url:
        return Finding(name, True, say("doctor.sequencer_not_set", setting="DATABASE_SEQUENCER_URL"))
    try:
        with psycopg.connect(database.sequencer_url, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute("SELECT to_regclass('comity.pending') IS NOT NULL").fetchone()
            if not row or not row[0]:
                return Finding(name, True, say("doctor.sequencer_no_table", table="comity.pending"))
            row = connection.execute("SELECT count(*) FROM comity.pending").fetchone()
            aside = set_aside(connection)
    except psycopg.Error as error:
        fix = say("doctor.migrate_or_correct.fix", command="comity db migrate", setting="DATABASE_SEQUENCER_URL")
        return Finding(name, False, Given(str(error).strip()), fix)
    if aside:
        named = Given(", ".join(f"{entry} ({reason})" for entry, reason, _ in aside))
        held = say("doctor.sequencer_set_aside", count=len(aside), entries=named, command="comity serve")
        return Finding(name, False, held)
    waiting = row[0] if row else 0
    return Finding(name, waiting < 10_000, say("doctor.sequencer_waits", count=waiting, command="comity serve"))
