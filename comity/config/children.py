"""Child processes of a server: started, started again when they end, and never left behind.

A child runs `python -m comity.config.children MODULE`, which ties its life to its parent's before it runs the module.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from comity import clock

PR_SET_PDEATHSIG = 1
QUICK = 10.0
"""Seconds: a child that ends sooner than this did not come up."""
TRIES = 6
"""So many times in a row a child may fail to come up before the whole is given up."""
_PARENT = "COMITY_PARENT"


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """This process gets the signal when `parent`, which started it, ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # it was gone before the tie was made


@dataclass
class Child:
    """One module that is to run for as long as the server does."""

    name: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    wait_until: float = 0.0

    def start(self) -> None:
        self.started = clock.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "comity.config.children", self.module],
            env={**os.environ, **self.environment, _PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
        )

    def tend(self) -> bool:
        """Start it, or start it again after a pause that grows; False when it does not come up."""
        now = clock.monotonic()
        if self.process is None:
            if now >= self.wait_until:
                self.start()
            return True
        code = self.process.poll()
        if code is None:
            return True
        self.process = None
        failed = code > 0 and now - self.started < QUICK  # what was killed had come up
        self.failures = self.failures + 1 if failed else 0
        print(f"comity: {self.name} ended with {code} and is started again", file=sys.stderr, flush=True)
        self.wait_until = now + min(0.2 * 2**self.failures, 5.0)
        return self.failures < TRIES

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def end_all(children: list[Child], *, patience: float = 20.0) -> None:
    """Ask all to end, then make them: none is left when this returns."""
    for child in children:
        child.end()
    deadline = clock.monotonic() + patience
    while clock.monotonic() < deadline and not all(child.has_ended() for child in children):
        clock.pause(0.02)
    for child in children:
        child.end(signal.SIGKILL)
        if child.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(5)


def main(arguments: list[str]) -> None:
    end_with_parent(int(os.environ.pop(_PARENT, os.getppid())))
    module = arguments[0]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
