"""The supervisor of one embedded PostgreSQL: `python -m comity.config.supervise HOME [BINARIES]`.

It owns the postmaster. Programs that use the database hold a connection to its socket; when the last one has gone, in
whatever way, and none comes within GRACE, it stops PostgreSQL and ends, so that nothing is left behind. Should it be
killed itself, the system ends the postmaster. Should the postmaster be killed, it starts it again.

A lock file makes it the only one of its home. A connecting program is sent one line of JSON: where PostgreSQL's
socket is when the database is ready, or the refusal. The process that was called ends as soon as its child listens.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from comity.config.embedded_account import adopt_orphans
from comity.config.embedded_cluster import Cluster
from comity.config.embedded_folders import Layout, door, layout, leave_run_folder, private_folder
from comity.config.startup import StartupRefused
from comity.sentences import say

GRACE = float(os.environ.get("COMITY_EMBEDDED_GRACE", "2"))  # seconds: after the last program has gone
FIRST = 20.0  # how long for the first one to come
PATIENCE = 90.0  # with a postmaster that does not come up because another one's processes are still ending


def log(*words: object) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), f"[{os.getpid()}]", *words, file=sys.stderr, flush=True)


def answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True


def take_lock(home: Path, patience: float = 60.0) -> int | None:
    """The lock's descriptor, to be kept open; None when another supervisor answers for this home."""
    lock = home / "supervisor.lock"
    fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError:
            if answers(door(home)):
                os.close(fd)
                return None
        if time.monotonic() > deadline:
            os.close(fd)
            raise StartupRefused(
                "supervisor_stuck",
                say("supervisor_stuck.another_process_holds_and_does", lock=lock),
            )
        time.sleep(0.05)


