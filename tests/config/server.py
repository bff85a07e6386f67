"""Starting, watching and killing embedded servers in tests."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.patience import PATIENCE, eventually

PROGRAM = """
import sys
from pathlib import Path
from comity.config.embedded import Embedded
from comity.config.startup import StartupRefused
try:
    urls = Embedded(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None).start()
except StartupRefused as refused:
    print("refused", refused.code, flush=True)
    sys.exit(1)
print(urls.app, flush=True)
sys.stdin.read()
"""


def program(home: Path, *, python: str = sys.executable, **more: object) -> subprocess.Popen[str]:
    """Another program that uses the server of `home` until its standard input closes. It prints the app's address."""
    return subprocess.Popen(
        [python, "-c", PROGRAM, str(home), os.environ.get("COMITY_TEST_PG_BIN", "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.wait(PATIENCE)
    process.stdout.close()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    finish(process)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True, connect_timeout=30) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def ask_patiently(url: str, query: str) -> object:
    found: list[object] = []

    def answered() -> bool:
        try:
            found.append(ask(url, query))
        except psycopg.OperationalError:
            return False
        return True

    eventually(answered)
    return found[0]


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def supervisor(home: Path) -> int:
    """The postmaster's parent."""
    return int(Path(f"/proc/{postmaster(home)}/stat").read_text().rsplit(")", 1)[1].split()[1])


def kill_hard(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def processes_of(home: Path) -> list[str]:
    """Command lines of what still runs for this home: supervisors, and postgres processes working in its data."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            place = str((folder / "cwd").readlink())
        except OSError:
            continue
        ours = str(home) in command and "comity.config.supervise" in command
        if ours or place == str(home / "postgres"):
            found.append(f"{folder.name} {command}")
    return found


def nothing_left(home: Path) -> None:
    eventually(lambda: not processes_of(home))
