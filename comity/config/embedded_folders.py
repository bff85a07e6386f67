"""Where the embedded PostgreSQL of one COMITY_HOME lies, and as whom it runs; folders that are ours alone, with room.

A socket's path is short, and another user's folder is refused.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from comity.config.embedded_account import Account, account, as_nobody
from comity.config.startup import StartupRefused
from comity.sentences import say

DATABASE = "comity"
LONGEST_FOLDER = 80  # a socket's path may have 107 bytes; our file names take up to 20
ELSEWHERE = Path("/var/lib/comity")  # for the account nobody, when it cannot pass into COMITY_HOME


@dataclass(frozen=True)
class Layout:
    """Where everything of one COMITY_HOME lies, and as whom its PostgreSQL runs."""

    home: Path
    account: Account
    data: Path
    sockets: Path  # PostgreSQL's socket; the supervisor's is in run_folder(home)

    @property
    def door(self) -> Path:
        return door(self.home)

    @property
    def lock(self) -> Path:
        return self.home / "supervisor.lock"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


def run_folder(home: Path) -> Path:
    """Ours alone; under the system's temporary folder when the path would be too long for a socket."""
    run = home / "run"
    if len(os.fsencode(run)) <= LONGEST_FOLDER:
        return run
    name = f"comity-{os.geteuid()}-{_digest(home)}"
    run = Path(tempfile.gettempdir()) / name
    return run if len(os.fsencode(run)) <= LONGEST_FOLDER else Path("/tmp") / name


def door(home: Path) -> Path:
    """The supervisor's socket."""
    return run_folder(home) / "supervisor.sock"


def url(sockets: Path | str, role: str, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(sockets), safe='')}&port=5432"


def _digest(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:16]


def layout(home: Path) -> Layout:
    """Where the data lie or will lie. Data that are there already decide as whom PostgreSQL runs."""
    elsewhere = ELSEWHERE / _digest(home)
    inside, outside = home / "postgres", elsewhere / "postgres"
    who = account()
    if os.geteuid() == 0:
        for data in (inside, outside):
            if data.exists() and data.stat().st_uid != 0:
                who = as_nobody()
        if who.way == "nobody" and inside.exists() and inside.stat().st_uid == 0:
            raise StartupRefused(
                "account_changed",
                say("account_changed.was_written_by_root_in", inside=inside),
            )
    if who.way != "nobody":
        return Layout(home, who, inside, run_folder(home))
    if inside.exists() or (not outside.exists() and _open_to_all(home.parent)):
        sockets = home / "postgres-run"
        if len(os.fsencode(sockets)) > LONGEST_FOLDER:
            sockets = elsewhere / "run"
        return Layout(home, who, inside, sockets)
    return Layout(home, who, outside, elsewhere / "run")


def _open_to_all(folder: Path) -> bool:
    return all(
        path.exists() and path.stat().st_mode & stat.S_IXOTH for path in (folder.resolve(), *folder.resolve().parents)
    )


def private_folder(path: Path, owner: Account | None = None) -> None:
    """Make `path`, mode 0700, ours or the account's; refuse one that another user has put there.

    A supervisor that ends takes its folder along, between any two of these steps: then it is made again.
    """
    for _ in range(100):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError as error:
            if os.path.lexists(path):
                raise _from_os(error, path) from error
            continue
        except OSError as error:
            raise _from_os(error, path) from error
        with contextlib.suppress(FileNotFoundError):
            return _keep_private(path, owner)
    raise StartupRefused("home_not_writable", say("home_not_writable.is_removed_again_and_again", path=path))


def _keep_private(path: Path, owner: Account | None) -> None:
    if owner is not None:
        owner.own(path)
    found = path.lstat()
    wanted = owner.uid if owner is not None and owner.way == "nobody" else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted:
        raise StartupRefused("folder_not_ours", say("folder_not_ours.belongs_to_another_user", path=path))
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)


def leave_run_folder(home: Path) -> None:
    """Remove what lies in the system's temporary folder, if it is empty. Only the holder of the home's lock may."""
    run = run_folder(home)
    if run.parent != home:
        with contextlib.suppress(OSError):
            run.rmdir()


def _from_os(error: OSError, path: Path) -> StartupRefused:
    if error.errno == 28:
        return disk_full(path)
    return StartupRefused(
        "home_not_writable",
        say("home_not_writable.cannot_be_written", path=path, strerror=error.strerror),
    )


def disk_full(path: Path) -> StartupRefused:
    return StartupRefused(
        "disk_full",
        say("disk_full.there_is_no_room_left", path=path),
    )


def require_room(path: Path, needed: int) -> None:
    while not path.exists():
        path = path.parent
    if shutil.disk_usage(path).free < needed:
        raise StartupRefused(
            "disk_full",
            say("disk_full.has_less_than_mb_left", path=path, needed=needed // 2**20),
        )
