"""As whom the embedded PostgreSQL runs.

PostgreSQL refuses to run as root. Nobody's account is created for it and no folder is opened to others:

- an ordinary user runs it as itself;
- root runs it inside a user namespace in which root is called `nobody`: for the kernel the files stay root's own;
- where the system refuses user namespaces, root drops to the account `nobody` for PostgreSQL alone.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from comity.config.startup import StartupRefused
from comity.sentences import say

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    way: str  # "self", "namespace" or "nobody"
    client: str  # the name under which PostgreSQL sees our own connections arrive
    uid: int
    gid: int

    def enter(self) -> None:
        """Become this account. To be called between fork and exec only; an error ends the child."""
        if self.way == "namespace":
            group = os.getegid()  # inside, before the map is written, it has no number
            if _libc.unshare(CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "user namespace refused")
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{self.uid} 0 1"),
                ("gid_map", f"{self.gid} {group} 1"),
            ):
                fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
                os.write(fd, text.encode())
                os.close(fd)
        elif self.way == "nobody":
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)

    def own(self, path: Path) -> None:
        """Give a file or folder that we made to this account, if it is another than ours."""
        if self.way == "nobody":
            os.chown(path, self.uid, self.gid)

    def entering(self, *, with_parent: bool = False) -> Callable[[], None]:
        """What a child does before exec; `with_parent` makes it end (fast shutdown) when its parent ends, however."""
        parent = os.getpid()

        def enter() -> None:
            self.enter()
            os.umask(0o077)
            if with_parent and sys.platform == "linux":
                _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
                if os.getppid() not in (parent, 0):
                    os._exit(70)

        return enter


@cache
def account() -> Account:
    """The account for this machine. `COMITY_POSTGRES_ACCOUNT=nobody` leaves out the user namespace."""
    if os.geteuid() != 0:
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise StartupRefused(
                "account_unnamed",
                say("account_unnamed.user_number_has_no_name", geteuid=os.geteuid()),
            ) from None
        return Account("self", name, os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StartupRefused(
            "account_missing",
            say("account_missing.postgresql_refuses_to_run_as"),
        ) from None
    inside = Account("namespace", "nobody", nobody.pw_uid, nobody.pw_gid)
    if os.environ.get("COMITY_POSTGRES_ACCOUNT") != "nobody" and _works(inside):
        return inside
    return as_nobody()


def as_nobody() -> Account:
    nobody = pwd.getpwnam("nobody")
    return Account("nobody", "root", nobody.pw_uid, nobody.pw_gid)


def _works(candidate: Account) -> bool:
    with contextlib.suppress(OSError, subprocess.SubprocessError, AttributeError):
        found = subprocess.run(
            [sys.executable, "-S", "-c", "import os; print(os.geteuid())"],
            preexec_fn=candidate.enter,
            capture_output=True,
            text=True,
            check=False,
        )
        return found.returncode == 0 and found.stdout.strip() == str(candidate.uid)
    return False


def adopt_orphans() -> None:
    """Let the children of a postmaster that died become ours, so that we can await and reap them (Linux)."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