class Supervisor:
    def __init__(self, where: Layout, binaries: Path) -> None:
        self.where = where
        self.cluster = Cluster(where, binaries)
        self.postmaster: subprocess.Popen[bytes] | None = None
        self.clients: set[socket.socket] = set()
        self.ready = False
        self.stopping = False
        self.refused: StartupRefused | None = None
        self.idle_since = time.monotonic()
        self.had_client = False
        where.door.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(where.door))
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.wake, wake_writer = socket.socketpair()
        self.wake.setblocking(False)
        wake_writer.setblocking(False)
        self._wake_writer = wake_writer
        signal.set_wakeup_fd(wake_writer.fileno())
        self.selector.register(self.wake, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> None:
        try:
            self._bring_up()
            while not self.stopping and not self._unused():
                self._serve(0.5)
                if self.postmaster is not None and self.postmaster.poll() is not None:
                    log("the postmaster ended by itself with", self.postmaster.returncode, "and is started again")
                    self.ready = False
                    self._await_orphans()
                    self._bring_up()
        except StartupRefused as refused:
            log(refused)
            self.refused = refused
            self._tell_waiting()
        finally:
            self.where.door.unlink(missing_ok=True)
            self.listener.close()
            self._bring_down()
            for client in self.clients:
                client.close()
            leave_run_folder(self.where.home)
        log("ended")

    def _unused(self) -> bool:
        waited = time.monotonic() - self.idle_since
        return not self.clients and waited > (GRACE if self.had_client else FIRST)

    def _serve(self, timeout: float) -> None:
        """Admit who comes, notice who has gone."""
        for key, _ in self.selector.select(timeout):
            if key.fileobj is self.wake:
                with contextlib.suppress(BlockingIOError):
                    self.wake.recv(4096)
            elif key.fileobj is self.listener:
                with contextlib.suppress(OSError):
                    client, _address = self.listener.accept()
                    client.setblocking(False)
                    self.clients.add(client)
                    self.had_client = True
                    self.selector.register(client, selectors.EVENT_READ)
                    if self.ready:
                        self._tell(client)
            else:
                assert isinstance(key.fileobj, socket.socket)
                self._hear(key.fileobj)
        if self.clients:
            self.idle_since = time.monotonic()

    def _hear(self, client: socket.socket) -> None:
        try:
            if client.recv(64):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.selector.unregister(client)
        self.clients.discard(client)
        client.close()
        self.idle_since = time.monotonic()

    def _tell(self, client: socket.socket) -> None:
        word = {"sockets": str(self.where.sockets)}
        if self.refused is not None:
            word = {"code": self.refused.code, "message": self.refused.message, "fix": self.refused.fix}
        with contextlib.suppress(OSError):
            client.sendall(json.dumps(word).encode() + b"\n")

    def _tell_waiting(self) -> None:
        """A refusal reaches those who wait for it; one who comes later is told by the next supervisor."""
        deadline = time.monotonic() + 3.0
        while not self.clients and time.monotonic() < deadline:
            self._serve(0.1)
        for client in list(self.clients):
            self._tell(client)

    def _bring_up(self) -> None:
        """Start PostgreSQL until it is ready. Processes of one that was killed may take seconds to end: try again."""
        bare = self.cluster.prepare()
        self.cluster.end_stray()
        deadline = time.monotonic() + PATIENCE
        pause = 0.1
        while True:
            before = self.where.log.stat().st_size if self.where.log.exists() else 0
            self.postmaster = self.cluster.launch()
            if self._becomes_ready(deadline) or self.stopping:
                break
            said = self._said_since(before)
            again = any(words in said for words in ("postmaster.pid", "shared memory", "already in use"))
            if not again or time.monotonic() > deadline:
                raise self.cluster.explain(said, "postgres_failed")
            log("not yet:", said.strip().splitlines()[-1])
            self._pause(pause)
            pause = min(pause * 2, 2.0)
        if self.stopping:
            return
        if bare:
            self.cluster.furnish()
        self.ready = True
        log("PostgreSQL", self.cluster.major, "runs as", self.cluster.account.way, "on", self.where.data)
        for client in list(self.clients):
            self._tell(client)

    def _becomes_ready(self, deadline: float) -> bool:
        assert self.postmaster is not None
        while self.postmaster.poll() is None:
            if self.cluster.is_ready(self.postmaster.pid):
                return True
            if self.stopping:
                return False
            if time.monotonic() > deadline + 600:  # crash recovery of a large log may take minutes, not this long
                raise StartupRefused(
                    "postgres_slow", say("postgres_slow.postgresql_is_not_ready_after", log=self.where.log)
                )
            self._serve(0.01)
        return False

    def _said_since(self, offset: int) -> str:
        with contextlib.suppress(OSError), self.where.log.open("rb") as file:
            file.seek(offset)
            return file.read()[-8192:].decode(errors="replace")
        return ""

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping:
            self._serve(0.05)

    def _await_orphans(self) -> None:
        """Wait until the children of a killed postmaster, now ours, have ended; hurry those that do not."""
        started = time.monotonic()
        quit_sent = False
        while (left := _children()) and not self.stopping:
            for pid in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            waited = time.monotonic() - started
            if (waited > 2 and not quit_sent) or waited > 8:
                number = signal.SIGKILL if quit_sent else signal.SIGQUIT
                quit_sent = True
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            self._serve(0.02)

    def _bring_down(self) -> None:
        """Fast shutdown, then immediate, then by force. Whatever happens, no process of ours is left."""
        if self.postmaster is not None:
            for number, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0)):
                if self.postmaster.poll() is not None:
                    break
                self.postmaster.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.postmaster.wait(patience)
        deadline = time.monotonic() + 5
        while (left := _children()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)


def _children() -> list[int]:
    """Our children by the system's account (Linux); empty elsewhere."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def main(arguments: list[str]) -> int:
    home, binaries = Path(arguments[0]), Path(arguments[1])
    reader, writer = os.pipe()
    if os.fork() > 0:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            word = pipe.read()
        sys.stdout.write(word.decode())
        return 0 if word == b"{}" else 1
    os.close(reader)
    os.setsid()
    os.chdir("/")
    os.umask(0o077)
    try:
        private_folder(door(home).parent)
        lock = take_lock(home)
        if lock is not None:
            private_folder(door(home).parent)  # the one before us has just removed it
        supervisor = Supervisor(layout(home), binaries) if lock is not None else None
        _detach(home, writer, b"{}")
    except StartupRefused as refused:
        word = json.dumps({"code": refused.code, "message": refused.message, "fix": refused.fix}).encode()
        os.write(writer, word)
        return 1
    if supervisor is None:
        return 0
    adopt_orphans()
    supervisor.run()
    return 0


def _detach(home: Path, writer: int, word: bytes) -> None:
    log_fd = os.open(home / "supervisor.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.write(writer, word)
    os.close(writer)
    for target, source in ((0, null), (1, log_fd), (2, log_fd)):
        os.dup2(source, target)
    os.close(log_fd)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
